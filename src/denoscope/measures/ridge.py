"""Ridge regression in closed form: every penalty from one eigendecomposition, and all of it from sums over rows.

Sums can be added (batches of a stream) and subtracted (a fold that is left out), so that cross-validation reads the
rows once, and so that values which were never stored can be fitted.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError

__all__ = ["PENALTIES", "Linear", "Moments", "Spectrum", "dual", "primal", "squared_error", "usable_spread"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]

PENALTIES: tuple[float, ...] = tuple(float(f"{10.0**power:.3g}") for power in np.arange(-5, 2.5, 0.5))
"""Candidates, as shares of the number of rows: with standardised channels one list fits any data set."""

_ROWS = 1 << 15
"""Rows whose products are summed in the values' own precision before they are added up in double precision."""


@dataclass(frozen=True, eq=False)
class Moments:
    """All that least squares needs of some rows: n = sum w, sum w x, sum w y, sum w x x', sum w x y', sum w y^2.

    Attributes:
        n: sum of the weights.
        x: `(channel,)`, of x - origin.
        y: `(target,)`.
        xx: `(channel, channel)`, of x - origin.
        xy: `(channel, target)`, of x - origin.
        yy: `(target,)`.
        origin: `(channel,)`, a point near the rows' mean, so that single precision does not cancel; sums are only
            added where it is the same.
    """

    n: float
    x: Numbers
    y: Numbers
    xx: Numbers
    xy: Numbers
    yy: Numbers
    origin: Numbers

    @classmethod
    def of(cls, x: Array, y: Array, weights: ArrayLike | None = None, origin: Array | None = None) -> "Moments":
        """Sums over rows.

        Args:
            x: `(row, channel)`, multiplied in its own precision.
            y: `(row, target)`.
            weights: of each row; 1 unless given.
            origin: `(channel,)`; the mean of the rows unless given.

        Raises:
            InputError: rows differ in number, or a value is not finite.
        """
        w = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
        if len(x) != len(y) or w.shape != (len(x),):
            raise InputError(f"rows differ: {len(x)} of x, {len(y)} of y, {w.shape} weights")
        centre = x.mean(axis=0, dtype=np.float64) if origin is None else np.asarray(origin, dtype=np.float64)
        found = _nothing(x.shape[1], y.shape[1], centre)
        for start in range(0, len(x), _ROWS):
            part = slice(start, start + _ROWS)
            found = found + _sums(x[part], y[part], w[part], centre)
        if not np.isfinite(found.xx.trace() + found.xy.sum() + found.yy.sum()):
            raise InputError("least squares needs finite numbers; leave out rows with NaN or infinite values")
        return found

    def __add__(self, other: "Moments") -> "Moments":
        return self._combined(other, np.add)

    def __sub__(self, other: "Moments") -> "Moments":
        return self._combined(other, np.subtract)

    def _combined(self, other: "Moments", how: Callable[[Any, Any], Any]) -> "Moments":
        if not np.array_equal(self.origin, other.origin, equal_nan=True):
            raise InputError("sums about different origins cannot be combined; give both the same origin")
        names = ("n", "x", "y", "xx", "xy", "yy")
        return Moments(*(how(getattr(self, name), getattr(other, name)) for name in names), origin=self.origin)

    @property
    def mean(self) -> Numbers:
        """Of x - origin, `(channel,)`."""
        return self.x / self.n

    @cached_property
    def spread(self) -> Numbers:
        """Standard deviation of each channel; infinite for one that does not vary."""
        variance = (self.xx.diagonal() / self.n - self.mean**2).clip(min=0)
        return usable_spread(np.sqrt(variance), self.mean + self.origin)


