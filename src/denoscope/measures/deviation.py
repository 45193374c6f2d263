"""How far values are from those that they stand for."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from denoscope.core.errors import InputError

__all__ = ["Deviation", "deviation"]


class Deviation(NamedTuple):
    """Of one image."""

    error: float
    """|x - y| / |y|, Frobenius norms over all its cells."""
    cosine: float
    """Mean over its cells of the cosine of x and y; NaN where no cell has a direction."""


def deviation(found: ArrayLike, wanted: ArrayLike) -> Deviation:
    """Relative error and mean cosine of cells x against y.

    Args:
        found: x, `(cell, channel)`.
        wanted: y, likewise.

    Raises:
        InputError: shapes that differ, or a y that is zero everywhere.
    """
    x, y = np.asarray(found, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 2:
        raise InputError(f"values are compared cell by cell, (cell, channel); got {x.shape} and {y.shape}")
    size = float(np.linalg.norm(y))
    if size == 0:
        raise InputError("values are compared with zeros, of which no error is a share")
    norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    directed = norms > 0
    cosines = (x * y).sum(axis=1)[directed] / norms[directed]
    return Deviation(float(np.linalg.norm(x - y)) / size, float(cosines.mean()) if directed.any() else float("nan"))
