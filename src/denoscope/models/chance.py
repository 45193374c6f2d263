"""Noise that depends on nothing but (seed, sample id, draw): the same in any batch, order and on any device."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["gaussian"]


def gaussian(shape: tuple[int, ...], seed: int, sample: str, draw: int = 0, stream: str = "noise") -> torch.Tensor:
    """Standard normal fp32 tensor of `shape` on the CPU.

    Args:
        shape: of one sample.
        seed: the condition's seed.
        sample: sample id; one fixed word for noise that all samples share.
        draw: index of the draw.
        stream: what it is for, so that two uses under one seed are independent.
    """
    import torch

    name = f"{stream}\0{seed}\0{draw}\0{sample}".encode()
    generator = torch.Generator("cpu").manual_seed(int.from_bytes(sha256(name).digest()[:8], "big") >> 1)
    return torch.randn(shape, generator=generator)
