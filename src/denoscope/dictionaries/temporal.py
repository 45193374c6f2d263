"""A dictionary that knows the noise level: FiLM-conditioned, as in TIDE (2503.07050) and DifFRACT (2606.15796)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from denoscope.core.errors import InputError
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._normaliser import Raw, floats, folded
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries._timed import Timed, timed_of
from denoscope.dictionaries.rows import Rows
from denoscope.dictionaries.topk import TopK

if TYPE_CHECKING:
    from denoscope.dictionaries._training.coder import Coder, Start

__all__ = ["Temporal", "TemporalSettings"]


@dataclass(frozen=True)
class TemporalSettings(AutoencoderSettings):
    """Parameters of `Temporal`; at most k atoms explain one cell."""

    hidden: int = 128
    """Units of the network that makes scales and shifts of a timestep."""
    waves: int = 32
    """Wavelengths in which it reads the timestep."""
    film: bool = True
    """Let that network learn; without, levels differ in mean and scale alone."""
    per_timestep: bool = True
    """Normalise with mean and scale of each timestep, not with those of all together."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.hidden, self.waves) < 1:
            raise InputError("hidden and waves must be at least 1")
        if self.normaliser in ("channel", "whiten"):
            raise InputError(f"a temporal dictionary is normalised by none, mean or scalar, not {self.normaliser}")


@dictionaries("temporal")
class Temporal(TopK):
    """TopK autoencoder with one set of atoms for all noise levels, whose encoder knows the timestep.

    x_hat = TopK(W_enc (x (1 + s(t)) + h(t) - b) + c) @ atoms + b on x normalised for its timestep, with s and h from a
    small network that is zero at the start. `at(t)` is the plain TopK dictionary that it is at one timestep, exactly;
    between timesteps that were learned from, mean and scale are interpolated.
    """

    name: ClassVar[str] = "temporal"
    Settings: ClassVar[type[Any]] = TemporalSettings

    @property
    def timesteps(self) -> list[float]:
        """Those that it learned from, or means of groups where they were many."""
        return self._weight("timesteps").tolist()

    def at(self, timestep: float) -> TopK:
        """The plain dictionary that it is at one timestep."""
        w = {name: array.astype(np.float64) for name, array in self.weights.items()}
        waves = timestep * np.exp(-np.log(1e4) * np.arange(self.settings.waves) / self.settings.waves)
        sums = w["hidden"] @ np.concatenate([np.cos(waves), np.sin(waves)]) + w["hidden_bias"]
        scale, shift = np.split(w["film"] @ (sums / (1 + np.exp(-sums))) + w["film_bias"], 2)
        bias = w["raw_bias"]
        encoder_bias = w["raw_encoder_bias"] + w["raw_encoder"] @ (bias * scale + shift)
        raw = Raw(w["atoms"], w["raw_encoder"] * (1 + scale), bias, encoder_bias, bias)
        one = self._timed().at(timestep)
        weights, _ = folded(raw, one, one)
        made = TopK(atoms=self.settings.atoms, k=self.settings.k, seed=self.settings.seed)
        made.weights = floats({name: array for name, array in weights.items() if name != "centre"})
        made.about = dict(self.about)
        return made

    def encode(self, x: Any, timesteps: ArrayLike | None = None) -> Any:
        """Codes `(sample, atom)` of activations `(sample, channel)`.

        Args:
            x: array or tensor.
            timesteps: noise level of all rows, or of each; may be left out where it learned from only one.

        Raises:
            InputError: another width, nothing was learned yet, or it needs to know the timestep.
        """
        if timesteps is None and len(self.timesteps) > 1:
            told = ", ".join(f"{timestep:g}" for timestep in self.timesteps)
            raise InputError(f"say at which timestep, as in dictionary.at(50).encode(x); it learned from {told}")
        known = np.broadcast_to(np.asarray(self.timesteps[0] if timesteps is None else timesteps, float), len(x))
        if not len(x):
            return self.at(self.timesteps[0]).encode(x)
        distinct, which = np.unique(known, return_inverse=True)
        parts = {place: self.at(float(timestep)).encode(x[which == place]) for place, timestep in enumerate(distinct)}
        shape = (len(x), len(self.atoms))
        made = np.zeros(shape, x.dtype) if isinstance(x, np.ndarray) else x.new_zeros(shape)
        for place, codes in parts.items():
            made[which == place] = codes
        return made

    def coder(self, start: "Start") -> "Coder":
        """What learns."""
        from denoscope.dictionaries._training.reaching import TemporalCoder

        return TemporalCoder(start, self.settings, self.tied)

    def normaliser(self, head: Rows) -> Timed:
        """Mean and scale of each timestep, from the first rows."""
        return timed_of(self.settings.normaliser, head, self.settings.per_timestep)

    def take(self, raw: Raw, extras: Mapping[str, Any], before: Any, after: Any) -> None:
        """Keep what was learned, as it is in normalised units, with what normalises each timestep."""
        if not isinstance(before, Timed):
            raise TypeError("a temporal dictionary is normalised by timestep")
        parts = {
            "atoms": raw.atoms,
            "raw_encoder": raw.encoder,
            "raw_encoder_bias": raw.encoder_bias,
            "raw_bias": raw.bias,
        }
        means = {"timesteps": before.timesteps, "means": before.means, "scales": before.scales}
        bias = (before.means + before.scales[:, None] * raw.bias).mean(axis=0)
        self.weights = floats({**parts, **means, **extras, "bias": bias})

    def _timed(self) -> Timed:
        parts = (self._weight(name).astype(np.float64) for name in ("timesteps", "means", "scales"))
        return Timed(*parts)
