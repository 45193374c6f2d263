"""Noise on every axis: what percentages, timesteps and log-SNRs mean for a model, and chance in all kinds at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.models.percents import STEPS, NoiseLevel, noise_level, timestep_of, timesteps_of

if TYPE_CHECKING:
    from denoscope.core.report import Report
    from denoscope.models.base import Model

__all__ = ["axes", "chances", "equal_noise", "on_axes"]


def axes(
    model: Model,
    *,
    percents: Sequence[float] = (),
    timesteps: Sequence[float] = (),
    logsnrs: Sequence[float] = (),
) -> list[NoiseLevel]:
    """Noise levels of a model on every axis, in the order given.

    Args:
        model: whose schedule and sampler.
        percents: as published, shares of 100 steps of the checkpoint's sampler (`denoscope.models.percents`).
        timesteps: training timesteps.
        logsnrs: natural logarithms of the signal-to-noise ratio.

    Raises:
        InputError: no level, or one out of range.
    """
    if not (percents or timesteps or logsnrs):
        raise InputError("no noise level was given; say for example percents=(1, 20, 90) or timesteps=(50, 200)")
    meant = zip(percents, timesteps_of(model, percents), strict=True)
    return [
        *(noise_level(model, Condition(timestep=timestep), percent) for percent, timestep in meant),
        *(noise_level(model, Condition(timestep=timestep), _percent(model, timestep)) for timestep in timesteps),
        *(noise_level(model, Condition(logsnr=logsnr)) for logsnr in logsnrs),
    ]


def equal_noise(first: Model, others: Sequence[Model], levels: Sequence[NoiseLevel]) -> list[list[NoiseLevel | None]]:
    """For each other model the levels at which its inputs hold as much noise, `(model, level)`; None where it has none.

    Args:
        first: whose levels these are.
        others: models of any family.
        levels: with a finite log-SNR.
    """
    return [[_at(model, level.logsnr) for level in levels] for model in others]


def chances(
    levels: Sequence[Condition], seeds: Sequence[int] = (0, 1, 2, 3), draws: int = 4, none: bool = True
) -> list[Condition]:
    """Each level under every kind of chance: noise per image and shared, by seed; averaged draws; and no noise.

    For `extract(..., conditions=chances(...))`, which encodes every image once, and then the task `noise`.

    Args:
        levels: noise levels with their text; their own chance is replaced.
        seeds: of the noise.
        draws: that are averaged, under the first seed; fewer than 2 leave that kind out.
        none: whether to read without noise too, the denoiser being told the level.

    Raises:
        InputError: no level or no seed.
    """
    if not levels or not seeds:
        raise InputError("kinds of chance are those of one level and one seed at least")
    found: list[Condition] = []
    for level in levels:
        plain = replace(level, draws=1, reduce="mean")
        found += [replace(plain, noise="per_image", seed=seed) for seed in seeds]
        found += [replace(plain, noise="shared", seed=seed) for seed in seeds]
        found += [replace(plain, noise="per_image", seed=seeds[0], draws=draws)] if draws > 1 else []
        found += [replace(plain, noise="none", seed=seeds[0])] if none else []
    return list(dict.fromkeys(found))


def on_axes(report: Report, model: Model) -> Report:
    """The report with `logsnr` and `alpha_bar` beside every row whose noise level is a timestep.

    Best timesteps get rows on the axis of log-SNR as well, so that models can be compared.

    Raises:
        InputError: its table has no column `timestep`.
    """
    table = report.table
    if "timestep" not in table:
        raise InputError(f"a report of {report.task} has no noise levels in its table")
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    made: list[dict[str, Any]] = []
    for row in rows:
        level = None if row["timestep"] is None else noise_level(model, Condition(timestep=row["timestep"]))
        beside = {"logsnr": level.logsnr if level else None, "alpha_bar": level.alpha_bar if level else None}
        made.append({**row, **beside})
        if str(row.get("unit")) == "timestep":
            value, high, low = (noise_level(model, Condition(timestep=row[part])).logsnr
                                for part in ("value", "low", "high"))  # fmt: skip
            told = {"score": str(row["score"]).replace("timestep", "log-SNR"), "unit": "log-SNR"}
            made.append({**row, **beside, **told, "value": value, "low": low, "high": high})
    return replace(report, table={name: [row[name] for row in made] for name in made[0]})


def _percent(model: Model, timestep: float) -> float | None:
    """The whole percentage that means a timestep, if there is one."""
    try:
        known = {timestep_of(model.parts.scheduler, percent): float(percent) for percent in range(1, STEPS + 1)}
    except InputError:
        return None
    return known.get(float(timestep))


def _at(model: Model, logsnr: float) -> NoiseLevel | None:
    try:
        return noise_level(model, Condition(logsnr=logsnr))
    except InputError:
        return None
