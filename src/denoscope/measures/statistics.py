"""Intervals: every score states one, over things that are independent of one another.

A *unit* is what was sampled independently: an image, an object, a participant. Whatever was measured several times
within a unit moves with it, so that intervals are clustered by unit. All chance comes from a generator of its own.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from denoscope.core.errors import InputError

__all__ = [
    "Estimate",
    "Groups",
    "bootstrap_crossed",
    "bootstrap_difference",
    "bootstrap_mean",
    "bootstrap_ratio",
    "percentile_interval",
    "tail",
    "widened",
    "wilson",
]

Groups = Sequence[Any] | NDArray[Any]
Numbers = NDArray[np.float64]

_Z = 1.959963984540054
"""97.5 % quantile of the standard normal distribution."""

_ROUNDING = 1e-12
"""Share of the numbers themselves below which a mean difference of them is 0."""

_BLOCK = 2**22
"""Numbers of a resample that are held at once."""


class Estimate(NamedTuple):
    """A number, its 95 % interval and how many units are behind it."""

    value: float
    low: float
    high: float
    n: int


def wilson(successes: int, n: int, design_effect: float = 1.0) -> Estimate:
    """A plain proportion p = successes / n of independent units, with Wilson's score interval (Wilson 1927).

    The interval holds every rate r that the data do not refute, |p - r| <= z sqrt(r (1 - r) / n) with z = 1.96. It
    stays inside 0 ... 1 and keeps its coverage where p is near either.

    Args:
        successes: of the units.
        n: units.
        design_effect: by how much the proportion varies more than that of independent units would (Kish 1965).

    Raises:
        InputError: no unit, more successes than units, or a design effect below 1.
    """
    if not 0 <= successes <= n or n < 1:
        raise InputError(f"a proportion needs 0 <= successes <= n and n >= 1; got {successes} of {n}")
    if not design_effect >= 1:
        raise InputError(f"a design effect is at least 1, not {design_effect}")
    p, m, z2 = successes / n, n / design_effect, _Z * _Z
    centre = (p + z2 / (2 * m)) / (1 + z2 / m)
    half = _Z / (1 + z2 / m) * math.sqrt(p * (1 - p) / m + z2 / (4 * m * m))
    return _estimate(p, max(0.0, centre - half), min(1.0, centre + half), n)


def widened(found: Estimate, design_effect: float, least: float = -np.inf, most: float = np.inf) -> Estimate:
    """An interval for what varies more by `design_effect` (of variances) than its units say, cut at possible values."""
    by = math.sqrt(design_effect)
    low, high = found.value - by * (found.value - found.low), found.value + by * (found.high - found.value)
    return _estimate(found.value, max(least, low), min(most, high), found.n)


def bootstrap_mean(units: ArrayLike, draws: int = 2000, seed: int = 0, *, groups: Groups | None = None) -> Estimate:
    """Mean with its 95 % bootstrap interval (see `bootstrap_ratio`), clustered by group where groups are given.

    Args:
        units: numbers; NaN marks one that is missing, and is left out.
        draws: resamples.
        seed: of the resampling.
        groups: unit that each number belongs to; every number is a unit of its own unless given.

    Raises:
        InputError: nothing is left to average over.
    """
    values = _column(units)
    return bootstrap_ratio(values, np.where(np.isnan(values), np.nan, 1.0), draws, seed, groups=groups)


def bootstrap_difference(
    first: ArrayLike, second: ArrayLike, draws: int = 2000, seed: int = 0, *, groups: Groups | None = None
) -> Estimate:
    """Mean of `first - second`, measured on the same units, with its 95 % interval: the paired comparison.

    Args:
        first, second: numbers of two sites, conditions or models, row by row of the same thing.
        draws, seed, groups: as for `bootstrap_mean`; a row that misses either number is left out.

    Raises:
        InputError: the two are not of equal length, or share no row.
    """
    a, b = _column(first), _column(second)
    if a.shape != b.shape:
        raise InputError(f"a paired difference needs equal rows; got {a.size} and {b.size}")
    found = bootstrap_mean(a - b, draws, seed, groups=groups)
    rounding = _ROUNDING * float(np.nanmax(np.abs([a, b])))
    value, low, high = (0.0 if abs(number) <= rounding else number for number in found[:3])
    return Estimate(value, low, high, found.n)


def bootstrap_ratio(
    above: ArrayLike, below: ArrayLike, draws: int = 2000, seed: int = 0, *, groups: Groups | None = None
) -> Estimate:
    """sum(above) / sum(below) with a 95 % bootstrap interval over units: the expanded percentile (Hesterberg 2015).

    The plain percentile interval (Efron 1979) is too narrow by sqrt((n - 1) / n) z / t for n units; its levels are
    moved outwards by that much, which gives Student's interval where the data are normal.

    Args:
        above, below: row by row; a row in which either is NaN is left out.
        draws, seed, groups: as for `bootstrap_mean`.

    Raises:
        InputError: nothing is left, or `below` sums to nothing.
    """
    top, bottom = _column(above), _column(below)
    names = np.arange(top.size) if groups is None else np.asarray(groups)
    if not top.size == bottom.size == len(names):
        raise InputError(f"rows differ: {top.size} above, {bottom.size} below, {len(names)} groups")
    known = ~(np.isnan(top) | np.isnan(bottom))
    if not known.any() or not bottom[known].sum():
        raise InputError("there is no unit to average over")
    _, unit = np.unique(names[known], return_inverse=True)
    tops, bottoms = (np.bincount(unit, values[known]).astype(np.float64) for values in (top, bottom))
    resampled = np.concatenate(list(_resampled(tops, bottoms, draws, np.random.default_rng(seed))))
    level = tail(tops.size)
    low, high = np.nanquantile(resampled, [level, 1 - level])
    return _estimate(tops.sum() / bottoms.sum(), low, high, tops.size)


def bootstrap_crossed(
    units: ArrayLike, first: Groups, second: Groups, draws: int = 2000, seed: int = 0, *, shared: bool = True
) -> Estimate:
    """Mean over rows that each belong to two units at once, such as the two images of a pair: Owen 2007's pigeonhole.

    Images are drawn with replacement, and a row counts as often as the product of its two images' counts. Resampling
    rows, or one image of each, leaves out that every image is in many pairs. The interval errs to the wide side:
    where rows share nothing but chance, its variance is up to three times the true one.

    Args:
        units: numbers, row by row; NaN marks one that is missing.
        first, second: the two units of each row; `n` is the number of units, of either kind where those differ.
        draws, seed: of the resampling.
        shared: both are drawn from one pool, as the two images of a pair are; else two (participants and objects).

    Raises:
        InputError: rows differ in number, or nothing is left to average over.
    """
    values = _column(units)
    known = ~np.isnan(values)
    if not values.size == len(first) == len(second):
        raise InputError(f"rows differ: {values.size} numbers, {len(first)} first and {len(second)} second units")
    if not known.any():
        raise InputError("there is no unit to average over")
    values, a, b = values[known], np.asarray(first)[known], np.asarray(second)[known]
    pools = [np.concatenate([a, b])] if shared else [a, b]
    codes = [np.unique(pool, return_inverse=True)[1] for pool in pools]
    left, right = (codes[0][: a.size], codes[0][a.size :]) if shared else codes
    rng, sizes = np.random.default_rng(seed), [int(code.max()) + 1 for code in codes]
    found = np.full(draws, np.nan)
    for draw in range(draws):
        weights = [_weights(rng, size, 1)[0] for size in sizes]
        weight = weights[0][left] * weights[-1][right]
        total = weight.sum()
        found[draw] = weight @ values / total if total else np.nan
    level = tail(min(sizes))
    low, high = np.nanquantile(found, [level, 1 - level])
    return _estimate(values.mean(), low, high, min(sizes))


def percentile_interval(
    units: ArrayLike, statistic: Callable[[Numbers], Numbers], draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """95 % bootstrap interval of any statistic of sums over units, with the tails of `bootstrap_ratio`.

    Args:
        units: `(unit, ...)`, what each unit adds to the sums.
        statistic: from sums `(resample, ...)` to numbers `(resample,)`; NaN leaves a resample out.
        draws: resamples.
        seed: of the resampling.

    Raises:
        InputError: no unit, or no resample in which the statistic means anything.
    """
    values = np.asarray(units, dtype=np.float64)
    if values.ndim < 2 or not len(values):
        raise InputError(f"a bootstrap needs units with what they add, (unit, ...), got shape {values.shape}")
    count, flat = len(values), values.reshape(len(values), -1)
    rng, step = np.random.default_rng(seed), max(1, _BLOCK // count)
    sums = [_weights(rng, count, min(step, draws - start)) @ flat for start in range(0, draws, step)]
    found = statistic(np.concatenate(sums).reshape(draws, *values.shape[1:]))
    if np.isnan(found).all():
        raise InputError("the statistic means nothing in any resample")
    low, high = np.nanquantile(found, [tail(count), 1 - tail(count)])
    return float(low), float(high)


def tail(n: int) -> float:
    """Quantile level at which n units' percentile interval ends."""
    if n < 2:
        return 0.025
    return float(ndtr(math.sqrt(n / (n - 1)) * stdtrit(n - 1, 0.025)))


def _weights(rng: np.random.Generator, units: int, draws: int) -> Numbers:
    """How often each unit is drawn, `(draw, unit)`."""
    drawn = rng.integers(units, size=(draws, units)) + units * np.arange(draws)[:, None]
    return np.bincount(drawn.reshape(-1), minlength=draws * units).reshape(draws, units).astype(np.float64)


def _resampled(tops: Numbers, bottoms: Numbers, draws: int, rng: np.random.Generator) -> Iterator[Numbers]:
    """The ratio over units drawn with replacement, a block of resamples at a time."""
    step = max(1, _BLOCK // tops.size)
    for start in range(0, draws, step):
        drawn = rng.integers(tops.size, size=(min(step, draws - start), tops.size))
        below = bottoms[drawn].sum(axis=1)
        yield np.divide(tops[drawn].sum(axis=1), below, out=np.full(len(drawn), np.nan), where=below != 0)


def _estimate(value: Any, low: Any, high: Any, n: int) -> Estimate:
    """As plain numbers, rounding never leaving the value outside."""
    value = float(value)
    return Estimate(value, min(float(low), value), max(float(high), value), int(n))


def _column(values: ArrayLike) -> Numbers:
    return np.asarray(values, dtype=np.float64).reshape(-1)
