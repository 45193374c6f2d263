"""What a method does to activations before it learns, and how that is folded back into the weights afterwards.

x' = (x - m) A with an invertible A. An autoencoder of x' becomes one of x: with codes z = f((x' - b) W' + c) and
x' ~ z D + b, the atoms are the rows of D A^-1 brought to length one, the bias is b A^-1 + m, the encoder is W A'.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError

__all__ = ["Kind", "Normaliser", "Raw", "floats", "folded", "normaliser_of", "times"]

Kind = Literal["none", "mean", "scalar", "channel", "whiten"]
Floats = NDArray[np.float64]
Weights = dict[str, NDArray[np.float32]]
_FLOOR = 1e-6
"""Smallest variance that is divided by, relative to the mean one: quieter directions are not blown up."""


@dataclass(frozen=True, eq=False)
class Normaliser:
    """x' = (x - mean) @ forth, x = x' @ back + mean; a scale for all channels is a number, one for each an array.

    Attributes:
        kind: by which it is asked for.
        mean: `(channel,)`.
        forth: `(channel, channel)`, `(channel,)`, or a number.
        back: its inverse.
    """

    kind: Kind
    mean: Floats
    forth: Floats
    back: Floats

    def map(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """x'."""
        return times(x - self.mean, self.forth).astype(np.float32)

    @property
    def keeps_angles(self) -> bool:
        """Whether all atoms change their length alike when it is folded back."""
        return self.forth.ndim == 0


@dataclass(frozen=True, eq=False)
class Raw:
    """Weights of an autoencoder in normalised units.

    Attributes:
        atoms: `(atom, channel)`.
        encoder: `(atom, channel)`.
        bias: `(channel,)`; what the atoms are added to.
        encoder_bias: `(atom,)`.
        centre: `(channel,)`; what is taken off before encoding.
    """

    atoms: Floats
    encoder: Floats
    bias: Floats
    encoder_bias: Floats
    centre: Floats


def normaliser_of(kind: Kind, rows: NDArray[np.float32]) -> Normaliser:
    """Estimated on rows `(sample, channel)`, such that the mean squared length of x' is 1 (`none`, `mean`: as it was).

    Raises:
        InputError: rows that do not vary.
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean
    variances = np.square(centred).mean(axis=0)
    power = float(variances.sum())
    if not power:
        raise InputError("activations that do not vary have no directions to learn")
    one = np.asarray(1.0)
    if kind == "none":
        return Normaliser(kind, np.zeros_like(mean), one, one)
    if kind == "mean":
        return Normaliser(kind, mean, one, one)
    if kind == "scalar":
        return Normaliser(kind, mean, np.asarray(power**-0.5), np.asarray(power**0.5))
    if kind == "channel":
        spread = _spread(variances)
        return Normaliser(kind, mean, 1 / spread, spread)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(rows))
    spread = _spread(variances)
    return Normaliser(kind, mean, axes / spread, (axes * spread).T)


def folded(raw: Raw, before: Normaliser, after: Normaliser) -> tuple[dict[str, Floats], Floats]:
    """Weights in the units of the activations, in double precision, and by how much each code grew, `(atom,)`.

    Args:
        raw: what was learned.
        before: normaliser of what is encoded.
        after: normaliser of what is decoded; the same one unless input and target differ.
    """
    atoms = times(raw.atoms, after.back)
    lengths = np.maximum(np.linalg.norm(atoms, axis=1), 1e-30)
    encoder = times(raw.encoder, before.forth.T)
    made = {
        "atoms": atoms / lengths[:, None],
        "bias": times(raw.bias, after.back) + after.mean,
        "encoder": encoder * lengths[:, None],
        "encoder_bias": raw.encoder_bias * lengths,
        "centre": times(raw.centre, before.back) + before.mean,
    }
    return made, lengths


def floats(weights: Mapping[str, Floats]) -> Weights:
    """In fp32."""
    return {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in weights.items()}


def _spread(variances: Floats) -> Floats:
    """Standard deviations, times the root of their number."""
    return np.sqrt(np.maximum(variances, _FLOOR * variances.mean()) * len(variances))


def times(x: Floats, a: Floats) -> Floats:
    """x @ a, or x * a where a is a number or one for each channel."""
    return x * a if a.ndim < 2 else x @ a
