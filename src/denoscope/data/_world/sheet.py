"""A contact sheet: pictures with their names under them."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from denoscope.core.sample import DataSet, Sample

_LINE = 12
"""Height of a line of the default font, px."""


def contact_sheet(world: DataSet, count: int = 48, columns: int = 8) -> NDArray[np.uint8]:
    """The first `count` pictures on one (height, width, 3) uint8 sheet, two lines of label under each."""
    samples = [world[i] for i in range(min(count, len(world)))]
    side = samples[0].image.shape[0] if samples else 1
    columns = max(min(columns, len(samples)), 1)
    rows = math.ceil(len(samples) / columns)
    cell = side + 4, side + 2 * _LINE + 6
    sheet = Image.new("RGB", (columns * cell[0], max(rows, 1) * cell[1]), "white")
    pen = ImageDraw.Draw(sheet)
    for k, sample in enumerate(samples):
        x, y = (k % columns) * cell[0] + 2, (k // columns) * cell[1] + 2
        sheet.paste(Image.fromarray(sample.image), (x, y))
        for line, text in enumerate(_label(sample)):
            pen.text((x, y + side + line * _LINE), text, fill="black")
    return np.asarray(sheet)


def _label(sample: Sample) -> tuple[str, str]:
    facts = sample.facts
    names = " + ".join(item["category"] for item in facts["objects"])
    return names, f"{facts['colour']} {facts['texture']}"
