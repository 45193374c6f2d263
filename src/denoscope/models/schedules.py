"""Which noise levels a sampler visits, from a checkpoint's own scheduler configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.models.levels import Level, RectifiedFlow

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["schedule"]


def schedule(model: Model, steps: int, shape: Sequence[int]) -> list[Level]:
    """Levels from the noisiest to the clean end, `steps` + 1 of them.

    Timesteps and sigmas are those of diffusers' DDIM or flow-matching scheduler under the checkpoint's configuration;
    a fresh scheduler object is asked, the pipeline's own is never touched.

    Args:
        model: the model.
        steps: denoising steps.
        shape: of one latent (channel, row, col); dynamic shifts depend on it.
    """
    if not 1 <= steps <= 1000:
        raise InputError(f"steps must lie in 1 ... 1000, not {steps}")
    if isinstance(model.levels, RectifiedFlow):
        return _flow(model, steps, shape)
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    scheduler: Any = DDIMScheduler.from_config(dict(model.parts.scheduler))
    scheduler.set_timesteps(steps)
    last = model.levels.at(Condition(clean=True)) if scheduler.config.set_alpha_to_one else model.levels.timestep(0)
    return [*(model.levels.timestep(float(t)) for t in scheduler.timesteps), last]


def _flow(model: Model, steps: int, shape: Sequence[int]) -> list[Level]:
    import numpy as np
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

    scheduler: Any = FlowMatchEulerDiscreteScheduler.from_config(dict(model.parts.scheduler))
    sigmas = np.linspace(1.0, 1 / steps, steps)
    tokens = shape[-2] * shape[-1] / model.patch**2
    shift = {"mu": _mu(scheduler.config, tokens)} if scheduler.config.use_dynamic_shifting else {}
    scheduler.set_timesteps(sigmas=sigmas, **shift)
    return [model.levels.timestep(1000 * float(sigma)) for sigma in scheduler.sigmas]


def _mu(config: Any, tokens: float) -> float:
    """Logarithm of the shift, linear in the number of image tokens (Esser et al. 2024, section 5.3.2)."""
    slope = (config.max_shift - config.base_shift) / (config.max_image_seq_len - config.base_image_seq_len)
    return config.base_shift + slope * (tokens - config.base_image_seq_len)
