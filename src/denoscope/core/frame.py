"""Where a cell lies in the image: the exact map between pixels and grid cells.

Coordinates are continuous. Pixel (r, c) of an image covers [c, c+1] x [r, r+1], so its centre is (c + .5, r + .5);
cell (r, c) of a grid likewise covers [c, c+1] x [r, r+1] in cell units. A model reads a *canvas* of W x H pixels on
which the image was laid (scaled, padded, cropped or mirrored), and a grid tiles the canvas from its top left corner
with square cells of `stride` canvas pixels.
"""

from dataclasses import astuple, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Frame", "Grid"]

Points = NDArray[np.float64]


class Grid(NamedTuple):
    """Square cells over a canvas: `rows` x `cols` of them, `stride` canvas pixels each."""

    rows: int
    cols: int
    stride: float

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.rows * self.cols


@dataclass(frozen=True)
class Frame:
    """How one image lies on the canvas: `canvas = scale * pixel + offset`, per axis.

    Attributes:
        width, height: size of the image as it was read, in pixels.
        canvas_width, canvas_height: size of what the model saw, in pixels.
        scale_x, scale_y: canvas pixels per image pixel; negative where mirrored.
        offset_x, offset_y: canvas position of the image's corner (0, 0).
    """

    width: int
    height: int
    canvas_width: int
    canvas_height: int
    scale_x: float = 1.0
    scale_y: float = 1.0
    offset_x: float = 0.0
    offset_y: float = 0.0

    @classmethod
    def of(cls, values: ArrayLike) -> "Frame":
        """The frame written by `values`."""
        width, height, canvas_width, canvas_height, *affine = np.asarray(values, dtype=np.float64).tolist()
        return cls(int(width), int(height), int(canvas_width), int(canvas_height), *affine)

    @property
    def values(self) -> tuple[float, ...]:
        """The eight numbers, in field order, as a store keeps them."""
        return tuple(float(value) for value in astuple(self))

    def to_cells(self, pixels: ArrayLike, grid: Grid) -> Points:
        """Image pixels (x, y) `(..., 2)` to continuous cell coordinates (x, y)."""
        canvas = np.asarray(pixels, dtype=np.float64) * self._scale + self._offset
        return canvas / grid.stride

    def to_pixels(self, cells: ArrayLike, grid: Grid) -> Points:
        """Continuous cell coordinates (x, y) `(..., 2)` to image pixels; the inverse of `to_cells`."""
        canvas = np.asarray(cells, dtype=np.float64) * grid.stride
        return (canvas - self._offset) / self._scale

    def cell_at(self, pixels: ArrayLike, grid: Grid) -> NDArray[np.int64]:
        """Index (row, col) `(..., 2)` of the cell that holds each pixel (x, y), clamped to the grid's edge."""
        columns_rows = np.floor(self.to_cells(pixels, grid)).astype(np.int64)
        return np.clip(columns_rows, 0, (grid.cols - 1, grid.rows - 1))[..., ::-1]

    def centres(self, grid: Grid) -> Points:
        """Image pixel (x, y) under the centre of each cell, `(row, col, 2)`."""
        y, x = np.mgrid[0 : grid.rows, 0 : grid.cols] + 0.5
        return self.to_pixels(np.stack([x, y], axis=-1), grid)

    def valid(self, grid: Grid) -> NDArray[np.bool_]:
        """Cells whose centre lies on the image rather than on padding, `(row, col)`; never none.

        An image thinner than a cell may lie between all centres: then the row or column under its middle counts.
        """
        inside = (self.centres(grid) >= 0) & (self.centres(grid) <= (self.width, self.height))
        rows: NDArray[np.bool_] = inside[:, 0, 1]
        cols: NDArray[np.bool_] = inside[0, :, 0]
        row, col = self.cell_at((self.width / 2, self.height / 2), grid)
        rows[row] |= not rows.any()
        cols[col] |= not cols.any()
        return rows[:, None] & cols

    def cell_size(self, grid: Grid) -> tuple[float, float]:
        """Width and height of a cell in image pixels."""
        width, height = np.abs(grid.stride / self._scale)
        return float(width), float(height)

    @property
    def _scale(self) -> NDArray[Any]:
        return np.array([self.scale_x, self.scale_y])

    @property
    def _offset(self) -> NDArray[Any]:
        return np.array([self.offset_x, self.offset_y])
