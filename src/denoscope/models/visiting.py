"""Which noise levels a sampling run passes, as numbers of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from denoscope.core.condition import LAST_TIMESTEP
from denoscope.models.schedules import schedule

if TYPE_CHECKING:
    from denoscope.models.base import Model
    from denoscope.models.levels import Level

__all__ = ["steps_near", "visited"]


def visited(model: Model, steps: int) -> list[Level]:
    """Levels at which the denoiser runs in a picture of the native size, most noise first."""
    side = model.parts.native // model.factor
    return schedule(model, steps, (model.latent_channels, side, side))[:-1]


def steps_near(levels: Sequence[Level], timesteps: Sequence[float] | None) -> tuple[int, ...]:
    """Numbers of the steps that come nearest to some timesteps, each once; all unless given."""
    if timesteps is None:
        return tuple(range(len(levels)))
    told = [min(level.timestep, LAST_TIMESTEP + 1) for level in levels]
    return tuple(sorted({min(range(len(told)), key=lambda step: abs(told[step] - one)) for one in timesteps}))