@dataclass(frozen=True, eq=False)
class Linear:
    """y = x @ weights + bias, with weights `(channel, target)` and bias `(target,)`."""

    weights: Numbers
    bias: Numbers

    def __call__(self, x: Array) -> Array:
        """`(row, channel)` to `(row, target)`, in the precision of x."""
        return x @ self.weights.astype(x.dtype) + self.bias.astype(x.dtype)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Standardised rows X = U sqrt(s) V' with targets y: ridge solutions w = V (s + a)^-1 z, z = V' X' y, for all a.

    Hoerl and Kennard 1970; one decomposition serves every penalty (Hastie, Tibshirani and Friedman 2009, eq. 3.47).
    A penalty is given as a share of the rows' number n, that is a = penalty n.

    Attributes:
        s: eigenvalues of X'X that are not zero, `(rank,)`.
        V: eigenvectors, `(channel, rank)`.
        z: `(rank, target)`.
        n: number of rows, or the sum of their weights.
        rest: sum of the centred targets' squares, `(target,)`.
        centre, spread: of each channel, `(channel,)`.
        mean: of each target, `(target,)`.
    """

    s: Numbers
    V: Numbers
    z: Numbers
    n: float
    rest: Numbers
    centre: Numbers
    spread: Numbers
    mean: Numbers
    _scaled: Numbers = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_scaled", self.V / self.spread[:, None])

    def fit(self, penalty: float | Numbers) -> Linear:
        """The solution, in the units of the rows that were given: no standardising of new rows is needed.

        Args:
            penalty: one for all targets, or one of each, `(target,)`.
        """
        weights = self._scaled @ (self.z / (self.s[:, None] + np.asarray(penalty) * self.n))
        return Linear(weights, self.mean - self.centre @ weights)

    def residual(self, penalties: ArrayLike) -> Numbers:
        """Sum of squared errors on the rows themselves, `(penalty, target)`."""
        a = np.asarray(penalties, dtype=np.float64)[:, None] * self.n
        return self.rest - ((self.s + 2 * a) / (self.s + a) ** 2) @ self.z**2

    def freedom(self, penalties: ArrayLike) -> Numbers:
        """Degrees of freedom, sum s / (s + a), and one for the mean, `(penalty,)`."""
        a = np.asarray(penalties, dtype=np.float64)[:, None] * self.n
        return (self.s / (self.s + a)).sum(axis=1) + 1

    def scores(self, x: Array) -> Array:
        """U of rows, fitted or new, `(row, rank)`: centred, standardised and turned by V / sqrt(s)."""
        kind = x.dtype
        return (x - self.centre.astype(kind)) @ (self._scaled / np.sqrt(self.s)).astype(kind)

    def left_out(self, x: Array, y: Array, penalties: Sequence[float], targets: slice) -> Iterator[Numbers]:
        """What each fitted row is predicted by the fit without it, `(row, target)`, for one penalty after the other.

        In closed form, y - (y - f(x)) / (1 - h) with the hat matrix's diagonal h = 1/n + sum_j U_ij^2 s_j / (s_j + a)
        (Allen 1974); the channels' spread is taken from all rows.

        Args:
            x: rows that were fitted, or some of them, `(row, channel)`.
            y: their targets, `(row, target)`.
            penalties: as shares of the number of rows.
            targets: that are wanted.
        """
        kind = x.dtype
        U = self.scores(x)
        shrunk = self.s / (self.s + np.asarray(penalties)[:, None] * self.n)
        maps = shrunk[:, :, None] * (self.z[:, targets] / np.sqrt(self.s)[:, None])
        every = (U @ np.concatenate(list(maps), axis=1).astype(kind)).reshape(len(x), len(shrunk), -1)
        np.square(U, out=U)
        h, wanted = U @ shrunk.T.astype(kind) + kind.type(1 / self.n), y[:, targets]
        for place in range(len(shrunk)):
            left = np.maximum(1 - h[:, place], 1e-6)[:, None]
            yield wanted - (wanted - self.mean[targets] - every[:, place]) / left

    def gcv(self, penalties: ArrayLike) -> Numbers:
        """Generalised cross-validation n RSS / (n - df)^2 (Golub, Heath and Wahba 1979), `(penalty, target)`.

        It stands for leaving one row out, and so for rows that are independent of one another.
        """
        free = np.maximum(self.n - self.freedom(penalties), 1e-9 * self.n)
        return self.n * self.residual(penalties) / free[:, None] ** 2


def primal(moments: Moments) -> Spectrum:
    """From sums: the decomposition of the channels' covariance, `(channel, channel)`.

    Raises:
        InputError: no row, or no channel that varies.
    """
    if moments.n <= 0:
        raise InputError("there is no row to fit")
    mean, spread = moments.mean, moments.spread
    gram = (moments.xx - moments.n * np.outer(mean, mean)) / np.outer(spread, spread)
    cross = (moments.xy - np.outer(mean, moments.y)) / spread[:, None]
    s, V = np.linalg.eigh(gram)
    kept = _kept(s)
    s, V, y = s[kept], V[:, kept], moments.y / moments.n
    rest = (moments.yy - moments.n * y**2).clip(min=0)
    return Spectrum(s, V, V.T @ cross, moments.n, rest, mean + moments.origin, spread, y)


def dual(x: Array, y: Array) -> Spectrum:
    """From rows, where they are fewer than the channels: the decomposition of the rows' products, `(row, row)`.

    Raises:
        InputError: no row, or no channel that varies.
    """
    if not len(x):
        raise InputError("there is no row to fit")
    centre, mean = x.mean(axis=0, dtype=np.float64), y.mean(axis=0, dtype=np.float64)
    spread = usable_spread(x.std(axis=0, dtype=np.float64), centre)
    X, Y = ((x - centre.astype(x.dtype)) / spread.astype(x.dtype)).astype(x.dtype), y - mean
    s, U = np.linalg.eigh((X @ X.T).astype(np.float64))
    kept = _kept(s)
    s, U = s[kept], U[:, kept]
    V = (X.T @ U.astype(x.dtype)).astype(np.float64) / np.sqrt(s)
    return Spectrum(s, V, np.sqrt(s)[:, None] * (U.T @ Y), float(len(x)), (Y**2).sum(axis=0), centre, spread, mean)


def squared_error(fit: Linear, moments: Moments) -> Numbers:
    """Sum of w (y - f(x))^2 over rows that only their sums are known of, `(target,)`."""
    w, b = fit.weights, fit.bias + moments.origin @ fit.weights
    quadratic = (w * (moments.xx @ w)).sum(axis=0) + 2 * b * (moments.x @ w) + moments.n * b**2
    return (moments.yy - 2 * ((w * moments.xy).sum(axis=0) + b * moments.y) + quadratic).clip(min=0)


def _nothing(channels: int, targets: int, origin: Numbers) -> Moments:
    zeros = np.zeros
    return Moments(0.0, zeros(channels), zeros(targets), zeros((channels, channels)), zeros((channels, targets)),
                   zeros(targets), origin)  # fmt: skip


def _sums(x: Array, y: Array, w: Numbers, origin: Numbers) -> Moments:
    kind = np.float32 if x.dtype in (np.float16, np.float32) else np.float64
    X, Y = x.astype(kind, copy=False) - origin.astype(kind), y.astype(np.float64, copy=False)
    root = np.sqrt(w)
    if (w != 1).any():
        X, Y = X * root[:, None].astype(kind), Y * root[:, None]
    sums = (root.astype(kind) @ X, root @ Y, X.T @ X, X.T @ Y.astype(kind), (Y**2).sum(axis=0))
    return Moments(float(w.sum()), *(np.asarray(value, dtype=np.float64) for value in sums), origin=origin)


def usable_spread(spread: Array, mean: Array) -> Array:
    """Standard deviations to divide by, `(channel,)`: infinite where a channel varies by no more than rounding does."""
    return np.where(spread > 1e-6 * (np.abs(mean) + spread.max(initial=0.0)), spread, np.inf)


def _kept(s: Numbers) -> NDArray[np.bool_]:
    """Eigenvalues above rounding."""
    kept: NDArray[np.bool_] = s > max(s.max(initial=0.0), 0.0) * len(s) * np.finfo(np.float32).eps * 1e-2
    if not kept.any():
        raise InputError("no channel varies over the rows; there is nothing to fit")
    return kept
