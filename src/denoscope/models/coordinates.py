"""Laying an image on the canvas that a model reads, with the exact map back to its pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lcm
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from denoscope.core.errors import InputError, unknown
from denoscope.core.frame import Frame
from denoscope.core.sample import check_pixels

if TYPE_CHECKING:
    from denoscope.core.sample import Image

__all__ = ["Canvas", "frame_of", "lay"]

Policy = Literal["pad", "stretch", "keep", "shorter", "crop", "native"]
Fill = Literal["edge", "zero", "reflect", "mean"]
Filter = Literal["bicubic", "lanczos", "bilinear", "nearest"]


@dataclass(frozen=True)
class Canvas:
    """How an image of any size becomes what the model sees.

    Raises:
        InputError: a size below one cell, or a choice that does not exist.
    """

    policy: Policy = "pad"
    """`pad`: longer side to `size`, centred on a square. `stretch`: both sides to `size`. `keep`: longer side to
    `size`, shape kept up to rounding to `multiple`. `shorter`: shorter side to `size`, shape kept likewise. `crop`:
    shorter side to `size`, centre square. `native`: no scaling, padded right and below to a `multiple`."""
    size: int | None = None
    """Side in pixels; None is the model's native size."""
    fill: Fill = "edge"
    """What padding shows: the edge pixel, zero (mid-grey after [-1, 1]), the mirrored image, or its mean colour."""
    filter: Filter = "bicubic"
    """Pillow resampling filter, antialiased when shrinking."""
    multiple: int = 8
    """Sides are multiples of this many pixels; a model raises it to its own latent cell."""

    def __post_init__(self) -> None:
        for name, kind in {"policy": Policy, "fill": Fill, "filter": Filter}.items():
            if getattr(self, name) not in get_args(kind):
                raise unknown(f"canvas {name}", str(getattr(self, name)), get_args(kind), "help(denoscope.Canvas)")
        if self.size is not None and (self.size < self.multiple or self.size % self.multiple):
            near = max(round(self.size / self.multiple), 1) * self.multiple
            raise InputError(f"canvas size {self.size} is not a multiple of {self.multiple}; the nearest is {near}")

    def for_model(self, native: int, multiple: int) -> Canvas:
        """With the model's native size and cell where nothing else was asked."""
        return replace(self, size=self.size or native, multiple=lcm(self.multiple, multiple))


def frame_of(width: int, height: int, canvas: Canvas) -> Frame:
    """Where an image of width x height pixels lies; `canvas.size` must be known.

    Raises:
        InputError: the image has no pixels.
    """
    if width < 1 or height < 1:
        raise InputError(f"an image of {width} x {height} pixels has nothing to read")
    assert canvas.size is not None
    size, cell = canvas.size, canvas.multiple
    if canvas.policy == "native":
        return Frame(width, height, _up(width, cell), _up(height, cell))
    if canvas.policy == "stretch":
        return Frame(width, height, size, size, size / width, size / height)
    if canvas.policy in ("keep", "shorter"):
        scale = size / (max if canvas.policy == "keep" else min)(width, height)
        wide, high = (max(round(side * scale / cell), 1) * cell for side in (width, height))
        return Frame(width, height, wide, high, wide / width, high / height)
    scale = size / (max if canvas.policy == "pad" else min)(width, height)
    wide, high = (max(round(side * scale), 1) for side in (width, height))
    offset_x, offset_y = (size - wide) // 2, (size - high) // 2
    return Frame(width, height, size, size, wide / width, high / height, offset_x, offset_y)


def lay(image: Image, canvas: Canvas) -> tuple[Image, Frame]:
    """The canvas, uint8 `(row, col, 3)`, and where the image lies on it.

    Args:
        image: uint8 RGB `(row, col, 3)`.
        canvas: size policy with a known size.
    """
    check_pixels(image)
    frame = frame_of(image.shape[1], image.shape[0], canvas)
    wide, high = round(frame.width * frame.scale_x), round(frame.height * frame.scale_y)
    scaled = _resize(image, wide, high, canvas.filter)
    left, top = round(frame.offset_x), round(frame.offset_y)
    if left < 0 or top < 0:
        return scaled[-top : -top + frame.canvas_height, -left : -left + frame.canvas_width], frame
    right, below = frame.canvas_width - wide - left, frame.canvas_height - high - top
    return _pad(scaled, ((top, below), (left, right)), canvas.fill), frame


def _resize(image: Image, width: int, height: int, name: Filter) -> Image:
    if (height, width) == image.shape[:2]:
        return image
    import PIL.Image

    return np.asarray(PIL.Image.fromarray(image).resize((width, height), PIL.Image.Resampling[name.upper()]))


def _pad(image: Image, sides: tuple[tuple[int, int], tuple[int, int]], fill: Fill) -> Image:
    if not any(map(sum, sides)):
        return image
    around = (*sides, (0, 0))
    if fill in ("edge", "reflect"):
        return np.pad(image, around, mode="edge" if fill == "edge" else "symmetric")
    value = image.mean(axis=(0, 1)) if fill == "mean" else np.full(3, 127.5)
    padded = np.broadcast_to(value.round().astype(np.uint8), _padded_shape(image, sides)).copy()
    (top, _), (left, _) = sides
    padded[top : top + image.shape[0], left : left + image.shape[1]] = image
    return padded


def _padded_shape(image: Image, sides: tuple[tuple[int, int], tuple[int, int]]) -> tuple[int, int, int]:
    return image.shape[0] + sum(sides[0]), image.shape[1] + sum(sides[1]), 3


def _up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple
