"""Noise in percent, as published: the share of an image-to-image run that is left to do, which depends on the sampler.

"20 % noise" means `strength=0.2` in diffusers' image-to-image pipelines over 100 steps: the denoiser meets the image at
the first of the last 20 timesteps of the checkpoint's own scheduler. That is timestep 201 for SD 1.5 (PNDM), 191 for
SD 2.1 (DDIM) and 199 for SD-Turbo (Euler, trailing), so that equal percentages are not equal noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, unknown

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["STEPS", "NoiseLevel", "noise_level", "timestep_of", "timesteps_of"]

STEPS = 100
"""Steps of the run that percentages are shares of."""


@dataclass(frozen=True)
class NoiseLevel:
    """One noise level on every axis.

    Attributes:
        timestep: that the denoiser is told, 0 ... 1000.
        alpha_bar: share of the power that is the image's, alpha^2 / (alpha^2 + sigma^2); sqrt(alpha_bar) is the factor
            of the latent where the variance is preserved.
        sigma: noise per unit of image, sigma / alpha.
        logsnr: natural logarithm of the signal-to-noise ratio of powers; infinite without noise.
        percent: of noise as published, where it was asked for so.
    """

    timestep: float
    alpha_bar: float
    sigma: float
    logsnr: float
    percent: float | None = None


def noise_level(model: Model, condition: Condition, percent: float | None = None) -> NoiseLevel:
    """All axes of a condition's noise level.

    Raises:
        InputError: more or less noise than the model was trained on.
    """
    level = model.levels.at(condition)
    snr = level.snr
    share = 1.0 if math.isinf(snr) else snr / (1 + snr)
    return NoiseLevel(
        level.timestep,
        share,
        0.0 if math.isinf(snr) else math.inf if snr == 0 else snr**-0.5,
        math.inf if math.isinf(snr) else -math.inf if snr == 0 else math.log(snr),
        percent,
    )


def timesteps_of(model: Model, percents: Sequence[float]) -> list[float]:
    """The timestep that each percentage means for a model.

    Raises:
        InputError: a percentage out of range.
    """
    return [timestep_of(model.parts.scheduler, percent) for percent in percents]


def timestep_of(scheduler: Mapping[str, Any], percent: float, steps: int = STEPS) -> float:
    """The timestep at which an image-to-image run of a given strength begins.

    Args:
        scheduler: `scheduler_config.json` as a mapping; its `_class_name` says which sampler it is.
        percent: strength x 100, at least one step.
        steps: of the whole run.

    Raises:
        InputError: a percentage that leaves no step or more than all.
        UnknownName: diffusers has no such sampler.
    """
    if not (math.isfinite(percent) and 100 / steps <= percent <= 100):
        meant = f" (a strength of {percent:g} is {100 * percent:g} %)" if 0 < percent < 1 else ""
        raise InputError(
            f"noise in percent lies in {100 / steps:g} ... 100, shares of {steps} steps; got {percent:g}{meant}"
        )
    begins = _timesteps(str(scheduler.get("_class_name", "")), _frozen(scheduler), steps)
    return begins[steps - int(percent * steps / 100 + 1e-9)]


def _frozen(scheduler: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in scheduler.items()}
    return tuple(sorted(plain.items()))


@lru_cache(maxsize=16)
def _timesteps(name: str, config: tuple[tuple[str, Any], ...], steps: int) -> tuple[float, ...]:
    """Timesteps of a fresh scheduler of the checkpoint's kind, noisiest first; PNDM has its second one twice."""
    import diffusers

    kinds = [kind for kind in dir(diffusers) if kind.endswith("Scheduler")]
    if name not in kinds:
        raise unknown("sampler", name, kinds, "the _class_name of scheduler_config.json")
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in config}
    made: Any = getattr(diffusers, name).from_config(plain)
    try:
        made.set_timesteps(steps)
    except ValueError as error:
        raise InputError(f"{name} has no timesteps of its own ({error}); give timesteps or log-SNRs instead") from None
    return tuple(float(value) for value in made.timesteps[:: made.order])
