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
        coherence: mean cosine of all pairs of the atom's patches.
        null: the same of as many patches drawn from other atoms that are active about as often.
        z: coherence less null, in standard deviations of that null.
    """

    intruder: Floats
    coherence: Floats
    null: Floats
    z: Floats


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
    patches: Mapping[int, Sequence[Picture]], density: NDArray[Any], eye: Eye = pixels, trials: int = 40, seed: int = 0
) -> Seen:
    """Intruder test and coherence of every atom.

    Args:
        patches: atom to its patches, five or more of each; three atoms or more.
        density: share of the cells in which each atom of the dictionary is active.
        eye: makes vectors of patches.
        trials: intruder trials and null draws per atom.
        seed: of the draws.

    Raises:
        InputError: fewer atoms or patches than the tests need, or an eye that gives no finite vector per patch.
    """
    names = sorted(patches)
    if len(names) < 3 or min(len(patches[name]) for name in names) <= _KEPT:
        raise InputError(f"the intruder test needs three atoms with {_KEPT + 1} patches or more each")
    flat = np.asarray(eye([patch for name in names for patch in patches[name]]), dtype=np.float64)
    counts = [len(patches[name]) for name in names]
    if flat.ndim != 2 or len(flat) != sum(counts) or not np.isfinite(flat).all():
        raise InputError(f"an eye gives a finite vector for each of {sum(counts)} patches, not {flat.shape}")
    unit = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    owner = np.repeat(np.arange(len(names)), counts)
    rng = np.random.default_rng((seed, 6))
    rows = [_one(unit, owner, place, _alike(density, names, place), trials, rng) for place in range(len(names))]
    return Seen(*np.array(rows).T)


def _alike(density: NDArray[Any], names: Sequence[int], place: int) -> NDArray[np.int64]:
    """Other atoms that are active about as often: the nearest third in log density, two at least."""
    own = np.log(np.maximum(density[list(names)], 1e-12))
    order = np.argsort(np.abs(own - own[place]), kind="stable")
    order = order[order != place]
    return order[: max(2, len(order) // 3)]


def _one(
    unit: Floats, owner: NDArray[np.int64], place: int, others: NDArray[np.int64], trials: int, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    mine, pool = np.flatnonzero(owner == place), np.flatnonzero(np.isin(owner, others))
    found = 0.0
    for _ in range(trials):
        five = np.append(rng.choice(mine, _KEPT, replace=False), rng.choice(pool))
        likeness = (unit[five] @ unit[five].T).sum(axis=1) - 1
        odd = likeness <= likeness.min() + 1e-12
        found += odd[-1] / odd.sum()
    size = min(len(mine), len(pool))
    null = np.array([_coherence(unit[rng.choice(pool, size, replace=False)]) for _ in range(trials)])
    own = _coherence(unit[mine])
    return found / trials, own, float(null.mean()), (own - float(null.mean())) / max(float(null.std(ddof=1)), 1e-12)


def _coherence(unit: Floats) -> float:
    """Mean cosine of all pairs of different rows."""
    n = len(unit)
    return float((np.square(unit.sum(axis=0)).sum() - np.square(unit).sum()) / (n * (n - 1)))
