"""Rows that hold several activations of the same cells, one after the other: streams, sites, models or noise levels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.core.frame import Grid
from denoscope.dictionaries.rows import PLACE, Rows

__all__ = ["attended", "joint_rows"]


def joint_rows(parts: Sequence[Activations]) -> Rows:
    """One row for each cell of the finest grid, `(sample x cell, channel of all parts)`, without those on padding.

    A coarser grid gives each cell what it has there. What has no grid, as tokens of a text or pooled values, gives
    every cell of an image the mean over its tokens; `attended` gives each cell its own. Where nothing has a grid there
    is one row for each image.

    Args:
        parts: of the same images in the same order, read with the same noise or as it may be.

    Raises:
        InputError: none, parts of different images, or attention maps.
    """
    if not parts:
        raise InputError("joint rows need activations to join, and there were none")
    first = parts[0]
    if any(part.ids != first.ids or part.draws != first.draws for part in parts):
        raise InputError("rows are joined over the same images in the same order, and these differ")
    finest = max(parts, key=lambda part: part.grid.cells if _laid(part) and part.grid else 0)
    grid = finest.grid if _laid(finest) else None
    values = np.concatenate([_on(part, grid) for part in parts], axis=2)
    places = np.empty(values.shape[:2], dtype=PLACE)
    places["sample"], places["cell"] = np.array(first.ids, dtype=object)[:, None], np.arange(values.shape[1])
    kept = np.ones(values.shape[:2], dtype=bool) if grid is None else finest.mask.reshape(values.shape[:2])
    return Rows(values[kept], None, None, places[kept])


def attended(text: Activations, maps: Activations) -> Activations:
    """What each image cell attends to of a text stream, `(sample, cell, channel)`: sum_t p(t | cell) x_t.

    Args:
        text: tokens, `(sample, token, channel)`.
        maps: attention of image cells to text tokens, `(sample, head, cell, token)`, as of `dit.d.0.map.it`; heads are
            averaged, and the shares of the text brought to a sum of one.

    Raises:
        InputError: other images, or other tokens.
    """
    p, x = maps.numpy().astype(np.float32), text.numpy().astype(np.float32)
    if maps.layout != "map" or text.layout != "tokens" or maps.ids != text.ids or p.shape[3] != x.shape[1]:
        raise InputError(f"attention of shape {p.shape} does not say what cells read of text of shape {x.shape}")
    p = p.mean(axis=1)
    values = np.einsum("sct,stk->sck", p / np.maximum(p.sum(axis=2, keepdims=True), 1e-12), x)
    return Activations(text.site, text.condition, values, text.ids, "tokens", text.frames, maps.grid, text.draws)


def _laid(part: Activations) -> bool:
    """Whether it has a value for each cell of a grid."""
    return part.grid is not None and part.layout in ("grid", "tokens")


def _on(part: Activations, grid: Grid | None) -> NDArray[np.float32]:
    """`(sample, cell, channel)` on a grid, or one cell where there is none."""
    flat = part.tokens()
    values = flat.numpy().astype(np.float32, copy=False)
    if not _laid(part) or part.grid is None:
        mean = values if flat.layout == "pooled" else values.mean(axis=1)
        return np.repeat(mean[:, None], 1 if grid is None else grid.cells, axis=1)
    if grid is None or (part.grid.rows, part.grid.cols) == (grid.rows, grid.cols):
        return values
    rows, cols = (np.arange(new) * old // new for new, old in zip(grid[:2], part.grid[:2], strict=True))
    return values[:, (rows[:, None] * part.grid.cols + cols).reshape(-1)]
