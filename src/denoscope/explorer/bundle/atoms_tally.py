"""What atoms did in a gallery of images: counts, places, strongest images, and which of them go together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from denoscope.explorer.bundle.atoms_codes import Codes

__all__ = ["BINS", "Tally", "nearest"]

BINS = 8
"""Rows and columns of an atom's histogram of positions."""

_TOP, _NEAR = 16, 8
"""Images that are kept of an atom, and neighbours."""

_PAIRED = 40_000
"""Cells, about, from which it is counted which atoms are active together."""

_BLOCK = 2**24
"""Cosines that are held at once."""

Floats = NDArray[np.float64]


class Tally:
    """Counts over images, in memory that grows with atoms alone but for a sample of cells.

    Only codes above zero count as active: one below says that something is absent.

    Args:
        atoms: how many.
        images: that will be counted.
    """

    def __init__(self, atoms: int, images: int) -> None:
        self.images = 0
        self.cells = 0
        self._atoms, self._sampled = atoms, max(1, _PAIRED // max(1, images))
        self._share, self._square = np.zeros(atoms), np.zeros(atoms)
        self._active, self._seen = np.zeros(atoms, np.int64), np.zeros(atoms, np.int64)
        self._total, self._largest = np.zeros(atoms), np.zeros(atoms)
        self._bins, self._binned = np.zeros((atoms, BINS * BINS)), np.zeros(BINS * BINS)
        self._codes = np.zeros((atoms, _TOP), np.float32)
        self._place = np.full((2, atoms, _TOP), -1, np.int32)
        self._pairs: list[Any] = []

    def add(self, codes: Codes, valid: NDArray[np.int64], where: NDArray[Any]) -> None:
        """Count the next image of the gallery.

        Args:
            codes: of its cells.
            valid: cells that are no padding.
            where: row and column of the centre of each cell as shares of the image's sides, `(cell, 2)`.
        """
        positive = codes.values > 0
        atoms, cells = codes.atoms[positive].astype(np.int64), codes.rows[positive]
        values = codes.values[positive].astype(np.float64)
        active = np.bincount(atoms, minlength=self._atoms)
        share = active / len(valid)
        self._share += share
        self._square += np.square(share)
        self._active += active
        self._seen += active > 0
        self._total += np.bincount(atoms, values, self._atoms)
        place = _bin(where)
        mass = np.bincount(atoms * BINS * BINS + place[cells], values, self._atoms * BINS * BINS)
        self._bins += mass.reshape(self._bins.shape)
        self._binned += np.bincount(place[valid], minlength=BINS * BINS)
        self._offer(atoms, cells, values)
        self._pair(atoms, cells, valid)
        self.images += 1
        self.cells += len(valid)

    def numbers(self) -> dict[str, NDArray[Any]]:
        """Tensors by name, as `docs/explorer.md` lists them."""
        with np.errstate(invalid="ignore", divide="ignore"):
            held = np.where(self._binned > 0, self._bins / np.maximum(self._binned, 1), 0)
            peak = held.max(axis=1, keepdims=True)
            position = np.rint(255 * np.where(peak > 0, held / peak, 0)).astype(np.uint8)
            mean = np.where(self._active > 0, self._total / self._active, 0)
        beside, phi = self._together()
        density, error = self.density
        return {
            "density": density.astype(np.float32),
            "density.error": error.astype(np.float32),
            "images": self._seen.astype(np.float32),
            "mean": mean.astype(np.float32),
            "largest": self._largest.astype(np.float32),
            "position": position.reshape(self._atoms, BINS, BINS),
            "top.image": self._place[0],
            "top.cell": self._place[1],
            "top.code": self._codes,
            "beside": beside,
            "beside.phi": phi,
        }

    @property
    def density(self) -> tuple[Floats, Floats]:
        """Share of active cells, mean over images, and its standard error, images being the units; `(atom,)` each."""
        count = max(1, self.images)
        mean = self._share / count
        spread = np.maximum(self._square / count - np.square(mean), 0)
        return mean, np.sqrt(spread / max(1, count - 1))

    def _offer(self, atoms: NDArray[Any], cells: NDArray[Any], values: Floats) -> None:
        """Keep this image where it is among an atom's strongest; an earlier one stays before an equal one."""
        order = np.lexsort((cells, -values, atoms))
        first = order[np.unique(atoms[order], return_index=True)[1]] if len(order) else order
        mine, peak = atoms[first], values[first].astype(np.float32)
        self._largest[mine] = np.maximum(self._largest[mine], peak)
        better = peak > self._codes[mine, -1]
        mine, peak, cell = mine[better], peak[better], cells[first][better]
        every = np.concatenate([self._codes[mine], peak[:, None]], axis=1)
        new = np.stack([np.full(len(mine), self.images), cell])[..., None].astype(np.int32)
        placed = np.concatenate([self._place[:, mine], new], axis=2)
        rank = np.argsort(-every, axis=1, kind="stable")[:, :_TOP]
        self._codes[mine] = np.take_along_axis(every, rank, axis=1)
        self._place[:, mine] = np.take_along_axis(placed, np.broadcast_to(rank, (2, *rank.shape)), axis=2)

    def _pair(self, atoms: NDArray[Any], cells: NDArray[Any], valid: NDArray[np.int64]) -> None:
        chosen = valid[np.linspace(0, len(valid) - 1, min(len(valid), self._sampled)).astype(int)]
        row = np.full(max(int(valid.max()), int(cells.max(initial=0))) + 1, -1)
        row[chosen] = np.arange(len(chosen))
        kept = row[cells] >= 0
        ones = np.ones(int(kept.sum()), np.float32)
        self._pairs.append(csr_array((ones, (row[cells[kept]], atoms[kept])), (len(chosen), self._atoms)))

    def _together(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """For each atom those whose being active goes most with its own, and phi, the correlation of the two."""
        where, phi = _empty(self._atoms)
        if not self._pairs:
            return where, phi
        active: Any = vstack(self._pairs, format="csr")
        n, counts = active.shape[0], np.asarray(active.sum(axis=0)).ravel()
        both: Any = (active.T @ active).tocsr()
        spread = np.sqrt(counts * (n - counts))
        for atom in range(self._atoms):
            others = both.indices[both.indptr[atom] : both.indptr[atom + 1]]
            shared = both.data[both.indptr[atom] : both.indptr[atom + 1]]
            kept = (others != atom) & (spread[others] > 0)
            others, shared = others[kept], shared[kept]
            if spread[atom] > 0 and len(others):
                found = (n * shared - counts[atom] * counts[others]) / (spread[atom] * spread[others])
                best = np.lexsort((others, -found))[:_NEAR]
                best = best[found[best] > 0]
                where[atom, : len(best)], phi[atom, : len(best)] = others[best], found[best]
        return where, phi


def nearest(atoms: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """For each atom the others of the largest cosine by size, and the cosines; -1 where there are fewer.

    Args:
        atoms: directions of length one, `(atom, channel)`.
    """
    where, cosines = _empty(len(atoms))
    step = max(1, _BLOCK // max(1, len(atoms)))
    kept = min(_NEAR, len(atoms) - 1)
    for start in range(0, len(atoms), step) if kept > 0 else ():
        found = atoms[start : start + step] @ atoms.T
        rows = np.arange(len(found))
        found[rows, start + rows] = 0
        size = np.abs(found)
        size[rows, start + rows] = -1
        best = np.argpartition(-size, kept - 1, axis=1)[:, :kept]
        rank = np.argsort(-np.take_along_axis(size, best, axis=1), axis=1, kind="stable")
        best = np.take_along_axis(best, rank, axis=1)
        where[start : start + step, :kept] = best
        cosines[start : start + step, :kept] = np.take_along_axis(found, best, axis=1)
    return where, cosines


def _empty(atoms: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    return np.full((atoms, _NEAR), -1, np.int32), np.zeros((atoms, _NEAR), np.float32)


def _bin(where: NDArray[Any]) -> NDArray[np.int64]:
    """Bin of each cell, `(cell,)`."""
    row, col = (np.asarray(where) * BINS).astype(np.int64).clip(0, BINS - 1).T
    return row * BINS + col
