"""The same pictures under an edit of growing strength."""

from collections.abc import Sequence
from textwrap import fill, shorten

import numpy as np
from numpy.typing import NDArray

from denoscope.figures.style import canvas, png

__all__ = ["doses_sheet"]

_MOST, _SIDE = 8, 256
"""Rows, and pixels along the longer side of a picture, that are shown at most."""


def doses_sheet(images: NDArray[np.uint8], prompts: Sequence[str], names: Sequence[str]) -> bytes:
    """A PNG with a row per prompt and a column per dose.

    Args:
        images: uint8 RGB `(dose, picture, row, col, 3)`.
        prompts: one per picture.
        names: of the columns.
    """
    count = min(images.shape[1], _MOST)
    height, width = images.shape[2:4]
    step, high = max(1, -(-max(height, width) // _SIDE)), 1.5 * height / width
    with canvas(1.7 + 1.55 * len(names), 0.3 + (high + 0.05) * count, count, len(names), squeeze=False) as (made, axes):
        for row in range(count):
            for col, name in enumerate(names):
                axis = axes[row, col]
                axis.imshow(images[col, row, ::step, ::step], interpolation="nearest")
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
                if row == 0:
                    axis.set_title(name, fontsize=9)
            told = shorten(prompts[row], 60)
            axes[row, 0].set_ylabel(fill(told, 18), rotation=0, ha="right", va="center", fontsize=8)
        return png(made, 96)
