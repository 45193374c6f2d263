"""Concept by site by noise level: where each concept is decoded best, and whether some peak at other places."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.report import Score
from denoscope.measures.peaks import Apart, apart, by_labels, peak_estimate, redrawn
from denoscope.measures.significance import false_discovery
from denoscope.measures.statistics import Estimate
from denoscope.tasks._blocks import model_of
from denoscope.tasks._conceptscores import Found, ends

__all__ = ["Cell", "Line", "lines_of", "peak_scores", "peaks_said", "tensor"]

Numbers = NDArray[np.float64]
Rows = dict[str, list[Any]]

TWIN = "random-init twin"
EVERY = "all"
"""Level of the line that averages all."""
_DRAWS = 2000
_RATE = 0.05
"""Of false discoveries."""
_COLUMNS = ("kind", "model", "level", "site", "concept", "asked for", "R2", "low", "high", "correlation", "p", "q",
            "peak", "peak, low", "peak, high", "gap", "gap, low", "gap, high")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cell:
    """What was decoded at one site under one condition of one model."""

    model: str
    site: str
    level: str
    found: Found

    @classmethod
    def of(cls, block: Activations, found: Found) -> "Cell":
        """Named by the block."""
        return cls(model_of(block), block.site.name, _level(block.condition), found)


@dataclass(frozen=True, eq=False)
class Line:
    """R^2 of every concept along ordered places, at one noise level (or site), or averaged over all.

    Attributes:
        model: whose.
        level: what the line is of.
        places: names along it.
        value: `(place, concept)`.
        influence: by how much each object moved it, `(object, place, concept)`.
        decoded: concepts that are decoded at one of the places at least, `(concept,)`.
    """

    model: str
    level: str
    places: tuple[str, ...]
    value: Numbers
    influence: Numbers
    decoded: NDArray[np.bool_]

    @property
    def suffix(self) -> str:
        """What is said after the name of a score."""
        return f", {TWIN}" if self.model == TWIN else ""

    def mean(self, some: NDArray[np.bool_], draws: Numbers) -> tuple[Numbers, Numbers]:
        """Mean curve of some concepts `(place,)`, and when objects are drawn anew `(draw, place)`."""
        return self.value[:, some].mean(axis=1), draws[:, :, some].mean(axis=2)


def lines_of(cells: Sequence[Cell], along: str) -> list[Line]:
    """One line per model and level (or site), then one per model that averages those with the same places.

    Raises:
        InputError: no line has two places.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for number, cell in enumerate(cells):
        found.setdefault((cell.model, cell.level if along == "site" else cell.site), []).append(number)
    decoded = _discoveries(cells) <= _RATE
    lines = [
        _line(*key, [cells[i] for i in some], along, decoded[some]) for key, some in found.items() if len(some) > 1
    ]
    if not lines:
        raise InputError(f"a peak along {'sites' if along == 'site' else 'noise levels'} needs two of them or more; "
                         f"give {'sites=' if along == 'site' else 'timesteps='}'all'")  # fmt: skip
    return [*_averaged(lines), *lines]


def peak_scores(lines: Sequence[Line], group: NDArray[np.bool_], label: str, along: str, seed: int) -> list[Score]:
    """Do the concepts that were asked for peak where the others do? Averaged over levels first, then at each."""
    unit, made = "sites" if along == "site" else "noise levels", list[Score]()
    for model in dict.fromkeys(line.model for line in lines):
        mine = [line for line in lines if line.model == model]
        told = [_apart(line, group, seed) for line in mine]
        q = false_discovery([one.p_either for one in told[1:]] or [1.0]).q
        for number, (line, one) in enumerate(zip(mine, told, strict=True)):
            end = ("" if number == 0 else f", {line.level}") + line.suffix
            made.append(_score(f"peaks apart{end}", one.gap, unit))
            made.append(_p(f"peaks apart, p of the gap{end}", one.p, one.gap.n))
            made.append(_p(f"peaks apart, p of a common best place{end}", one.p_common, one.gap.n))
            if number:
                made.append(_p(f"peaks apart, q{end}", float(q[number - 1]), one.gap.n))
                continue
            drawn = by_labels(line.value.T, group, seed=seed)
            made += [
                _p(f"peaks apart, p over concepts{end}", drawn, len(group), "concepts"),
                _score(f"peak, {label}{end}", one.first, f"{unit}, from 0"),
                _score(f"peak, other concepts{end}", one.second, f"{unit}, from 0"),
            ]
    return made


def peaks_said(lines: Sequence[Line], group: NDArray[np.bool_], label: str) -> list[str]:
    """In a sentence per model: where both groups are best, averaged over levels, and by how much."""
    made: list[str] = []
    for line in (line for line in lines if line.level == EVERY):
        told: list[str] = []
        for name, some in ((f"{label} concepts", group), ("the others", ~group)):
            curve = line.value[:, some].mean(axis=1)
            best = int(curve.argmax())
            told.append(f"{name} at {line.places[best]} (mean R2 {curve[best]:.3f})")
        whose = f"In the {line.model} " if line.suffix else ""
        text = f"{whose}{told[0]} and {told[1]} are decoded best, averaged over the rest."
        made.append(text[0].upper() + text[1:])
    return made


