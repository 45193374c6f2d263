"""Are two sets of vectors drawn from one distribution? The energy distance, and what a classifier makes of it.

Rows are *units*: what was sampled independently, such as images; cells of one image must not be rows of their own.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from denoscope.core.errors import InputError
from denoscope.measures.significance import permutation
from denoscope.measures.statistics import Estimate, wilson

__all__ = ["TwoSample", "energy_distance", "told_apart", "two_sample"]

Array = NDArray[np.float64]

_Z = 1.959963984540054
_FOLDS = 5
_LEAST = 4


class TwoSample(NamedTuple):
    """How two samples differ.

    Attributes:
        energy: the energy distance as a share of twice the mean distance between the samples: 0 where they are drawn
            from one distribution (below 0 by chance), 1 where each is a point.
        p: how often relabelled units are as far apart.
        accuracy: of a classifier on units that it did not see; 0.5 is chance.
        accuracy_p: how often it does as well on relabelled units.
    """

    energy: Estimate
    p: float
    accuracy: Estimate
    accuracy_p: float


def two_sample(x: ArrayLike, y: ArrayLike, draws: int = 999, seed: int = 0) -> TwoSample:
    """Both tests, on channels brought to one variance over all units together.

    Args:
        x, y: `(unit, channel)`.
        draws: relabellings.
        seed: of these and of the folds.

    Raises:
        InputError: fewer than four units on a side, unequal widths, or numbers that are not finite.
    """
    a, b = _checked(x, y)
    both = np.concatenate([a, b])
    spread = both.std(axis=0)
    both = (both - both.mean(axis=0)) / np.where(spread > 1e-12 * spread.max(), spread, np.inf)
    first = np.arange(len(both)) < len(a)
    labels = _relabelled(first, draws, seed)
    energy, p = _energy(both, first, labels)
    accuracy, accuracy_p = _classified(both, first, labels, seed)
    return TwoSample(energy, p, accuracy, accuracy_p)


def energy_distance(x: ArrayLike, y: ArrayLike, draws: int = 999, seed: int = 0) -> tuple[Estimate, float]:
    """Energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| over 2 E|X - Y| (Szekely and Rizzo 2013), and its p-value.

    It is 0 only where the distributions are equal. Pairs of one row with itself are left out, so that the numerator is
    unbiased; the interval is by jackknife over units, and wide rather than narrow where the distributions are equal.
    p is by relabelling, and valid for any number of units.

    Raises:
        InputError: as `two_sample`.
    """
    a, b = _checked(x, y)
    first = np.arange(len(a) + len(b)) < len(a)
    return _energy(np.concatenate([a, b]), first, _relabelled(first, draws, seed))


def told_apart(x: ArrayLike, y: ArrayLike, draws: int = 999, seed: int = 0) -> tuple[Estimate, float]:
    """Accuracy of a classifier on units that it did not see, and its p-value (Lopez-Paz and Oquab 2017).

    Ridge regression of the label on channels and their squares, five folds; p by relabelling. Answers of folds that
    share units hang together: Wilson's interval is widened by as much as right answers on relabelled units vary more
    than coins.

    Raises:
        InputError: as `two_sample`.
    """
    a, b = _checked(x, y)
    both = np.concatenate([a, b])
    first = np.arange(len(both)) < len(a)
    return _classified(both, first, _relabelled(first, draws, seed), seed)


def _checked(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    a, b = (np.asarray(rows, dtype=np.float64) for rows in (x, y))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InputError(f"two samples are (unit, channel) of one width, not {a.shape} and {b.shape}")
    if min(len(a), len(b)) < _LEAST:
        raise InputError(f"two samples need {_LEAST} units each, not {len(a)} and {len(b)}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("two samples hold NaN or infinite values; leave those units out and say so")
    return a, b


def _relabelled(first: NDArray[np.bool_], draws: int, seed: int) -> Array:
    """Who belongs to the first sample, dealt anew: `(unit, draw)` of 0 and 1."""
    chance = np.random.default_rng(seed)
    return np.stack([chance.permutation(first) for _ in range(draws)], axis=1).astype(np.float64)


def _energy(both: Array, first: NDArray[np.bool_], labels: Array) -> tuple[Estimate, float]:
    away = np.asarray(cdist(both, both), dtype=np.float64)
    sums = _sums(away, first[:, None].astype(np.float64))
    n, m = int(first.sum()), int((~first).sum())
    value = float(_share(sums, n, m)[0])
    null = _share(_sums(away, labels), n, m)
    half = _Z * _jackknife(away, first, sums[:, 0])
    return Estimate(value, value - half, value + half, n + m), permutation(value, null)


def _sums(away: Array, labels: Array) -> Array:
    """Distances summed within the first, within the second and between them, `(3, draw)`."""
    to_first, total = away @ labels, away.sum()
    within = (labels * to_first).sum(axis=0)
    between = to_first.sum(axis=0) - within
    return np.stack([within, total - within - 2 * between, between])


def _share(sums: Array, n: Any, m: Any) -> Array:
    """1 - (E|X - X'| + E|Y - Y'|) / (2 E|X - Y|)."""
    between = 2 * sums[2] / (n * m)
    inside = sums[0] / (n * (n - 1)) + sums[1] / (m * (m - 1))
    return np.where(between > 0, 1 - inside / np.where(between > 0, between, 1.0), 0.0)


def _jackknife(away: Array, first: NDArray[np.bool_], sums: Array) -> float:
    """Standard error of the share, each unit left out once (Arvesen 1969, two samples)."""
    n, m = int(first.sum()), int((~first).sum())
    to_first, to_second = away[:, first].sum(axis=1), away[:, ~first].sum(axis=1)
    less = np.where(first, [2 * to_first, 0 * to_first, to_second], [0 * to_first, 2 * to_second, to_first])
    left = _share(sums[:, None] - less, np.where(first, n - 1, n), np.where(first, m, m - 1))
    sides = ((left[first], n), (left[~first], m))
    parts = [(size - 1) / size * np.square(some - some.mean()).sum() for some, size in sides]
    return float(np.sqrt(sum(parts)))


def _classified(both: Array, first: NDArray[np.bool_], labels: Array, seed: int) -> tuple[Estimate, float]:
    """Right answers over folds for the true labels and for each relabelling, all by one matrix per fold."""
    features = np.concatenate([both, np.square(both)], axis=1)
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    kernel = features @ features.T / features.shape[1]
    every = np.concatenate([first[:, None], labels], axis=1)
    right = np.zeros(every.shape[1])
    for test in _folds(first, seed):
        train = ~test
        shift = every[train].mean(axis=0)
        solved = np.linalg.solve(kernel[np.ix_(train, train)] + np.eye(int(train.sum())), every[train] - shift)
        said = kernel[np.ix_(test, train)] @ solved + shift > 0.5
        right += (said == (every[test] > 0.5)).sum(axis=0)
    excess = float(right[1:].var()) / (len(both) / 4)
    return wilson(int(right[0]), len(both), max(1.0, excess)), permutation(float(right[0]), right[1:])


def _folds(first: NDArray[np.bool_], seed: int) -> list[NDArray[np.bool_]]:
    """Masks of the units that are tested, as many of either sample in each as can be."""
    chance, fold = np.random.default_rng((seed, 1)), np.empty(len(first), dtype=np.intp)
    for side in (first, ~first):
        fold[side] = chance.permutation(np.arange(int(side.sum())) % _FOLDS)
    return [fold == number for number in range(_FOLDS) if (fold == number).any()]
