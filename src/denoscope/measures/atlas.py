"""What every atom of a dictionary did over a stream of images, in memory that does not grow with their number."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError

__all__ = ["Atlas", "Spread"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Spread(NamedTuple):
    """Where on the image an atom's codes lie, each weighted by its size.

    Attributes:
        row, col: centre, 0 at the upper or left edge of the image and 1 at the other, `(atom,)`.
        width: root mean square distance from the centre, in image sides, `(atom,)`; 0.41 when spread evenly.
    """

    row: Floats
    col: Floats
    width: Floats


class Atlas:
    """Counts, sums, positions, and the images in which each atom has its largest codes.

    Only positive codes count: a code below zero says that something is absent. An image counts once, by its largest
    code. Two atlases of different images merge into that of all of them, exactly and in either order.

    Args:
        atoms: how many.
        top: images that are kept per atom.
    """

    def __init__(self, atoms: int, top: int = 32) -> None:
        if atoms < 1 or top < 1:
            raise InputError(f"an atlas needs an atom and a place for an image; got {atoms} and {top}")
        self.cells = 0
        self.images = 0
        self.active_cells = np.zeros(atoms, dtype=np.int64)
        self.active_images = np.zeros(atoms, dtype=np.int64)
        self.total = np.zeros(atoms)
        self.squares = np.zeros(atoms)
        self._moments = np.zeros((3, atoms))
        self.codes: Floats = np.full((atoms, top), -np.inf)
        """Largest codes, falling, `(atom, top)`; -inf where there are fewer images."""
        self.numbers: Ints = np.full((atoms, top), np.iinfo(np.int64).max)
        """Images that they are in, `(atom, top)`."""
        self.places: Ints = np.full((atoms, top), -1)
        """Cells that they are in, in reading order, `(atom, top)`."""

    def add(self, number: int, codes: NDArray[Any], where: NDArray[Any]) -> None:
        """Count one image.

        Args:
            number: of the image; each is added once.
            codes: `(cell, atom)`.
            where: row and column of each cell's centre as shares of the image's sides, `(cell, 2)`.

        Raises:
            InputError: another number of atoms or cells, NaN or infinite codes.
        """
        self._check(codes, where)
        positive = np.maximum(codes, 0).astype(np.float64)
        self.cells += len(codes)
        self.images += 1
        self.active_cells += (codes > 0).sum(axis=0)
        self.total += positive.sum(axis=0)
        self.squares += np.square(positive).sum(axis=0)
        self._moments += np.column_stack([where, np.square(where).sum(axis=1)]).T @ positive
        best = positive.argmax(axis=0)
        peak = positive[best, np.arange(positive.shape[1])]
        self.active_images += peak > 0
        self._offer(np.where(peak > 0, peak, -np.inf)[:, None], np.full((len(peak), 1), number), best[:, None])

    def merge(self, other: "Atlas") -> "Atlas":
        """The atlas of the images of both.

        Raises:
            InputError: of another dictionary, or with another `top`.
        """
        if self.codes.shape != other.codes.shape:
            raise InputError(f"atlases of {self.codes.shape} and {other.codes.shape} (atom, image) do not merge")
        made = Atlas(*self.codes.shape)
        for name in ("cells", "images", "active_cells", "active_images", "total", "squares", "_moments"):
            setattr(made, name, getattr(self, name) + getattr(other, name))
        for one in (self, other):
            made._offer(one.codes, one.numbers, one.places)
        return made

    @property
    def density(self) -> Floats:
        """Share of the cells in which each atom is active, `(atom,)`."""
        return self.active_cells / max(1, self.cells)

    @property
    def mean(self) -> Floats:
        """Mean code where it is active, `(atom,)`; 0 where it never is."""
        return self.total / np.maximum(self.active_cells, 1)

    @property
    def spread(self) -> Spread:
        """Where the codes lie; NaN for an atom that was never active."""
        mass = np.where(self.total > 0, self.total, np.nan)
        row, col, square = self._moments / mass
        return Spread(row, col, np.sqrt(np.maximum(square - row**2 - col**2, 0)))

    def top(self, atom: int) -> list[tuple[int, int, float]]:
        """Image, cell and code of the images in which an atom is strongest."""
        rows = zip(self.numbers[atom].tolist(), self.places[atom].tolist(), self.codes[atom].tolist(), strict=True)
        return [(number, place, code) for number, place, code in rows if code > 0]

    def coverage(self, least: int) -> float:
        """Share of the atoms that at least so many images show: those that pictures can say anything about."""
        return float((self.active_images >= least).mean())

    def _offer(self, codes: Floats, numbers: Ints, places: Ints) -> None:
        """Keep the largest codes; of equal ones that of the image with the smaller number."""
        some = np.flatnonzero((codes.max(axis=1) >= self.codes[:, -1]) & (codes.max(axis=1) > 0))
        every = np.concatenate([self.codes[some], codes[some]], axis=1)
        named = np.concatenate([self.numbers[some], numbers[some]], axis=1)
        placed = np.concatenate([self.places[some], places[some]], axis=1)
        order = np.lexsort((named, -every), axis=1)[:, : self.codes.shape[1]]
        self.codes[some] = np.take_along_axis(every, order, axis=1)
        self.numbers[some] = np.take_along_axis(named, order, axis=1)
        self.places[some] = np.take_along_axis(placed, order, axis=1)

    def _check(self, codes: NDArray[Any], where: NDArray[Any]) -> None:
        if codes.ndim != 2 or codes.shape[1] != len(self.total) or where.shape != (len(codes), 2) or not len(codes):
            raise InputError(f"an atlas of {len(self.total)} atoms takes codes (cell, atom) and places (cell, 2); got "
                             f"{codes.shape} and {where.shape}")  # fmt: skip
        if not np.isfinite(codes).all():
            raise InputError("codes hold NaN or infinite values")
