"""Figures of concepts: one site's from best to worst, or concept by site by noise level."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from denoscope.core.report import Report
from denoscope.figures.concepts import levels, whiskers
from denoscope.figures.plots import Band, heat_map
from denoscope.measures.triplets import CHANCE

__all__ = ["drawn"]

Row = Mapping[str, Any]

_MOST = 4
"""Noise levels (or sites) that get a map of their own."""


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
        cells = [row for row in mine if row["kind"] == "decoding"]
        peaks = [row for row in mine if row["kind"] == "peak" and row["level"] == "all"]
        names = [row["concept"] for row in sorted(peaks, key=lambda row: (not row["asked for"], row["concept"]))]
        made |= _maps(cells, names, end) | _of_group(cells, label, end)
        made |= _peaks(cells, peaks, label, end)
    return made


def _maps(cells: Sequence[Row], names: Sequence[str], end: str) -> dict[str, bytes]:
    """Concepts down, sites across, at some of the levels."""
    made: dict[str, bytes] = {}
    sites, told = (list(dict.fromkeys(row[key] for row in cells)) for key in ("site", "level"))
    kept = [told[int(i)] for i in np.unique(np.linspace(0, len(told) - 1, min(len(told), _MOST)).round())]
    for level in kept:
        found = {(row["concept"], row["site"]): row["R2"] for row in cells if row["level"] == level}
        title = f"R2 of every concept, {level}{end}"
        values = [[found.get((name, site), np.nan) for site in sites] for name in names]
        made[title] = heat_map(values, names, sites, title, "", (0.0, max(0.01, float(np.nanmax(values)))), None)
    return made


def _of_group(cells: Sequence[Row], label: str, end: str) -> dict[str, bytes]:
    """Mean R2 of the concepts asked for, and of the others, by site and level."""
    sites, told = (list(dict.fromkeys(row[key] for row in cells)) for key in ("site", "level"))
    made: dict[str, bytes] = {}
    for asked, word in ((True, label), (False, "other")):
        found: dict[tuple[str, str], list[float]] = {}
        for row in cells:
            if row["asked for"] is asked:
                found.setdefault((row["site"], row["level"]), []).append(row["R2"])
        values = [[float(np.mean(found.get((site, level), [np.nan]))) for level in told] for site in sites]
        title = f"Mean R2 of {word} concepts by site and noise level{end}"
        short = [level.removeprefix("timestep ") for level in told]
        made[title] = heat_map(values, sites, short, title, "timestep" if short != told else "")
    return made


def _peaks(cells: Sequence[Row], peaks: Sequence[Row], label: str, end: str) -> dict[str, bytes]:
    """Where each concept peaks, over all levels; those that are decoded nowhere are left out."""
    shown = [row for row in peaks if row["gap"] is not None]
    if not shown:
        return {}
    places = list(dict.fromkeys(row["site"] for row in cells))
    if not {row["site"] for row in peaks} <= set(places):
        places = list(dict.fromkeys(row["level"] for row in cells))
    order = sorted(shown, key=lambda row: (row["peak"], row["concept"]))
    band = Band(*([row[key] for row in order] for key in ("peak", "peak, low", "peak, high")))
    title = f"Where each concept peaks, averaged over the rest{end}"
    names = [f"{row['concept']} ({row['R2']:.2f})" for row in order]
    words = (f"{label} concepts", "other concepts")
    marked = [row["asked for"] for row in order]
    return {title: whiskers(names, band, marked, words, title, "place of the peak (R2 there)", places)}
