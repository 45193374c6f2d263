"""Weights from a seed: every parameter random, so that no site is constant and no term of a sum is zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["calibrate", "fill"]


def fill(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all parameters anew, in order of name: matrices N(0, 1 / fan-in), scales 1 + N(0, .01), offsets N(0, .01).

    Layers that training starts from zero (adaptive norms, output projections, biases) are drawn like any other.
    """
    import torch

    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            noise = torch.empty(parameter.shape).normal_(generator=generator)
            if parameter.ndim < 2:
                centre = 1.0 if name.endswith("weight") else 0.0
                parameter.copy_(centre + 0.1 * noise)
            else:
                parameter.copy_(noise / parameter[0].numel() ** 0.5)


def calibrate(vae: Any) -> None:
    """Let the posterior mean have the spread that the configured scale undoes, and a narrow width.

    Random encoders return values near unit variance; a trained one returns 1 / scale, about shift.
    """
    import torch

    last = vae.quant_conv if vae.quant_conv is not None else vae.encoder.conv_out
    channels = vae.config.latent_channels
    with torch.no_grad():
        last.weight[:channels] /= vae.config.scaling_factor
        last.bias[:channels] += vae.config.shift_factor or 0.0
        last.weight[channels:] *= 0.1
        last.bias[channels:] -= 6.0
