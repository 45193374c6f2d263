"""Coders that know more than the row: another target, or the noise level."""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from denoscope.dictionaries._training.coder import Start
from denoscope.dictionaries._training.selecting import TopKCoder

if TYPE_CHECKING:
    from denoscope.dictionaries.temporal import TemporalSettings
    from denoscope.dictionaries.transcoder import TranscoderSettings

__all__ = ["TemporalCoder", "TranscoderCoder"]


class TranscoderCoder(TopKCoder):
    """y_hat = TopK(W_enc x + c) @ atoms + b, and x @ skip where there is a skip, which starts at zero."""

    def __init__(self, start: Start, settings: "TranscoderSettings", tied: bool = False) -> None:
        super().__init__(start, settings, tied)
        shape = (start.encoder.shape[1], start.atoms.shape[1])
        self.skip = nn.Parameter(start.atoms.new_zeros(shape)) if settings.skip else None

    def goal(self, y: Tensor, inner: Tensor) -> Tensor:
        """What the linear map does not do already."""
        return y if self.skip is None else y - inner @ self.skip

    def extras(self) -> dict[str, Any]:
        """The linear map `(channel, target channel)`."""
        return {} if self.skip is None else {"skip": self.skip.detach().cpu().double().numpy()}


class TemporalCoder(TopKCoder):
    """TopK of x (1 + scale(t)) + shift(t) - b; both zero at the start, and made of the timestep by a small network."""

    def __init__(self, start: Start, settings: "TemporalSettings", tied: bool = True) -> None:
        super().__init__(start, settings, tied)
        chance = torch.Generator().manual_seed(settings.seed + 1)
        waves, channels = 2 * settings.waves, start.encoder.shape[1]
        drawn = torch.randn(settings.hidden, waves, generator=chance) / waves**0.5
        self.waves = settings.waves
        self.hidden = nn.Parameter(drawn.to(start.atoms))
        self.hidden_bias = nn.Parameter(start.atoms.new_zeros(settings.hidden))
        self.film = nn.Parameter(start.atoms.new_zeros(2 * channels, settings.hidden))
        self.film_bias = nn.Parameter(start.atoms.new_zeros(2 * channels))
        for part in (self.hidden, self.hidden_bias, self.film, self.film_bias):
            part.requires_grad_(settings.film)

    def inner(self, x: Tensor, timesteps: Tensor | None) -> Tensor:
        """What the encoder reads; rows without a timestep are at 0."""
        known = x.new_zeros(len(x)) if timesteps is None else timesteps.to(x)
        scale, shift = self.modulation(known).chunk(2, dim=1)
        return x * (1 + scale) + shift - self.bias

    def modulation(self, timesteps: Tensor) -> Tensor:
        """Scale and shift of each channel, `(row, 2 x channel)`."""
        distinct, which = timesteps.unique(return_inverse=True)
        made = silu(linear(_waves(distinct, self.waves), self.hidden, self.hidden_bias))
        return linear(made, self.film, self.film_bias)[which]

    def extras(self) -> dict[str, Any]:
        """Weights of the small network."""
        parts = {"hidden": self.hidden, "hidden_bias": self.hidden_bias, "film": self.film, "film_bias": self.film_bias}
        return {name: part.detach().cpu().double().numpy() for name, part in parts.items()}


def _waves(timesteps: Tensor, count: int) -> Tensor:
    """Cosines and sines of a timestep at `count` wavelengths from 2 pi to 20,000 pi (Vaswani et al. 2017)."""
    speeds = torch.exp(-math.log(1e4) * torch.arange(count, device=timesteps.device) / count).to(timesteps)
    angles = timesteps[:, None] * speeds
    return torch.cat([angles.cos(), angles.sin()], dim=1)
