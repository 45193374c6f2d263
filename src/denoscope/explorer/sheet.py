"""A contact sheet of any data set."""

import numpy as np

from denoscope.core.optional import require
from denoscope.core.sample import DataSet, Image

__all__ = ["plain_sheet"]

_SIDE, _GAP, _LINE = 128, 6, 14


def plain_sheet(samples: DataSet, count: int = 48, columns: int = 8) -> Image:
    """The first `count` pictures, each fitted into a square with its id below; uint8 `(row, col, 3)`."""
    pil = require("PIL.Image", "draw a contact sheet", "pillow")
    pen = require("PIL.ImageDraw", "draw a contact sheet", "pillow")
    shown = [samples[index] for index in range(min(count, len(samples)))]
    columns = max(1, min(columns, len(shown)))
    rows = -(-len(shown) // columns)
    cell = _SIDE + _GAP, _SIDE + _LINE + _GAP
    sheet = pil.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), "white")
    draw = pen.Draw(sheet)
    for index, sample in enumerate(shown):
        left, top = (index % columns) * cell[0] + _GAP, (index // columns) * cell[1] + _GAP
        picture = pil.fromarray(sample.image)
        picture.thumbnail((_SIDE, _SIDE))
        sheet.paste(picture, (left + (_SIDE - picture.width) // 2, top + (_SIDE - picture.height) // 2))
        draw.text((left, top + _SIDE), sample.id.rsplit("/", 1)[-1][:22], fill="black")
    return np.asarray(sheet)
