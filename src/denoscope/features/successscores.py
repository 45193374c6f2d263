"""Scores and figures of steering success, from a row for each picture."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score, Table
from denoscope.figures.doses import doses_sheet
from denoscope.figures.plots import Band, bars
from denoscope.measures.statistics import Estimate, bootstrap_difference, bootstrap_mean, wilson

__all__ = ["success_figures", "success_scores"]

_ABSOLUTE = ("reached", "asked", "clean")
"""What pictures without an edit have as well; the rest compares with them."""
_SHOWN = 4
"""Targets whose pictures are shown."""
_RUNS = {"": "without", "edit": "with", "control": "control", "prompt": "prompt"}
_MEASURED: tuple[tuple[str, str, str, Any], ...] = (
    ("reached", "target reached", "share of pictures", "higher"),
    ("asked", "other facts as asked", "share of facts", "higher"),
    ("clean", "target reached, all else as asked", "share of pictures", "higher"),
    ("same", "other facts as before", "share of facts", "higher"),
    ("distance", "distance", "of usual", None),
    ("change", "change of pixels", "of 255", None),
)


def success_scores(table: Table, judges: Mapping[str, Any]) -> Iterator[Score]:
    """Over all targets, then for each: every run, and the edit beyond the others, paired.

    Args:
        table: columns `target`, `run`, `picture`, `reached`, `asked`, `same`, `distance`, `change`; all runs in the
            same order.
        judges: by fact; one that tells its `accuracy` has it among the scores.
    """
    for fact, judge in judges.items():
        if isinstance(accuracy := getattr(judge, "accuracy", None), Estimate):
            yield Score(f"accuracy of the judge of {fact}", *accuracy, unit="share", over="images that it has not seen")
    targets = list(dict.fromkeys(table["target"]))
    yield from _of(table, targets, "")
    for target in targets if len(targets) > 1 else ():
        yield from _of(table, [target], f"{target}: ")


def success_figures(table: Table, sheets: Mapping[str, NDArray[np.uint8]]) -> dict[str, bytes]:
    """How often each target was reached, and pictures of the first of them: without, with, control, prompt."""
    targets, runs = list(dict.fromkeys(table["target"])), list(dict.fromkeys(table["run"]))
    names = [_RUNS[run] for run in runs]
    told = [(target, run) for target in targets for run in runs]
    found = [_share(_column(table, [target], run, "reached"), _units(table, [target])) for target, run in told]
    band = Band(*zip(*[one[:3] for one in found], strict=True))
    lines = [f"{target}, {_RUNS[run]}" for target, run in told]
    made = {"Target reached": bars(lines, band, "How often a judge sees the target", "share of pictures")}
    for title, images in list(sheets.items())[:_SHOWN]:
        target = title.split(":")[0]
        rows = [i for i, name in enumerate(table["target"]) if name == target and table["run"][i] == ""]
        made[title] = doses_sheet(images, [table["prompt"][i] for i in rows], names)
    return made


def _of(table: Table, targets: Sequence[str], before: str) -> Iterator[Score]:
    groups = _units(table, targets)
    for column, name, unit, better in _MEASURED:
        values = {run: _column(table, targets, run, column) for run in dict.fromkeys(table["run"])}
        told = {"unit": unit, "better": better, "over": "pictures, clustered by prompt"}
        for run, found in values.items():
            if run or column in _ABSOLUTE:
                tag = "" if run == "edit" else f", {_RUNS[run]}"
                mean = _share if column in ("reached", "clean") else _mean
                yield Score(f"{before}{name}{tag}", *mean(found, groups), **told)
        for other in values:
            if other == "edit" or (not other and column not in _ABSOLUTE):
                continue
            beyond = bootstrap_difference(values["edit"], values[other], groups=groups)
            yield Score(f"{before}{name} beyond {_RUNS[other]}", *beyond, **told)


def _mean(values: NDArray[np.float64], groups: Sequence[str]) -> Estimate:
    return bootstrap_mean(values, groups=groups)


def _share(values: NDArray[np.float64], groups: Sequence[str]) -> Estimate:
    """Of yes and no: Wilson's interval where units are single, or agree; else the bootstrap over units."""
    units = len(set(groups))
    if units == len(values):
        return wilson(int(values.sum()), units)
    if len(np.unique(values)) > 1:
        return _mean(values, groups)
    return wilson(int(values[0]) * units, units)


def _units(table: Table, targets: Sequence[str]) -> list[str]:
    """What the pictures of one run hang together by: fact of the target, and prompt."""
    rows = zip(table["target"], table["run"], table["prompt"], table["picture"], strict=True)
    return [f"{picture}/{prompt}" for target, run, prompt, picture in rows if target in targets and run == ""]


def _column(table: Table, targets: Sequence[str], run: str, column: str) -> NDArray[np.float64]:
    rows = [i for i, name in enumerate(table["target"]) if name in targets and table["run"][i] == run]
    if column == "clean":
        return np.array([float(table["reached"][i] == 1 and table["asked"][i] == 1) for i in rows])
    return np.array([table[column][i] for i in rows], dtype=np.float64)
