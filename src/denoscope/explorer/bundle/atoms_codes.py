"""Codes of one image's cells as a sparse matrix, the strongest of each cell first: what a page reads an atom from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from denoscope.core.errors import InputError

__all__ = ["MOST", "Codes", "codes_from", "sparse", "strongest"]

MOST = 64
"""Codes that are kept of one cell, the largest ones."""

_NARROW = 1 << 16
"""Atoms that two bytes can number."""


@dataclass(frozen=True, eq=False)
class Codes:
    """Rows are the cells of the whole grid; those on padding are empty.

    Attributes:
        starts: where each cell's codes begin, int32 `(cell + 1,)`.
        atoms: of each code, uint16 where that is wide enough, else int32, `(code,)`.
        values: half precision, by falling size within a cell, `(code,)`.
        left: squared length of what the dictionary leaves of each cell, `(cell,)`; 0 on padding.
    """

    starts: NDArray[np.int32]
    atoms: NDArray[Any]
    values: NDArray[np.float16]
    left: NDArray[np.float32]

    @property
    def cells(self) -> int:
        """Of the grid."""
        return len(self.starts) - 1

    @property
    def rows(self) -> NDArray[np.int64]:
        """Cell of each code, `(code,)`."""
        return np.repeat(np.arange(self.cells), np.diff(self.starts))

    def of(self, atom: int) -> NDArray[np.float32]:
        """One atom's code at every cell, `(cell,)`."""
        found = np.zeros(self.cells, dtype=np.float32)
        mine = self.atoms == atom
        found[self.rows[mine]] = self.values[mine]
        return found

    def to_bytes(self) -> bytes:
        """The safetensors file."""
        return save({"starts": self.starts, "atoms": self.atoms, "values": self.values, "left": self.left})


def strongest(codes: NDArray[Any], most: int = MOST) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Atoms and codes of the largest codes of each row by size, `(row, most)` or fewer.

    Args:
        codes: `(row, atom)`.
        most: codes that are kept of a row.

    Raises:
        InputError: codes that are not finite.
    """
    if not np.isfinite(codes).all():
        raise InputError("the dictionary gives codes that are not finite")
    limit = float(np.finfo(np.float16).max)
    half = codes.clip(-limit, limit).astype(np.float16)
    order = np.argsort(-np.abs(half), axis=1, kind="stable")[:, :most]
    return order, np.take_along_axis(half, order, axis=1)


def sparse(
    kept: tuple[NDArray[Any], NDArray[np.float16]], cells: NDArray[Any], left: NDArray[Any], shape: tuple[int, int]
) -> Codes:
    """Codes of a whole grid.

    Args:
        kept: of each row, as `strongest` gives them.
        cells: index of each row in the grid, rising, `(row,)`.
        left: of each row, `(row,)`.
        shape: cells of the grid, atoms of the dictionary.
    """
    order, values = kept
    there = values != 0
    lengths, rest = np.zeros(shape[0], dtype=np.int64), np.zeros(shape[0], dtype=np.float32)
    lengths[cells], rest[cells] = there.sum(axis=1), left
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return Codes(starts, order[there].astype(np.uint16 if shape[1] <= _NARROW else np.int32), values[there], rest)


def codes_from(raw: bytes) -> Codes:
    """Read what `Codes.to_bytes` wrote.

    Raises:
        InputError: not a safetensors file, or one that holds something else.
    """
    try:
        found = load(raw)
        made = Codes(found["starts"], found["atoms"], found["values"], found["left"])
    except (SafetensorError, ValueError, KeyError) as error:
        raise InputError(f"not the codes of an image: {error}") from None
    whole = made.starts.ndim == 1 and len(made.starts) > 0 and made.starts[0] == 0 and (np.diff(made.starts) >= 0).all()
    if not whole or made.starts[-1] != len(made.values) or len(made.atoms) != len(made.values):
        raise InputError("not the codes of an image: its cells do not divide its codes")
    return made
