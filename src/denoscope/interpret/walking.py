"""The codes of a dictionary on stored images, one image at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.dictionaries.base import Learned
from denoscope.store import stream
from denoscope.store.volume import Volume

__all__ = ["Coded", "Source"]

_ROWS = 16
"""Images that are read at a time."""


@dataclass(frozen=True, eq=False)
class Coded:
    """One image's codes.

    Attributes:
        number: of the image in the store.
        name: its id.
        codes: of the cells that lie on the image, `(cell, atom)`, in reading order.
        where: row and column of each cell's centre as shares of the image's sides, `(cell, 2)`.
        cells: index of each in the whole grid.
        frame, grid: between pixels and cells.
    """

    number: int
    name: str
    codes: NDArray[np.float32]
    where: NDArray[np.float64]
    cells: NDArray[np.int64]
    frame: Frame
    grid: Grid

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the rectangle that the cells fill."""
        rows = len(np.unique(self.cells // self.grid.cols))
        return rows, len(self.cells) // rows

    def under(self, shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The cell under each pixel `(pixel,)` of a picture of some height and width, and pixels per cell `(cell,)`."""
        y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
        at = self.frame.cell_at(np.stack([x, y], axis=-1), self.grid)
        index = (at[..., 0] * self.grid.cols + at[..., 1]).reshape(-1)
        return index, np.maximum(np.bincount(index, minlength=self.grid.cells), 1)


@dataclass(frozen=True)
class Source:
    """Stored activations that a dictionary reads.

    Raises:
        InputError: values without a grid of cells, or of another width than the dictionary's.
    """

    volume: Volume
    site: Site
    condition: Condition

    @property
    def names(self) -> tuple[str, ...]:
        """Id of each image, by number."""
        return tuple(self.volume.table.ids)

    def halves(self) -> NDArray[np.int64]:
        """0 or 1 for each image, by a hash of its id: what is named on one half is tested on the other."""
        return np.array([sha256(f"half {name}".encode()).digest()[0] % 2 for name in self.names], dtype=np.int64)

    def coded(self, dictionary: Learned) -> Iterator[Coded]:
        """Every image once."""
        place = {name: number for number, name in enumerate(self.names)}
        known: dict[tuple[Frame, Grid], NDArray[np.float64]] = {}
        for batch in stream.batches(self.volume, self.site, self.condition, _ROWS):
            flat = batch.tokens()
            if batch.grid is None or flat.layout != "tokens" or flat.shape[1] != batch.grid.cells:
                why = "tokens that lie nowhere on the picture, such as those of text; take a site of the image stream"
                if batch.grid is not None or batch.layout == "pooled":
                    why = f"{batch.layout} values without every cell; extract it with --keep.layout grid"
                raise InputError(f"atoms are interpreted by where they are active, but {self.site} is stored as {why}")
            values, masks = flat.numpy(), batch.mask.reshape(len(batch), -1)
            for row, name in enumerate(batch.ids):
                cells = np.flatnonzero(masks[row])
                codes: Any = dictionary.encode(np.ascontiguousarray(values[row][cells], dtype=np.float32))
                frame, grid = batch.frames[row], batch.grid
                where = known.setdefault((frame, grid), _shares(frame, grid)[cells])
                yield Coded(place[name], name, codes, where, cells, frame, grid)


def _shares(frame: Frame, grid: Grid) -> NDArray[np.float64]:
    """Row and column of each cell's centre as shares of the image's height and width, `(cell, 2)`."""
    points = frame.centres(grid).reshape(-1, 2) / (frame.width, frame.height)
    return points[:, ::-1].clip(0, 1)
