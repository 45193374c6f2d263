"""Does an atom stand for a known factor of the images, such as what they show or its colour?"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError
from denoscope.measures.significance import Paired, permutation
from denoscope.measures.statistics import Estimate, percentile_interval

__all__ = ["Detected", "Named", "called", "detected", "macro_f1", "macro_f1_gap", "mutual_information", "named"]

Floats = NDArray[np.float64]
_BLOCK = 2**24
"""Numbers of images x atoms that are counted at once."""
Calls = NDArray[np.bool_]


class Named(NamedTuple):
    """The class of a factor that each atom detects best, and how well on images that chose nothing.

    Attributes:
        label: the class, `(atom,)`.
        threshold: strength from which the atom counts as active, `(atom,)`.
        f1: 2 P R / (P + R) of "active" against the class on the other half of the images, both ways round averaged,
            `(atom,)`; 0 where it is never active there.
        chance: F1 of calling every image by that class, 2 p / (1 + p), `(atom,)`: what an atom has to beat.
    """

    label: NDArray[np.str_]
    threshold: Floats
    f1: Floats
    chance: Floats


class Detected(NamedTuple):
    """The atom that detects each class of a factor best, and how well on images that chose nothing.

    Attributes:
        label: the classes, `(class,)`.
        atom: the best atom of all images, `(class,)`.
        f1: of the atom and threshold that one half of the images chose, on the other half, both ways round averaged,
            `(class,)`.
        chance: F1 of calling every image by the class, `(class,)`.
    """

    label: NDArray[np.str_]
    atom: NDArray[np.int64]
    f1: Floats
    chance: Floats


def mutual_information(active: ArrayLike, labels: ArrayLike) -> Floats:
    """I(active; label) of each atom, in bits, `(atom,)`: sum p(a, l) log2 p(a, l) / (p(a) p(l)).

    With n images of K classes, atoms that have nothing to do with them come out (K - 1) / (2 n ln 2) above 0 on
    average; compare with shuffled labels.

    Args:
        active: in which images an atom is active, `(image, atom)`.
        labels: class of each image.

    Raises:
        InputError: unequal numbers of images.
    """
    on = np.asarray(active)
    one_hot, _ = _one_hot(labels, len(on))
    step = max(1, _BLOCK // len(on))
    blocks = range(0, on.shape[1], step)
    both = np.concatenate([on[:, at : at + step].astype(np.float64).T @ one_hot for at in blocks])
    joint = np.stack([both, one_hot.sum(axis=0) - both]) / len(on)
    apart = joint.sum(axis=2, keepdims=True) * joint.sum(axis=0)
    ratio = np.divide(joint, apart, out=np.ones_like(joint), where=joint > 0)
    return (joint * np.log2(ratio)).sum(axis=(0, 2))


def named(strengths: ArrayLike, labels: ArrayLike, seed: int = 0) -> Named:
    """Class and threshold of each atom by the largest F1 on one half of the images, F1 on the other; and the reverse.

    Args:
        strengths: of each atom in each image, such as its largest code, `(image, atom)`.
        labels: class of each image.
        seed: of the halves, which hold equal shares of every class.

    Raises:
        InputError: unequal numbers of images, or fewer than two classes.
    """
    x = np.asarray(strengths)
    one_hot, names = _one_hot(labels, len(x))
    if len(names) < 2:
        raise InputError(f"a factor has two classes or more; all images are {names[0]!r}")
    half, atoms = _halves(one_hot, seed), np.arange(x.shape[1])
    scores = np.zeros((2, len(atoms)))
    for side in (0, 1):
        reached, at = _thresholds(x[half == side], one_hot[half == side])
        chosen = reached.argmax(axis=1)
        scores[side] = _f1(x[half != side] >= at[atoms, chosen], one_hot[half != side][:, chosen])
    reached, at = _thresholds(x, one_hot)
    label = reached.argmax(axis=1)
    return Named(names[label], at[atoms, label], scores.mean(axis=0), _chance(one_hot)[label])


def detected(strengths: ArrayLike, labels: ArrayLike, seed: int = 0) -> Detected:
    """The other way round: atom and threshold of each class by the largest F1 on one half, F1 on the other; as `named`.

    Args:
        strengths, labels, seed: as for `named`.

    Raises:
        InputError: unequal numbers of images.
    """
    x = np.asarray(strengths)
    one_hot, names = _one_hot(labels, len(x))
    half, classes = _halves(one_hot, seed), np.arange(len(names))
    scores = np.zeros((2, len(classes)))
    for side in (0, 1):
        reached, at = _thresholds(x[half == side], one_hot[half == side])
        chosen = reached.argmax(axis=0)
        scores[side] = _f1(x[half != side][:, chosen] >= at[chosen, classes], one_hot[half != side])
    return Detected(names, _thresholds(x, one_hot)[0].argmax(axis=0), scores.mean(axis=0), _chance(one_hot))


def called(strengths: ArrayLike, truth: ArrayLike, half: ArrayLike) -> Calls:
    """Which images each class is called in, by the atom and threshold with the best F1 on the other half of the images.

    Args:
        strengths: of each atom in each image, `(image, atom)`.
        truth: which image is of which class, of any number of factors, `(image, class)`.
        half: 0 or 1 for each image.

    Returns:
        `(image, class)`: no image is called by anything that it chose itself.

    Raises:
        InputError: unequal numbers of images, or a half without any.
    """
    x, known = np.asarray(strengths, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    side = np.asarray(half)
    if not len(x) == len(known) == len(side) or set(np.unique(side).tolist()) != {0, 1}:
        raise InputError(f"{len(x)} images need as many classes and halves, 0 and 1; got {len(known)} and {len(side)}")
    found, classes = np.zeros(known.shape, dtype=np.bool_), np.arange(known.shape[1])
    for chosen_on in (0, 1):
        reached, at = _thresholds(x[side == chosen_on], known[side == chosen_on])
        atom = reached.argmax(axis=0)
        found[side != chosen_on] = x[side != chosen_on][:, atom] >= at[atom, classes]
    return found


def macro_f1(calls: ArrayLike, truth: ArrayLike, draws: int = 2000, seed: int = 0) -> Estimate:
    """F1 of each class over all images, averaged over classes, with its 95 % bootstrap interval over images.

    Args:
        calls, truth: `(image, class)`.
        draws, seed: of the resampling.
    """
    units = _hits(calls, truth)
    low, high = percentile_interval(units, _mean_f1, draws, seed)
    value = float(_mean_f1(units.sum(axis=0)))
    return Estimate(value, min(low, value), max(high, value), len(units))


def macro_f1_gap(first: ArrayLike, second: ArrayLike, truth: ArrayLike, draws: int = 2000, seed: int = 0) -> Paired:
    """How much higher the macro F1 of the first calls is on the same images, with its interval, and p that it is 0.

    The p-value is that of exchanging the two sets of calls image by image, at random (two-sided).

    Args:
        first, second, truth: `(image, class)`.
        draws, seed: of the resampling and of the exchanges.
    """
    units = np.stack([_hits(first, truth), _hits(second, truth)], axis=1)
    sums = units.sum(axis=0)
    low, high = percentile_interval(units, _gap, draws, seed)
    value = float(_gap(sums))
    dealt = np.random.default_rng((seed, 3)).integers(0, 2, (draws, len(units))).astype(np.float64)
    moved = (dealt @ (units[:, 1] - units[:, 0]).reshape(len(units), -1)).reshape(draws, *sums.shape[1:])
    null = np.abs(_gap(np.stack([sums[0] + moved, sums[1] - moved], axis=1)))
    found = Estimate(value, min(low, value), max(high, value), len(units))
    return Paired(found, permutation(abs(value) * (1 - 1e-9), null))


def _gap(sums: Floats) -> Floats:
    """Of macro F1, from sums `(..., 2, 2, class)` of the two."""
    return _mean_f1(sums[..., 0, :, :]) - _mean_f1(sums[..., 1, :, :])


def _hits(calls: ArrayLike, truth: ArrayLike) -> Floats:
    """What each image adds to right calls, and to calls and truths together, `(image, 2, class)`."""
    told, known = np.asarray(calls, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if told.shape != known.shape or told.ndim != 2:
        raise InputError(f"calls {told.shape} and truth {known.shape} must be (image, class) alike")
    return np.stack([told * known, told + known], axis=1)


def _mean_f1(sums: Floats) -> Floats:
    """2 TP / (calls + truths), averaged over classes."""
    right, both = np.moveaxis(sums, -2, 0)
    return np.divide(2 * right, both, out=np.zeros_like(both), where=both > 0).mean(axis=-1)


def _thresholds(x: NDArray[Any], one_hot: Floats) -> tuple[Floats, Floats]:
    """The largest F1 of each atom for each class and the positive threshold that gives it, `(atom, class)` both.

    F1 is 0 and the threshold infinite where an atom is nowhere positive.
    """
    shape = x.shape[1], one_hot.shape[1]
    best, threshold, sizes = np.zeros(shape), np.full(shape, np.inf), one_hot.sum(axis=0)
    for atom in range(shape[0]):
        rows = np.flatnonzero(x[:, atom] > 0)
        if len(rows):
            known = x[rows, atom].astype(np.float64)
            sorting = np.argsort(-known, kind="stable")
            order, values = rows[sorting], known[sorting]
            last = np.flatnonzero(np.diff(values, append=-np.inf) < 0)
            f1 = 2 * one_hot[order].cumsum(axis=0)[last] / (last[:, None] + 1 + sizes)
            row = f1.argmax(axis=0)
            best[atom], threshold[atom] = f1[row, np.arange(shape[1])], values[last[row]]
    return best, threshold


def _chance(one_hot: Floats) -> Floats:
    """F1 of calling every image by each class: 2 p / (1 + p)."""
    share = one_hot.mean(axis=0)
    return 2 * share / (1 + share)


def _f1(active: NDArray[np.bool_], truth: Floats) -> Floats:
    total = active.sum(axis=0) + truth.sum(axis=0)
    return 2 * (active * truth).sum(axis=0) / np.maximum(total, 1)


def _halves(one_hot: Floats, seed: int) -> NDArray[np.int64]:
    """0 or 1 for each image: every class is dealt alternately, in an order drawn by lot."""
    order = np.random.default_rng(seed).permutation(len(one_hot))
    order = order[np.argsort(one_hot[order].argmax(axis=1), kind="stable")]
    half = np.empty(len(one_hot), dtype=np.int64)
    half[order] = np.arange(len(one_hot)) % 2
    return half


def _one_hot(labels: ArrayLike, images: int) -> tuple[Floats, NDArray[np.str_]]:
    told = np.asarray(labels).astype(str)
    if told.shape != (images,) or not images:
        raise InputError(f"strengths of {images} images came with labels of shape {told.shape}")
    names, code = np.unique(told, return_inverse=True)
    return np.eye(len(names))[code], names
