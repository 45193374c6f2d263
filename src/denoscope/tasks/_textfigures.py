"""Figures of text gains: maps, curves over noise by prompt, and who gains."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Report
from denoscope.figures.plots import Band, bars, curves, heat_map
from denoscope.measures.triplets import CHANCE
from denoscope.tasks._said import LABEL, UNSAID

__all__ = ["drawn"]

_CURVES = 3
"""Sites whose accuracies are drawn over noise."""
_OBJECTS = 12
"""Objects that are drawn of either end."""

_TWIN = ", random-init twin"
_ASIDE = (_TWIN, f"{UNSAID}, as told")

Rows = Sequence[Mapping[str, Any]]


def drawn(report: Report) -> dict[str, bytes]:
    """Title to SVG."""
    table = report.table
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    places = [row for row in rows if row["part"] == "place"]
    sites, levels = (list(dict.fromkeys(row[key] for row in places)) for key in ("site", "condition"))
    names = {row["condition"]: level_name(row) for row in places}
    made: dict[str, bytes] = {}
    if len(levels) > 1 or len(sites) > 1:
        made |= _maps(places, sites, levels, names)
    if len(levels) > 1:
        alone = [row["value"] for row in rows if (row["part"], row["name"]) == ("text encoder", LABEL)]
        made |= _over_noise(places, {"text encoder, label": alone[0]} if alone else {}, sites, levels, names)
    made |= _concepts([row for row in rows if row["part"] == "concept"], names)
    return made | _objects([row for row in rows if row["part"] == "object"])


def level_name(row: Mapping[str, Any]) -> str:
    """The noise level in short."""
    return f"{row['timestep']:g}" if row["timestep"] is not None else str(row["condition"])


def _maps(rows: Rows, sites: Sequence[str], levels: Sequence[str], names: Mapping[str, str]) -> dict[str, bytes]:
    """Sites down, noise across: every gain, and leakage."""
    known = dict.fromkeys(row["score"] for row in rows)
    twins = [score for score in known if score.endswith(_TWIN) and score != f"gain, {LABEL}{_TWIN}"]
    wanted = [score for score in known if (score.startswith("gain, ") or score == "leakage") and score not in twins]
    gains = [row["value"] for row in rows if row["score"] in wanted and row["score"] != "leakage"]
    limits = (min(gains, default=0.0), max(gains, default=1.0))
    made: dict[str, bytes] = {}
    for score in wanted:
        found = {(row["site"], row["condition"]): row["value"] for row in rows if row["score"] == score}
        values = np.array([[found.get((site, level), np.nan) for level in levels] for site in sites])
        title = f"{score} by site and noise level"
        told = [names[level] for level in levels]
        made[title] = heat_map(
            _plain(values), sites, told, title, "timestep", None if score == "leakage" else limits, None
        )
    return made


def _over_noise(
    rows: Rows, texts: Mapping[str, float], sites: Sequence[str], levels: Sequence[str], names: Mapping[str, str]
) -> dict[str, bytes]:
    """Accuracy under every prompt, at the sites that are best under any; dashed what they are compared with."""
    known = [row for row in rows if row["score"].startswith("accuracy, ") and not row["score"].endswith(_ASIDE)]
    top = {site: max(row["value"] for row in known if row["site"] == site) for site in sites}
    best = sorted(sites, key=lambda site: -top[site])[:_CURVES]
    made: dict[str, bytes] = {}
    for site in (site for site in sites if site in best):
        kinds = list(dict.fromkeys(row["score"] for row in known))
        lines = {kind.removeprefix("accuracy, "): _band(known, kind, site, levels) for kind in kinds}
        flat = {**texts, "chance": CHANCE}
        lines |= {name: Band(*[[value] * len(levels)] * 3) for name, value in flat.items()}
        title = f"Accuracy over noise by what is said, {site}"
        told = [names[level] for level in levels]
        made[title] = curves(told, lines, title, "timestep", "accuracy", (UNSAID, *flat))
    return made


def _band(rows: Rows, score: str, site: str, levels: Sequence[str]) -> Band:
    found = {row["condition"]: row for row in rows if row["score"] == score and row["site"] == site}
    nothing = {"value": np.nan, "low": np.nan, "high": np.nan}
    told = [found.get(level, nothing) for level in levels]
    return Band(*([row[part] for row in told] for part in ("value", "low", "high")))


def _concepts(rows: Rows, names: Mapping[str, str]) -> dict[str, bytes]:
    """Concepts down, noise across."""
    if not rows:
        return {}
    concepts, levels = (list(dict.fromkeys(row[key] for row in rows)) for key in ("name", "condition"))
    found = {(row["name"], row["condition"]): row["value"] for row in rows}
    title = f"{rows[0]['score']}, mean over sites"
    if len(levels) == 1:
        band = Band(*([row[part] for row in rows] for part in ("value", "low", "high")))
        return {title: bars(concepts, band, title, "gain")}
    values = [[found.get((name, level), np.nan) for level in levels] for name in concepts]
    return {
        title: heat_map(
            _plain(np.array(values)), concepts, [names[level] for level in levels], title, "timestep", None, None
        )
    }


def _plain(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """To two digits, none of which is a negative zero."""
    return values.round(2) + 0.0


def _objects(rows: Rows) -> dict[str, bytes]:
    if not rows:
        return {}
    order = sorted(rows, key=lambda row: -row["value"])
    some = order if len(order) <= 2 * _OBJECTS else [*order[:_OBJECTS], *order[-_OBJECTS:]]
    title = "Objects that gain most and least from words"
    band = Band(*([row[part] for row in some] for part in ("value", "low", "high")))
    return {title: bars([row["name"] for row in some], band, title, rows[0]["score"])}
