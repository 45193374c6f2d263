"""The BatchTopK sparse autoencoder (Bussmann, Leask and Nanda 2024)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from denoscope.core.registry import dictionaries
from denoscope.dictionaries._autoencoder import Thresholded
from denoscope.dictionaries._settings import AutoencoderSettings

if TYPE_CHECKING:
    from denoscope.dictionaries._training.coder import Coder, Start

__all__ = ["BatchTopK", "BatchTopKSettings"]


@dataclass(frozen=True)
class BatchTopKSettings(AutoencoderSettings):
    """Parameters of `BatchTopK`; k atoms explain one cell on average."""


@dictionaries("batchtopk")
class BatchTopK(Thresholded):
    """BatchTopK sparse autoencoder: k codes per cell on average, more for cells that need more.

    In training the batch x k largest pre-activations of a batch are kept; afterwards those above one threshold, the
    running mean of the smallest that was kept. Loss as in `TopK`.
    """

    name: ClassVar[str] = "batchtopk"
    Settings: ClassVar[type[Any]] = BatchTopKSettings

    def coder(self, start: "Start") -> "Coder":
        """What learns."""
        from denoscope.dictionaries._training.selecting import BatchTopKCoder

        return BatchTopKCoder(start, self.settings, self.tied)
