"""How usual activations are: their distance from what a site holds when nothing is changed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError

__all__ = ["Usual", "usual"]

Numbers = NDArray[np.float64]
_HELD = 0.9
"""Share of the variance that the leading components hold."""


@dataclass(frozen=True, eq=False)
class Usual:
    """A normal distribution of cells: mean, principal axes, and the variance along each.

    Attributes:
        mean: `(channel,)`.
        axes: orthonormal rows, most variance first, `(channel, channel)`.
        variances: along them, shrunk, `(channel,)`.
        leading: how many axes hold nine tenths of the variance.
    """

    mean: Numbers
    axes: Numbers
    variances: Numbers
    leading: int

    def distance(self, cells: ArrayLike) -> Numbers:
        """Squared Mahalanobis distance of each cell over the number of channels, `(cell,)`.

        About 1 on average for other cells of the same kind, less where the covariance had to be shrunk.
        """
        return (np.square(self._along(cells)) / self.variances).mean(axis=1)

    def outside(self, cells: ArrayLike) -> Numbers:
        """Squared length of each cell's deviation from the mean, off the leading axes, `(cell,)`."""
        return np.square(self._along(cells)[:, self.leading :]).sum(axis=1)

    def spread(self, cells: ArrayLike) -> Numbers:
        """Squared length of each cell's deviation from the mean, `(cell,)`."""
        return np.square(self._along(cells)).sum(axis=1)

    def _along(self, cells: ArrayLike) -> Numbers:
        return (np.asarray(cells, dtype=np.float64) - self.mean) @ self.axes.T


def usual(cells: ArrayLike) -> Usual:
    """What is usual, from unchanged cells `(cell, channel)`: covariance shrunk as by Ledoit and Wolf (2004).

    Raises:
        InputError: fewer than two cells, or cells that do not vary.
    """
    from sklearn.covariance import ledoit_wolf

    x = np.asarray(cells, dtype=np.float64)
    if x.ndim != 2 or len(x) < 2 or not np.isfinite(x).all() or not x.std(axis=0).any():
        raise InputError(f"what is usual is learned from cells (cell, channel) that vary, not from shape {x.shape}")
    covariance, _ = ledoit_wolf(x)
    variances, axes = np.linalg.eigh(covariance)
    variances, axes = np.maximum(variances[::-1], variances[-1] * 1e-12), axes[:, ::-1].T
    held = np.cumsum(np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2)
    return Usual(x.mean(axis=0), axes, variances, int(np.searchsorted(held, _HELD * held[-1])) + 1)
