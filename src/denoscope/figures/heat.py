"""Heat laid over pictures, and pictures with one panel per word."""

from collections.abc import Sequence
from textwrap import shorten
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.figures.style import png

__all__ = ["Panel", "overlay", "word_sheet"]

_MOST = 12
"""Rows that are drawn at most."""
_SIDE = 256
"""Pixels along the longer side of a picture on the sheet."""

Image = NDArray[np.uint8]


class Panel(NamedTuple):
    """A picture with heat over it, and what stands above."""

    image: Image
    title: str


def overlay(image: Image, heat: ArrayLike, strength: float = 0.75) -> Image:
    """The picture in grey, coloured where it is hot; uint8 RGB `(row, col, 3)`.

    Args:
        image: uint8 RGB `(row, col, 3)`.
        heat: 0 (none) to 1 (most), `(row, col)`; beyond that it is cut.
        strength: how far colour covers the picture where the heat is 1.
    """
    from matplotlib import colormaps

    hot = np.clip(np.asarray(heat, dtype=np.float64), 0, 1)
    grey = image.astype(np.float64) @ (0.299, 0.587, 0.114)
    base = 0.25 * image + 0.75 * grey[..., None]
    colour = 255 * colormaps["inferno"](0.25 + 0.7 * hot)[..., :3]
    share = strength * hot[..., None]
    return np.rint((1 - share) * base + share * colour).astype(np.uint8)


def word_sheet(rows: Sequence[Sequence[Panel]], names: Sequence[str]) -> bytes:
    """A PNG with a row of panels per picture.

    Args:
        rows: panels of each picture, the picture itself first.
        names: what stands at each row: its prompt.
    """
    from matplotlib.figure import Figure

    shown = [list(row) for row in rows[:_MOST]]
    wide = max(map(len, shown))
    height, width = shown[0][0].image.shape[:2]
    tall = 1.75 * height / width
    figure = Figure(figsize=(1.75 * wide, (tall + 0.48) * len(shown)), layout="constrained", facecolor="white")
    axes: Any = figure.subplots(len(shown), wide, squeeze=False)
    for row, panels, name in zip(axes, shown, names, strict=False):
        for axis in row:
            axis.set_axis_off()
        for axis, panel in zip(row, panels, strict=False):
            step = max(1, max(panel.image.shape[:2]) // _SIDE)
            axis.imshow(panel.image[::step, ::step], interpolation="nearest")
            axis.text(0, -0.03, panel.title, transform=axis.transAxes, va="top", fontsize=8)
        row[0].set_title(shorten(name, 24 * len(panels), placeholder=" ..."), fontsize=8, loc="left")
    return png(figure, 110)
