"""Do the places where an atom is strongest look alike? Patches around them, seen by an eye of one's choice."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from denoscope.core.errors import InputError

__all__ = ["Eye", "Seen", "cut", "look", "pixels"]

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]
Eye = Callable[[Sequence[Picture]], NDArray[Any]]
"""Patches, uint8 RGB `(row, col, 3)`, to vectors `(patch, channel)`; cosines of these say how alike patches are."""

_KEPT = 4
"""Patches of the atom that stand beside an intruder: chance is 1 in 5."""
_SIDE = 8
"""Pixels along either side that the plain eye sees."""


class Seen(NamedTuple):
    """How alike the patches of each atom are, `(atom,)`.

    Attributes:
        intruder: share of the trials in which the one patch of another atom was the odd one out; chance is 0.2.
        coherence: mean cosine of all pairs of the atom's patches, a pair weighted by the product of its codes.
        null: the same of as many patches, under the same weights, of other atoms that are active about as often.
        z: coherence less null, in standard deviations of that null.
        place: share of the images in which the patch where the atom is strongest is more like its patches of other
            images than one elsewhere in the same image is; chance is 0.5. NaN where no others were given.
    """

    intruder: Floats
    coherence: Floats
    null: Floats
    z: Floats
    place: Floats


def cut(picture: Picture, row: float, col: float, side: float) -> Picture:
    """The square patch around a place, moved inwards where it would leave the picture.

    Args:
        picture: `(row, col, 3)`.
        row, col: the place, as shares of the picture's height and width.
        side: of the patch, as a share of the picture's shorter side.
    """
    height, width = picture.shape[:2]
    size = max(1, min(height, width, round(side * min(height, width))))
    top = int(np.clip(round(row * height - size / 2), 0, height - size))
    left = int(np.clip(round(col * width - size / 2), 0, width - size))
    return picture[top : top + size, left : left + size]


def pixels(patches: Sequence[Picture]) -> Floats:
    """The plain eye: 8 x 8 pixels, less the mean of all patches. It sees colour and coarse shape, and no meaning."""
    small = [np.asarray(Image.fromarray(patch).resize((_SIDE, _SIDE), Image.Resampling.BOX)) for patch in patches]
    flat = np.stack(small).reshape(len(small), -1).astype(np.float64)
    return flat - flat.mean(axis=0)


def look(
    patches: Mapping[int, Sequence[Picture]],
    density: NDArray[Any],
    eye: Eye = pixels,
    trials: int = 40,
    seed: int = 0,
    *,
    codes: Mapping[int, Sequence[float]] | None = None,
    elsewhere: Mapping[int, Sequence[Picture]] | None = None,
) -> Seen:
    """Intruder test, coherence and place of every atom.

    Args:
        patches: atom to its patches, five or more of each; three atoms or more.
        density: share of the cells in which each atom of the dictionary is active.
        eye: makes vectors of patches.
        trials: intruder trials and null draws per atom.
        seed: of the draws.
        codes: weight of each patch, above 0; all alike unless given.
        elsewhere: for each patch one of the same image where the atom is not strongest.

    Raises:
        InputError: fewer atoms or patches than the tests need, or an eye that gives no finite vector per patch.
    """
    names = sorted(patches)
    if len(names) < 3 or min(len(patches[name]) for name in names) <= _KEPT:
        raise InputError(f"the intruder test needs three atoms with {_KEPT + 1} patches or more each")
    counts = [len(patches[name]) for name in names]
    shown = [patch for name in names for patch in patches[name]]
    if elsewhere is not None:
        if counts != [len(elsewhere[name]) for name in names]:
            raise InputError("each patch stands beside one elsewhere in its image; the numbers of the two differ")
        shown += [patch for name in names for patch in elsewhere[name]]
    unit = _unit(eye, shown)
    parts = [np.ones(n) if codes is None else np.asarray(codes[a]) for a, n in zip(names, counts, strict=True)]
    weights = np.concatenate(parts, dtype=np.float64)
    told = _Told(unit[: sum(counts)], weights, np.repeat(np.arange(len(names)), counts))
    beside = unit[sum(counts) :] if elsewhere is not None else None
    rng = np.random.default_rng((seed, 6))
    rows = [(*_one(told, place, _alike(density, names, place), trials, rng), _placed(told, beside, place))
            for place in range(len(names))]  # fmt: skip
    return Seen(*np.array(rows).T)


class _Told(NamedTuple):
    """Patches of all atoms: vectors of length one, weights, and number of the atom."""

    unit: Floats
    weights: Floats
    owner: NDArray[np.int64]


def _unit(eye: Eye, shown: Sequence[Picture]) -> Floats:
    flat = np.asarray(eye(shown), dtype=np.float64)
    if flat.ndim != 2 or len(flat) != len(shown) or not np.isfinite(flat).all():
        raise InputError(f"an eye gives a finite vector for each of {len(shown)} patches, not {flat.shape}")
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)


def _placed(told: _Told, beside: Floats | None, place: int) -> float:
    """How often a patch is nearer to the centre of the atom's other patches than the one beside it; ties count half."""
    if beside is None:
        return float("nan")
    mine = told.owner == place
    own, other, weight = told.unit[mine], beside[mine], told.weights[mine, None]
    centre = (weight * own).sum(axis=0) - weight * own
    gap = (own * centre).sum(axis=1) - (other * centre).sum(axis=1)
    return float(((np.sign(np.where(np.abs(gap) < 1e-12, 0, gap)) + 1) / 2).mean())


def _alike(density: NDArray[Any], names: Sequence[int], place: int) -> NDArray[np.int64]:
    """Other atoms that are active about as often: the nearest third in log density, eight at least."""
    own = np.log(np.maximum(density[list(names)], 1e-12))
    order = np.argsort(np.abs(own - own[place]), kind="stable")
    order = order[order != place]
    return order[: max(8, len(order) // 3)]


def _one(
    told: _Told, place: int, others: NDArray[np.int64], trials: int, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    unit, owner = told.unit, told.owner
    mine, pool = np.flatnonzero(owner == place), np.flatnonzero(np.isin(owner, others))
    found = 0.0
    for _ in range(trials):
        five = np.append(rng.choice(mine, _KEPT, replace=False), rng.choice(pool))
        likeness = (unit[five] @ unit[five].T).sum(axis=1) - 1
        odd = likeness <= likeness.min() + 1e-12
        found += odd[-1] / odd.sum()
    size = min(len(mine), len(pool))
    weights = np.sort(told.weights[mine])[::-1][:size]
    null = np.array([_coherence(unit[rng.choice(pool, size, replace=False)], weights) for _ in range(trials)])
    own = _coherence(unit[mine], told.weights[mine])
    return found / trials, own, float(null.mean()), (own - float(null.mean())) / max(float(null.std(ddof=1)), 1e-12)


def _coherence(unit: Floats, weights: Floats) -> float:
    """sum over pairs i, j of w_i w_j cos(i, j) / sum w_i w_j, from sums alone."""
    scaled = unit * weights[:, None]
    pairs = weights.sum() ** 2 - np.square(weights).sum()
    return float((np.square(scaled.sum(axis=0)).sum() - np.square(scaled).sum()) / max(pairs, 1e-12))
