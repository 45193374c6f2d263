"""Small pictures for atoms: images of the gallery, and the birthplaces of atoms on sheets of tiles."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.optional import require
from denoscope.core.sample import Image
from denoscope.explorer.bundle.blobs import Blobs

__all__ = ["EACH", "SHEET", "TILE", "put_sheets", "put_small", "tile", "tile_from"]

SHEET, TILE, EACH = 32, 48, 1024
"""Tiles in a row of a sheet, pixels of a tile's side, tiles of a sheet."""

_SMALL, _PLAIN = 256, 128
"""Pixels of a small picture's longer side at most, and up to which it is kept without loss."""


def put_small(blobs: Blobs, image: Image) -> str:
    """Write a picture of at most 256 pixels a side; returns the file's name."""
    shown = _pil().fromarray(image)
    shown.thumbnail((_SMALL, _SMALL))
    out = BytesIO()
    if max(image.shape[:2]) <= _PLAIN:
        shown.save(out, "PNG")
        return blobs.put(out.getvalue(), "png")
    shown.save(out, "JPEG", quality=88)
    return blobs.put(out.getvalue(), "jpg")


def tile(image: Image, x: float, y: float, side: float) -> NDArray[np.uint8]:
    """The square around a place, `(TILE, TILE, 3)`; moved inwards where it would reach beyond the picture.

    Args:
        image: RGB.
        x, y: middle, in pixels.
        side: of the square, in pixels.
    """
    height, width = image.shape[:2]
    size = int(np.clip(round(side), 1, min(height, width)))
    left = int(np.clip(round(x - size / 2), 0, width - size))
    top = int(np.clip(round(y - size / 2), 0, height - size))
    cut = _pil().fromarray(np.ascontiguousarray(image[top : top + size, left : left + size]))
    return np.asarray(cut.resize((TILE, TILE), _pil().Resampling.BILINEAR))


def tile_from(picture: bytes) -> NDArray[np.uint8]:
    """A picture in any format as a tile, `(TILE, TILE, 3)`."""
    with _pil().open(BytesIO(picture)) as shown:
        return np.asarray(shown.convert("RGB").resize((TILE, TILE), _pil().Resampling.BILINEAR))


def put_sheets(blobs: Blobs, tiles: Iterable[NDArray[np.uint8] | None]) -> tuple[str, ...]:
    """Write tiles in reading order, so many to a sheet, grey where there is none; returns the files' names."""
    every = list(tiles)
    blank = np.full((TILE, TILE, 3), 128, np.uint8)
    names: list[str] = []
    for start in range(0, len(every), EACH):
        mine = [blank if one is None else one for one in every[start : start + EACH]]
        rows = -(-len(mine) // SHEET)
        mine += [blank] * (rows * SHEET - len(mine))
        sheet = np.stack(mine).reshape(rows, SHEET, TILE, TILE, 3).swapaxes(1, 2).reshape(rows * TILE, SHEET * TILE, 3)
        out = BytesIO()
        _pil().fromarray(np.ascontiguousarray(sheet)).save(out, "JPEG", quality=85)
        names.append(blobs.put(out.getvalue(), "jpg"))
    return tuple(names)


def _pil() -> Any:
    return require("PIL.Image", "write pictures", "pillow")
