"""A dictionary of what a noise level adds to the one before (residualised temporal autoencoders, 2605.27813)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._chained import Chained, chained_of
from denoscope.dictionaries._normaliser import Floats, Raw, floats
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries.rows import Rows
from denoscope.dictionaries.topk import TopK

__all__ = ["Residual", "ResidualSettings"]


@dataclass(frozen=True)
class ResidualSettings(AutoencoderSettings):
    """Parameters of `Residual`; at most k atoms explain what is new in one cell at one noise level."""

    levels: tuple[float, ...] = ()
    """Noise levels that a row holds one after the other, in the order of generation; one level unless given."""
    ridge: float = 1e-3
    """Penalty of the linear prediction, relative to the mean variance of a channel."""
    closed: bool = True
    """After training, let codes explain what the reconstruction of the level before does not predict, so that its
    errors are made good; without, as published, what that level itself does not predict, so that errors add up."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "levels", tuple(map(float, self.levels)))
        if self.ridge < 0:
            raise InputError(f"ridge must not be negative, not {self.ridge:g}")
        if self.normaliser not in ("none", "mean", "scalar"):
            raise InputError(f"what is not predicted is normalised by its length, not by {self.normaliser}")

    @property
    def count(self) -> int:
        """How many noise levels a row holds."""
        return max(1, len(self.levels))


@dictionaries("residual")
class Residual(TopK):
    """TopK autoencoder of what a noise level adds to what the level before predicts linearly.

    A row is a trajectory: one cell at all noise levels, `(sample, level x channel)`, the noisiest first (`joint_rows`
    makes them). r_j = x_j - m_j - (x_(j-1) - m_(j-1)) A_j is explained by at most k of the atoms u, which are the same
    at all levels; a code z at level j stands for z u there and for z u A_(j+1) ... A_l at every later level l. So its
    atoms, `(level x atom, level x channel)`, are trajectories, of length one, and codes @ atoms + bias is x.
    """

    name: ClassVar[str] = "residual"
    Settings: ClassVar[type[Any]] = ResidualSettings

    @property
    def atoms(self) -> NDArray[np.float32]:
        """Trajectories of length one, `(level x atom, level x channel)`, those that begin at the first level first."""
        return self._trajectories[0]

    @property
    def width(self) -> int:
        """Channels of all levels together."""
        return self._weight("bias").size

    @property
    def lasting(self) -> NDArray[np.float64]:
        """Share of each atom's squared length at each level, `(level x atom, level)`: how long what it begins lasts."""
        return np.square(self.atoms.reshape(len(self.atoms), self.settings.count, -1), dtype=np.float64).sum(axis=2)

    def told(self) -> Mapping[str, list[Any]]:
        """Where each atom begins, and how much of it is left at the last level, relative to its first."""
        levels, count = self.settings.count, len(self._weight("directions"))
        begins = np.repeat(np.arange(levels), count)
        lasting = self.lasting
        last = np.sqrt(lasting[:, -1] / lasting[np.arange(len(lasting)), begins])
        named = np.array(self.settings.levels or (0.0,))[begins]
        return {"begins at": named.tolist(), "length left at the end": last.tolist()}

    def normaliser(self, head: Rows) -> Chained:
        """The linear predictions, from the first rows."""
        return chained_of(head.values, self.settings.count, self.settings.ridge)

    def take(self, raw: Raw, extras: Mapping[str, Any], before: Any, after: Any) -> None:
        """Keep what was learned, with the predictions."""
        if not isinstance(before, Chained):
            raise TypeError("a residual dictionary predicts each level from the one before")
        parts = {"directions": raw.atoms, "raw_encoder": raw.encoder, "raw_encoder_bias": raw.encoder_bias}
        told = {"means": before.means, "maps": before.maps, "scales": before.scales, "unpredicted": before.unpredicted}
        bias = before.means + sum(
            before.onwards(scale * raw.bias[None], level)[0] for level, scale in enumerate(before.scales)
        )
        self.__dict__.pop("_trajectories", None)
        self.weights = floats({**parts, **told, "raw_bias": raw.bias, "bias": bias.reshape(-1)})

    def random(self, mean: NDArray[np.float32]) -> "Residual":
        """The same predictions around `mean`, with directions drawn on the sphere, each its own encoder."""
        shape = self._weight("directions").shape
        drawn = np.random.default_rng((self.settings.seed, 3)).normal(size=shape)
        unit = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
        zero = {name: np.zeros_like(self.weights[name]) for name in ("raw_encoder_bias", "raw_bias")}
        twin = Residual(self.settings)
        twin.weights = {**self.weights, "directions": unit, "raw_encoder": unit, **zero, "bias": mean}
        twin.weights["means"] = mean.reshape(self.weights["means"].shape)
        return twin

    @property
    def _chain(self) -> Chained:
        parts = (self._weight(name).astype(np.float64) for name in ("means", "maps", "scales", "unpredicted"))
        return Chained(*parts)

    @cached_property
    def _trajectories(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Atoms, and how long they were, `(level x atom,)`."""
        chain, u = self._chain, self._weight("directions").astype(np.float64)
        made: Floats = np.concatenate([chain.onwards(scale * u, level) for level, scale in enumerate(chain.scales)])
        flat = made.reshape(len(made), -1)
        lengths = np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-30)
        return (flat / lengths).astype(np.float32), lengths[:, 0].astype(np.float32)

    def _encode(self, x: Any) -> Any:
        torch = require("torch", f"encode with a {self.name} dictionary")
        array = x if isinstance(x, np.ndarray) else x.detach().cpu().double().numpy()
        chain, u = self._chain, self._weight("directions").astype(np.float64)
        around = array.reshape(len(x), *chain.means.shape) - chain.means
        made, found = np.zeros(chain.means.shape[1]), []
        for level, scale in enumerate(chain.scales):
            a = chain.maps[level - 1] if level else np.zeros((made.shape[-1],) * 2)
            carried = made @ a
            expected = carried if self.settings.closed else around[:, level - 1] @ a
            z = self._active((around[:, level] - expected) / scale)
            made = carried + scale * (z @ u + self._weight("raw_bias"))
            found.append(z)
        codes = np.concatenate(found, axis=1) * self._trajectories[1]
        return codes.astype(x.dtype) if isinstance(x, np.ndarray) else torch.from_numpy(codes).to(x)

    def _active(self, r: Floats) -> Floats:
        """Codes `(sample, atom)` of what is new at one level, `(sample, channel)`, in its units."""
        before = (r - self._weight("raw_bias")) @ self._weight("raw_encoder").T + self._weight("raw_encoder_bias")
        least = np.partition(before, before.shape[1] - self.settings.k, axis=1)[:, [before.shape[1] - self.settings.k]]
        return np.where(before >= least, np.maximum(before, 0), 0)
