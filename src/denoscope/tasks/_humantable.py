"""What lies behind an odd-one-out score: objects, and how sure people were."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Report
from denoscope.figures.plots import Band, bars, curves
from denoscope.measures.ceilings import entropy_bins
from denoscope.measures.statistics import Estimate, wilson
from denoscope.measures.triads import by_object, object_influence, triad_mean
from denoscope.measures.triplets import CHANCE, Judgments, alike, calibrated, entropy
from denoscope.tasks._humanmisses import Miss
from denoscope.tasks._judged import Judged

__all__ = ["drawn", "table_of"]

Array = NDArray[Any]

_WIDTH = 0.1
"""Nats of a bin of entropy."""
_LEAST = 20
"""Choices that a bin needs."""
_NO_MISS = {"objects": "", "pictures": "", "odd one of the site": "", "people's": float("nan"), "site's": float("nan")}
_SHOWN = 12
"""Objects that are drawn of either end."""


def table_of(told: Judged, right: NDArray[np.float64], misses: Sequence[Miss] = ()) -> dict[str, list[Any]]:
    """A row per object, then one per bin of how sure people are, where their embedding is known, then the misses.

    Columns: `kind` (object, entropy or miss), `unit`, `accuracy` over the choices that are about it with `low` and
    `high`, their number `choices`, `ceiling` (mean of people's largest chance, where known) and `share`, whose mean
    over objects is the accuracy of the report and whose spread is that of its objects. Of a miss, a line each: names
    of its `objects` (the two that people kept together, then their odd one) and ids of `pictures`; further `odd one of
    the site`, and the chances `people's` and `site's` of their own odd ones.
    """
    choices = told.judgments
    shares, count = by_object(right, choices)
    influence, asked = object_influence(right, choices), count > 0
    known, bins = np.full(len(count), np.nan), list[dict[str, Any]]()
    if told.embedding is not None:
        top, number = _people(told.embedding.tobytes(), choices)
        known, bins = by_object(top, choices)[0], _binned(right, top, number, choices)
    rows = [
        _row("object", told.names[i], wilson(round(shares[i] * count[i]), int(count[i])), float(shares[i]), known[i],
             influence[i]) for i in np.flatnonzero(asked)
    ]  # fmt: skip
    rows += bins
    rows += [_missed(miss) for miss in misses]
    return {name: [row[name] for row in rows] for name in rows[0]}


def drawn(report: Report) -> dict[str, bytes]:
    """Title to SVG; nothing for a report on several sites."""
    if "kind" not in report.table:
        return {}
    rows = [dict(zip(report.table, values, strict=True)) for values in zip(*report.table.values(), strict=True)]
    objects = sorted((row for row in rows if row["kind"] == "object"), key=lambda row: -row["accuracy"])
    some = objects if len(objects) <= 2 * _SHOWN else objects[:_SHOWN] + objects[-_SHOWN:]
    title = "Objects that are seen most and least as people see them"
    made = {title: bars([row["unit"] for row in some], _band(some), title, "accuracy of the choices about it",
                        {"chance": CHANCE, "all": report["accuracy"].value})}  # fmt: skip
    bins = [row for row in rows if row["kind"] == "entropy"]
    if len(bins) > 1:
        best = [row["ceiling"] for row in bins]
        lines = {
            "accuracy": _band(bins),
            "best possible": Band(best, best, best),
            "chance": Band(*[[CHANCE] * len(bins)] * 3),
        }
        made["Accuracy by how sure people are"] = curves(
            [float(row["unit"].split()[0]) for row in bins], lines, "Accuracy by how sure people are",
            "entropy of people's choice (nats, from)", "share of choices", ("best possible", "chance"),
        )  # fmt: skip
    return made


def _binned(right: Array, top: Array, number: Array, choices: Judgments) -> list[dict[str, Any]]:
    """A row per bin of entropy that enough choices are in."""
    rows: list[dict[str, Any]] = []
    for one in np.unique(number):
        inside = np.flatnonzero(number == one)
        if len(inside) >= _LEAST:
            mean = triad_mean(right[inside], choices.select(inside))
            rows.append(_row("entropy", f"{one * _WIDTH:.1f} nats", mean, mean.value, top[inside].mean(), np.nan))
    return rows


@lru_cache(maxsize=2)
def _people(embedding: bytes, choices: Judgments) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Largest chance and bin of entropy of every choice, by people's embedding at its best temperature."""
    similar = alike(np.frombuffer(embedding).reshape(choices.objects, -1), "dot")
    chances = calibrated(similar, choices).chances
    return chances.max(axis=1), entropy_bins(entropy(chances), _WIDTH)


def _row(kind: str, unit: str, found: Estimate, accuracy: float, ceiling: float, share: float) -> dict[str, Any]:
    low, high = min(found.low, accuracy), max(found.high, accuracy)
    return {"kind": kind, "unit": unit, "accuracy": accuracy, "low": low, "high": high, "choices": found.n,
            "ceiling": float(ceiling), "share": float(share), **_NO_MISS}  # fmt: skip


def _missed(miss: Miss) -> dict[str, Any]:
    unit = f"{miss.names[0]} and {miss.names[1]}, not {miss.names[2]}"
    told = {
        "objects": "\n".join(miss.names), "pictures": "\n".join(miss.pictures),
        "odd one of the site": miss.names[miss.odd], "people's": miss.people, "site's": miss.site,
    }  # fmt: skip
    return _row("miss", unit, Estimate(0.0, 0.0, 0.0, miss.votes), 0.0, np.nan, np.nan) | told


def _band(rows: list[dict[str, Any]]) -> Band:
    return Band(*([row[name] for row in rows] for name in ("accuracy", "low", "high")))
