"""What pushes moved: pixels, how unusual activations became, what judges call the pictures, and atoms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.dictionaries._directions import read_at
from denoscope.dictionaries.base import Learned
from denoscope.explorer.server.steershapes import AtomMoved, FactorMoved, Interval, Moved
from denoscope.features.rendered import Seen
from denoscope.features.unusual import Meter
from denoscope.measures.geometry import coverage
from denoscope.measures.statistics import bootstrap_mean
from denoscope.models.base import Model

__all__ = ["atoms_moved", "factors_moved", "interval", "pixels_moved", "unusual_moved"]

Images = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]
_SHOWN = 12
"""Atoms of a dictionary that are told."""
_LEVEL = 50
"""Timestep at which pictures are read where a dictionary does not say its own."""


def interval(values: Numbers) -> Interval:
    """A mean over pictures with its interval; a single picture has none."""
    if len(values) == 1:
        return Interval(value=float(values[0]), n=1)
    found = bootstrap_mean(values)
    return Interval(value=found.value, low=found.low, high=found.high, n=len(values))


def pixels_moved(before: Images, after: Images, control: Images | None, mask: Mask | None) -> list[Moved]:
    """Mean absolute difference of pixels, of 255: inside and outside of what was brushed, where anything was."""
    parts: dict[str, Mask | None] = {"change of pixels": None}
    if mask is not None and not mask.all():
        parts = {"change of pixels inside the brush": mask, "change of pixels outside": ~mask}
    return [
        Moved(
            name=name,
            unit="of 255",
            steered=interval(_gap(before, after, part)),
            control=None if control is None else interval(_gap(before, control, part)),
        )
        for name, part in parts.items()
    ]


def unusual_moved(meter: Meter, before: Any, after: Any, control: Any) -> list[Moved]:
    """How far cells are from what they usually are there: squared Mahalanobis distance, 1 as in these pictures."""
    runs = {"plain": before, "steered": after, "control": control}
    found = {name: interval(meter.distance(run)) for name, run in runs.items() if run is not None}
    return [Moved(name="distance from usual activations", unit="times as usual", **found)]


def factors_moved(
    judges: Mapping[str, Seen], before: Images, after: Images, control: Images | None
) -> list[FactorMoved]:
    """What classifiers of renderings call every factor, picture by picture."""
    return [
        FactorMoved(
            fact=fact,
            before=judge(list(before)),
            after=judge(list(after)),
            control=[] if control is None else judge(list(control)),
            accuracy=Interval(
                value=judge.accuracy.value, low=judge.accuracy.low, high=judge.accuracy.high, n=judge.accuracy.n
            ),
        )
        for fact, judge in judges.items()
    ]


def atoms_moved(
    model: Model,
    source: str,
    made: Learned,
    pushed: Sequence[int],
    labels: Sequence[str],
    before: Images,
    after: Images,
    mask: Mask | None,
) -> list[AtomMoved]:
    """The atoms whose mean code in the finished pictures changed most, those that were pushed first.

    The pictures are read again, without pushes, at the noise at which the dictionary was learned: what is told is what
    the pictures show, and not the push itself.
    """
    codes = [_codes(model, made, images, mask) for images in (before, after)]
    change = codes[1] - codes[0]
    order = np.argsort(-np.abs(change.mean(axis=0)), kind="stable").tolist()
    shown = [*dict.fromkeys([*pushed, *order])][: _SHOWN + len(pushed)]
    means = [part.mean(axis=0) for part in codes]
    return [
        AtomMoved(
            source=source,
            atom=atom,
            label=labels[atom] if atom < len(labels) else "",
            before=float(means[0][atom]),
            after=float(means[1][atom]),
            change=interval(change[:, atom]),
        )
        for atom in shown
        if atom in pushed or change[:, atom].any()
    ]


def _gap(first: Images, second: Images, part: Mask | None) -> Numbers:
    gaps = np.abs(first.astype(np.float64) - second).mean(axis=3)
    return gaps.mean(axis=(1, 2)) if part is None else gaps[:, part].mean(axis=1)


def _codes(model: Model, made: Learned, images: Images, mask: Mask | None) -> Numbers:
    """Mean code of each atom over a picture's cells, or those that the brush touches, `(picture, atom)`."""
    condition = _condition(made)
    here = read_at(made, condition.timestep or 0.0)
    name = str(model.select(str(made.site))[0])
    block = model.read(list(images), name, condition)[name]
    return np.stack([np.asarray(here.encode(cells), np.float64).mean(axis=0) for cells in _cells(block, mask)])


def _condition(made: Learned) -> Condition:
    """The noise under which a dictionary was learned, without its prompt, which may name facts of its pictures."""
    told: Mapping[str, Any] = made.about.get("condition") or {}
    level = next((name for name in ("timestep", "sigma", "logsnr") if name in told), None)
    return Condition(timestep=_LEVEL) if level is None else Condition(**{level: told[level]})


def _cells(block: Activations, mask: Mask | None) -> list[NDArray[np.float32]]:
    """Cells `(cell, channel)` of each picture."""
    values = block.tokens().numpy().astype(np.float32)
    values = values[:, None] if values.ndim == 2 else values
    if mask is None or block.grid is None:
        return list(values)
    touched = coverage(mask, block.frames[0], block.grid).reshape(-1) > 0
    return list(values[:, touched]) if touched.any() else list(values)
