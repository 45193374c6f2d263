"""Figures of concepts: one site's from best to worst, or concept by site by noise level."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from denoscope.core.report import Report
from denoscope.figures.concepts import levels, whiskers
from denoscope.figures.plots import Band, curves, heat_map
from denoscope.measures.triplets import CHANCE

__all__ = ["drawn"]

Row = Mapping[str, Any]

_WORDS = {"site": "site", "level": "noise level"}


def drawn(report: Report, label: str) -> dict[str, bytes]:
    """Title to SVG; nothing for a report that merges several sites.

    Args:
        report: of the task `concepts`.
        label: which concepts were asked for.
    """
    if "kind" not in report.table:
        return {}
    rows = [dict(zip(report.table, values, strict=True)) for values in zip(*report.table.values(), strict=True)]
    return _joint(rows, label) if "level" in report.table else _single(rows, label)


def _single(rows: Sequence[Row], label: str) -> dict[str, bytes]:
    concepts = sorted((row for row in rows if row["kind"] == "concept"), key=lambda row: -row["R2"])
    title = "How well each concept is decoded on objects that the map never saw"
    band = Band(*([row[key] for row in concepts] for key in ("R2", "R2, low", "R2, high")))
    low = min(0.0, min(band.value)) - 0.3
    band = Band(band.value, [max(low, end) for end in band.low], band.high)
    names, words = [row["unit"] for row in concepts], (f"{label} concepts", "other concepts")
    made = {title: whiskers(names, band, [row["asked for"] for row in concepts], words, title, "held-out R2", line=0.0)}
    asked = sorted((row for row in concepts if row["accuracy"] is not None), key=lambda row: -row["accuracy"])
    if asked:
        title = "Choices that belong to each concept"
        band = Band(*([row[key] for row in asked] for key in ("accuracy", "accuracy, low", "accuracy, high")))
        best = [row["accuracy, people's embedding"] for row in asked]
        names, words = [f"{row['unit']} ({row['choices']})" for row in asked], ("this site", "people's embedding")
        made[title] = levels(names, band, best, words, title, "odd-one-out accuracy (chance 1/3)", CHANCE)
    return made


def _joint(rows: Sequence[Row], label: str) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for model in dict.fromkeys(row["model"] for row in rows):
        end = f", {model}" if model == "random-init twin" else ""
        mine = [row for row in rows if row["model"] == model]
        cells, groups, peaks = ([row for row in mine if row["kind"] == kind] for kind in ("decoding", "group", "peak"))
        along = "site" if any(row["level"] == "all" for row in peaks) else "level"
        rest = "level" if along == "site" else "site"
        whole = [row for row in peaks if row[rest] == "all"]
        order = sorted(whole, key=lambda row: (not row["asked for"], row["concept"]))
        made |= _curves([row for row in groups if row[rest] == "all"], along, end)
        made |= _peaks(cells, whole, along, label, end)
        made |= _map(cells, [row["concept"] for row in order], along, end)
    return made


def _curves(groups: Sequence[Row], along: str, end: str) -> dict[str, bytes]:
    """Mean R2 of both groups along the places, averaged over the rest."""
    title = f"Mean R2 of concepts by {_WORDS[along]}{end}"
    lines: dict[str, Band] = {}
    for name in dict.fromkeys(row["concept"] for row in groups):
        mine = [row for row in groups if row["concept"] == name]
        lines[name] = Band(*([row[key] for row in mine] for key in ("R2", "low", "high")))
    places = list(dict.fromkeys(row[along] for row in groups))
    return {title: curves(places, lines, title, "", "held-out R2")}


def _map(cells: Sequence[Row], names: Sequence[str], along: str, end: str) -> dict[str, bytes]:
    """Concepts down, places across, averaged over the rest."""
    places = list(dict.fromkeys(row[along] for row in cells))
    found: dict[tuple[str, str], list[float]] = {}
    for row in cells:
        found.setdefault((row["concept"], row[along]), []).append(row["R2"])
    values = [[float(np.mean(found.get((name, place), [np.nan]))) for place in places] for name in names]
    title = f"R2 of every concept by {_WORDS[along]}{end}"
    return {title: heat_map(values, names, places, title, "", (0.0, max(0.01, float(np.nanmax(values)))), None)}


def _peaks(cells: Sequence[Row], peaks: Sequence[Row], along: str, label: str, end: str) -> dict[str, bytes]:
    """Where each concept peaks on average; those that are decoded nowhere are left out."""
    order = sorted((row for row in peaks if row["gap"] is not None), key=lambda row: (row["peak"], row["concept"]))
    if not order:
        return {}
    places = list(dict.fromkeys(row[along] for row in cells))
    band = Band(*([row[key] for row in order] for key in ("peak", "peak, low", "peak, high")))
    title = f"Where each concept peaks{end}"
    names, words = [f"{row['concept']} ({row['R2']:.2f})" for row in order], (f"{label} concepts", "other concepts")
    marked = [row["asked for"] for row in order]
    return {title: whiskers(names, band, marked, words, title, "place of the peak (R2 there)", places)}
