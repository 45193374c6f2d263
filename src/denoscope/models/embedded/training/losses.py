"""The two training losses, written so that they compile into one graph each."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["autoencoding_loss", "decoding_loss", "denoising_loss"]


def denoising_loss(unet: Any, noised: Tensor, noise: Tensor, timestep: Tensor, weight: Tensor, text: Tensor) -> Tensor:
    """mean_b w_b |eps_theta(x_t, t, text) - eps|^2, averaged over the cells; noised (B, 4, H, W), weight (B,)."""
    predicted = unet(noised, timestep, text, return_dict=False)[0].float()
    return ((predicted - noise).square().mean((1, 2, 3)) * weight).mean()


def _gradients(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def autoencoding_loss(vae: Any, pixels: Tensor, noise: Tensor, kl: float = 1e-5) -> tuple[Tensor, Tensor]:
    """L1 + MSE / 2 + 0.3 L1 of the gradients + kl * KL, and the MSE; pixels (B, 3, H, W) in [-1, 1].

    `noise` (B, 4, H / 4, W / 4) draws the latent from its posterior.
    """
    mean, logvar = vae.quant_conv(vae.encoder(pixels)).float().chunk(2, dim=1)
    logvar = logvar.clamp(-12.0, 4.0)
    drawn = mean + (0.5 * logvar).exp() * noise.float()
    value, mse = _reconstruction(vae, drawn, pixels)
    divergence = 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar).mean()
    return value + kl * divergence, mse


def decoding_loss(vae: Any, pixels: Tensor, noise: Tensor, spread: float = 0.03) -> tuple[Tensor, Tensor]:
    """The same without the divergence, for the decoder alone: latents are posterior means with a little noise."""
    with torch.no_grad():
        mean = vae.quant_conv(vae.encoder(pixels)).float()[:, :4]
    return _reconstruction(vae, mean + spread * noise.float(), pixels)


def _reconstruction(vae: Any, latents: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    out = vae.decoder(vae.post_quant_conv(latents.to(pixels.dtype))).float()
    target = pixels.float()
    mse = F.mse_loss(out, target)
    edges = sum((F.l1_loss(a, b) for a, b in zip(_gradients(out), _gradients(target), strict=True)), torch.zeros(()))
    return F.l1_loss(out, target) + 0.5 * mse + 0.3 * edges, mse.detach()
