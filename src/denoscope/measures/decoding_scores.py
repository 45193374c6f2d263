"""How well held-out numbers are decoded, and how sure that is: every row counts as a test and as a lesson.

In cross-validation each row is tested once and learned from in all other parts. An interval that resamples tests alone
is too narrow by the square root of two where nothing is decoded, since every pair of rows is in the sum twice. Here a
row's influence is that on the score through both (the infinitesimal jackknife: Jaeckel 1972; Giordano et al. 2019),
and pairs of rows are counted once (Aronow, Samii and Assenova 2015). Penalties count as fixed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from denoscope.measures.decoding import Decoded
from denoscope.measures.statistics import Estimate

__all__ = ["Told", "correlation", "mean_of", "r2", "shuffled_r2"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]

_CERTAIN = 1 - 1e-9
"""Correlations are cut there before Fisher's transform."""


@dataclass(frozen=True, eq=False)
class Told:
    """A score of every target; NaN for one that does not vary.

    Attributes:
        value, low, high: with the 95 % interval over rows, `(target,)` each.
        p: p-value that it is 0 or less, `(target,)`.
        influence: by how much each row moved it, `(row, target)`; sums to 0 over rows up to second order.
        mean: of all targets that vary, with its interval.
    """

    value: Numbers
    low: Numbers
    high: Numbers
    p: Numbers
    influence: Numbers
    mean: Estimate


@dataclass(frozen=True, eq=False)
class _Slopes:
    """What a score is made of, to first order, per row and target.

    Attributes:
        value: `(target,)`.
        test: what a row adds as a test, `(row, target)`.
        fit: by how much the score rises with its prediction, `(row, target)`.
        base: by how much it rises with the training mean it is compared with, `(row, target)`.
        centred: whether predictions count less their mean in each part.
    """

    value: Numbers
    test: Numbers
    fit: Numbers
    base: Numbers
    centred: bool = False


def r2(found: Decoded) -> Told:
    """Held-out R^2 = 1 - sum (y - p)^2 / sum (y - mean of the training rows)^2 of each target, with its interval."""
    error, rest = found.truth - found.predicted, found.truth - found.baseline
    above, below = (error**2).sum(axis=0), _positive((rest**2).sum(axis=0), found.truth)
    ratio = above / below
    slopes = _Slopes(1 - ratio, -(error**2 - ratio * rest**2) / below, 2 * error / below, -2 * ratio * rest / below)
    return _told(found, slopes, _plain)


def correlation(found: Decoded) -> Told:
    """Pearson's correlation of predictions and truth within parts, with Fisher's interval; 0 where all are alike.

    Means are taken in each part: the mean of the other parts is low where that of a part is high, so that predictions
    that hold nothing but the mean would correlate negatively over all rows. Where there is nothing to find it is still
    a little below 0, since predictions are long where parts agree by chance.
    """
    p, y = found.centred(found.predicted), found.centred(found.truth)
    own, known = (p**2).sum(axis=0), _positive((y**2).sum(axis=0), found.truth)
    scale = np.sqrt(np.where(own > 0, own, 1.0) * known)
    own = np.where(own > 0, own, np.inf)
    r = (p * y).sum(axis=0) / scale
    test = p * y / scale - r / 2 * (p**2 / own + y**2 / known)
    return _told(found, _Slopes(r, test, y / scale - r * p / own, np.zeros_like(y), True), _fisher)


def mean_of(told: Told, targets: NDArray[Any]) -> Numbers:
    """One number per row whose mean is that of the score over some targets, and whose spread is its own, `(row,)`."""
    return told.value[targets].mean() + len(told.influence) * told.influence[:, targets].mean(axis=1)


def shuffled_r2(found: Decoded) -> Numbers:
    """Mean R^2 over targets of each shuffle, `(shuffle,)`: what the same fits reach when there is nothing to find."""
    means: list[float] = []
    for deal, predicted in zip(found.deals, found.shuffled, strict=True):
        truth, base = found.truth[deal], np.empty_like(found.truth)
        for one in found.parts:
            base[one.test] = truth[one.train].mean(axis=0)
        below = _positive(((truth - base) ** 2).sum(axis=0), truth)
        means.append(float(np.nanmean(1 - ((truth - predicted) ** 2).sum(axis=0) / below)))
    return np.array(means)


