"""Coders that keep the largest pre-activations: of each row, of the batch, nested in atoms or in codes."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries._training.coder import Coder, Start
from denoscope.dictionaries._training.sparse import Codes, Places, decode, picked, top, top_of_batch

if TYPE_CHECKING:
    from denoscope.dictionaries.hierarchical import HierarchicalSettings
    from denoscope.dictionaries.matryoshka import MatryoshkaSettings

__all__ = ["BatchTopKCoder", "HierarchicalCoder", "MatryoshkaCoder", "TopKCoder"]

_SLOW = 0.99
"""Decay per step of the running threshold."""


class TopKCoder(Coder):
    """The k largest of each row, those that are positive."""

    def codes(self, inner: Tensor, before: Tensor, goal: Tensor) -> tuple[Codes, Tensor]:
        """Codes with gradients; nothing is added to the loss."""
        places = self.places(before)
        values = picked(inner, self.encoder, self.encoder_bias, places, before).relu()
        return Codes(values, places), inner.new_zeros(())

    def places(self, before: Tensor) -> Places:
        """Which entries are kept."""
        return top(before, self.settings.k)


class BatchTopKCoder(TopKCoder):
    """The rows x k largest of a batch; a running mean of the smallest of them becomes the threshold."""

    threshold: Tensor
    steps: Tensor

    def __init__(self, start: Start, settings: AutoencoderSettings, tied: bool = True) -> None:
        super().__init__(start, settings, tied)
        self.register_buffer("threshold", torch.zeros((), dtype=torch.float64, device=start.atoms.device))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64, device=start.atoms.device))

    def places(self, before: Tensor) -> Places:
        """Which entries are kept; the threshold follows while it learns."""
        places = top_of_batch(before, self.settings.k, self.share)
        if self.training:
            self._follow(before[places.rows, places.where].double())
        return places

    def _follow(self, kept: Tensor) -> None:
        """Exponential mean, without the pull of where it began."""
        smallest = torch.where(kept > 0, kept, torch.inf)
        smallest = self.share.gathered(torch.cat([smallest, smallest.new_full((1,), torch.inf)]).min()[None]).min()
        smallest = torch.where(smallest.isfinite(), smallest, self.threshold)
        self.steps += 1
        weight = (1 - _SLOW) / (1 - _SLOW**self.steps)
        self.threshold += weight * (smallest - self.threshold)

    def extras(self) -> dict[str, Any]:
        """The threshold, for all atoms alike."""
        return {"threshold": self.threshold.cpu().numpy()}


class MatryoshkaCoder(BatchTopKCoder):
    """Nested dictionaries, the first of n / 2^(g-1) atoms, the last of all n; the loss is the mean of theirs."""

    def __init__(self, start: Start, settings: "MatryoshkaSettings", tied: bool = True) -> None:
        super().__init__(start, settings, tied)
        self.groups = settings.groups

    def misfit(self, codes: Codes, goal: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean over the nested dictionaries; what the whole one leaves."""
        edges = (0, *prefixes(len(self.atoms), self.groups))
        left, losses = goal - self.bias, []
        for low, high in pairwise(edges):
            within = (codes.places.where >= low) & (codes.places.where < high)
            left = left - decode(codes.only(within), self.atoms)
            losses.append(self.relative(left))
        return torch.stack(losses).mean(), left


class HierarchicalCoder(TopKCoder):
    """As TopK, but each row shall be explained well by its j largest codes, for every j <= k."""

    def __init__(self, start: Start, settings: "HierarchicalSettings", tied: bool = True) -> None:
        super().__init__(start, settings, tied)
        self.counted = settings.levels

    def misfit(self, codes: Codes, goal: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean over the numbers of codes; what all k of them leave."""
        k = self.settings.k
        rank = torch.arange(len(codes.values), device=goal.device) % k
        left, losses = goal - self.bias, []
        edges = (0, *levels(k, self.counted))
        for low, high in pairwise(edges):
            left = left - decode(codes.only((rank >= low) & (rank < high)), self.atoms)
            losses.append(self.relative(left))
        return torch.stack(losses).mean(), left


def prefixes(atoms: int, groups: int) -> list[int]:
    """Sizes of nested dictionaries, each about half of the next; none twice."""
    return sorted({max(1, round(atoms / 2**level)) for level in range(groups)})


def levels(k: int, kind: str) -> list[int]:
    """Numbers of codes that count: all, or powers of two and k."""
    return list(range(1, k + 1)) if kind == "every" else sorted({2**j for j in range(k.bit_length()) if 2**j < k} | {k})
