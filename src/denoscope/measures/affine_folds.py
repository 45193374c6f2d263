"""Affine probes tested on objects that they never saw, with penalties that those objects did not choose."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from denoscope.core.errors import InputError
from denoscope.measures.affine import Solution, with_bias
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_family import Family, scaled
from denoscope.measures.affine_published import Published, Stop

__all__ = ["Fold", "chosen_share", "nested", "object_folds", "published", "within"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]
Objects = NDArray[np.intp]


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
    """The published protocol on the same parts: `Published` names what differs from `nested`.

    The choices that a part is reported on stop the descent of its map.

    Args:
        x, triplets, folds, seed: as for `nested`.
        how: the descent.

    Raises:
        InputError: as `nested`.
    """
    stop, found = Stop(), list[Fold]()
    for train, test in object_folds(len(x), folds, seed):
        rows = _some(within(triplets, train, len(x)), len(train))
        held = within(triplets, test, len(x))
        values = scaled(x, train if how.scaled_by == "training" else np.arange(len(x)), "scalar")
        descent = how.fit(values, rows, held if len(held) else rows, stop if how.one_stop else None)
        mapped = with_bias(values) @ descent.factor
        found.append(Fold(train, test, np.nan, None, mapped @ mapped.T, len(rows)))
    return found


def _fold(
    x: Array, triplets: Array, family: Family, train: Objects, test: Objects, inner: int,
    seed: int,
) -> Fold:  # fmt: skip
    rows = _some(within(triplets, train, len(x)), len(train))
    share = chosen_share(x, rows, family, train, inner, seed)
    features = family.features(x, train)
    found = family.solved(features[train], _choices(rows, train, len(x)), share, seed=seed)
    return Fold(train, test, share, found, found.likeness(features), len(rows))


def chosen_share(x: Array, rows: Array, family: Family, train: Objects, inner: int, seed: int) -> float:
    """The share of least mean cross-entropy over inner parts of the training objects; of equal ones the largest.

    From strong penalties to weak ones, until two in a row were worse than the best.

    Args:
        x: `(object, channel)`.
        rows: `[i, j, odd]`, of training objects.
        family: of maps.
        train: objects.
        inner: parts of them.
        seed: of the parts.

    Raises:
        InputError: no choice is within one of the parts, or too few objects for them.
    """
    if len(family.shares) == 1:
        return family.shares[0]
    parts: list[_Inner] = []
    for learn, check in object_folds(len(train), inner, seed):
        held, told = within(rows, train[check], len(x)), within(rows, train[learn], len(x))
        if len(held):
            features, mine, others = family.features(x, train[learn]), train[learn], train[check]
            parts.append(_Inner(features[mine], _choices(_some(told, len(learn)), mine, len(x)), features[others],
                                _choices(held, others, len(x))))  # fmt: skip
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
    """One inner part: objects to learn from, objects to judge by, and the map of the penalty before, to start from."""

    features: Numbers
    told: Choices
    unseen: Numbers
    held: Choices
    before: Numbers | None = None

    def loss(self, share: float, family: Family, seed: int) -> float:
        """Summed over the held-out choices."""
        found = family.solved(self.features, self.told, share, self.before, 100, seed)
        self.before = found.factor
        return self.held.count * self.held.loss(found.likeness(self.unseen))[0]


def _choices(rows: Array, objects: Objects, count: int) -> Choices:
    """Choices among `objects`, of `count`, which are numbered anew, so that no time goes into pairs of others."""
    place = np.empty(count, dtype=np.int64)
    place[objects] = np.arange(len(objects))
    return Choices.of(place[rows], len(objects))


def _some(rows: Array, objects: int) -> Array:
    if not len(rows):
        raise InputError(f"no choice is among the {objects} objects of a training part; give more triplets")
    return rows