Interval = Callable[[Numbers, Numbers, Numbers], tuple[Numbers, Numbers, Numbers]]
"""From values, standard errors and degrees of freedom to both ends and p-values."""


def _told(found: Decoded, slopes: _Slopes, interval: Interval) -> Told:
    influence, variance = np.full_like(found.truth, np.nan), np.full_like(slopes.value, np.nan)
    known = np.flatnonzero(np.isfinite(slopes.value))
    kernels: list[dict[float, Numbers]] = [{} for _ in found.parts]
    every, test = np.zeros((len(found.truth), len(found.truth))), np.zeros(len(found.truth))
    for target in known:
        pairs = _pairs(found, slopes, int(target), kernels)
        influence[:, target], variance[target] = _dyadic(slopes.test[:, target], pairs)
        every += pairs / len(known)
        test += slopes.test[:, target] / len(known)
    freedom = np.maximum(_effective(found.centred(found.truth)) - 1, 1.0)
    low, high, p = interval(slopes.value, np.sqrt(variance), freedom)
    mean = np.array([slopes.value[known].mean() if len(known) else np.nan])
    spread = np.sqrt(np.array([_dyadic(test, every)[1]]))
    ends = interval(mean, spread, np.array([max(len(test) - 1.0, 1.0)]))
    whole = Estimate(float(mean[0]), float(ends[0][0]), float(ends[1][0]), len(test))
    return Told(slopes.value, low, high, p, influence, whole)


def _pairs(found: Decoded, slopes: _Slopes, target: int, kernels: list[dict[float, Numbers]]) -> Numbers:
    """By how much row j, as a lesson, moved the score through the prediction of row i, `(i, j)`."""
    made = np.zeros((len(found.truth), len(found.truth)))
    for one, known in zip(found.parts, kernels, strict=True):
        penalty = float(one.penalty[target])
        if penalty not in known:
            known[penalty] = one.kernel(penalty)
        kernel = known[penalty] - known[penalty].mean(axis=0) if slopes.centred else known[penalty]
        learned = slopes.fit[one.test, target, None] * kernel * one.residual[:, target]
        rest = found.truth[one.train, target] - found.baseline[one.test[0], target]
        compared = np.outer(slopes.base[one.test, target], rest / (len(one.train) - 1))
        made[np.ix_(one.test, one.train)] = learned + compared
    return made


def _dyadic(test: Numbers, pairs: Numbers) -> tuple[Numbers, float]:
    """Influence of every row, and the variance, in which a pair counts once; never below that of tests alone."""
    influence = test + pairs.sum(axis=0)
    twice = float(np.square(pairs).sum() + (pairs * pairs.T).sum())
    least = float(np.square(test).sum())
    return influence, max(float(np.square(influence).sum()) - twice, least) * len(test) / max(len(test) - 1, 1)


def _effective(y: Numbers) -> Numbers:
    """(sum y^2)^2 / sum y^4: how many rows a target's variance rests on, `(target,)`; few for a rare one."""
    fourth = (y**4).sum(axis=0)
    return np.divide((y**2).sum(axis=0) ** 2, fourth, out=np.ones(y.shape[1]), where=fourth > 0)


def _positive(sums: Numbers, truth: Numbers) -> Numbers:
    """Sums of squares to divide by; NaN for a target that does not vary."""
    return np.where(np.ptp(truth, axis=0) > 0, sums, np.nan)


def _plain(value: Numbers, error: Numbers, freedom: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    half = stdtrit(freedom, 0.975) * error
    ratio = np.divide(-value, error, out=np.where(value > 0, -np.inf, np.inf), where=error > 0)
    return value - half, np.minimum(value + half, 1.0), np.where(np.isnan(value), np.nan, stdtr(freedom, ratio))


def _fisher(value: Numbers, error: Numbers, freedom: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    cut = value.clip(-_CERTAIN, _CERTAIN)
    z, error = np.arctanh(cut), error / (1 - cut**2)
    half = stdtrit(freedom, 0.975) * error
    ratio = np.divide(-z, error, out=np.where(z > 0, -np.inf, np.inf), where=error > 0)
    p = np.where(np.isnan(value), np.nan, stdtr(freedom, ratio))
    return np.minimum(np.tanh(z - half), value), np.maximum(np.tanh(z + half), value), p
