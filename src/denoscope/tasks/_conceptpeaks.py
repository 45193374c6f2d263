"""Concept by site by noise level: where each concept is decoded best, and whether some peak at other places."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score
from denoscope.measures.peaks import Apart, apart, by_labels, peak_estimate, redrawn
from denoscope.measures.significance import false_discovery
from denoscope.measures.statistics import Estimate, tail
from denoscope.tasks._conceptlines import EVERY, Cell, Line, discoveries
from denoscope.tasks._conceptscores import ends

__all__ = ["peak_scores", "peaks_said", "tensor"]

Numbers = NDArray[np.float64]
Rows = Iterator[dict[str, Any]]

_DRAWS = 2000
_COLUMNS = ("kind", "model", "level", "site", "concept", "asked for", "R2", "low", "high", "correlation", "p", "q",
            "peak", "peak, low", "peak, high", "gap", "gap, low", "gap, high")  # fmt: skip


def peak_scores(lines: Sequence[Line], group: NDArray[np.bool_], label: str, seed: int) -> list[Score]:
    """Do the concepts that were asked for peak where the others do? On average first, then line by line."""
    made: list[Score] = []
    for model in dict.fromkeys(line.model for line in lines):
        mine = [line for line in lines if line.model == model]
        told = [_apart(line, group, _draws(line, seed)) for line in mine]
        q = false_discovery([one.p_either for one in told[1:]]).q
        made += [*_tests(mine[0], told[0], ""), *_whole(mine[0], told[0], group, label, seed)]
        for line, one, rate in zip(mine[1:], told[1:], q, strict=True):
            made += _tests(line, one, f", {line.name}")
            made.append(_p(f"peaks apart, q, {line.name}{line.suffix}", float(rate), one.gap.n))
    return made


def peaks_said(lines: Sequence[Line], group: NDArray[np.bool_], label: str) -> list[str]:
    """In a sentence per model: where both groups are best on average, and how well."""
    made: list[str] = []
    for line in (line for line in lines if line.name == EVERY):
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
    cells: Sequence[Cell],
    lines: Sequence[Line],
    names: Sequence[str],
    group: NDArray[np.bool_],
    label: str,
    seed: int,
) -> dict[str, list[Any]]:
    """A row per concept, site and level; per line and group at each place; and per concept and line with its peak."""
    rows = list(_decodings(cells, names, group))
    for line in lines:
        draws = _draws(line, seed)
        rows += [*_groups(line, group, label, draws), *_peaks(line, names, group, draws)]
    return {name: [row.get(name) for row in rows] for name in _COLUMNS}


def _draws(line: Line, seed: int) -> Numbers:
    """The line when objects are drawn anew, `(draw, place, concept)`."""
    return redrawn(line.value, line.influence, _DRAWS, seed)


def _apart(line: Line, group: NDArray[np.bool_], draws: Numbers) -> Apart:
    (one, its), (other, theirs) = line.mean(group, draws), line.mean(~group, draws)
    return apart(one, other, its, theirs, len(line.influence))


def _tests(line: Line, told: Apart, words: str) -> list[Score]:
    end = words + line.suffix
    return [
        _score(f"peaks apart{end}", told.gap, _unit(line)),
        _p(f"peaks apart, p of the gap{end}", told.p, told.gap.n),
        _p(f"peaks apart, p of a common best place{end}", told.p_common, told.gap.n),
    ]


def _whole(line: Line, told: Apart, group: NDArray[np.bool_], label: str, seed: int) -> list[Score]:
    drawn = by_labels(line.value.T, group, seed=seed)
    return [
        _p(f"peaks apart, p over concepts{line.suffix}", drawn, len(group), "concepts"),
        _score(f"peak, {label}{line.suffix}", told.first, f"{_unit(line)}, from 0"),
        _score(f"peak, other concepts{line.suffix}", told.second, f"{_unit(line)}, from 0"),
    ]


def _decodings(cells: Sequence[Cell], names: Sequence[str], group: NDArray[np.bool_]) -> Rows:
    for cell, q in zip(cells, discoveries(cells), strict=True):
        value, low, high = ends(cell.found.fits)
        for number, name in enumerate(names):
            yield {
                "kind": "decoding", "model": cell.model, "level": cell.level, "site": cell.site, "concept": name,
                "asked for": bool(group[number]), "R2": float(value[number]), "low": float(low[number]),
                "high": float(high[number]), "correlation": float(cell.found.agrees.value[number]),
                "p": float(cell.found.agrees.p[number]), "q": float(q[number]),
            }  # fmt: skip


def _groups(line: Line, group: NDArray[np.bool_], label: str, draws: Numbers) -> Rows:
    """The mean curve of the concepts asked for, and of the others."""
    level = tail(len(line.influence))
    for name, some, asked in ((f"{label} concepts", group, True), ("other concepts", ~group, False)):
        curve, its = line.mean(some, draws)
        low, high = np.quantile(its, [level, 1 - level], axis=0)
        for place, value in enumerate(curve.tolist()):
            yield line.at(place) | {
                "kind": "group", "concept": name, "asked for": asked, "R2": value, "low": min(float(low[place]), value),
                "high": max(float(high[place]), value),
            }  # fmt: skip


def _peaks(line: Line, names: Sequence[str], group: NDArray[np.bool_], draws: Numbers) -> Rows:
    """Each concept against the mean of all others; tested where it is decoded somewhere."""
    told: list[Apart | None] = []
    for number in range(len(names)):
        alone = np.arange(len(names)) == number
        told.append(_apart(line, alone, draws) if line.decoded[number] else None)
    q = false_discovery([np.nan if one is None else one.p_either for one in told]).q
    for number, (name, one) in enumerate(zip(names, told, strict=True)):
        curve = line.value[:, number]
        at = peak_estimate(curve, draws[:, :, number], len(line.influence))
        row = line.at(int(curve.argmax())) | {
            "kind": "peak", "concept": name, "asked for": bool(group[number]), "R2": float(curve.max()),
            "peak": at.value, "peak, low": at.low, "peak, high": at.high,
        }  # fmt: skip
        if one is not None:
            row |= {"gap": one.gap.value, "gap, low": one.gap.low, "gap, high": one.gap.high, "p": one.p_either,
                    "q": float(q[number])}  # fmt: skip
        yield row


def _unit(line: Line) -> str:
    return "sites" if line.along == "site" else "noise levels"


def _score(name: str, found: Estimate, unit: str) -> Score:
    return Score(name, **found._asdict(), unit=unit, over="objects")


def _p(name: str, value: float, n: int, over: str = "objects") -> Score:
    return Score(name, value, value, value, n, unit="p-value", over=over)
