"""Drift as a report: errors by site and level, a task's scores beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score
from denoscope.drift.scored import Scored
from denoscope.drift.variants import NOISE
from denoscope.figures.plots import Band, curves
from denoscope.measures.deviation import Deviation
from denoscope.measures.statistics import Estimate, bootstrap_mean

__all__ = ["Row", "reported"]

_NOTE = (
    "The relative error of an image is |x - y| / |y| over its cells, y being the reference; the cosine is their mean "
    "one. Intervals are over images, all read under the same noise. `another noise` is the reference under the next "
    "seed: what a value changes by where nobody would call it another. Changes of a score are paired: the same images, "
    "or pairs of images, with either variant's activations; 0 without an interval where no prediction differs."
)


@dataclass(frozen=True)
class Row:
    """One variant at one site and level."""

    variant: str
    """Its name."""
    site: str
    """Where."""
    timestep: float | None
    """Noise level."""
    far: tuple[Deviation, ...]
    """From the reference, image by image; empty for the reference itself."""
    scored: Scored | None
    """The task there, if one was run."""
    change: Estimate | None
    """Of its score, against the reference."""


def reported(rows: Sequence[Row], parameters: Mapping[str, Any], recipes: Mapping[str, str], origin: Origin) -> Report:
    """The report of all rows.

    Args:
        rows: of the reference and of every variant.
        parameters: what was asked.
        recipes: digest by variant.
        origin: what ran.
    """
    names = [
        name for name in dict.fromkeys(row.variant for row in rows) if any(r.far for r in rows if r.variant == name)
    ]
    scores = [score for name in names for score in _scores(name, [row for row in rows if row.variant == name])]
    return Report(
        task="drift",
        parameters=parameters,
        scores=tuple(scores),
        inputs=recipes,
        origin=origin,
        table=_table(rows),
        figures={"Digits that agree": _figure(rows, names)},
        notes=(_NOTE,),
    )


def _scores(name: str, rows: Sequence[Row]) -> list[Score]:
    """Means over sites and levels, with intervals over images."""
    places = f"images, means over {len(rows)} sites and levels" if len(rows) > 1 else "images"
    errors = np.array([[far.error for far in row.far] for row in rows]).mean(axis=0)
    cosines = np.array([[far.cosine for far in row.far] for row in rows]).mean(axis=0)
    made = [
        Score(f"relative error, {name}", **bootstrap_mean(errors)._asdict(), unit="share", better="lower", over=places),
        Score(f"cosine, {name}", **bootstrap_mean(cosines)._asdict(), better="higher", over=places),
    ]
    for row in rows:
        if row.change is not None and row.scored is not None:
            where, head = f"{row.site}, timestep {row.timestep:g}", row.scored.headline
            told = row.change._asdict()
            made.append(Score(f"change of {head.name}, {name}, {where}", **told, unit=head.unit, over=head.over))
    return made


def _table(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """One row per variant, site and level."""
    columns: dict[str, list[Any]] = {}
    for row in rows:
        told: dict[str, Any] = {"variant": row.variant, "site": row.site, "timestep": row.timestep}
        told |= _spread("relative error", [far.error for far in row.far])
        told |= _spread("cosine", [far.cosine for far in row.far]) | {"images": len(row.far) or None}
        if row.scored is not None:
            head = row.scored.headline
            told |= {"score": head.name, "value": head.value, "value low": head.low, "value high": head.high}
            told |= _estimate("change", row.change) | {"n": head.n}
        for name, value in told.items():
            columns.setdefault(name, []).append(value)
    return columns


def _spread(name: str, values: Sequence[float]) -> dict[str, float | None]:
    return _estimate(name, bootstrap_mean(values) if values else None)


def _estimate(name: str, found: Estimate | None) -> dict[str, float | None]:
    value, low, high = (None, None, None) if found is None else found[:3]
    return {name: value, f"{name} low": low, f"{name} high": high}


def _figure(rows: Sequence[Row], names: Sequence[str]) -> bytes:
    """-log10 of the relative error, over sites and levels; more is better."""
    places = list(dict.fromkeys((row.site, row.timestep) for row in rows))
    lines: dict[str, Band] = {}
    for name in names:
        found = {(row.site, row.timestep): row for row in rows if row.variant == name}
        means = [bootstrap_mean([far.error for far in found[place].far]) for place in places]
        value, high, low = ([-float(np.log10(max(mean[part], 1e-12))) for mean in means] for part in range(3))
        lines[name] = Band(value, low, high)
    labels = [f"{site} {timestep:g}" for site, timestep in places]
    return curves(labels, lines, "Digits that agree with the reference", "site and timestep", "-log10 relative error",
                  dashed=[NOISE])  # fmt: skip
