"""The Matryoshka sparse autoencoder (Bussmann et al. 2025), on BatchTopK codes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from denoscope.core.errors import InputError
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries.batchtopk import BatchTopK

if TYPE_CHECKING:
    from denoscope.dictionaries._training.coder import Coder, Start

__all__ = ["Matryoshka", "MatryoshkaSettings"]


@dataclass(frozen=True)
class MatryoshkaSettings(AutoencoderSettings):
    """Parameters of `Matryoshka`; k atoms explain one cell on average."""

    groups: int = 5
    """Nested dictionaries: the last has all atoms, each other one the first half of those of the next."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups < 1:
            raise InputError(f"groups must be at least 1, not {self.groups}")


@dictionaries("matryoshka")
class Matryoshka(BatchTopK):
    """Matryoshka sparse autoencoder: the first atoms alone must explain cells too, so that they stay general.

    Loss mean over nested dictionaries of |x - x_hat_g|^2 / |x - mean|^2, where x_hat_g is made of the codes of the
    first n / 2^(groups - g) atoms; codes are those of `BatchTopK`.
    """

    name: ClassVar[str] = "matryoshka"
    Settings: ClassVar[type[Any]] = MatryoshkaSettings

    def coder(self, start: "Start") -> "Coder":
        """What learns."""
        from denoscope.dictionaries._training.selecting import MatryoshkaCoder

        return MatryoshkaCoder(start, self.settings, self.tied)
