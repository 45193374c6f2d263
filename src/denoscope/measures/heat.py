"""Maps of how much a word is looked at: joined over sites, scaled, cut at a threshold, and held against masks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import label

from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.measures.resampling import resampling

__all__ = ["best_threshold", "blob", "box_around", "cut", "joined", "overlap", "pointed", "scaled"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]


def joined(maps: Sequence[tuple[Array, Grid]], frame: Frame) -> NDArray[np.float64]:
    """The mean of maps on grids of any fineness at the pixels of an image, `(height, width)`.

    Bilinear between the centres of cells, so that no map turns negative (the bicubic one of Tang et al. 2022 has to be
    cut at 0); padding never mixes in. Maps of one grid are averaged first: interpolation is linear.

    Args:
        maps: values `(row, col)` and their grid.
        frame: how the image lies on the canvas.

    Raises:
        InputError: no map.
    """
    if not maps:
        raise InputError("there is no map to join")
    by_grid: dict[Grid, list[Array]] = {}
    for values, grid in maps:
        by_grid.setdefault(grid, []).append(np.asarray(values, dtype=np.float64))
    total = np.zeros((frame.height, frame.width))
    for grid, several in by_grid.items():
        total += resampling(frame, grid).to_pixels(np.sum(several, axis=0))
    return total / len(maps)


def scaled(values: ArrayLike) -> NDArray[np.float64]:
    """From 0 at the lowest to 1 at the highest value of each map `(..., row, col)`; a map without relief is all 0."""
    found = np.asarray(values, dtype=np.float64)
    low, high = found.min(axis=(-2, -1), keepdims=True), found.max(axis=(-2, -1), keepdims=True)
    flat = high - low <= 1e-12 * np.abs(high)
    return np.where(flat, 0.0, (found - low) / np.where(flat, 1.0, high - low))


def cut(values: ArrayLike, threshold: float = 0.4) -> Mask:
    """Where the scaled map reaches a threshold; 0.4 is what Tang et al. 2022 take.

    Raises:
        InputError: a threshold outside 0 ... 1.
    """
    if not 0 <= threshold <= 1:
        raise InputError(f"a threshold lies in 0 ... 1 of the map's own range, not at {threshold:g}")
    return scaled(values) >= threshold


def overlap(found: Mask, truth: Mask) -> NDArray[np.float64]:
    """Intersection over union of masks `(..., row, col)`, one number each; NaN where both are empty."""
    both, either = (found & truth).sum(axis=(-2, -1)), (found | truth).sum(axis=(-2, -1))
    return np.divide(both, either, out=np.full(np.shape(either), np.nan), where=either > 0)


def pointed(values: ArrayLike, truth: Mask) -> NDArray[np.float64]:
    """The share of a map's highest places that lie on the mask: 1 or 0 unless places tie (Zhang et al. 2018)."""
    found = np.asarray(values, dtype=np.float64)
    top = found == found.max(axis=(-2, -1), keepdims=True)
    return (top & truth).sum(axis=(-2, -1)) / top.sum(axis=(-2, -1))


def best_threshold(values: Sequence[Array], truths: Sequence[Mask]) -> float:
    """The threshold of the largest mean overlap, of maps `(row, col)` that nothing else is scored on."""
    tried = np.arange(20) / 20
    found = np.array([_overlaps(scaled(value), truth, tried) for value, truth in zip(values, truths, strict=True)])
    return float(tried[int(np.argmax(np.nanmean(found, axis=0)))])


def _overlaps(heat: Array, truth: Mask, thresholds: Array) -> NDArray[np.float64]:
    """The overlap of one scaled map at each threshold, from two histograms."""
    edges = np.append(thresholds, np.inf)
    inside, outside = (np.histogram(heat[some], edges)[0][::-1].cumsum()[::-1] for some in (truth, ~truth))
    either = int(truth.sum()) + outside
    return np.divide(inside, either, out=np.full(len(thresholds), np.nan), where=either > 0)


def blob(height: int, width: int) -> NDArray[np.float64]:
    """1 in the middle of a picture, falling with the squared distance to 0 at its corners, `(height, width)`."""
    y, x = (np.arange(height) + 0.5) / height - 0.5, (np.arange(width) + 0.5) / width - 0.5
    return 1 - 2 * (y[:, None] ** 2 + x**2)


def box_around(mask: Mask) -> tuple[int, int, int, int] | None:
    """(x0, y0, x1, y1) in pixels around the largest connected part of a mask `(row, col)`; None of an empty one."""
    parts, count = label(mask)  # pyright: ignore[reportGeneralTypeIssues]
    if not count:
        return None
    largest = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    rows, cols = np.flatnonzero(largest.any(axis=1)), np.flatnonzero(largest.any(axis=0))
    return int(cols[0]), int(rows[0]), int(cols[-1]) + 1, int(rows[-1]) + 1
