"""Cross-validated logistic regression in which no group is ever split, and no reported fold chooses anything."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Predicted", "folded", "shuffled_hits"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Predicted:
    """Out-of-fold predictions, one per row.

    Attributes:
        label: class that was predicted.
        majority: most frequent class of the training fold.
        probability: that the probe gave to the truth.
        fold: in which the row was tested.
        strength: C that the training fold chose.
    """

    label: Array
    majority: Array
    probability: Array
    fold: Array
    strength: Array


def folded(x: Array, y: Array, groups: Array, folds: int, strengths: tuple[float, ...], seed: int) -> Predicted:
    """Every row predicted by a probe that saw no row of its group.

    Args:
        x: `(row, channel)`.
        y: class of each row, 0 ... classes - 1.
        groups: that must not be split, `(row,)`.
        folds: parts, stratified by class.
        strengths: candidates for C.
        seed: of the parts.
    """
    rows, classes = len(y), int(y.max()) + 1
    label, majority, fold = (np.empty(rows, dtype=np.int64) for _ in range(3))
    probability, strength = np.empty(rows), np.empty(rows)
    for number, (train, test) in enumerate(_parts(y, groups, folds, seed)):
        best = _choose(x[train], y[train], groups[train], strengths, seed)
        chances = _fit(x[train], y[train], x[test], (best,), classes)[0]
        label[test], fold[test], strength[test] = chances.argmax(axis=1), number, best
        majority[test] = np.bincount(y[train]).argmax()
        probability[test] = chances[np.arange(len(test)), y[test]]
    return Predicted(label, majority, probability, fold, strength)


def shuffled_hits(x: Array, y: Array, groups: Array, folds: int, strength: float, seed: int, times: int) -> Array:
    """Which rows are predicted rightly when classes were dealt anew over groups, `(shuffle, row)`."""
    _, first, unit = np.unique(groups, return_index=True, return_inverse=True)
    rng = np.random.default_rng((seed, 1))
    dealt = [rng.permutation(y[first])[unit] for _ in range(times)]
    return np.stack([folded(x, fake, groups, folds, (strength,), seed).label == fake for fake in dealt])


def _choose(x: Array, y: Array, groups: Array, strengths: tuple[float, ...], seed: int) -> float:
    """The C that does best on a quarter of the training groups: the smallest of equals."""
    if len(strengths) == 1:
        return strengths[0]
    train, test = next(_parts(y, groups, 4, seed))
    ordered = tuple(sorted(strengths))
    hits = [(chances.argmax(axis=1) == y[test]).mean() for chances in _fit(x[train], y[train], x[test], ordered)]
    return ordered[int(np.argmax(hits))]


def _parts(y: Array, groups: Array, folds: int, seed: int) -> Iterator[tuple[Array, Array]]:
    from sklearn.model_selection import StratifiedGroupKFold

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        yield from StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(y, y, groups)


def _fit(x: Array, y: Array, unseen: Array, strengths: tuple[float, ...], classes: int = 0) -> list[Array]:
    """Probabilities `(row, class)` of unseen rows for each C; each fit starts where the one before ended."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 1e-6 * (np.abs(mean) + spread.max()), spread, np.inf)
    known, asked = _rotated((x - mean) / spread, (unseen - mean) / spread)
    model = LogisticRegression(warm_start=True, max_iter=300, tol=1e-3)
    found: list[Array] = []
    for strength in strengths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.set_params(C=strength).fit(known, y)
        chances = np.zeros((len(unseen), max(classes, int(y.max()) + 1)))
        chances[:, model.classes_] = model.predict_proba(asked)
        found.append(chances)
    return found


def _rotated(x: Array, unseen: Array) -> tuple[Array, Array]:
    """Both in the space that the rows of x span, where that is smaller: under an L2 penalty nothing changes."""
    if x.shape[0] >= x.shape[1]:
        return x, unseen
    _, _, basis = np.linalg.svd(x, full_matrices=False)
    return x @ basis.T, unseen @ basis.T
