"""From the cells of an image to one vector, or to so few areas that attention over them stays cheap."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.frame import Grid
from denoscope.measures.anomalies import unusual
from denoscope.measures.pooling import POOLS, pool_cells

__all__ = ["LEAVE_OUT", "LeaveOut", "Pool", "areas", "check_pooling", "pooled", "vectors_of"]

Array = NDArray[Any]
Pool = Literal["mean", "max", "attention", "flatten", "cells", "gram"]
LeaveOut = Literal["nothing", "anomalies", "corners", "border"]
LEAVE_OUT: tuple[str, ...] = ("nothing", "anomalies", "corners", "border")

_SIDE = 8
"""Areas along either side that attention may look at."""
_Z, _LOUD = 6.0, 2.0
"""From which robust z-score, and from how many medians of length on, a cell is an anomaly: as the task `anomalies`."""


def check_pooling(how: str, leave_out: str, focus: float, task: str) -> None:
    """Whether cells can be pooled like that.

    Raises:
        UnknownName: no such way, or nothing of that name can be left out.
        InputError: a focus that is negative or infinite.
    """
    for name, asked, known in (("pool", how, POOLS), ("leave_out", leave_out, LEAVE_OUT)):
        if asked not in known:
            raise unknown(name, asked, known, f"denoscope evaluate {task} --help")
    if not 0 <= focus < np.inf:
        raise InputError(f"focus must be at least 0, not {focus:g}")


def vectors_of(
    activations: Activations, how: str = "mean", leave_out: str = "nothing", focus: float = 10.0
) -> Activations:
    """One vector per image, `(sample, number)`, of the cells that lie on it; nothing is learned.

    Args:
        activations: of any layout with cells; vectors pass unchanged where their mean is asked for.
        how: see `denoscope.measures.pooling.pool_cells`.
        leave_out: cells that do not count: `anomalies` (norm 6 robust z-scores above the image's median and twice as
            long as it), `corners` (the four of the image) or `border` (all of its outermost cells).
        focus: of `attention`.

    Raises:
        InputError: values without cells, or without a grid where places are left out; no cell is left.
    """
    if leave_out == "nothing" and how in ("mean", "max"):
        return activations.pool("max" if how == "max" else "mean")
    if activations.layout == "pooled":
        raise InputError(f"site {activations.site} holds one vector per image, whose cells cannot be pooled again "
                         f"(pool={how}, leave_out={leave_out}); extract it with every cell")  # fmt: skip
    flat = activations.tokens()
    values, kept = flat.numpy(), _counted(flat, leave_out)
    rows = [_vector(x, some, how, focus) for x, some in zip(values, kept, strict=True)]
    return replace(flat, values=np.stack(rows).astype(np.float32), layout="pooled", grid=None)


def _vector(x: Array, kept: NDArray[np.bool_], how: str, focus: float) -> Array:
    """NaN all over for an image that is not all finite, which a task then leaves out and counts."""
    finite = bool(np.isfinite(x).all())
    found = pool_cells(x if finite else np.zeros_like(x), kept, how, focus)
    return found if finite else np.full_like(found, np.nan)


def _counted(flat: Activations, leave_out: str) -> NDArray[np.bool_]:
    """Cells that count, `(sample, cell)`."""
    values = flat.numpy()
    on_image = np.ones(values.shape[:2], bool) if flat.grid is None else flat.mask.reshape(len(flat), -1)
    if leave_out == "nothing":
        return on_image
    if leave_out == "anomalies":
        return np.stack([some & ~_loud(x, some) for x, some in zip(values, on_image, strict=True)])
    if flat.grid is None:
        raise InputError(f"site {flat.site} has no grid of cells ({flat.site.stream} stream), so that no {leave_out} "
                         "can be left out")  # fmt: skip
    kept = np.stack([_inside(mask, leave_out) for mask in flat.mask]).reshape(len(flat), -1)
    if not kept.any(axis=1).all():
        raise InputError(f"without its {leave_out} nothing is left of a grid of {flat.grid.rows} x {flat.grid.cols}")
    return kept


def _loud(x: Array, on_image: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found = np.zeros(len(x), dtype=bool)
    norms = np.linalg.norm(x.astype(np.float64), axis=1)
    if np.isfinite(norms).all():
        found[unusual(norms, on_image, _Z, _LOUD)] = True
    return found


def _inside(mask: NDArray[np.bool_], leave_out: str) -> NDArray[np.bool_]:
    """Cells of an image's own rectangle without its corners or border, `(row, col)`."""
    lines = [np.flatnonzero(mask.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    row, col = (np.isin(np.arange(size), ends) for size, ends in zip(mask.shape, lines, strict=True))
    gone = row[:, None] & col if leave_out == "corners" else row[:, None] | col
    return mask & ~gone


def pooled(activations: Activations, how: Literal["mean", "max", "attention"]) -> Activations:
    """One vector per image, `(sample, channel)`, or areas of the grid for attention.

    Raises:
        InputError: attention over values that have no cells.
    """
    return areas(activations) if how == "attention" else activations.pool(how)


def areas(activations: Activations, side: int = _SIDE) -> Activations:
    """A grid of at most side x side areas, each the mean of its cells that lie on the image.

    Cells are joined by the smallest whole number that divides both sides of the grid; a grid without one stays.

    Raises:
        InputError: there are no cells.
    """
    if activations.grid is None or activations.layout == "pooled":
        raise InputError(f"attention pooling needs a grid of cells; site {activations.site} holds {activations.layout} "
                         "values; extract it with every cell, or pool by mean")  # fmt: skip
    cells = activations.on_grid()
    rows, cols, stride = activations.grid
    fitting = (n for n in range(1, max(rows, cols) + 1) if not (rows % n or cols % n) and max(rows, cols) <= n * side)
    by = next(fitting, 1)
    if by == 1:
        return cells
    grid = Grid(rows // by, cols // by, stride * by)
    return replace(cells, values=_means(cells.numpy(), cells.mask, by), grid=grid)


def _means(values: Array, mask: NDArray[np.bool_], by: int) -> Array:
    """Means over by x by cells, those on padding left out; 0 where all are."""
    samples, channels, rows, cols = values.shape
    blocks = (rows // by, by, cols // by, by)
    known = mask.reshape(samples, 1, *blocks)
    sums = np.where(known, values.reshape(samples, channels, *blocks), 0).sum(axis=(3, 5), dtype=np.float64)
    return (sums / known.sum(axis=(3, 5)).clip(min=1)).astype(values.dtype)
