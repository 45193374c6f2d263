"""The strongest images of some atoms, with where each atom is active laid over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.core.frame import Frame, Grid
from denoscope.core.report import Score
from denoscope.figures.style import COLOURS, INK, canvas, png, svg
from denoscope.interpret.judges import Marked

__all__ = ["Beside", "Shown", "compared", "gallery"]


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

    def marked(
        self, top: float | None, shift: tuple[int, int] = (0, 0), turned: bool = False, colour: str = "red"
    ) -> Marked:
        """The picture, each pixel marked by the code of its cell as a share of `top`.

        Args:
            top: the code that marks fully; from the image's own lowest to its largest code unless given.
            shift: rows and columns of cells by which the marks are moved, around the edges.
            turned: turn the marks by half a turn.
            colour: of the marks.
        """
        at = _under(self.frame, self.grid, self.picture.shape[:2])
        codes = np.maximum(self.codes.reshape(self.grid.rows, self.grid.cols), 0)
        low = float(codes.min()) if top is None else 0.0
        shares = (codes - low) / max((float(codes.max()) if top is None else top) - low, 1e-12)
        shares = np.roll(shares[::-1, ::-1] if turned else shares, shift, (0, 1))
        return Marked(self.picture, shares.clip(0, 1)[at[..., 0], at[..., 1]], colour)


@lru_cache(maxsize=64)
def _under(frame: Frame, grid: Grid, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Row and column of the cell under each pixel, `(row, col, 2)`."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    return frame.cell_at(np.stack([x, y], axis=-1), grid)


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
                place.imshow(image.marked(top).overlaid, interpolation="nearest")
        return png(made, 100)


class Beside(NamedTuple):
    """A score, the same of random atoms, and what needs no knowledge; either may be missing."""

    own: Score
    random: Score | None
    chance: float | None


def compared(rows: Sequence[Beside]) -> bytes:
    """SVG with a row per score: the dictionary's, that of random atoms, and chance, all shares.

    Args:
        rows: scores, the first one on top.
    """
    with canvas(6.4, 0.9 + 0.34 * len(rows)) as (made, axis):
        places = np.arange(len(rows))[::-1]
        sides = [(row.own for row in rows), (row.random for row in rows)]
        for side, shift, colour, name in zip(sides, (0.13, -0.13), COLOURS, ("learned", "random atoms"), strict=False):
            known = [
                (place + shift, one.value, one.low, one.high) for place, one in zip(places, side, strict=True) if one
            ]
            y, value, low, high = np.array(known, dtype=np.float64).reshape(-1, 4).T
            axis.errorbar(value, y, xerr=[value - low, high - value], fmt="o", ms=4, color=colour, label=name)
        marks = [(row.chance, place) for place, row in zip(places, rows, strict=True) if row.chance is not None]
        if marks:
            axis.plot(*np.array(marks).T, "|", ms=14, mew=2, color=INK, label="chance")
        axis.set_yticks(places, [row.own.name for row in rows])
        axis.set_xlim(-0.02, 1.02)
        axis.set_ylim(-0.6, len(rows) - 0.4)
        axis.grid(axis="y", visible=False)
        axis.legend(loc="upper center", bbox_to_anchor=(0.35, 1.0 + 0.55 / len(rows)), ncols=3, frameon=False)
        return svg(made)
