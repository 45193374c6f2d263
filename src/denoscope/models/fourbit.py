"""A linear layer whose weights are packed in 4 bits, for a CPU.

bitsandbytes packs and unpacks. Its own layer for CPUs is left aside: version 0.50 unpacks a matrix whose rows are no
multiple of 64 wrongly (relative error of a weight 0.23 to 0.59, where 0.09 is right), and repacks weights as it runs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denoscope.core.optional import require

__all__ = ["BLOCK", "Linear4"]

BLOCK = 64
"""Weights that share a scale: runs of the flattened matrix, as on a GPU."""


class Linear4(nn.Module):
    """y = W x + b, with W in 4-bit NormalFloat (Dettmers et al. 2023, section 3) and y in a chosen precision.

    Args:
        layer: whose weights are packed; unchanged.
        dtype: in which the product runs.
    """

    packed: Tensor
    """Two weights per byte."""

    def __init__(self, layer: nn.Linear, dtype: torch.dtype) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self._dtype = dtype
        flat = layer.weight.detach().to(dtype).flatten()
        blocks = F.pad(flat, (0, -len(flat) % BLOCK)).view(-1, BLOCK)
        packed, self._state = _bits().quantize_4bit(blocks, blocksize=BLOCK, quant_type="nf4")
        self.register_buffer("packed", packed)
        self.bias = layer.bias

    @property
    def weight(self) -> Tensor:
        """W as it is used, (out, in)."""
        blocks = _bits().dequantize_4bit(self.packed, self._state)
        return blocks.flatten()[: self.in_features * self.out_features].view(self.out_features, self.in_features)

    def forward(self, x: Tensor) -> Tensor:
        """The product, in the precision of what comes in."""
        return F.linear(x.to(self._dtype), self.weight, self.bias).to(x.dtype)


def _bits() -> Any:
    return require("bitsandbytes.functional", "load a model in nf4", "denoscope[quant]")
