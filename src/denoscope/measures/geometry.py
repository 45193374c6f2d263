"""From what is drawn on an image to what lies in a cell."""

import numpy as np
from numpy.typing import NDArray

from denoscope.core.frame import Frame, Grid

__all__ = ["centres_in_cells", "coverage"]


def coverage(mask: NDArray[np.bool_], frame: Frame, grid: Grid, points: int = 8) -> NDArray[np.float64]:
    """Share of each cell that a mask covers, `(row, col)`; padding counts as not covered.

    Args:
        mask: `(row, col)` in image pixels.
        frame: how the image lies on the canvas.
        grid: the cells.
        points: each cell is sampled at points x points places, evenly.
    """
    inside = (np.arange(points) + 0.5) / points
    y = (np.arange(grid.rows)[:, None] + inside).reshape(-1)
    x = (np.arange(grid.cols)[:, None] + inside).reshape(-1)
    cells = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1)
    column, row = np.moveaxis(np.floor(frame.to_pixels(cells, grid)).astype(np.int64), -1, 0)
    height, width = mask.shape
    known = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    hit = known & mask[row.clip(0, height - 1), column.clip(0, width - 1)]
    return hit.reshape(grid.rows, points, grid.cols, points).mean(axis=(1, 3))


def centres_in_cells(grid: Grid) -> NDArray[np.float64]:
    """Centre (x, y) of each cell in cell units, in reading order, `(cell, 2)`."""
    y, x = np.mgrid[0 : grid.rows, 0 : grid.cols] + 0.5
    return np.stack([x.ravel(), y.ravel()], axis=-1)
