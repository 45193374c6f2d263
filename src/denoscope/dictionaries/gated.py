"""The Gated sparse autoencoder (Rajamanoharan et al. 2024, "Improving dictionary learning with gated autoencoders")."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from denoscope.core.errors import InputError
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries._normaliser import Floats
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries.base import like

if TYPE_CHECKING:
    from denoscope.dictionaries._training.coder import Coder, Start

__all__ = ["Gated", "GatedSettings"]


@dataclass(frozen=True)
class GatedSettings(AutoencoderSettings):
    """Parameters of `Gated`; the penalty is moved until k atoms explain one cell on average."""

    sparsity: float = 0.05
    """Weight of the L1 penalty on open gates at the start."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sparsity <= 0:
            raise InputError(f"sparsity must be larger than 0, not {self.sparsity:g}")


@dictionaries("gated")
class Gated(Autoencoder):
    """Gated sparse autoencoder: one part says which atoms are active, another how much, on shared directions.

    z = [p + c > 0] relu(g p + m) with p = W_enc (x - b), a gain g and biases c, m for each atom. Loss
    |x - x_hat|^2 / |x - mean|^2 + lambda |relu(p + c)|_1 + the same misfit for relu(p + c) with atoms held fixed, plus
    AuxK as in `TopK`; lambda follows L0 (equations 5 to 8 there).
    """

    name: ClassVar[str] = "gated"
    Settings: ClassVar[type[Any]] = GatedSettings

    def coder(self, start: "Start") -> "Coder":
        """What learns."""
        from denoscope.dictionaries._training.gating import GatedCoder

        return GatedCoder(start, self.settings, self.tied)

    def scaled(self, extras: Mapping[str, Any], lengths: Floats) -> Mapping[str, Floats]:
        """A gain has no unit."""
        return {"gain": np.asarray(extras["gain"]), "magnitude": np.asarray(extras["magnitude"] * lengths)}

    def _encode(self, x: Any) -> Any:
        before = self._before(x)
        p = before - like(self._weight("encoder_bias"), before)
        codes = (p * like(self._weight("gain"), before) + like(self._weight("magnitude"), before)).clamp_min(0)
        codes = codes * (before > 0)
        return codes.numpy() if isinstance(x, np.ndarray) else codes
