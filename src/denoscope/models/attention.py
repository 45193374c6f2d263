"""Attention probabilities, recomputed from the query and key that fused kernels hide."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["probabilities", "split_heads"]


def split_heads(tokens: torch.Tensor, heads: int) -> torch.Tensor:
    """(sample, token, head * width) to (sample, head, token, width)."""
    samples, count, channels = tokens.shape
    return tokens.view(samples, count, heads, channels // heads).transpose(1, 2)


def probabilities(query: torch.Tensor, key: torch.Tensor, scale: float | None = None) -> torch.Tensor:
    """softmax(q k^T / sqrt(d)), `(sample, head, query, key)` in the dtype of `query`.

    The softmax runs in fp32, one head at a time, so that the only full-size tensor is the result.

    Args:
        query: (sample, head, query, width).
        key: (sample, head, key, width).
        scale: factor on the logits; 1 / sqrt(width) unless given.
    """
    samples, heads, queries, width = query.shape
    factor = width**-0.5 if scale is None else scale
    result = query.new_empty(samples, heads, queries, key.shape[2])
    if query.is_meta:
        return result
    for head in range(heads):
        logits = query[:, head].float() @ key[:, head].float().transpose(1, 2)
        result[:, head] = (logits * factor).softmax(-1).to(query.dtype)
    return result
