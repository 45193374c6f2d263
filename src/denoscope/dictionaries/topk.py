"""The TopK sparse autoencoder of Gao et al. 2024, "Scaling and evaluating sparse autoencoders"."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from denoscope.core.registry import dictionaries
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries.base import like

if TYPE_CHECKING:
    from denoscope.dictionaries._training.coder import Coder, Start

__all__ = ["TopK", "TopKSettings"]


@dataclass(frozen=True)
class TopKSettings(AutoencoderSettings):
    """Parameters of `TopK`; at most k atoms explain one cell."""


@dictionaries("topk")
class TopK(Autoencoder):
    """TopK sparse autoencoder: x_hat = TopK(W_enc (x - b) + c) @ atoms + b, at most k codes, none negative.

    Loss |x - x_hat|^2 / |x - mean|^2 + aux |e - e_hat|^2 / |e|^2, where e = x - x_hat and e_hat explains it by dead
    atoms alone; atoms are kept at length one. It is trained on normalised x, and the weights are folded back to the
    units of x (Gao et al. 2024, sections 2.3 and A).
    """

    name: ClassVar[str] = "topk"
    Settings: ClassVar[type[Any]] = TopKSettings

    def coder(self, start: "Start") -> "Coder":
        """What learns."""
        from denoscope.dictionaries._training.selecting import TopKCoder

        return TopKCoder(start, self.settings, self.tied)

    def _encode(self, x: Any) -> Any:
        before = self._before(x)
        ranked = before / like(self.weights["lengths"], before) if "lengths" in self.weights else before
        where = ranked.topk(self.settings.k, dim=1).indices
        codes = before.new_zeros(before.shape).scatter_(1, where, before.gather(1, where).clamp_min(0))
        return codes.numpy() if isinstance(x, np.ndarray) else codes
