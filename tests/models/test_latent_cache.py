"""The cache of latents: each canvas is encoded once while it is kept, and what is kept is bounded."""

import numpy as np
import torch

from denoscope.models.latents import _BESIDE, LatentCache

VAE = torch.nn.Linear(1, 1)


class Encoder:
    """Means of pixels as latents, and a count of what was encoded."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Latents of one channel per colour."""
        self.count += len(pixels)
        return pixels.mean(dim=(2, 3), keepdim=True)


def canvases(*numbers: int) -> np.ndarray:
    """One canvas of a single grey per number."""
    return np.stack([np.full((2, 2, 3), number, dtype=np.uint8) for number in numbers])


def test_small_latents_count_with_what_they_cost() -> None:
    """A cache for four small latents keeps four, the last used, however many images pass."""
    cache, encode = LatentCache(4 * (3 * 4 + _BESIDE)), Encoder()
    for number in range(100):
        cache(canvases(number), VAE, encode)
    assert encode.count == 100 and len(cache._latents) == 4 and cache._held == 4 * (12 + _BESIDE)
    cache(canvases(96), VAE, encode)
    cache(canvases(1, 2), VAE, encode)
    assert encode.count == 102
    cache(canvases(96, 99), VAE, encode)
    assert encode.count == 102 and cache._held == 4 * (12 + _BESIDE)


def test_values_and_order() -> None:
    """Rows come in the order of the canvases, repeated ones too; one that alone is too large is not kept."""
    cache, encode = LatentCache(1), Encoder()
    found = cache(canvases(255, 0, 255), VAE, encode)
    assert encode.count == 2 and found[:, 0, 0, 0].tolist() == [1.0, -1.0, 1.0]
    assert not cache._latents and cache._held == 0
