"""Pictures of where atoms were born: the cells of real images that a dictionary like ITDA is made of."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import opened
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.core.optional import require
from denoscope.core.sample import DataSet, Sample
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.itda import ITDA
from denoscope.evaluate.knowing import reopened
from denoscope.interpret.coding import source_of
from denoscope.interpret.patches import cut
from denoscope.interpret.walking import Source
from denoscope.store.store import Store

__all__ = ["births_sheet", "draw_births"]

_COLUMNS = 16
_GAP = 2


def draw_births(
    store: Store | str | Path,
    made: Learned,
    *,
    data: DataSet | Sequence[Sample] | str | None = None,
    side: int = 64,
    share: float = 0.4,
) -> int:
    """Give a dictionary of cells a small picture of each birthplace, the cell framed; they are saved with it.

    Args:
        store: that it was learned from.
        made: the dictionary; its `pictures` are set.
        data: the images, where the store was made from samples in memory.
        side: of each picture, in pixels.
        share: of the image's shorter side that it shows, 0 ... 1.

    Returns:
        How many atoms have one: the others were born in images that the store does not hold, or tell no place.

    Raises:
        InputError: a dictionary without birthplaces, or none of them in this store.
    """
    births: Mapping[str, Sequence[Any]] = getattr(made, "births", {})
    if not isinstance(made, ITDA) or not any(name is not None for name in births.get("sample", ())):
        raise InputError(f"no atom of this {made.name!r} dictionary tells where it was born; ITDA learned by "
                         "denoscope learn does")  # fmt: skip
    if not 8 <= side <= 512 or not 0 < share <= 1:
        raise InputError(f"a picture has 8 ... 512 pixels a side and shows a share up to 1, not {side} and {share:g}")
    source = source_of(opened(store), made)
    reader = reopened(source.volume, data, "pictures of birthplaces")
    wanted: dict[str, list[int]] = {}
    for atom, name in enumerate(births["sample"]):
        if name in source.volume.table.position and births["cell"][atom] is not None:
            wanted.setdefault(str(name), []).append(atom)
    if not wanted:
        raise InputError("none of the images that atoms were born in lies in this store; give that which was learned "
                         "from")  # fmt: skip
    found: dict[int, bytes] = {}
    for name, (frame, grid) in _lying(source, list(wanted)).items():
        image = reader.picture(name)
        for atom in wanted[name]:
            found[atom] = _webp(_framed(image, int(births["cell"][atom]), frame, grid, side, share))
    cast("Any", made).pictures = found
    return len(found)


def births_sheet(made: Learned, most: int = 256) -> bytes:
    """All birthplaces on one PNG, in the order of the atoms; grey where there is none.

    Raises:
        InputError: none was drawn.
    """
    pictures: Mapping[int, bytes] = getattr(made, "pictures", {})
    if not pictures:
        raise InputError("no birthplace was drawn yet; draw them with: denoscope dictionary births")
    pillow: Any = require("PIL.Image", "draw birthplaces", "pillow")
    opened_: dict[int, Any] = {atom: pillow.open(BytesIO(data)).convert("RGB") for atom, data in pictures.items()
                               if atom < most}  # fmt: skip
    side = next(iter(opened_.values())).width
    count = min(most, len(made.atoms))
    step, rows = side + _GAP, -(-count // _COLUMNS)
    sheet = pillow.new("RGB", (min(count, _COLUMNS) * step - _GAP, rows * step - _GAP), (255, 255, 255))
    for atom in range(count):
        place = (atom % _COLUMNS * step, atom // _COLUMNS * step)
        sheet.paste(opened_.get(atom) or pillow.new("RGB", (side, side), (128, 128, 128)), place)
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _lying(source: Source, names: Sequence[str]) -> dict[str, tuple[Frame, Grid]]:
    """How images lie on the canvas and their cells on it; one image of each canvas size is read."""
    table, found, grids = source.volume.table, dict[str, tuple[Frame, Grid]](), dict[Any, Grid | None]()
    for name in names:
        row = table.position[name]
        group = table.groups[row]
        if group not in grids:
            grids[group] = source.volume.read(source.site, source.condition, np.array([row])).grid
        grid = grids[group]
        if grid is None:
            raise InputError(f"{source.site} is stored without cells, so that birthplaces have no place on the picture")
        found[name] = (Frame.of(table.frames[row]), grid)
    return found


def _framed(
    image: NDArray[np.uint8], cell: int, frame: Frame, grid: Grid, side: int, share: float
) -> NDArray[np.uint8]:
    """The surroundings of a cell, with a border in white and black around it."""
    row, col = divmod(cell, grid.cols)
    corners = frame.to_pixels(np.array([[col, row], [col + 1, row + 1]]), grid)
    (left, top), (right, bottom) = np.sort(corners, axis=0).round().astype(int)
    height, width = image.shape[:2]
    shown = np.array(image)
    for away, colour in ((2, 0), (1, 255)):
        _border(shown, left - away, top - away, right - 1 + away, bottom - 1 + away, colour)
    y, x = float(top + bottom) / 2 / height, float(left + right) / 2 / width
    patch = cut(shown, y, x, max(share, 2 * float(max(bottom - top, right - left)) / min(height, width)))
    pillow: Any = require("PIL.Image", "draw birthplaces", "pillow")
    return np.asarray(pillow.fromarray(np.ascontiguousarray(patch)).resize((side, side), pillow.Resampling.LANCZOS))


def _border(image: NDArray[np.uint8], left: int, top: int, right: int, bottom: int, colour: int) -> None:
    """Draw a rectangle one pixel wide, where it lies on the image."""
    rows, cols = (np.clip(ends, 0, size - 1) for ends, size in (((top, bottom), image.shape[0]),
                                                               ((left, right), image.shape[1])))  # fmt: skip
    image[rows[0] : rows[1] + 1, cols] = colour
    image[rows, cols[0] : cols[1] + 1] = colour


def _webp(picture: NDArray[np.uint8]) -> bytes:
    out = BytesIO()
    require("PIL.Image", "draw birthplaces", "pillow").fromarray(picture).save(out, "WEBP", quality=85)
    return out.getvalue()
