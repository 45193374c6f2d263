"""Intervals for means of things that are independent of one another."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from denoscope.core.errors import InputError

__all__ = ["Estimate", "bootstrap_mean"]


class Estimate(NamedTuple):
    """A mean, its 95 % interval and the number of units behind it."""

    value: float
    low: float
    high: float
    n: int


def bootstrap_mean(units: ArrayLike, draws: int = 2000, seed: int = 0) -> Estimate:
    """Mean over units with the percentile bootstrap's 95 % interval (Efron 1979).

    A unit is what was sampled independently: an image, an object, a participant. What was measured several times
    within one unit is averaged there first, so that the interval is clustered by unit.

    Args:
        units: one number per unit; NaN marks a unit that has none, and is left out.
        draws: resamples.
        seed: of the resampling.

    Raises:
        InputError: no unit has a number.
    """
    values = np.asarray(units, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not values.size:
        raise InputError("there is no unit to average over")
    rng = np.random.default_rng(seed)
    means = values[rng.integers(values.size, size=(draws, values.size))].mean(axis=1)
    value = float(values.mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value), values.size)
