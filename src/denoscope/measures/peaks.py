"""Where along some ordered places does a score peak, and do two groups of things peak at different places?

A curve is a score at every place (site, noise level), estimated from the same rows (objects) everywhere. Resampling the
rows moves all curves together, so that differences between peaks are paired.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.measures.statistics import Estimate, tail

__all__ = ["Apart", "apart", "by_labels", "peak", "peak_estimate", "redrawn"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]

_BLOCK = 1 << 23
"""Numbers of a resample that are made at a time."""


@dataclass(frozen=True)
class Apart:
    """Two peaks, and how far the first is behind the second.

    Attributes:
        first, second: places, counted from 0.
        gap: first - second, in places.
        p: p-value that the gap is 0, two-sided.
        p_common: p-value that some place is the best of both.
    """

    first: Estimate
    second: Estimate
    gap: Estimate
    p: float
    p_common: float

    @property
    def p_either(self) -> float:
        """Of both tests together (Bonferroni): that the two peak at one place."""
        return min(1.0, 2 * min(self.p, self.p_common))


def peak(curves: Array) -> Numbers:
    """Place of the maximum along the last axis, between places: the vertex of the parabola through it and both sides.

    At either end it is the end itself. Of equal maxima the first counts.

    Args:
        curves: `(..., place)`.

    Raises:
        InputError: no place.
    """
    values = np.asarray(curves, dtype=np.float64)
    if not values.shape[-1]:
        raise InputError("a curve without places has no peak")
    top = values.argmax(axis=-1)
    inner = (top > 0) & (top < values.shape[-1] - 1)
    near = np.clip(top[..., None] + np.arange(-1, 2), 0, values.shape[-1] - 1)
    left, middle, right = np.moveaxis(np.take_along_axis(values, near, axis=-1), -1, 0)
    bend = 2 * middle - left - right
    shift = np.divide(right - left, 2 * bend, out=np.zeros_like(bend), where=inner & (bend > 0))
    return top + shift


def redrawn(values: Array, influence: Array, draws: int = 2000, seed: int = 0) -> Numbers:
    """Scores when rows are drawn anew with replacement, to first order: value + sum_i (w_i - 1) u_i, `(draw, ...)`.

    Args:
        values: `(...)`.
        influence: u, by how much each row moved them, `(row, ...)`.
        draws: resamples.
        seed: of the resampling; the same draws for all that has as many rows.
    """
    count, flat = len(influence), np.asarray(influence, dtype=np.float64).reshape(len(influence), -1)
    rng, step = np.random.default_rng(seed), max(1, _BLOCK // max(count, flat.shape[1]))
    found = np.empty((draws, flat.shape[1]))
    for start in range(0, draws, step):
        part = found[start : start + step]
        weight = rng.multinomial(count, np.full(count, 1 / count), len(part)) - 1.0
        np.matmul(weight, flat, out=part)
    return np.asarray(values, dtype=np.float64) + found.reshape(draws, *np.shape(values))


def peak_estimate(curve: Array, draws: Array, rows: int) -> Estimate:
    """Place of a curve's peak with its 95 % interval.

    Args:
        curve: `(place,)`.
        draws: the same when rows are drawn anew, `(draw, place)`.
        rows: how many there are.
    """
    return _estimate(float(peak(curve)), peak(draws), rows)


def apart(first: Array, second: Array, first_draws: Array, second_draws: Array, rows: int) -> Apart:
    """Do two curves peak at one place? Two tests, by curves drawn anew, both from the same rows in each draw.

    - `p` of the gap: 2 (1 + n) / (1 + draws), n the number of draws in which the gap has the rarer sign or is 0 (Efron
      and Tibshirani 1993, chapter 15). It tells peaks of single humps apart that are near one another.
    - `p_common`: were place k the best of both, each would fall short of its maximum there by chance alone, p_k =
      P(max Y - Y_k + max Z - Z_k >= max a - a_k + max b - b_k) for what the draws Y, Z of the curves a, b are off by
      (Hsu 1981, comparisons with the best). No place is the best of both when the largest p_k is small (Berger 1982).
      It is strict, and holds for curves with two humps, between which the gap jumps.

    Args:
        first, second: `(place,)`.
        first_draws, second_draws: `(draw, place)`.
        rows: how many there are.
    """
    one, other = peak(first_draws), peak(second_draws)
    gaps = one - other
    rarer = min(int((gaps <= 0).sum()), int((gaps >= 0).sum()))
    short = _short(np.asarray(first)) + _short(np.asarray(second))
    null = _short(first_draws - first) + _short(second_draws - second)
    common = (1 + (null >= short - 1e-12).sum(axis=0)) / (1 + len(null))
    return Apart(
        _estimate(float(peak(first)), one, rows),
        _estimate(float(peak(second)), other, rows),
        _estimate(float(peak(first) - peak(second)), gaps, rows),
        min(1.0, 2 * (1 + rarer) / (1 + len(gaps))),
        float(common.max()),
    )


def by_labels(curves: Array, group: NDArray[np.bool_], draws: int = 9999, seed: int = 0) -> float:
    """p-value that a group of curves peaks where the others do, by dealing the group's places among all curves anew.

    The gap between the peaks of both mean curves, in size, against that of groups of the same number drawn by lot. It
    asks for more than `apart`: not whether these curves differ, but whether the group is more than some of them.

    Args:
        curves: `(curve, place)`.
        group: which are of the group, `(curve,)`.
        draws: deals.
        seed: of the deals.

    Raises:
        InputError: all curves or none are of the group.
    """
    count = int(group.sum())
    if not 0 < count < len(group):
        raise InputError(f"a group of curves is compared with the others; {count} of {len(group)} are in it")
    rng = np.random.default_rng(seed)
    dealt = np.argsort(rng.random((draws, len(group))), axis=1) < count
    dealt = np.concatenate([group[None], dealt]).astype(np.float64)
    gaps = np.abs(peak(dealt @ curves / count) - peak((1 - dealt) @ curves / (len(group) - count)))
    return float((gaps >= gaps[0] - 1e-9).mean())


def _short(curves: Array) -> Numbers:
    """By how much each place falls short of the best, `(..., place)`."""
    return curves.max(axis=-1, keepdims=True) - curves


def _estimate(value: float, draws: Numbers, rows: int) -> Estimate:
    level = tail(rows)
    low, high = np.quantile(draws, [level, 1 - level])
    return Estimate(value, min(float(low), value), max(float(high), value), rows)
