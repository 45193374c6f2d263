"""Crosscoders: one set of codes for several streams, sites or models (Lindsey et al. 2024)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError, unknown
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._normaliser import Normaliser, Raw, floats, normaliser_of
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries.rows import Rows
from denoscope.dictionaries.topk import TopK
from denoscope.measures.sparsity import fvu

__all__ = ["Crosscoder", "CrosscoderSettings"]

_LEAST = 0.2
"""Share of the lengths of an atom below which it counts as absent from a stream."""


@dataclass(frozen=True)
class CrosscoderSettings(AutoencoderSettings):
    """Parameters of `Crosscoder`; at most k atoms explain one row, all streams together."""

    widths: tuple[int, ...] = ()
    """Channels of each stream, in the order in which a row holds them; one stream unless given."""
    names: tuple[str, ...] = ()
    """Names of the streams; 1, 2, 3 ... unless given."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "widths", tuple(map(int, self.widths)))
        names = self.names or range(1, len(self.widths) + 1)
        object.__setattr__(self, "names", tuple(map(str, names)))
        if any(width < 1 for width in self.widths) or len(self.names) != len(self.widths):
            raise InputError(f"streams of {self.widths} channels cannot be named {self.names}")
        if len(set(self.names)) < len(self.names):
            raise InputError(f"streams need names that differ, not {self.names}")
        if self.normaliser not in ("scalar", "channel"):
            told = f"a crosscoder brings its streams to one size, by scalar or channel, not by {self.normaliser}"
            raise InputError(told)


@dictionaries("crosscoder")
class Crosscoder(TopK):
    """TopK codes that are shared by several streams, with an encoder and a decoder for each of them.

    z = TopK(sum_s W_s (x_s - b_s) + c), x_hat_s = z D_s + b_s, on rows that hold the streams one after the other
    (`joint_rows` makes them), each brought to the same mean squared length first. |D_s,i| beside that of the other
    streams says where atom i lives: in all of them, or in one alone. Constraint, loss and AuxK are those of `TopK` for
    all streams together.
    """

    name: ClassVar[str] = "crosscoder"
    Settings: ClassVar[type[Any]] = CrosscoderSettings

    @property
    def names(self) -> tuple[str, ...]:
        """Of the streams."""
        return self.settings.names or ("1",)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Which channels of a row each stream has."""
        ends = np.cumsum(self.settings.widths or (self.width,)).tolist()
        return tuple(slice(low, high) for low, high in zip([0, *ends], ends, strict=False))

    @property
    def shares(self) -> NDArray[np.float64]:
        """|D_s,i| / sum_s |D_s,i| in units of each stream's mean length, `(atom, stream)`; random atoms have 1 / S."""
        parts = [np.linalg.norm(self.atoms[:, where], axis=1) for where in self.slices]
        lengths = np.stack(parts, axis=1).astype(np.float64) / self._weight("sizes")
        return lengths / np.maximum(lengths.sum(axis=1, keepdims=True), 1e-30)

    def kinds(self, least: float = _LEAST) -> list[str]:
        """For each atom the name of the only stream in which it has more than `least` of its length, or `shared`."""
        alone = (self.shares >= least).sum(axis=1) == 1
        return [self.names[best] if one else "shared" for one, best in zip(alone, self.shares.argmax(1), strict=True)]

    def told(self) -> Mapping[str, list[Any]]:
        """Where each atom lives."""
        shares = {f"share of {name}": self.shares[:, place].tolist() for place, name in enumerate(self.names)}
        return {"lives in": self.kinds(), **shares}

    def unexplained(self, x: Any) -> dict[str, float]:
        """Fraction of each stream's variance that is left of rows `(sample, channel)`."""
        made = np.asarray(self.reconstruct(np.asarray(x, dtype=np.float32)))
        return {name: fvu(x[:, where], made[:, where]) for name, where in zip(self.names, self.slices, strict=True)}

    def of(self, stream: str) -> TopK:
        """A plain dictionary of one stream, for reading and steering there alone.

        An atom is its decoder in that stream, of length one, and a code is a length there. Codes are those that the
        crosscoder gives where all other streams are at their bias: they lack what those streams would add, so that a
        dictionary which was learned from this stream alone explains it better.

        Raises:
            UnknownName: no stream has this name.
        """
        if stream not in self.names:
            raise unknown("stream", stream, self.names, "dictionary.names")
        where = self.slices[self.names.index(stream)]
        atoms = self.atoms[:, where].astype(np.float64)
        lengths = np.maximum(np.linalg.norm(atoms, axis=1), 1e-30)
        parts = {
            "atoms": atoms / lengths[:, None],
            "bias": self.bias[where].astype(np.float64),
            "encoder": self._weight("encoder")[:, where] * lengths[:, None],
            "encoder_bias": self._weight("encoder_bias") * lengths,
            "lengths": self._lengths() * lengths,
        }
        made = TopK(atoms=self.settings.atoms, k=self.settings.k, seed=self.settings.seed)
        made.weights = floats(parts)
        streams = self.about.get("streams", {})
        made.about = {name: told for name, told in self.about.items() if name != "streams"} | streams.get(stream, {})
        return made

    def normaliser(self, head: Rows) -> Normaliser:
        """Each stream by itself, and all of them to the same mean squared length.

        Raises:
            InputError: widths that are not those of the rows.
        """
        widths = self.settings.widths or (head.values.shape[1],)
        if sum(widths) != head.values.shape[1]:
            raise InputError(f"streams of {widths} channels do not make rows of {head.values.shape[1]}")
        ends = np.cumsum(widths)[:-1]
        parts = [normaliser_of(self.settings.normaliser, part) for part in np.split(head.values, ends, axis=1)]
        mean = np.concatenate([part.mean for part in parts])
        back = np.concatenate([np.broadcast_to(one.back, one.mean.shape) for one in parts]) * len(parts) ** 0.5
        return Normaliser(parts[0].kind, mean, 1 / back, back)

    def take(self, raw: Raw, extras: Mapping[str, Any], before: Any, after: Any) -> None:
        """Keep what was learned, and how large each stream is."""
        super().take(raw, extras, before, after)
        sizes = [np.sqrt(np.square(before.back[where]).mean()) for where in self.slices]
        self.weights["sizes"] = np.array(sizes, dtype=np.float32)

    def random(self, mean: NDArray[np.float32]) -> "Crosscoder":
        """Atoms drawn on the sphere where every stream has the same size, each its own encoder."""
        drawn = np.random.default_rng((self.settings.seed, 3)).normal(size=self.atoms.shape)
        size = np.repeat(self._weight("sizes"), self.settings.widths or (self.width,))
        raw = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        atoms, encoder = raw * size, raw / size
        lengths = np.linalg.norm(atoms, axis=1)
        twin = Crosscoder(self.settings)
        parts = {"atoms": atoms / lengths[:, None], "encoder": encoder * lengths[:, None], "lengths": lengths}
        parts["encoder_bias"] = np.zeros(len(atoms))
        twin.weights = {**floats(parts), "bias": mean, "sizes": self._weight("sizes")}
        return twin

    def _lengths(self) -> NDArray[np.float32]:
        return self.weights.get("lengths", np.ones(len(self.atoms), dtype=np.float32))
