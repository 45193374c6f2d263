"""Curves of a study: along sites or along noise, with what they are compared with."""

from collections.abc import Mapping, Sequence

import numpy as np

from denoscope.figures.plots import Band, curves
from denoscope.reproduce.measuring import Block
from denoscope.reproduce.rows import Row
from denoscope.reproduce.study import Study

__all__ = ["study_curves"]

_LINES = 6
_DASHED = ("chance", "random-init twin", "pixels", "zero-shot cosine")
"""Of what a score is to be read beside; ceilings lie far above, and the table has all."""


def study_curves(study: Study, blocks: Sequence[Block]) -> dict[str, bytes]:
    """Title to figure: a line per site over noise, or per variant over sites, and published numbers as dashes.

    Args:
        study: which says along what.
        blocks: what was measured.
    """
    if study.curves == "noise":
        return {_title(block): _over_noise(block) for block in blocks if len(_several(block.rows, "level")) > 1}
    if study.curves == "sites":
        rows = [row for block in blocks for row in block.rows]
        return {
            f"{score} by site, {model}, {level}": _over_sites([row for row in rows if _is(row, model, score, level)])
            for model in _several(rows, "model")
            for score in _several(rows, "score")
            for level in _several([row for row in rows if _is(row, model, score)], "level")
        }
    return {}


def _is(row: Row, model: str, score: str, level: str | None = None) -> bool:
    return row.model == model and row.score == score and level in (None, row.level)


def _several(rows: Sequence[Row], part: str) -> list[str]:
    return list(dict.fromkeys(getattr(row, part) for row in rows))


def _title(block: Block) -> str:
    return ", ".join(part for part in (f"{block.rows[0].score} over noise", block.model, block.variant) if part)


def _over_noise(block: Block) -> bytes:
    """The sites that are best anywhere, and what they were compared with at the best of them."""
    levels, sites = _several(block.rows, "level"), _several(block.rows, "site")
    best = sorted(sites, key=lambda site: -max(row.ours for row in block.rows if row.site == site))[:_LINES]
    lines: dict[str, Band] = {}
    dashed: dict[str, Band] = {}
    for site in [site for site in sites if site in best]:
        rows = {row.level: row for row in block.rows if row.site == site}
        lines[site] = _band(rows, levels)
        dashed |= _published(rows, levels, f"{site}, published")
        if site == best[0]:
            dashed |= _beside(rows, levels)
    axis = "noise" if levels[0].endswith("%") else "timestep"
    return curves(levels, lines | dashed, _title(block), axis, block.rows[0].score, tuple(dashed))


def _over_sites(rows: Sequence[Row]) -> bytes:
    """A line per variant."""
    sites, variants = _several(rows, "site"), _several(rows, "variant")
    lines: dict[str, Band] = {}
    dashed: dict[str, Band] = {}
    for variant in variants:
        mine = {row.site: row for row in rows if row.variant == variant}
        name = variant or "activations"
        lines[name] = _band(mine, sites)
        dashed |= _published(mine, sites, f"{name}, published")
        dashed |= {key if len(variants) == 1 or key == "chance" else f"{name}, {key}": band
                   for key, band in _beside(mine, sites).items()}  # fmt: skip
    title = f"{rows[0].score} by site, {rows[0].model}, {rows[0].level}"
    return curves(sites, lines | dashed, title, "", rows[0].score, tuple(dashed))


def _band(rows: Mapping[str, Row], places: Sequence[str]) -> Band:
    known = [rows.get(place) for place in places]
    return Band(*([np.nan if row is None else getattr(row, part) for row in known] for part in ("ours", "low", "high")))


def _line(values: Sequence[float]) -> Band:
    return Band(values, values, values)


def _published(rows: Mapping[str, Row], places: Sequence[str], name: str) -> dict[str, Band]:
    """Published numbers, where there are any."""
    told = [rows[place].published if place in rows else None for place in places]
    known = [np.nan if value is None else value for value in told]
    return {} if np.isnan(known).all() else {name: _line(known)}


def _beside(rows: Mapping[str, Row], places: Sequence[str]) -> dict[str, Band]:
    known = {name for row in rows.values() for name in row.beside}
    names = [name for name in _DASHED if name in known]
    return {name: _line([rows[place].beside.get(name, np.nan) if place in rows else np.nan for place in places])
            for name in names}  # fmt: skip
