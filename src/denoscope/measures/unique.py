"""How much of what varies between rows does each of several explanations hold that no other does?

The other direction of `decoding`: channels are predicted from what is known of the rows, with and without one thing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError
from denoscope.measures.decoding import PENALTIES, decode
from denoscope.measures.ridge import usable_spread
from denoscope.measures.statistics import Estimate, bootstrap_ratio, widened

__all__ = ["Explained", "unique_variance"]

Numbers = NDArray[np.float64]

_TWICE = 2.0
"""Design effect: in cross-validation every pair of rows is in a sum twice (see `decoding_scores`)."""


class Explained(NamedTuple):
    """Shares of the variance of held-out rows.

    Attributes:
        whole: by everything that is known together.
        unique: lost without each of them, in order; at or below 0 for one that adds nothing.
    """

    whole: Estimate
    unique: tuple[Estimate, ...]


def unique_variance(known: ArrayLike, x: ArrayLike, folds: int = 5, seed: int = 42) -> Explained:
    """Held-out variance of rows that is explained by all columns of `known`, and by each one alone of them.

    (SSE without it - SSE with all) / SST over standardised channels, from ridge regressions on objects that were not
    learned from; the penalty is chosen with all columns, by leaving out training rows, and kept. What two columns share
    is nobody's own, so that shares do not add up to the whole. Intervals are by row, wide enough for rows as lessons.

    Args:
        known: `(row, column)`.
        x: `(row, channel)`.
        folds: parts of the rows.
        seed: of the parts.

    Raises:
        InputError: fewer than two columns, or as `decode`.
    """
    columns, values = np.asarray(known, dtype=np.float64), np.asarray(x, dtype=np.float64)
    if columns.ndim != 2 or columns.shape[1] < 2:
        raise InputError(f"what is unique of one thing needs another beside it, (row, 2 or more), got {columns.shape}")
    y = (values - values.mean(axis=0)) / usable_spread(values.std(axis=0), values.mean(axis=0))
    full = decode(columns, y, folds, PENALTIES, seed)
    kept = (float(np.median([part.penalty for part in full.parts])),)
    rest, error = _each(y - full.baseline), _each(y - decode(columns, y, folds, kept, seed).predicted)
    without = [np.delete(columns, number, axis=1) for number in range(columns.shape[1])]
    lost = [_each(y - decode(some, y, folds, kept, seed).predicted) - error for some in without]
    return Explained(_share(rest - error, rest, seed), tuple(_share(more, rest, seed) for more in lost))


def _each(errors: Numbers) -> Numbers:
    """Squared length of each row's error, `(row,)`."""
    return np.square(errors).sum(axis=1)


def _share(above: Numbers, below: Numbers, seed: int) -> Estimate:
    return widened(bootstrap_ratio(above, below, seed=seed), _TWICE)
