"""The JumpReLU sparse autoencoder (Rajamanoharan et al. 2024, "Jumping ahead")."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from denoscope.core.errors import InputError
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._autoencoder import Thresholded
from denoscope.dictionaries._settings import AutoencoderSettings

if TYPE_CHECKING:
    from denoscope.dictionaries._training.coder import Coder, Start

__all__ = ["JumpReLU", "JumpReLUSettings"]


@dataclass(frozen=True)
class JumpReLUSettings(AutoencoderSettings):
    """Parameters of `JumpReLU`; the thresholds learn towards k atoms per cell on average."""

    sparsity: float = 1.0
    """Weight of (L0 / k - 1)^2."""
    bandwidth: float = 0.0
    """Width of the kernel around a threshold, for activations of mean squared length 1; 0 stands for a fifth of the
    deviation of pre-activations at the start."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.sparsity, self.bandwidth) < 0:
            raise InputError("sparsity and bandwidth must not be negative")


@dictionaries("jumprelu")
class JumpReLU(Thresholded):
    """JumpReLU sparse autoencoder: every atom has a threshold that is learned; z H(z - theta).

    Loss |x - x_hat|^2 / |x - mean|^2 + sparsity (L0 / k - 1)^2, plus AuxK as in `TopK`. Both the step of L0 and that
    of the codes send gradients to the thresholds by a rectangular kernel (equations 11 and 12 there).
    """

    name: ClassVar[str] = "jumprelu"
    Settings: ClassVar[type[Any]] = JumpReLUSettings

    def coder(self, start: "Start") -> "Coder":
        """What learns."""
        from denoscope.dictionaries._training.gating import JumpReLUCoder

        return JumpReLUCoder(start, self.settings, self.tied)
