"""How well, and with how little, a dictionary explains; and how far two dictionaries are one.

FVU and what other works call variance explained stand in `reconstruction`, by name.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from denoscope.core.errors import InputError

__all__ = [
    "Stability",
    "coherence",
    "covered",
    "dense",
    "evenness",
    "fvu",
    "l0",
    "matched",
    "max_cosine",
    "mean_cosine",
    "nearest",
    "stability",
]

_BLOCK = 2**24
"""Cosines that are held at once."""


def fvu(x: ArrayLike, reconstruction: ArrayLike) -> float:
    """Fraction of variance unexplained, sum |x - x_hat|^2 / sum |x - mean(x)|^2; 0 is perfect, 1 is the mean.

    Args:
        x, reconstruction: `(sample, channel)`.

    Raises:
        InputError: x does not vary.
    """
    known, made = np.asarray(x, dtype=np.float64), np.asarray(reconstruction, dtype=np.float64)
    spread = np.square(known - known.mean(axis=0)).sum()
    if not spread:
        raise InputError("activations that do not vary have no variance to explain")
    return float(np.square(known - made).sum() / spread)


def l0(codes: ArrayLike) -> float:
    """Mean number of codes that are not zero, over samples."""
    return float(np.count_nonzero(np.asarray(codes), axis=1).mean())


def mean_cosine(found: ArrayLike, truth: ArrayLike, signed: bool = True) -> float:
    """Mean cosine between true atoms and the found ones under the best one-to-one match (MCC).

    Args:
        found: `(atom, channel)`, at least as many as there are true ones.
        truth: `(atom, channel)`.
        signed: whether an atom of opposite sign is a miss.

    Raises:
        InputError: fewer atoms than true ones, or another width.
    """
    return float(matched(found, truth, signed).mean())


def matched(found: ArrayLike, truth: ArrayLike, signed: bool = True) -> NDArray[np.float64]:
    """Cosine of each true atom with the found one that the best one-to-one match gives it, `(true atom,)`.

    Args:
        found, truth, signed: as for `mean_cosine`, which is their mean.

    Raises:
        InputError: fewer atoms than true ones, or another width.
    """
    a, b = _unit(found), _unit(truth)
    if a.shape[0] < b.shape[0] or a.shape[1] != b.shape[1]:
        raise InputError(f"{a.shape[0]} atoms of width {a.shape[1]} cannot match {b.shape[0]} of width {b.shape[1]}")
    cosines = b @ a.T if signed else np.abs(b @ a.T)
    return cosines[linear_sum_assignment(-cosines)]


def max_cosine(found: ArrayLike, truth: ArrayLike, signed: bool = True) -> float:
    """Mean over true atoms of the largest cosine with any found one (MMCS); an atom may stand for several.

    Args:
        found: `(atom, channel)`.
        truth: `(atom, channel)`.
        signed: whether an atom of opposite sign is a miss.
    """
    a, b = _same(found, truth)
    cosines = b @ a.T if signed else np.abs(b @ a.T)
    return float(cosines.max(axis=1).mean())


class Stability(NamedTuple):
    """How far two dictionaries are one."""

    value: float
    """Mean cosine of their atoms under the best one-to-one match (MCC)."""
    chance: float
    """The same for directions drawn on the sphere in place of the second dictionary's."""


def stability(first: ArrayLike, second: ArrayLike, signed: bool = True, seed: int = 0) -> Stability:
    """Mean cosine between two trainings' atoms, best matched, beside that of as many random directions.

    Many atoms in few channels are always near one another, so that the number means nothing without its chance.

    Args:
        first, second: `(atom, channel)`, equally many.
        signed: whether atoms of opposite sign differ.
        seed: of the random directions.

    Raises:
        InputError: another number or width.
    """
    a, b = _same(first, second)
    if len(a) != len(b):
        raise InputError(f"dictionaries of {len(a)} and {len(b)} atoms cannot be matched one to one")
    drawn = np.random.default_rng((seed, 11)).normal(size=b.shape)
    return Stability(mean_cosine(a, b, signed), mean_cosine(a, drawn, signed))


def nearest(atoms: ArrayLike, which: ArrayLike | None = None) -> NDArray[np.float64]:
    """Size of each atom's largest cosine with another one, `(atom,)`: 1 for an atom that is there twice (collinearity).

    Args:
        atoms: `(atom, channel)`, at least two.
        which: atoms that are asked about, `(asked,)`; all unless given.

    Raises:
        InputError: fewer than two atoms.
    """
    a = _unit(atoms)
    if len(a) < 2:
        raise InputError("a single atom has no nearest one")
    asked = np.arange(len(a)) if which is None else np.asarray(which)
    found, step = np.empty(len(asked)), max(1, _BLOCK // len(a))
    for start in range(0, len(asked), step):
        rows = asked[start : start + step]
        cosines = np.abs(a[rows] @ a.T)
        cosines[np.arange(len(rows)), rows] = -1.0
        found[start : start + step] = cosines.max(axis=1)
    return found


def dense(frequency: ArrayLike, above: float = 0.1) -> float:
    """Share of atoms that are active in more than `above` of all cells."""
    return float((np.asarray(frequency) > above).mean())


def covered(images: ArrayLike, least: int = 64) -> float:
    """Share of atoms that are active in at least `least` images: enough of them to see what they have in common."""
    return float((np.asarray(images) >= least).mean())


def evenness(uses: ArrayLike) -> float:
    """How evenly atoms are used, exp(entropy of use) / atoms: 1 where all alike, 1 / atoms where one does everything.

    Args:
        uses: how often each atom was active, `(atom,)`.

    Raises:
        InputError: no atom was.
    """
    counts = np.asarray(uses, dtype=np.float64)
    if not counts.sum():
        raise InputError("no atom was ever active")
    shares = counts[counts > 0] / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()) / counts.size)


def coherence(embeddings: ArrayLike, active: ArrayLike) -> NDArray[np.float64]:
    """Mean cosine between all pairs of what activates an atom, `(atom,)`; NaN where fewer than two do.

    In closed form from sums of unit vectors, (|sum u|^2 - m) / (m (m - 1)) for m of them; no pair is formed.

    Args:
        embeddings: any description of the samples, `(sample, feature)`, centred so that unlike ones have cosine 0.
        active: which atoms each sample activates, `(sample, atom)`.
    """
    u, on = _unit(embeddings), np.asarray(active, dtype=bool).astype(np.float64)
    m = on.sum(axis=0)
    pairs = m * (m - 1)
    sums = np.square(on.T @ u).sum(axis=1)
    own = on.T @ np.square(u).sum(axis=1)
    return np.divide(sums - own, pairs, out=np.full(m.size, np.nan), where=pairs > 0)


def _same(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both with rows of length one, of equal width."""
    a, b = _unit(first), _unit(second)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or not len(a) or not len(b):
        raise InputError(f"atoms must be (atom, channel) of equal width, got {a.shape} and {b.shape}")
    return a, b


def _unit(rows: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(rows, dtype=np.float64)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
