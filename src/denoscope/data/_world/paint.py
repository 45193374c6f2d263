"""An anti-aliased canvas: shapes are evaluated only inside their own pixel box."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denoscope.data._world.palette import Rgb
from denoscope.data._world.sdf import Array, Bounds, Shape, Similarity, saturate

Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Stamp:
    """A shape on the pixel grid: where it is and how much of every pixel it covers."""

    window: Window
    cover: Array
    """(h, w) in 0..1."""
    inside: Array
    """(h, w) distance to the outline in px, positive inside."""


class Canvas:
    """A planar float picture (3, size, size) in 0..255; positions are in image sides."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pixels: Array = np.empty((3, size, size), np.float32)
        self.centres: Array = np.arange(size, dtype=np.float32) + np.float32(0.5)
        self._view = Similarity(float(size))

    def stamp(self, shape: Shape, view: Similarity | None = None) -> Stamp | None:
        """The shape, first moved by `view` (default: image sides to px); None where it leaves the picture."""
        shape = shape.moved(view or self._view)
        rows, columns = window = self.window(shape.bounds)
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return None
        inside = -shape.distance(self.centres[None, columns], self.centres[rows, None])
        return Stamp(window, saturate(inside + 0.5), inside)

    def window(self, bounds: Bounds) -> Window:
        """The pixels that bounds (px) and half a pixel around them touch; may be empty."""
        x0, y0, x1, y1 = bounds
        c0, r0 = max(math.floor(x0 - 0.5), 0), max(math.floor(y0 - 0.5), 0)
        return slice(r0, min(math.ceil(y1 + 0.5), self.size)), slice(c0, min(math.ceil(x1 + 0.5), self.size))

    def blend(self, window: Window, cover: Array, colour: Array) -> None:
        """Lay a colour, (3, 1, 1) or (3, h, w), over the window."""
        under = self.pixels[:, *window]
        change = colour - under
        change *= cover
        under += change

    def draw(self, shape: Shape, colour: Rgb, opacity: float = 1.0) -> None:
        """Paint a flat shape given in image sides."""
        stamp = self.stamp(shape)
        if stamp is not None:
            self.blend(stamp.window, stamp.cover * opacity, planar(colour))

    def finish(self) -> NDArray[np.uint8]:
        """The picture as (size, size, 3) uint8."""
        pixels = np.minimum(np.maximum(self.pixels + 0.5, 0.0), 255.0)
        return np.ascontiguousarray(pixels.astype(np.uint8).transpose(1, 2, 0))


def planar(colour: Rgb) -> Array:
    """A colour as (3, 1, 1) float32."""
    return np.array(colour, np.float32).reshape(3, 1, 1)
