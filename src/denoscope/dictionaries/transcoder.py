"""Transcoders: what a module does, as sparse codes (Dunefsky et al. 2024); with a skip, Paulo et al. 2025."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from denoscope.core.registry import dictionaries
from denoscope.dictionaries._normaliser import Floats, Raw, times
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries.base import Learned, like
from denoscope.dictionaries.topk import TopK

if TYPE_CHECKING:
    from denoscope.dictionaries._training.coder import Coder, Start

__all__ = ["Transcoder", "TranscoderSettings"]


@dataclass(frozen=True)
class TranscoderSettings(AutoencoderSettings):
    """Parameters of `Transcoder`; at most k atoms explain one cell."""

    skip: bool = False
    """Let a linear map explain what it can beside the atoms."""


@dictionaries("transcoder")
class Transcoder(TopK):
    """Transcoder: sparse codes of what goes into a module explain what comes out of it.

    y_hat = TopK(W_enc (x - m) + c) @ atoms + b [+ (x - m) @ skip] with the mean m of x; it learns from `Rows` with
    `targets` y, and explains x itself where there are none. Loss as in `TopK`, against y. With a weight `threshold`
    `(atom,)`, as transcoders of other packages have it, codes are those above it and not the k largest.
    """

    name: ClassVar[str] = "transcoder"
    Settings: ClassVar[type[Any]] = TranscoderSettings
    tied: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """Channels of what it reads."""
        return self._weight("centre").size

    def coder(self, start: "Start") -> "Coder":
        """What learns."""
        from denoscope.dictionaries._training.reaching import TranscoderCoder

        return TranscoderCoder(start, self.settings, self.tied)

    def reconstruct(self, x: Any) -> Any:
        """Targets `(sample, target channel)` of what is read, the linear map's part with them."""
        made = super().reconstruct(x)
        if "skip" not in self.weights:
            return made
        return made + (x - like(self._weight("centre"), x)) @ like(self._weight("skip"), x)

    def _encode(self, x: Any) -> Any:
        if "threshold" not in self.weights:
            return super()._encode(x)
        before = self._before(x)
        codes = before * (before > like(self.weights["threshold"], before).clamp_min(0))
        return codes.numpy() if isinstance(x, np.ndarray) else codes

    def take(self, raw: Raw, extras: Mapping[str, Any], before: Any, after: Any) -> None:
        """Keep what was learned, in the units of the activations."""
        units = {name: times(times(skip.T, before.forth.T).T, after.back) for name, skip in extras.items()}
        super().take(raw, units, before, after)

    def scaled(self, extras: Mapping[str, Any], lengths: Floats) -> Mapping[str, Floats]:
        """A linear map knows nothing of codes."""
        return extras

    def random(self, mean: NDArray[Any]) -> Learned | None:
        """Atoms by chance mean nothing where input and target differ."""
        return None
