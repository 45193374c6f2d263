"""Activations of any layout with their channels last, and back."""

from typing import Any

import numpy as np

__all__ = ["back", "channels_last"]


def channels_last(x: Any) -> Any:
    """`(..., channel)` in fp32 at least, of `(sample, channel, row, col)` or what has its channels last already."""
    if isinstance(x, np.ndarray):
        wide = x.astype(np.promote_types(x.dtype, np.float32), copy=False)
        return np.moveaxis(wide, 1, -1) if wide.ndim == 4 else wide
    wide = x.float() if x.element_size() < 4 else x
    return wide.movedim(1, -1) if wide.ndim == 4 else wide


def back(cells: Any, x: Any) -> Any:
    """What `channels_last` made, in the layout and type of x."""
    if isinstance(x, np.ndarray):
        return (np.moveaxis(cells, -1, 1) if x.ndim == 4 else cells).astype(x.dtype, copy=False)
    return (cells.movedim(-1, 1) if x.ndim == 4 else cells).to(x.dtype)