def tensor(
    cells: Sequence[Cell], lines: Sequence[Line], names: Sequence[str], group: NDArray[np.bool_], seed: int
) -> Rows:
    """A row per concept, site and level, and one per concept and line with its peak; the rest of each is empty."""
    rows = [*_decodings(cells, names, group), *(row for line in lines for row in _peaks(line, names, group, seed))]
    return {name: [row.get(name) for row in rows] for name in _COLUMNS}


def _apart(line: Line, group: NDArray[np.bool_], seed: int) -> Apart:
    draws = redrawn(line.value, line.influence, _DRAWS, seed)
    (one, its), (other, theirs) = line.mean(group, draws), line.mean(~group, draws)
    return apart(one, other, its, theirs, len(line.influence))


def _decodings(cells: Sequence[Cell], names: Sequence[str], group: NDArray[np.bool_]) -> Iterator[dict[str, Any]]:
    for cell, q in zip(cells, _discoveries(cells), strict=True):
        value, low, high = ends(cell.found.fits)
        for number, name in enumerate(names):
            yield {
                "kind": "decoding", "model": cell.model, "level": cell.level, "site": cell.site, "concept": name,
                "asked for": bool(group[number]), "R2": float(value[number]), "low": float(low[number]),
                "high": float(high[number]), "correlation": float(cell.found.agrees.value[number]),
                "p": float(cell.found.agrees.p[number]), "q": float(q[number]),
            }  # fmt: skip


def _peaks(line: Line, names: Sequence[str], group: NDArray[np.bool_], seed: int) -> Iterator[dict[str, Any]]:
    """Each concept against the mean of all others; tested where it is decoded somewhere."""
    draws = redrawn(line.value, line.influence, _DRAWS, seed)
    told: list[Apart | None] = []
    for number in range(len(names)):
        rest = np.arange(len(names)) != number
        tested = line.decoded[number] and rest.any()
        told.append(apart(line.value[:, number], line.value[:, rest].mean(axis=1), draws[:, :, number],
                          draws[:, :, rest].mean(axis=2), len(line.influence)) if tested else None)  # fmt: skip
    q = false_discovery([np.nan if one is None else one.p_either for one in told]).q
    for number, (name, one) in enumerate(zip(names, told, strict=True)):
        at = peak_estimate(line.value[:, number], draws[:, :, number], len(line.influence))
        row = {
            "kind": "peak", "model": line.model, "level": line.level, "concept": name, "asked for": bool(group[number]),
            "site": line.places[int(line.value[:, number].argmax())], "R2": float(line.value[:, number].max()),
            "peak": at.value, "peak, low": at.low, "peak, high": at.high,
        }  # fmt: skip
        if one is not None:
            row |= {"gap": one.gap.value, "gap, low": one.gap.low, "gap, high": one.gap.high, "p": one.p_either,
                    "q": float(q[number])}  # fmt: skip
        yield row


def _discoveries(cells: Sequence[Cell]) -> Numbers:
    """q of every concept everywhere, `(cell, concept)`: the rate is over the whole tensor of each model."""
    p = np.array([cell.found.agrees.p for cell in cells])
    models, q = np.array([cell.model for cell in cells]), np.full(p.shape, np.nan)
    for model in np.unique(models):
        q[models == model] = false_discovery(p[models == model]).q
    return q


def _line(model: str, level: str, cells: Sequence[Cell], along: str, decoded: NDArray[np.bool_]) -> Line:
    places = tuple(cell.site if along == "site" else cell.level for cell in cells)
    value = np.array([cell.found.fits.value for cell in cells])
    influence = np.stack([cell.found.fits.influence for cell in cells], axis=1)
    return Line(model, level, places, value, influence, np.logical_or.reduce(decoded))


def _averaged(lines: Sequence[Line]) -> Iterator[Line]:
    for model in dict.fromkeys(line.model for line in lines):
        mine = [line for line in lines if line.model == model]
        mine = [line for line in mine if line.places == mine[0].places]
        value, influence = (np.mean([getattr(line, part) for line in mine], axis=0) for part in ("value", "influence"))
        decoded = np.logical_or.reduce([line.decoded for line in mine])
        yield Line(model, EVERY, mine[0].places, value, influence, decoded)


def _score(name: str, found: Estimate, unit: str) -> Score:
    return Score(name, **found._asdict(), unit=unit, over="objects")


def _p(name: str, value: float, n: int, over: str = "objects") -> Score:
    return Score(name, value, value, value, n, unit="p-value", over=over)


def _level(condition: Condition) -> str:
    for name in ("timestep", "sigma", "logsnr"):
        if (value := getattr(condition, name)) is not None:
            return f"{name} {value:g}"
    return "clean"
