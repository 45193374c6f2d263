"""The codes of a dictionary on stored images, one image at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.dictionaries.base import Learned
from denoscope.store import stream
from denoscope.store.volume import Volume

__all__ = ["Coded", "Source"]

Numbers = NDArray[np.int64]

_BLOCK = 128
"""Images of a block."""


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

    @property
    def blocks(self) -> tuple[Numbers, ...]:
        """Numbers of the images, some at a time: of one canvas size each, and the same whoever reads the store.

        Every sum over images is the sum of its blocks in this order, so that it is the same to the bit wherever they
        are summed.
        """
        codes, _ = self.volume.table.group_codes
        alike = (np.flatnonzero(codes == code) for code in dict.fromkeys(codes.tolist()))
        return tuple(some[start : start + _BLOCK] for some in alike for start in range(0, len(some), _BLOCK))

    def coded(self, dictionary: Learned, numbers: Iterable[int] | None = None) -> Iterator[Coded]:
        """Every image once, or those of some numbers.

        Raises:
            InputError: values without cells.
        """
        wanted = None if numbers is None else np.fromiter(numbers, dtype=np.int64)
        for block in self.blocks:
            some = block if wanted is None else block[np.isin(block, wanted)]
            if len(some):
                yield from self._block(dictionary, some)

    def _block(self, dictionary: Learned, numbers: Numbers) -> Iterator[Coded]:
        """Images of one canvas size."""
        known: dict[tuple[Frame, Grid], NDArray[np.float64]] = {}
        codes, groups = self.volume.table.group_codes
        each = self.volume.bytes_per_sample(self.site, self.condition, groups[codes[numbers[0]]])
        step = max(1, stream.WINDOW // max(1, each))
        for start in range(0, len(numbers), step):
            some = numbers[start : start + step]
            batch = self.volume.read(self.site, self.condition, some)
            flat = batch.tokens()
            if batch.grid is None or flat.layout != "tokens" or flat.shape[1] != batch.grid.cells:
                raise InputError(_why(batch, self.site))
            values, masks, grid = flat.numpy(), batch.mask.reshape(len(batch), -1), batch.grid
            for row, number in enumerate(np.repeat(some, len(batch) // len(some)).tolist()):
                cells, frame = np.flatnonzero(masks[row]), batch.frames[row]
                found: Any = dictionary.encode(np.ascontiguousarray(values[row][cells], dtype=np.float32))
                if (frame, grid) not in known:
                    known[frame, grid] = _shares(frame, grid)[cells]
                yield Coded(number, batch.ids[row], found, known[frame, grid], cells, frame, grid)


def _why(batch: Activations, site: Site) -> str:
    """Why these values cannot be interpreted."""
    told = "tokens that lie nowhere on the picture, such as those of text; take a site of the image stream"
    if batch.grid is not None or batch.layout == "pooled":
        told = f"{batch.layout} values without every cell; extract it with --keep.layout grid"
    return f"atoms are interpreted by where they are active, but {site} is stored as {told}"


def _shares(frame: Frame, grid: Grid) -> NDArray[np.float64]:
    """Row and column of each cell's centre as shares of the image's height and width, `(cell, 2)`."""
    points = frame.centres(grid).reshape(-1, 2) / (frame.width, frame.height)
    return points[:, ::-1].clip(0, 1)
