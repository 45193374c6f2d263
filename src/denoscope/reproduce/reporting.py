"""Our numbers and the published ones as one report."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from denoscope.core.recipe import Origin, canonical
from denoscope.core.report import Report, Score
from denoscope.figures.plots import heat_map
from denoscope.figures.published import agreement
from denoscope.measures.statistics import wilson
from denoscope.reproduce.drawing import study_curves
from denoscope.reproduce.measuring import Block
from denoscope.reproduce.rows import Row
from denoscope.reproduce.study import Study

__all__ = ["reported"]


def reported(study: Study, blocks: Sequence[Block], compat: bool, started: float) -> Report:
    """One report on a study.

    Args:
        study: what was asked.
        blocks: what was measured.
        compat: whether the original protocol was replayed.
        started: `time.perf_counter()` when the work began.
    """
    rows = [row for block in blocks for row in block.rows]
    applies = [row for row in rows if row.published is not None]
    again = f"denoscope reproduce {study.name}{_models(study, blocks)}{' --compat' if compat else ''}"
    return Report(
        task=f"reproduce {study.name}",
        parameters={"title": study.title, "source": study.source, "compat": compat, "scale": study.scale,
                    "tolerance": study.tolerance, "models": list(dict.fromkeys(block.model for block in blocks))},
        scores=(*_agreement(study, applies, compat), *(_score(study, row) for row in rows if study.kind == "values")),
        inputs=_inputs(study, blocks),
        origin=Origin.now(time.perf_counter() - started),
        table=_table(study, rows, compat),
        figures=_figures(study, blocks, applies),
        notes=_notes(study, blocks, applies, compat),
        again=(again,),
        beside={_told(row): _beside(row) for row in rows if _beside(row) and study.kind == "values"},
        recipes={digest: told for block in blocks for one in block.reports for digest, told in one.recipes.items()},
    )  # fmt: skip


def _models(study: Study, blocks: Sequence[Block]) -> str:
    names = list(dict.fromkeys(block.model for block in blocks))
    usual = study.kind == "shapes" or names == ["embedded"]
    return "" if usual else f" --models {' '.join(names)}"


def _score(study: Study, row: Row) -> Score:
    better: Any = row.better
    unit = "%" if study.scale == 100 else ""
    return Score(_told(row), row.ours, row.low, row.high, row.n, unit=unit, better=better, over=row.over)


def _beside(row: Row) -> dict[str, float]:
    """Chance, baselines and the published number, as far as there are any."""
    return {**row.beside, **({} if row.published is None else {"published": row.published})}


def _told(row: Row) -> str:
    return f"{row.score}, " + ", ".join(part for part in (row.model, row.variant, row.site, row.level) if part)


def _agreement(study: Study, rows: Sequence[Row], compat: bool) -> tuple[Score, ...]:
    """How many published numbers are met, and whether the order of sites is."""
    if not rows:
        return ()
    met = sum(_within(study, row) for row in rows)
    scores = [Score("published numbers met", **wilson(met, len(rows))._asdict(), unit="share", better="higher",
                    over="numbers")]  # fmt: skip
    ours, theirs = ([getattr(row, part) for row in rows] for part in ("ours", "published"))
    if len(rows) > 3 and np.ptp(ours) and np.ptp(theirs):
        told: Any = spearmanr(ours, theirs)
        rank = float(told.statistic)
        scores.append(Score("rank correlation with the published numbers", rank, rank, rank, len(rows), over="numbers"))
    return tuple(scores)


def _within(study: Study, row: Row) -> bool:
    return row.published is not None and abs(row.ours - row.published) <= _tolerance(study, row) + 1e-9


def _tolerance(study: Study, row: Row) -> float:
    return study.tolerance if row.tolerance is None else row.tolerance


def _table(study: Study, rows: Sequence[Row], compat: bool) -> dict[str, list[Any]]:
    told: list[dict[str, Any]] = []
    for row in rows:
        gap = None if row.published is None else row.ours - row.published
        plain = {name: value for name, value in asdict(row).items() if name not in ("beside", "tolerance")}
        told.append(plain | {"difference": gap, "met": None if gap is None else _within(study, row)})
    return {name: [row[name] for row in told] for name in told[0]}


def _inputs(study: Study, blocks: Sequence[Block]) -> dict[str, str]:
    used = [[block.model, *(dict(report.inputs) for report in block.reports)] for block in blocks]
    return {"study": sha256(canonical(asdict(study)).encode()).hexdigest()[:16],
            "measured": sha256(canonical(used).encode()).hexdigest()[:16]}  # fmt: skip


def _notes(study: Study, blocks: Sequence[Block], applies: Sequence[Row], compat: bool) -> tuple[str, ...]:
    notes = [f"{study.title} ({study.source}). {study.asks}"]
    if study.found:
        notes.append(f"The authors found: {study.found}")
    if not applies and study.published:
        models, data = ", ".join(study.models), ", ".join(dict.fromkeys(name.rpartition("@")[2] for name in study.data))
        notes.append(
            f"The published numbers are of {models} on {data or 'other images'}. They do not apply to what was "
            "measured here, a small model on drawn scenes: this run shows that the study works from end to end, and "
            "what the same question gives on known ground. For the published ones: denoscope reproduce "
            f"{study.name} --models published"
        )
    elif applies and study.kind == "values" and not compat:
        notes.append(
            "Measured by denoscope's own rules; the published numbers were not (see the faults below), so that "
            "differences are expected. --compat replays the original protocol."
        )
    return (*notes, *(f"Known of the original: {fault}" for fault in study.faults))


def _figures(study: Study, blocks: Sequence[Block], applies: Sequence[Row]) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    shown = [block for block in blocks if study.kind == "values" and not _joint(block)]
    if len(shown) > 1 and all(len({(row.level, row.score) for row in block.rows}) == 1 for block in shown):
        every = [row for block in shown for row in block.rows]
        for (model, kind, score), rows in _grouped(every).items():
            title = f"{kind}: {score}, {model}" if kind else f"{score.partition(',')[0]}, {model}"
            short = [replace(row, variant=row.variant.removeprefix(f"{kind}, ")) for row in rows]
            made[title] = _map(short, "variant", title, "")
        shown = []
    for block in shown:
        across = "score" if len({row.score for row in block.rows}) > 1 else "level"
        name, start = _names(block.rows) if across == "score" else (block.rows[0].score, "")
        title = ", ".join(part for part in (name, block.model, block.variant) if part)
        made[title] = _map(block.rows, across, title, _axis(block.rows) if across == "level" else "", start)
    made |= study_curves(study, blocks)
    own = [(block.variant, one.figures) for block in filter(_joint, blocks) for one in block.reports]
    made |= {f"{title}, {variant}": picture for variant, figures in own for title, picture in figures.items()}
    if applies:
        names = [f"{row.model} {row.variant}".strip() for row in applies]
        theirs = [row.published for row in applies if row.published is not None]
        made["Ours and published"] = agreement([row.ours for row in applies], theirs, names, study.tolerance)
    return made


def _names(rows: Sequence[Row]) -> tuple[str, str]:
    """What several scores are, and what all their names begin with: `R2 of red` and `R2 of blue` are `R2`."""
    parts = [row.score.partition(" of ") for row in rows]
    if len({what for what, *_ in parts}) == 1 and all(of for _, of, _ in parts):
        return parts[0][0], f"{parts[0][0]} of "
    first = rows[0].score.partition(",")[0]
    return first, f"{first}, "


def _joint(block: Block) -> bool:
    """Whether its numbers are of all sites together, which its own report draws."""
    return any(report.parameters.get("site") == "all" for report in block.reports)


def _axis(rows: Sequence[Row]) -> str:
    return "noise" if rows[0].level.endswith("%") else "timestep"


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """By model; where several scores were measured, by what stands before the variants' comma and the score as well."""
    several = len({row.score for row in rows}) > 1
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        kind = row.variant.partition(", ")[0] if several else ""
        found.setdefault((row.model, kind, row.score), []).append(row)
    return found


def _map(rows: Sequence[Row], across: str, title: str, words: str, start: str = "") -> bytes:
    """Sites down, another field of the rows across."""
    sites, columns = ([*dict.fromkeys(getattr(row, part) for row in rows)] for part in ("site", across))
    found = {(row.site, getattr(row, across)): row.ours for row in rows}
    values = [[found.get((site, column), np.nan) for column in columns] for site in sites]
    better = rows[0].better if across != "score" else None
    return heat_map(values, sites, [column.removeprefix(start) for column in columns], title, words, better=better)
