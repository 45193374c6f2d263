"""Many numbers read off one representation at once: ridge regression tested on rows that it never saw.

The penalty of each number is chosen by leaving out one training row at a time, in closed form, so that the rows that
are reported on choose nothing (nested cross-validation). One decomposition of a training set serves every number, every
penalty and every shuffle of the truth. How sure the scores are is told in `decoding_scores`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError
from denoscope.measures.affine_folds import object_folds
from denoscope.measures.ridge import Moments, Spectrum, dual, primal

__all__ = ["PENALTIES", "Decoded", "Part", "decode"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]

PENALTIES: tuple[float, ...] = tuple(float(f"{10.0**power:.3g}") for power in np.arange(-2, 4.5, 0.5))
"""Candidates, as shares of the number of rows; the largest leave next to nothing but the mean."""
_TARGETS = 1 << 23
"""Numbers that are predicted at a time."""


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the rows, and the fit to the others: p_i = mean + sum_j K_ij (y_j - mean) over its training rows j.

    K = U_test diag(s / (s + penalty n)) U_train' + 1 / n, of the training rows' decomposition.

    Attributes:
        train, test: rows.
        left: U_test, `(test row, rank)`.
        right: U_train, `(training row, rank)`.
        s: eigenvalues, `(rank,)`.
        penalty: of each target, as a share of the training rows, `(target,)`.
        residual: truth less what the fit without the row predicts of it, `(training row, target)`.
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    left: Numbers
    right: Numbers
    s: Numbers
    penalty: Numbers
    residual: Numbers

    def select(self, targets: NDArray[Any]) -> "Part":
        """Some targets."""
        return replace(self, penalty=self.penalty[targets], residual=self.residual[:, targets])

    def kernel(self, penalty: float) -> Numbers:
        """K at one penalty, `(test row, training row)`."""
        n = len(self.train)
        return (self.left * (self.s / (self.s + penalty * n))) @ self.right.T + 1 / n


@dataclass(frozen=True, eq=False)
class Decoded:
    """Predictions of every row by a map that never saw it.

    Attributes:
        truth: `(row, target)`.
        predicted: `(row, target)`.
        baseline: mean of the targets of the training rows, `(row, target)`.
        parts: how the rows were divided, and the fits.
        deals: which row's targets each row got, `(shuffle, row)`.
        shuffled: predictions by maps that learned from those, `(shuffle, row, target)`.
    """

    truth: Numbers
    predicted: Numbers
    baseline: Numbers
    parts: tuple[Part, ...]
    deals: NDArray[np.int64]
    shuffled: Numbers

    @property
    def part(self) -> NDArray[np.int64]:
        """In which part each row was tested, `(row,)`."""
        found = np.empty(len(self.truth), dtype=np.int64)
        for number, one in enumerate(self.parts):
            found[one.test] = number
        return found

    def select(self, targets: NDArray[Any]) -> "Decoded":
        """Some targets, by index or mask."""
        columns = (self.truth, self.predicted, self.baseline)
        truth, predicted, baseline = (values[:, targets] for values in columns)
        parts = tuple(one.select(targets) for one in self.parts)
        return Decoded(truth, predicted, baseline, parts, self.deals, self.shuffled[:, :, targets])

    def centred(self, values: Numbers) -> Numbers:
        """Values `(row, target)` less their mean in each part; what is left of a constant is 0."""
        found = values.copy()
        for one in self.parts:
            found[one.test] -= values[one.test].mean(axis=0)
        found[np.abs(found) < 1e-12 * np.abs(values).max(initial=0.0)] = 0.0
        return found


def decode(
    x: ArrayLike,
    y: ArrayLike,
    folds: int = 5,
    penalties: Sequence[float] = PENALTIES,
    seed: int = 42,
    shuffles: int = 0,
) -> Decoded:
    """Ridge regression of every target, cross-validated over rows, with nested choice of each one's penalty.

    The parts are those of scikit-learn's shuffled `KFold`, as in the published regressions on human concepts.

    Args:
        x: `(row, channel)`; a row is an object.
        y: `(row, target)`.
        folds: parts of the rows.
        penalties: candidates, as shares of the number of training rows, for standardised channels.
        seed: of the parts and the shuffles.
        shuffles: times that whole rows of y are dealt anew; each chooses its own penalties.

    Raises:
        InputError: rows differ, numbers are not finite, too few rows for the parts, or no channel varies.
    """
    values, truth = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if values.ndim != 2 or truth.ndim != 2 or len(values) != len(truth):
        raise InputError(f"decoding needs (row, channel) and (row, target) of the same rows, got {values.shape} and "
                         f"{truth.shape}")  # fmt: skip
    if not (np.isfinite(values).all() and np.isfinite(truth).all()):
        raise InputError("decoding needs finite numbers; leave out rows with NaN or infinite values")
    rng, count = np.random.default_rng((seed, 1)), truth.shape[1]
    deals = np.array([rng.permutation(len(truth)) for _ in range(shuffles)], np.int64).reshape(shuffles, len(truth))
    every = np.concatenate([truth, *(truth[deal] for deal in deals)], axis=1)
    found, mean, parts = np.empty_like(every), np.empty_like(truth), list[Part]()
    for train, test in object_folds(len(values), folds, seed):
        spectrum = _spectrum(values[train], every[train])
        chosen = _penalties(spectrum, values[train], every[train], penalties)
        fit = spectrum.fit(chosen)
        found[test], mean[test] = fit(values[test]), truth[train].mean(axis=0)
        residual = (every[train] - fit(values[train]))[:, :count]
        left, right = spectrum.scores(values[test]), spectrum.scores(values[train])
        shrunk = spectrum.s[:, None] / (spectrum.s[:, None] + chosen[:count] * len(train))
        apart = np.maximum(1 - 1 / len(train) - right**2 @ shrunk, 1e-6)
        parts.append(Part(train, test, left, right, spectrum.s, chosen[:count], residual / apart))
    told = found.reshape(len(truth), shuffles + 1, count).transpose(1, 0, 2)
    return Decoded(truth, told[0], mean, tuple(parts), deals, told[1:])


def _spectrum(x: Numbers, y: Numbers) -> Spectrum:
    return dual(x, y) if len(x) < x.shape[1] else primal(Moments.of(x, y))


def _penalties(spectrum: Spectrum, x: Numbers, y: Numbers, penalties: Sequence[float]) -> Numbers:
    """Of each target the penalty with the least squared error when rows are left out one by one, `(target,)`."""
    candidates, found = np.asarray(penalties, dtype=np.float64), np.empty(y.shape[1])
    step = max(1, _TARGETS // (len(x) * len(candidates)))
    for start in range(0, y.shape[1], step):
        some = slice(start, start + step)
        errors = [((y[:, some] - left) ** 2).sum(axis=0) for left in spectrum.left_out(x, y, penalties, some)]
        found[some] = candidates[np.argmin(errors, axis=0)]
    return found
