"""Transcoders that know the noise level, as DifFRACT has them (2606.15796); read, not learned here."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.temporal import Temporal
from denoscope.dictionaries.transcoder import Transcoder

__all__ = ["TimedTranscoder"]


class TimedTranscoder(Temporal):
    """z = relu(W_enc (x (1 + s(t)) + h(t)) + c), y_hat = z @ atoms + b, with s and h from a network of the noise level.

    The network: sines and cosines of t / 1000 in half as many wavelengths each, two layers with SiLU after both, and
    a linear map to s and h. `at(t)` is the transcoder that it is at one level, exactly.

    Weights: `atoms`, `bias`, `encoder`, `encoder_bias`; `time`, `time_2`, `film` with their biases; `timesteps`, the
    noise levels at which it was learned.
    """

    name: ClassVar[str] = "diffract"
    Settings: ClassVar[type[Any]] = AutoencoderSettings

    def at(self, timestep: float) -> Transcoder:
        """What it is at one noise level, 0 ... 1000."""
        w = {name: array.astype(np.float64) for name, array in self.weights.items()}
        half = w["time"].shape[1] // 2
        waves = timestep / 1000 * np.exp(-np.log(1e4) * np.arange(half) / max(1, half - 1))
        first = _silu(w["time"] @ np.concatenate([np.sin(waves), np.cos(waves)]) + w["time_bias"])
        scale, shift = np.split(w["film"] @ _silu(w["time_2"] @ first + w["time_2_bias"]) + w["film_bias"], 2)
        parts = {
            "atoms": w["atoms"],
            "bias": w["bias"],
            "encoder": w["encoder"] * (1 + scale),
            "encoder_bias": w["encoder_bias"] + w["encoder"] @ shift,
            "centre": np.zeros(w["encoder"].shape[1]),
            "threshold": np.zeros(len(w["atoms"])),
        }
        made = Transcoder(atoms=self.settings.atoms, k=self.settings.k)
        made.weights = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in parts.items()}
        made.about = dict(self.about)
        return made

    def fit(self, batches: Iterable[Any], keep: Any = None, every: int = 1_000_000) -> Self:
        """Not here.

        Raises:
            InputError: always.
        """
        raise InputError("DifFRACT's dictionaries are read, not learned here; learn a temporal one or a transcoder")

    def random(self, mean: NDArray[np.float32]) -> Learned | None:
        """Atoms by chance mean nothing where input and target differ."""
        return None


def _silu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / (1 + np.exp(-x))
