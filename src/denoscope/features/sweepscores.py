"""Scores and curves of a sweep, from a row per dose, control and picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score, Table
from denoscope.figures.plots import Band, curves
from denoscope.measures.statistics import Estimate, bootstrap_difference, bootstrap_mean

__all__ = ["sweep_curves", "sweep_scores"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Column:
    """One number per picture: what it is called, its unit, which way is good, and how it is made of rows."""

    name: str
    unit: str
    better: Any
    values: Mapping[tuple[str, float], Array]


def sweep_scores(
    table: Table, doses: Sequence[float], target: Mapping[str, str], judges: Mapping[str, Any], controls: Sequence[str]
) -> Iterator[Score]:
    """For each dose: the edit, its controls, and the edit beyond them.

    Args:
        table: columns `control`, `dose`, `picture`, what is measured, and a class for each judged fact.
        doses: in order.
        target: fact to the class that is wanted.
        judges: by fact; one that tells its `accuracy` has it among the scores.
        controls: kinds.
    """
    for fact, judge in judges.items():
        if isinstance(accuracy := getattr(judge, "accuracy", None), Estimate):
            yield Score(f"accuracy of the judge of {fact}", *accuracy, unit="share", over="images that it has not seen")
    for column in _columns(table, target, list(judges)):
        for amount in doses:
            own = column.values["", amount]
            yield _score(f"{column.name}, dose {amount:g}", bootstrap_mean(own), column)
            for control in controls if amount else ():
                other = column.values[control, amount]
                yield _score(f"{column.name}, dose {amount:g}, control {control}", bootstrap_mean(other), column)
                beyond = bootstrap_difference(own, other)
                yield _score(f"{column.name}, dose {amount:g} beyond {control}", beyond, column)


def sweep_curves(
    table: Table, doses: Sequence[float], target: Mapping[str, str], controls: Sequence[str]
) -> dict[str, bytes]:
    """A figure for shares of pictures, and one for distances, over doses."""
    facts = [name for name in table if name not in _OWN]
    columns = list(_columns(table, target, facts))
    found: dict[str, bytes] = {}
    for title, up, chosen in (
        ("What the judges see", "share of pictures", [one for one in columns if one.unit == "share of pictures"]),
        ("How unusual", "of usual", [one for one in columns if one.unit == "of usual"]),
    ):
        lines: dict[str, Band] = {}
        for column in chosen:
            lines[column.name] = _band(column, "", doses)
            lines |= {f"{column.name}, control {control}": _band(column, control, doses) for control in controls}
        if lines:
            dashed = [name for name in lines if ", control " in name]
            found[title] = curves(list(doses), lines, title, "dose", up, dashed)
    return found


_MEASURED = (
    ("change", "change of pixels", "of 255"),
    ("outside", "change outside", "of 255"),
    ("distance", "distance", "of usual"),
    ("off", "off the usual directions", "share"),
)
_OWN = ("control", "dose", "picture", "prompt", *(column for column, _, _ in _MEASURED))


def _columns(table: Table, target: Mapping[str, str], facts: Sequence[str]) -> Iterator[_Column]:
    for fact, value in target.items():
        seen = _by_run(table, [float(name == value) for name in table[fact]])
        yield _Column(f"{fact} is {value}", "share of pictures", "higher", seen)
    others = [fact for fact in facts if fact not in target]
    if others:
        yield _Column("other facts changed" if target else "facts changed", "share of pictures", "lower",
                      _by_run(table, _changed(table, others)))  # fmt: skip
    for column, name, unit in _MEASURED:
        if table[column][0] is not None:
            yield _Column(name, unit, None, _by_run(table, table[column]))


def _by_run(table: Table, values: Sequence[Any]) -> dict[tuple[str, float], Array]:
    """The numbers of each control and dose, one per picture."""
    found: dict[tuple[str, float], list[float]] = {}
    for control, amount, value in zip(table["control"], table["dose"], values, strict=True):
        found.setdefault((control, amount), []).append(float(value))
    return {key: np.array(numbers) for key, numbers in found.items()}


def _changed(table: Table, facts: Sequence[str]) -> list[float]:
    """Share of facts that are called otherwise than in the same picture without edits, for each row."""
    keys = list(zip(table["control"], table["dose"], table["picture"], strict=True))
    plain = {picture: row for row, (control, amount, picture) in enumerate(keys) if not control and amount == 0}
    return [
        float(np.mean([table[fact][row] != table[fact][plain[picture]] for fact in facts]))
        for row, (_, _, picture) in enumerate(keys)
    ]


def _band(column: _Column, control: str, doses: Sequence[float]) -> Band:
    found = [bootstrap_mean(column.values[control, amount]) for amount in doses]
    return Band([one.value for one in found], [one.low for one in found], [one.high for one in found])


def _score(name: str, found: Estimate, column: _Column) -> Score:
    return Score(name, *found, unit=column.unit, better=column.better, over="pictures")
