"""The strongest images of some atoms, with where each atom is active laid over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.frame import Frame, Grid
from denoscope.figures.style import canvas, png

__all__ = ["Shown", "gallery"]

_OVER = (238, 51, 119)
"""Colour that marks where an atom is active."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One image under an atom.

    Attributes:
        picture: uint8 RGB `(row, col, 3)`.
        codes: of the atom at every cell of the grid, `(cell,)`.
        frame, grid: between pixels and cells.
    """

    picture: NDArray[np.uint8]
    codes: NDArray[Any]
    frame: Frame
    grid: Grid


def gallery(rows: Mapping[str, Sequence[Shown]], columns: int) -> bytes:
    """PNG with a row of images per atom; stronger red is a larger code, each row in units of its own largest.

    Args:
        rows: caption of each atom to its images.
        columns: images per row.
    """
    with canvas(1.35 * columns + 2.2, 1.4 * len(rows), len(rows), columns + 1, squeeze=False) as (made, axes):
        for line, (caption, images) in zip(axes, rows.items(), strict=True):
            for place in line:
                place.set_axis_off()
            line[0].text(0.0, 0.5, caption, va="center", fontsize=8, transform=line[0].transAxes)
            top = max((float(image.codes.max()) for image in images), default=1.0)
            for place, image in zip(line[1:], images, strict=False):
                place.imshow(_overlaid(image, top), interpolation="nearest")
        return png(made, 100)


def _overlaid(image: Shown, top: float) -> NDArray[np.uint8]:
    """The picture with cells coloured as strongly as the root of their share of the largest code, at most 70 %."""
    rows, cols = image.picture.shape[:2]
    y, x = np.mgrid[0:rows, 0:cols] + 0.5
    at = image.frame.cell_at(np.stack([x, y], axis=-1), image.grid)
    codes = np.maximum(image.codes.reshape(image.grid.rows, image.grid.cols)[at[..., 0], at[..., 1]], 0)
    opaque = 0.7 * np.sqrt(codes / max(top, 1e-12))[..., None]
    return (image.picture * (1 - opaque) + np.array(_OVER) * opaque).astype(np.uint8)
