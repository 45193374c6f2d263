"""Images of a store as a dictionary codes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.bundling.families import Place, read_from
from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.dictionaries.base import Learned
from denoscope.explorer.bundle.atoms_codes import Codes, sparse, strongest

__all__ = ["ELSEWHERE", "CodedImage", "Spread", "coded"]

ELSEWHERE = ("transcoder", "crosscoder")
"""Kinds that do not explain what they read, so that what they leave of it means nothing."""

_BLOCK = 1 << 26
"""Codes that are held at once while cells are encoded."""


class Spread:
    """Mean squared distance of cells from their mean, in one pass."""

    def __init__(self) -> None:
        self._count, self._square = 0, 0.0
        self._sum: Any = 0.0

    def add(self, values: NDArray[Any]) -> None:
        """Count some cells, `(cell, channel)`."""
        x = values.astype(np.float64)
        self._count += len(x)
        self._square += float(np.square(x).sum())
        self._sum = self._sum + x.sum(axis=0)

    @property
    def power(self) -> float:
        """E|x - E x|^2."""
        return max(0.0, (self._square - float(np.square(self._sum).sum()) / self._count) / self._count)


@dataclass(frozen=True, eq=False)
class CodedImage:
    """One image, coded: `valid` cells of its grid, their `values`, and `where` the centre of every cell lies."""

    name: str
    codes: Codes
    values: NDArray[np.float32]
    valid: NDArray[np.int64]
    where: NDArray[np.float64]
    frame: Frame
    grid: Grid


def coded(made: Learned, place: Place, ids: Sequence[str]) -> Iterator[CodedImage]:
    """Images of a place, as a dictionary codes them at its noise level.

    Raises:
        InputError: values without every cell of a grid, or of another width.
    """
    at: Any = getattr(made, "at", None)
    coder: Learned = at(place.condition.timestep) if at and place.condition.timestep is not None else made
    for batch in read_from(place, ids):
        yield from _images(coder, batch)


def _images(coder: Learned, batch: Activations) -> Iterator[CodedImage]:
    """The first draw of each image of a batch; all their cells are encoded together."""
    flat, grid = batch.tokens(), batch.grid
    if grid is None or flat.layout != "tokens" or flat.shape[1] != grid.cells:
        raise InputError(f"{batch.site} is stored without every cell of its grid; extract with --keep.layout grid")
    if flat.shape[2] != coder.width:
        raise InputError(f"{batch.site} holds {flat.shape[2]} channels here, but the dictionary reads {coder.width}")
    rows = [row for row in range(len(batch)) if not (batch.draws and batch.draws[row])]
    masks, values = batch.mask.reshape(len(batch), -1), flat.numpy()
    valid = [np.flatnonzero(masks[row]) for row in rows]
    cells = [np.ascontiguousarray(values[row][some], dtype=np.float32) for row, some in zip(rows, valid, strict=True)]
    if not rows:
        return
    atoms, codes, left = _encoded(coder, np.concatenate(cells))
    end = 0
    for row, some, x in zip(rows, valid, cells, strict=True):
        mine = slice(end, end := end + len(some))
        kept = sparse((atoms[mine], codes[mine]), some, left[mine], (grid.cells, len(coder.atoms)))
        frame = batch.frames[row]
        where = (frame.centres(grid).reshape(-1, 2) / (frame.width, frame.height))[:, ::-1].clip(0, 1)
        yield CodedImage(batch.ids[row], kept, x, some, where, frame, grid)


def _encoded(coder: Learned, values: NDArray[np.float32]) -> tuple[Any, Any, Any]:
    """The strongest atoms of cells, their codes, and what all atoms leave; some cells at a time."""
    step = max(1, _BLOCK // len(coder.atoms))
    parts: list[tuple[Any, Any, Any]] = []
    for start in range(0, len(values), step):
        x = values[start : start + step]
        codes: Any = coder.encode(x)
        explained: Any = x if coder.name in ELSEWHERE else coder.decode(codes)
        parts.append((*strongest(np.asarray(codes)), np.square(x.astype(np.float64) - explained).sum(axis=1)))
    atoms, kept, left = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return atoms, kept, left
