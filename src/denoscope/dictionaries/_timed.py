"""Mean and scale of each timestep."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denoscope.dictionaries._normaliser import Floats, Kind, Normaliser, normaliser_of
from denoscope.dictionaries.rows import Rows

__all__ = ["Timed", "timed_of"]

_GROUPS = 32
"""Timesteps that have their own mean; where there are more, neighbours share one."""


@dataclass(frozen=True, eq=False)
class Timed:
    """x' = (x - mean(t)) / scale(t), both interpolated between timesteps and constant beyond them.

    Attributes:
        timesteps: in ascending order, `(timestep,)`.
        means: `(timestep, channel)`.
        scales: `(timestep,)`.
    """

    timesteps: Floats
    means: Floats
    scales: Floats

    def map(self, x: NDArray[np.float32], timesteps: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """x' of rows at timesteps `(row,)`, or at 0 where they are not known."""
        known = np.zeros(len(x)) if timesteps is None else timesteps
        low, high, share = self._between(known.astype(np.float64))
        means = self.means[low] * (1 - share[:, None]) + self.means[high] * share[:, None]
        scales = self.scales[low] * (1 - share) + self.scales[high] * share
        return ((x - means) / scales[:, None]).astype(np.float32)

    def at(self, timestep: float) -> Normaliser:
        """That of one timestep."""
        low, high, share = (part[0] for part in self._between(np.array([timestep], dtype=np.float64)))
        mean = self.means[low] * (1 - share) + self.means[high] * share
        scale = self.scales[low] * (1 - share) + self.scales[high] * share
        return Normaliser("scalar", mean, np.asarray(1 / scale), np.asarray(scale))

    def _between(self, timesteps: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
        """Neighbours below and above, and how far towards the upper one."""
        place = np.interp(timesteps, self.timesteps, np.arange(len(self.timesteps)))
        low = np.floor(place).astype(np.intp)
        return low, np.minimum(low + 1, len(self.timesteps) - 1), place - low


def timed_of(kind: Kind, head: Rows, apart: bool) -> Timed:
    """Estimated on rows; one entry for all where they are not to be told apart."""
    known = np.zeros(len(head)) if head.timesteps is None else head.timesteps.astype(np.float64)
    distinct = np.unique(known)
    groups = [distinct] if not apart else np.array_split(distinct, min(len(distinct), _GROUPS))
    found = [normaliser_of(kind, head.values[np.isin(known, group)]) for group in groups]
    centres = np.array([known[np.isin(known, group)].mean() for group in groups])
    return Timed(centres, np.stack([one.mean for one in found]), np.array([float(one.back) for one in found]))
