"""Affine probes tested on objects that they never saw, with penalties that those objects did not choose."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from denoscope.core.errors import InputError
from denoscope.measures.affine import Shape, Solution, highest_penalty, solve, with_bias
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_published import Published

__all__ = ["Family", "Fold", "Scaling", "nested", "object_folds", "published", "scaled", "within"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]
Objects = NDArray[np.intp]
Scaling = Literal["scalar", "channel"]


@dataclass(frozen=True)
class Family:
    """Which maps may be learned, and how.

    Attributes:
        shape: `full`, `diagonal` or `shrunk`.
        rank: most columns of a full map; None for no limit.
        bias: whether the map has one; the other shapes never have.
        scaling: by one mean and standard deviation of all numbers, or of each channel.
        shares: penalties, as shares of the least one at which nothing is learned.
        tolerance: optimality gap in nats.
    """

    shape: Shape = "full"
    rank: int | None = None
    bias: bool = True
    scaling: Scaling = "scalar"
    shares: tuple[float, ...] = (0.6, 0.3, 0.1, 0.03, 0.01)
    tolerance: float = 1e-6

    def features(self, x: Array, train: Objects) -> Numbers:
        """Scaled by the training objects, with a column of ones for the bias."""
        values = scaled(x, train, self.scaling)
        return with_bias(values) if self.bias and self.shape == "full" else values


@dataclass(frozen=True, eq=False)
class Fold:
    """One part of the objects, and the map that was learned on the others.

    Attributes:
        train, test: objects.
        share: of the highest penalty, chosen among the training objects; NaN for the published protocol.
        solution: learned on choices among them; None for the published protocol, which has no certificate.
        likeness: `(object, object)` of all objects under that map.
        used: choices that it was learned from.
    """

    train: Objects
    test: Objects
    share: float
    solution: Solution | None
    likeness: Numbers
    used: int


def object_folds(objects: int, folds: int, seed: int) -> list[tuple[Objects, Objects]]:
    """Training and test objects of each fold: scikit-learn's shuffled `KFold`, as in the published protocol.

    Raises:
        InputError: a part would have fewer than three objects, which no triplet can be about.
    """
    if objects < 3 * folds:
        raise InputError(f"{folds} folds of objects need {3 * folds} objects, three for a triplet; there are {objects}")
    return [(train, test) for train, test in KFold(folds, shuffle=True, random_state=seed).split(np.arange(objects))]


def within(triplets: Array, objects: Objects, count: int) -> Array:
    """Rows whose three objects are all among `objects`, of `count`."""
    inside = np.zeros(count, dtype=bool)
    inside[objects] = True
    return triplets[inside[triplets].all(axis=1)]


def scaled(x: Array, train: Objects, scaling: Scaling) -> Numbers:
    """Features less the mean, over the standard deviation, of the training objects.

    One mean and one deviation of all numbers (`scalar`, as published) leave channels of unequal size unequal; with
    those of each `channel` they are alike, and a channel that does not vary becomes 0.
    """
    values = np.asarray(x, dtype=np.float64)
    axis = 0 if scaling == "channel" else None
    mean, spread = values[train].mean(axis=axis), values[train].std(axis=axis)
    faint = spread <= 1e-12 * max(float(np.max(spread)), 1e-300)
    return np.where(faint, 0.0, values - mean) / np.where(faint, 1.0, spread)


def nested(x: Array, triplets: Array, family: Family, folds: int, inner: int, seed: int) -> list[Fold]:
    """One map per part of the objects, learned on choices among the other objects.

    Its penalty is the one with the least cross-entropy when the training objects are divided in turn, so that the
    objects that are reported on chose nothing.

    Args:
        x: `(object, channel)`, as they are; scaled by each fold's training objects.
        triplets: rows `[i, j, odd]`.
        family: of maps.
        folds, inner: parts of all objects, and of the training objects.
        seed: of the parts and of the start.

    Raises:
        InputError: fewer objects than parts can be made of, or a part without a choice among its objects.
    """
    return [_fold(x, triplets, family, train, test, inner, seed) for train, test in object_folds(len(x), folds, seed)]


def published(x: Array, triplets: Array, how: Published, folds: int, seed: int) -> list[Fold]:
    """The published protocol on the same parts, with two more of its peculiarities.

    Features are scaled by all objects, those of the part that is reported too, and that part's own choices stop the
    descent.

    Args:
        x, triplets, folds, seed: as for `nested`.
        how: the descent.

    Raises:
        InputError: as `nested`.
    """
    values, found = with_bias(scaled(x, np.arange(len(x)), "scalar")), list[Fold]()
    for train, test in object_folds(len(x), folds, seed):
        rows = _some(within(triplets, train, len(x)), len(train))
        held = within(triplets, test, len(x))
        mapped = values @ how.fit(values[:, :-1], rows, held if len(held) else rows).factor
        found.append(Fold(train, test, np.nan, None, mapped @ mapped.T, len(rows)))
    return found


def _fold(
    x: Array, triplets: Array, family: Family, train: Objects, test: Objects, inner: int,
    seed: int,
) -> Fold:  # fmt: skip
    rows = _some(within(triplets, train, len(x)), len(train))
    share = _chosen(x, rows, family, train, inner, seed) if len(family.shares) > 1 else max(family.shares)
    features = family.features(x, train)
    choices = Choices.of(rows, len(x))
    penalty = share * (highest_penalty(features, choices, family.shape) or 1.0)
    found = solve(features, choices, penalty, shape=family.shape, rank=family.rank, tolerance=family.tolerance,
                  seed=seed)  # fmt: skip
    return Fold(train, test, share, found, found.likeness(features), len(rows))


def _chosen(x: Array, rows: Array, family: Family, train: Objects, inner: int, seed: int) -> float:
    """The share of least mean cross-entropy over inner parts of the training objects; of equal ones the largest.

    From strong penalties to weak ones, until two in a row were worse than the best.
    """
    parts: list[_Inner] = []
    for learn, check in object_folds(len(train), inner, seed):
        held, told = within(rows, train[check], len(x)), within(rows, train[learn], len(x))
        if len(held):
            choices = Choices.of(_some(told, len(learn)), len(x))
            parts.append(_Inner(family.features(x, train[learn]), choices, Choices.of(held, len(x))))
    if not parts:
        raise InputError(f"none of {len(rows)} choices among {len(train)} training objects lies within one "
                         f"of {inner} inner parts, which choose the penalty; give more triplets")  # fmt: skip
    best, chosen, worse = np.inf, max(family.shares), 0
    for share in sorted(family.shares, reverse=True):
        loss = sum(part.loss(share, family, seed) for part in parts)
        best, chosen, worse = (loss, share, 0) if loss < best else (best, chosen, worse + 1)
        if worse == 2:
            break
    return chosen


@dataclass(eq=False)
class _Inner:
    """One inner part, and the map of the penalty before, from which the next one starts."""

    features: Numbers
    told: Choices
    held: Choices
    before: Numbers | None = None

    def loss(self, share: float, family: Family, seed: int) -> float:
        """Summed over the held-out choices."""
        penalty = share * (highest_penalty(self.features, self.told, family.shape) or 1.0)
        start = self.before if family.shape != "diagonal" else None
        found = solve(self.features, self.told, penalty, shape=family.shape, rank=family.rank, start=start,
                      tolerance=100 * family.tolerance, seed=seed)  # fmt: skip
        self.before = found.factor
        return self.held.count * self.held.loss(found.likeness(self.features))[0]


def _some(rows: Array, objects: int) -> Array:
    if not len(rows):
        raise InputError(f"no choice is among the {objects} objects of a training part; give more triplets")
    return rows
