"""Figures of a report on noise."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from denoscope.core.report import Report
from denoscope.figures.plots import Band, bars, curves, heat_map
from denoscope.tasks._chances import KINDS

__all__ = ["drawn"]

Rows = Sequence[Mapping[str, Any]]

_SITES = 3
"""Sites whose accuracies are drawn over noise."""


def drawn(report: Report) -> dict[str, bytes]:
    """Title to SVG."""
    table = report.table
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    made: dict[str, bytes] = {}
    for model in dict.fromkeys(row["model"] for row in rows):
        places = [row for row in rows if row["part"] == "place" and row["model"] == model]
        called = f", {model}" if model else ""
        made |= _over_noise(places, called) | _maps(places, called)
        made |= _peaks([row for row in rows if row["part"] == "peak" and row["model"] == model], called)
    return made | _models([row for row in rows if row["part"] == "models"])


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['timestep']:g}" if row["timestep"] is not None else str(row["condition"]).removeprefix("logsnr=")


def _levels(rows: Rows) -> dict[str, str]:
    return {str(row["condition"]): _name(row) for row in rows}


def _across(rows: Rows) -> str:
    return "timestep" if all(row["timestep"] is not None for row in rows) else "log-SNR"


def _band(rows: Rows, levels: Sequence[str]) -> Band:
    found = {str(row["condition"]): row for row in rows}
    nothing = {"value": np.nan, "low": np.nan, "high": np.nan}
    return Band(*([found.get(level, nothing)[part] for level in levels] for part in ("value", "low", "high")))


def _over_noise(rows: Rows, called: str) -> dict[str, bytes]:
    """Accuracy by kind of chance, at the sites that are best anywhere."""
    levels = _levels(rows)
    if len(levels) < 2:
        return {}
    top: dict[str, float] = {}
    for row in rows:
        if row["score"].startswith("accuracy, "):
            top[row["site"]] = max(top.get(row["site"], 0.0), row["value"])
    made: dict[str, bytes] = {}
    for site in sorted(top, key=lambda site: -top[site])[:_SITES]:
        mine = [row for row in rows if row["site"] == site]
        lines = {kind: _band(found, list(levels)) for kind in KINDS
                 if (found := [row for row in mine if row["score"] == f"accuracy, {kind}"])}  # fmt: skip
        title = f"accuracy over noise at {site}{called}"
        made[title] = curves(list(levels.values()), lines, title, _across(rows), "accuracy")
    return made


def _maps(rows: Rows, called: str) -> dict[str, bytes]:
    """Sites down, noise across: spreads over draws, their share, and differences between kinds."""
    levels, sites = _levels(rows), list(dict.fromkeys(row["site"] for row in rows))
    if len(sites) < 2 or len(levels) < 2:
        return {}
    made: dict[str, bytes] = {}
    for score in dict.fromkeys(row["score"] for row in rows):
        if score.startswith(("spread over draws", "share of the draw")) or " less " in score:
            found = {(row["site"], row["condition"]): row["value"] for row in rows if row["score"] == score}
            values = [[found.get((site, level), np.nan) for level in levels] for site in sites]
            title = f"{score}{called}"
            better = None if "less" not in score else "higher"
            made[title] = heat_map(values, sites, list(levels.values()), title, _across(rows), better=better)
    return made


def _peaks(rows: Rows, called: str) -> dict[str, bytes]:
    """Where each site is best."""
    made: dict[str, bytes] = {}
    for score in dict.fromkeys(row["score"] for row in rows):
        mine = [row for row in rows if row["score"] == score]
        band = Band(*([row[part] for row in mine] for part in ("value", "low", "high")))
        title = f"{score}{called}"
        made[title] = bars([row["site"] for row in mine], band, title, str(mine[0]["unit"]))
    return made


def _models(rows: Rows) -> dict[str, bytes]:
    """Accuracy of each model at its best site."""
    scores = [
        score for score in dict.fromkeys(row["score"] for row in rows) if score.startswith("accuracy at the best")
    ]
    levels = _levels(rows)
    if not scores or len(levels) < 2:
        return {}
    mine = [row for row in rows if row["score"] == scores[0]]
    lines = {model: _band([row for row in mine if row["model"] == model], list(levels))
             for model in dict.fromkeys(row["model"] for row in mine)}  # fmt: skip
    return {"models at equal noise": curves(list(levels.values()), lines, "models at equal noise", _across(rows),
                                            scores[0])}  # fmt: skip
