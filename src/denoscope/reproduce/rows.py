"""A row per site, noise level and published number, from the reports of a block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from denoscope.core.errors import InputError
from denoscope.core.report import Report
from denoscope.core.site import alias
from denoscope.figures.grid import BESIDE
from denoscope.reproduce.study import Measurement, Published, Study

__all__ = ["Row", "rows_of"]


@dataclass(frozen=True)
class Row:
    """One number of ours beside the published one, both in the study's units."""

    model: str
    variant: str
    site: str
    level: str
    score: str
    ours: float
    low: float
    high: float
    n: int
    published: float | None = None
    better: str | None = None
    over: str = "samples"
    beside: Mapping[str, float] = field(default_factory=dict[str, float])
    """Chance and baselines at the same place, by name; in the study's units."""
    tolerance: float | None = None
    """How far off it may lie; that of the study unless given."""


def rows_of(study: Study, block: Published, asked: Measurement, report: Report, digits: int | None = None) -> list[Row]:
    """The wanted scores of a report, in published units.

    Args:
        study: which scores are wanted, and their scale.
        block: model, variant and published values.
        asked: as it was run, with timesteps.
        report: on one site or on a grid.
        digits: to which scores are rounded, where that is replayed.

    Raises:
        InputError: the report has no such score.
    """
    published = _by_place(block, asked)
    found = _merged(report) if "score" in report.table else _single(report)
    wanted = asked.scores or (asked.score,)
    names = {row["timestep"]: f"{row['timestep']:g}" for row in found if row["timestep"] is not None}
    names |= dict(zip(asked.timesteps, _named(asked), strict=True))
    rows: list[Row] = []
    for row in found:
        if row["score"] in wanted:
            level = names.get(row["timestep"], "") or str(row["condition"])
            ours, low, high = (study.scale * _rounded(row[part], digits) for part in ("value", "low", "high"))
            where = (block.model, block.variant, row["site"], level, row["score"])
            told = published.get((row["site"], level, row["score"]))
            beside = {name: study.scale * value for name, value in _beside(found, row).items()}
            more = (row["better"], row["over"], beside, asked.tolerance)
            rows.append(Row(*where, ours, low, high, row["n"], told, *more))
    if not rows:
        known = ", ".join(dict.fromkeys(row["score"] for row in found))
        raise InputError(f"study {study.name} reads the score {wanted[0]!r}, but {asked.task} gives {known}")
    return rows


def _beside(found: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> dict[str, float]:
    """What a score is to be read beside: chance and baselines of the same name, site and noise."""
    names = {f"{row['score']}, {name}": name for name in BESIDE} | {"chance": "chance"}
    place = [row[part] for part in ("site", "timestep", "condition")]
    here = [one for one in found if [one[part] for part in ("site", "timestep", "condition")] == place]
    return {names[one["score"]]: one["value"] for one in here if one["score"] in names}


def _named(asked: Measurement) -> list[str]:
    """Noise levels as they are told: as published where they were asked for so."""
    if asked.percents:
        return [f"{value:g} %" for value in asked.percents]
    return [f"{value:g}" for value in asked.timesteps]


def _rounded(value: float, digits: int | None) -> float:
    return value if digits is None else round(value, digits)


def _merged(report: Report) -> list[dict[str, Any]]:
    return [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]


def _single(report: Report) -> list[dict[str, Any]]:
    """The scores of a report on one site, as the rows of a merged one."""
    beside = {"site": str(report.parameters.get("site")), "timestep": report.parameters.get("timestep"),
              "condition": str(report.parameters.get("condition"))}  # fmt: skip
    return [beside | {"score": score.name, "value": score.value, "low": score.low, "high": score.high, "n": score.n,
                      "better": score.better, "over": score.over} for score in report.scores]  # fmt: skip


def _by_place(block: Published, asked: Measurement) -> dict[tuple[str, str, str], float | None]:
    """Published value by site, level and score."""
    levels: Sequence[str] = [*_named(asked), *(f"logsnr={value:g}" for value in asked.logsnrs)]
    places = [(level, score) for level in levels for score in asked.scores or (asked.score,)]
    return {
        (alias(site), *place): value
        for site, row in block.values.items()
        for place, value in zip(places, row, strict=True)
    }
