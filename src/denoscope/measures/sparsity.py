"""How well, and with how little, a dictionary explains."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from denoscope.core.errors import InputError

__all__ = ["fvu", "l0", "mean_cosine"]


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
    a, b = _unit(found), _unit(truth)
    if a.shape[0] < b.shape[0] or a.shape[1] != b.shape[1]:
        raise InputError(f"{a.shape[0]} atoms of width {a.shape[1]} cannot match {b.shape[0]} of width {b.shape[1]}")
    cosines = b @ a.T if signed else np.abs(b @ a.T)
    return float(cosines[linear_sum_assignment(-cosines)].mean())


def _unit(rows: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(rows, dtype=np.float64)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
