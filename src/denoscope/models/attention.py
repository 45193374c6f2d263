"""Attention probabilities, recomputed from the query and key that fused kernels hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["Looks", "probabilities", "split_heads", "text_shares"]

_AT_ONCE = 2**24
"""Probabilities that are held at once, in fp32."""


@dataclass(frozen=True)
class Looks:
    """One attention from image cells, before its softmax: what their share for any key is computed from.

    Attributes:
        query: of image cells, (row, head, cell, width).
        key: all that they choose among, (row, head, key, width).
        images: how many of the keys are the image's own; the text's come after them.
        scale: factor on the logits; 1 / sqrt(width) unless given.
        seen: keys that may be attended to, (row, key); all unless given.
        sums: log sum_j exp(scale q . k_j) of each query, (row, head, cell), where the model's own kernel told it.
    """

    query: torch.Tensor
    key: torch.Tensor
    images: int = 0
    scale: float | None = None
    seen: torch.Tensor | None = None
    sums: torch.Tensor | None = None

    def rows(self, index: Sequence[int]) -> Looks:
        """Some rows, in the order given."""
        chosen = list(index)
        seen, sums = (None if one is None else one[chosen] for one in (self.seen, self.sums))
        return Looks(self.query[chosen], self.key[chosen], self.images, self.scale, seen, sums)


def text_shares(looks: Looks, columns: Sequence[int]) -> torch.Tensor:
    """The share of each cell's attention that goes to some text tokens, mean over heads: (row, token, cell), fp32.

    The full map is never held. Where all keys are text, the softmax is over a few keys and runs in fp32, some heads at
    a time. In joint attention column j of the map is exp(q . k_j / sqrt(d) - s) with the sum s that the model's own
    kernel told; where it told none, a fused kernel is run once more on values that are 1 at one text token each,
    since softmax(q k^T / sqrt(d)) e_j is column j as well.

    Args:
        looks: queries and keys.
        columns: which text tokens, counted from the first one.
    """
    if not looks.images:
        return _cross_shares(looks, columns)
    return _known_shares(looks, looks.sums, columns) if looks.sums is not None else _joint_shares(looks, columns)


def _known_shares(looks: Looks, sums: torch.Tensor, columns: Sequence[int]) -> torch.Tensor:
    import torch

    rows, heads, cells, width = looks.query.shape
    factor = width**-0.5 if looks.scale is None else looks.scale
    key = looks.key[:, :, [looks.images + column for column in columns]]
    step = max(1, _AT_ONCE // max(rows * cells * max(len(columns), width), 1))
    total = torch.zeros(rows, len(columns), cells, dtype=torch.float32, device=looks.query.device)
    for start in range(0, heads, step):
        some = slice(start, start + step)
        logits = key[:, some].float() @ looks.query[:, some].float().transpose(2, 3) * factor
        total += (logits - sums[:, some, None].float()).exp_().sum(dim=1)
    return total / heads


def _cross_shares(looks: Looks, columns: Sequence[int]) -> torch.Tensor:
    import torch

    rows, heads, cells, width = looks.query.shape
    factor = width**-0.5 if looks.scale is None else looks.scale
    hidden = None if looks.seen is None else ~looks.seen[:, None, None]
    step = max(1, _AT_ONCE // max(rows * cells * looks.key.shape[2], 1))
    total = torch.zeros(rows, cells, len(columns), dtype=torch.float32, device=looks.query.device)
    for start in range(0, heads, step):
        some = slice(start, start + step)
        logits = looks.query[:, some].float() @ looks.key[:, some].float().transpose(2, 3) * factor
        shares = (logits if hidden is None else logits.masked_fill(hidden, -torch.inf)).softmax(-1)
        total += shares[..., list(columns)].sum(dim=1)
    return (total / heads).transpose(1, 2)


def _joint_shares(looks: Looks, columns: Sequence[int]) -> torch.Tensor:
    import torch
    from torch.nn.functional import scaled_dot_product_attention as attend

    query, key = looks.query, looks.key
    width, found = key.shape[3], list[torch.Tensor]()
    for start in range(0, len(columns), width):  # fused kernels want values as wide as keys
        part = list(columns[start : start + width])
        ones = key.new_zeros(key.shape[2], width)
        ones[[looks.images + column for column in part], range(len(part))] = 1
        mask = None if looks.seen is None else looks.seen[:, None, None]
        shares = attend(query, key, ones.expand(*key.shape[:2], -1, -1), attn_mask=mask, scale=looks.scale)
        found.append(shares[..., : len(part)].float().mean(dim=1))
    return torch.cat(found, dim=2).transpose(1, 2)


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
