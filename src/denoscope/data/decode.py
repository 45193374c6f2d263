"""One picture file to RGB pixels, whatever its mode: the only place where image files are decoded."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pictures
from PIL import ImageOps

from denoscope.core.errors import InputError
from denoscope.core.sample import Image

__all__ = ["BrokenSample", "check_header", "decode"]

_BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, MemoryError,
    struct.error, zlib.error, Pictures.DecompressionBombError,
)  # fmt: skip
"""What Pillow's readers raise on damaged files."""


class BrokenSample(InputError):
    """A sample whose picture cannot be read; long work skips and lists it.

    Attributes:
        reason: what is wrong with it, in a few words.
        id: the sample's id, where it is known.
    """

    def __init__(self, reason: str, id: str = "") -> None:
        super().__init__(f"{id}: {reason}" if id else reason)
        self.reason = reason
        self.id = id


def check_header(path: Path) -> None:
    """Look at a file's first bytes: is it a picture that has pixels?

    Raises:
        BrokenSample: empty, unreadable, not a picture, or without pixels.
    """
    try:
        if path.stat().st_size == 0:
            raise BrokenSample("empty file (0 bytes)")
        with Pictures.open(path) as picture:
            _check_size(picture)
    except BrokenSample:
        raise
    except _BROKEN as error:
        raise BrokenSample(_reason(error, path)) from None


def decode(path: Path) -> Image:
    """Pixels of a picture as uint8 RGB `(row, col, 3)`.

    The camera's orientation (EXIF) is applied; the first frame of an animation is taken; transparency is laid on
    white; CMYK and palettes are converted; 16-bit greys are divided by 257; floating-point greys are taken as 0 ... 1
    when they stay within it, else as 0 ... 255.

    Raises:
        BrokenSample: the file is damaged or no picture.
    """
    try:
        with Pictures.open(path) as picture:
            _check_size(picture)
            upright = ImageOps.exif_transpose(picture)
            return np.asarray(_rgb(upright))
    except BrokenSample:
        raise
    except _BROKEN as error:
        raise BrokenSample(_reason(error, path)) from None


def _check_size(picture: Pictures.Image) -> None:
    if min(picture.size) < 1:
        raise BrokenSample(f"no pixels ({picture.width} x {picture.height})")


def _rgb(picture: Pictures.Image) -> Pictures.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        return _grey(np.asarray(picture), picture.mode).convert("RGB")
    if "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Pictures.new("RGBA", picture.size, "white")
        return Pictures.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")


def _grey(values: Any, mode: str) -> Pictures.Image:
    """8-bit grey from 16-bit, 32-bit or floating-point grey."""
    values = np.nan_to_num(np.asarray(values, dtype=np.float64))
    if mode == "F":
        values = values * (255 if values.max() <= 1 else 1)
    elif mode.startswith("I;16") or values.max() > 255:
        values = values / 257
    return Pictures.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _reason(error: BaseException, path: Path) -> str:
    """One line without the path, which the list of skipped files already names."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "not a picture that can be read" if str(path) in text or str(path)[-20:] in text else text
