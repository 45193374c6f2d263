"""HierarchicalTopK: one autoencoder for every number of codes (2505.24473, EMNLP 2025)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from denoscope.core.registry import dictionaries
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries.topk import TopK

if TYPE_CHECKING:
    from denoscope.dictionaries._training.coder import Coder, Start

__all__ = ["Hierarchical", "HierarchicalSettings"]


@dataclass(frozen=True)
class HierarchicalSettings(AutoencoderSettings):
    """Parameters of `Hierarchical`; at most k atoms explain one cell."""

    levels: Literal["every", "powers"] = "every"
    """Numbers of codes that shall explain a cell well: 1, 2, 3 ... k as published, or 1, 2, 4 ... k, with less work."""


@dictionaries("hierarchical")
class Hierarchical(TopK):
    """TopK autoencoder whose j largest codes explain a cell well, for every j <= k.

    Loss mean over j of |x - x_hat_j|^2 / |x - mean|^2, where x_hat_j is made of the j largest codes; the rest is as in
    `TopK`. So one dictionary serves every L0 up to k.
    """

    name: ClassVar[str] = "hierarchical"
    Settings: ClassVar[type[Any]] = HierarchicalSettings

    def coder(self, start: "Start") -> "Coder":
        """What learns."""
        from denoscope.dictionaries._training.selecting import HierarchicalCoder

        return HierarchicalCoder(start, self.settings, self.tied)
