"""How far two sets of chosen cells are one: what ITDA dictionaries of two models, sites or checkpoints share.

Atoms of an ITDA dictionary are cells of images, so that dictionaries of different widths, sites and models can be
compared by which cells became atoms, without any map between their spaces (Leask et al. 2025, 2505.17769).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from denoscope.core.errors import InputError
from denoscope.measures.significance import permutation
from denoscope.measures.statistics import bootstrap_ratio

__all__ = ["Overlap", "coarser", "overlap"]

Whole = NDArray[np.int64]
_MOST = 20_000
"""Images: every two of them are compared."""


class Overlap(NamedTuple):
    """Share of cells that two sets have in common, and what places alone would give."""

    value: float
    """|A and B| / |A or B| (Jaccard); 1 where both are one."""
    low: float
    """Of the 95 % interval over images."""
    high: float
    """Of the 95 % interval over images."""
    n: int
    """Images in which either has a cell."""
    chance: float
    """The mean of the same when the images of one set are shuffled: cells at equal places of other images."""
    chance_low: float
    """2.5 % of the shuffles lie below."""
    chance_high: float
    """2.5 % of the shuffles lie above."""
    p: float
    """Share of shuffles that overlap as much, those that were not drawn counted in."""
    shared: int
    """|A and B|."""
    first: int
    """|A|."""
    second: int
    """|B|."""


def overlap(first: ArrayLike, second: ArrayLike, images: int, draws: int = 2000, seed: int = 0) -> Overlap:
    """Jaccard overlap of two sets of cells of the same images, beside that of shuffled images.

    Any two dictionaries share some cells because both have a liking for places (corners, the middle, where things
    stand); shuffling the images of one keeps its places and its numbers per image, and takes away what they show. The
    shuffle is exact where the images could as well have come in another order.

    Args:
        first, second: rows (image, place), whole numbers, `(atom, 2)`; a row that stands twice counts once.
        images: how many there were to choose from, also those that nothing was chosen from.
        draws: of the shuffle and of the bootstrap.
        seed: of both.

    Raises:
        InputError: an empty set, rows of another shape, or images that do not exist.
    """
    a, b = _set(first, images), _set(second, images)
    places = int(max(a[:, 1].max(), b[:, 1].max())) + 1
    left, right = _table(a, images, places), _table(b, images, places)
    common = np.asarray((left @ right.T).todense(), dtype=np.int32)
    both = common.diagonal().astype(np.int64)
    either = np.bincount(a[:, 0], minlength=images) + np.bincount(b[:, 0], minlength=images) - both
    known = either > 0
    found = bootstrap_ratio(both[known], either[known], draws, seed)
    total = len(a) + len(b)
    shuffled = _shuffled(common, total, draws, seed)
    low, high = np.quantile(shuffled, [0.025, 0.975]).tolist()
    p = permutation(found.value, shuffled)
    return Overlap(*found, float(shuffled.mean()), low, high, p, int(both.sum()), len(a), len(b))


def coarser(cells: ArrayLike, grid: tuple[int, int], onto: tuple[int, int]) -> Whole:
    """Numbers of the cells of another, no finer grid in which cells lie, in reading order `(cell,)`.

    Args:
        cells: numbers in reading order `(cell,)`.
        grid: rows and columns that they are numbered in.
        onto: rows and columns of the other one.

    Raises:
        InputError: a finer grid, or a cell that is not on its own.
    """
    found = np.asarray(cells, dtype=np.int64)
    if onto[0] > grid[0] or onto[1] > grid[1]:
        raise InputError(f"cells of {grid[0]} x {grid[1]} cannot be told on a finer grid of {onto[0]} x {onto[1]}")
    if found.size and not 0 <= found.min() <= found.max() < grid[0] * grid[1]:
        raise InputError(f"a grid of {grid[0]} x {grid[1]} has no cell {int(found.max())}")
    row, col = np.divmod(found, grid[1])
    return row * onto[0] // grid[0] * onto[1] + col * onto[1] // grid[1]


def _set(rows: ArrayLike, images: int) -> Whole:
    """Rows once each."""
    found = np.asarray(rows)
    if found.ndim != 2 or found.shape[1] != 2 or not len(found) or not np.issubdtype(found.dtype, np.integer):
        raise InputError(f"chosen cells are rows (image, place) of whole numbers, at least one; got {found.shape}")
    if images > _MOST:
        raise InputError(f"cells of at most {_MOST} images can be compared, not of {images}; compare fewer")
    if found.min() < 0 or found[:, 0].max() >= images:
        raise InputError(
            f"there are {images} images, 0 ... {images - 1}, and places from 0 on; got {found.max(axis=0)}"
        )
    return np.unique(found.astype(np.int64), axis=0)


def _table(rows: Whole, images: int, places: int) -> csr_array:
    ones = np.ones(len(rows), dtype=np.int64)
    return csr_array((ones, (rows[:, 0], rows[:, 1])), shape=(images, places))


def _shuffled(common: NDArray[np.int32], total: int, draws: int, seed: int) -> NDArray[np.float64]:
    """Overlaps when the images of the second set are permuted; `common` holds shared places of every two images."""
    rng, rows = np.random.default_rng((seed, 7)), np.arange(len(common))
    both = np.array([common[rows, rng.permutation(len(common))].sum() for _ in range(draws)], dtype=np.float64)
    return both / (total - both)
