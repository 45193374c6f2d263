"""The forward process, its loss weights, and a DDIM sampler."""

from typing import Any

import torch
from torch import Tensor

__all__ = ["alphas_cumprod", "ddim", "debiased", "forward_process", "stratified"]

TIMESTEPS = 1000


def alphas_cumprod() -> Tensor:
    """Stable Diffusion's scaled-linear schedule: ab_t = prod(1 - b), sqrt(b) linear from sqrt(.00085) to sqrt(.012)."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, TIMESTEPS, dtype=torch.float64).square()
    return (1.0 - betas).cumprod(0).float()


def forward_process(x0: Tensor, noise: Tensor, ab: Tensor) -> Tensor:
    """x_t = sqrt(ab) x0 + sqrt(1 - ab) eps; ab (B,)."""
    ab = ab.view(-1, 1, 1, 1)
    return ab.sqrt() * x0 + (1.0 - ab).sqrt() * noise


def debiased(ab: Tensor, most: float = 8.0) -> Tensor:
    """min(1 / sqrt(SNR), most): the weight of the noise-prediction error (Yu et al., "Debias the training", 2023).

    It counts the high noise levels, where the prompt decides, more than min-SNR weights do.
    """
    return ((1.0 - ab) / ab).sqrt().clamp(max=most)


def stratified(count: int, rng: torch.Generator) -> Tensor:
    """`count` timesteps, one in each of as many equal strata."""
    return ((torch.arange(count) + torch.rand(count, generator=rng)) / count * TIMESTEPS).long()


@torch.no_grad()
def ddim(unet: Any, text: Tensor, empty: Tensor, noise: Tensor, guidance: float = 4.0, steps: int = 25) -> Tensor:
    """Deterministic DDIM with classifier-free guidance; text and empty (B, L, C), noise (B, 4, H, W) to latents."""
    ab = alphas_cumprod()
    times = torch.linspace(TIMESTEPS - 1, 0, steps).round().long()
    x, both = noise, torch.cat([text, empty]).to(unet.dtype)
    for i, t in enumerate(times):
        doubled = torch.cat([x, x]).to(both.dtype)
        told, untold = unet(doubled, t.expand(len(doubled)), both, return_dict=False)[0].float().chunk(2)
        eps = untold + guidance * (told - untold)
        x0 = (x - (1 - ab[t]).sqrt() * eps) / ab[t].sqrt()
        after = ab[times[i + 1]] if i + 1 < steps else torch.ones(())
        x = after.sqrt() * x0 + (1 - after).sqrt() * eps
    return x
