"""Encoding each image once in a model's life: on large U-Nets the VAE costs more than a pass of the denoiser."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["LatentCache"]

Encode = Callable[["torch.Tensor"], "torch.Tensor"]

_BESIDE = 8 << 10
"""Bytes that a tensor of its own takes in a process beside its numbers, as they were measured: small ones add up."""


class LatentCache:
    """Latents of the last canvases that were encoded, by their pixels and the VAE's state.

    Args:
        size: bytes that are kept; the longest unused go first.
    """

    def __init__(self, size: int = 64 << 20) -> None:
        self._size = size
        self._latents: dict[Hashable, torch.Tensor] = {}
        self._held = 0

    def __call__(self, canvases: NDArray[np.uint8], vae: Any, encode: Encode) -> torch.Tensor:
        """Latents (sample, channel, row, col) of canvases (sample, row, col, 3), encoding those not met before."""
        import torch

        state = _state(vae)
        keys: list[Hashable] = [(state, canvas.shape, sha256(canvas.tobytes()).digest()) for canvas in canvases]
        new = {key: index for index, key in enumerate(keys) if key not in self._latents}
        fresh: dict[Hashable, torch.Tensor] = {}
        if new:
            pixels = torch.from_numpy(np.stack([canvases[index] for index in new.values()]))
            fresh = dict(zip(new, encode(pixels.permute(0, 3, 1, 2).float() / 127.5 - 1), strict=True))
        found = {key: fresh[key] if key in fresh else self._pop(key) for key in dict.fromkeys(keys)}
        self._keep(found)
        return torch.stack([found[key] for key in keys])

    def _pop(self, key: Hashable) -> torch.Tensor:
        value = self._latents.pop(key)
        self._held -= value.nbytes + _BESIDE
        return value

    def _keep(self, found: dict[Hashable, torch.Tensor]) -> None:
        for key, value in found.items():
            self._latents[key] = value.clone()
            self._held += value.nbytes + _BESIDE
        while self._held > self._size:
            self._pop(next(iter(self._latents)))


def _state(vae: Any) -> Hashable:
    """Changes when the VAE's weights are replaced, cast or written to."""
    weights = list(vae.parameters())
    return id(vae), weights[0].dtype, weights[0].data_ptr(), sum(weight._version for weight in weights)
