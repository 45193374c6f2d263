"""What the noise level before does not tell of a row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.dictionaries._normaliser import Floats

__all__ = ["Chained", "chained_of"]


@dataclass(frozen=True, eq=False)
class Chained:
    """r_j = (x_j - m_j - (x_(j-1) - m_(j-1)) A_j) / s_j at each noise level j, with r_0 = (x_0 - m_0) / s_0.

    Attributes:
        means: `(level, channel)`.
        maps: `(level - 1, channel, channel)`; the linear prediction of each level from the one before.
        scales: `(level,)`; root mean square length of what is not predicted.
        unpredicted: `(level,)`; share of a level's variance that is not predicted.
    """

    means: Floats
    maps: Floats
    scales: Floats
    unpredicted: Floats

    def map(self, x: NDArray[np.float32], timesteps: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """r, `(sample x level, channel)`, of rows that hold one level after the other, `(sample, level x channel)`."""
        around = x.reshape(len(x), *self.means.shape) - self.means
        r = around.copy()
        for level, a in enumerate(self.maps, start=1):
            r[:, level] -= around[:, level - 1] @ a
        return (r / self.scales[:, None]).reshape(-1, self.means.shape[1]).astype(np.float32)

    def onwards(self, x: Floats, level: int) -> Floats:
        """What a change `(sample, channel)` at one level becomes at all, `(sample, level, channel)`."""
        made = np.zeros((len(x), *self.means.shape))
        made[:, level] = x
        for later in range(level + 1, len(self.means)):
            made[:, later] = made[:, later - 1] @ self.maps[later - 1]
        return made


def chained_of(rows: NDArray[np.float32], levels: int, ridge: float) -> Chained:
    """Estimated on rows `(sample, level x channel)`, with a ridge penalty relative to the mean variance.

    Raises:
        InputError: a width that does not divide by the levels, or a level that does not vary.
    """
    if rows.shape[1] % levels:
        raise InputError(f"rows of {rows.shape[1]} channels do not hold {levels} noise levels of equal width")
    x = rows.reshape(len(rows), levels, -1).astype(np.float64)
    means = x.mean(axis=0)
    x -= means
    power = np.square(x).sum(axis=2).mean(axis=0)
    if not power.all():
        raise InputError("activations that do not vary at a noise level have no directions to learn")
    maps = [_predictor(x[:, level - 1], x[:, level], ridge) for level in range(1, levels)]
    left = [x[:, 0], *(x[:, level] - x[:, level - 1] @ a for level, a in enumerate(maps, start=1))]
    lost = np.array([np.square(r).sum(axis=1).mean() for r in left])
    shape = (levels - 1, means.shape[1], means.shape[1])
    scales = np.sqrt(np.maximum(lost, 1e-12 * power))
    return Chained(means, np.array(maps).reshape(shape), scales, lost / power)


def _predictor(x: Floats, y: Floats, ridge: float) -> Floats:
    """(X'X + ridge * mean variance * n I)^-1 X'Y."""
    inner = x.T @ x
    inner[np.diag_indices_from(inner)] += ridge * max(float(np.trace(inner)) / len(inner), 1e-30)
    return np.linalg.solve(inner, x.T @ y).astype(np.float64, copy=False)
