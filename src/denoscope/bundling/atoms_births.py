"""Where atoms that are cells of images come from, with a picture of each place."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.bundling.families import Place
from denoscope.core.errors import DenoscopeError
from denoscope.core.frame import Frame, Grid
from denoscope.core.sample import Image
from denoscope.dictionaries.base import Learned
from denoscope.explorer.bundle.atoms import Births
from denoscope.explorer.bundle.atoms_pictures import EACH, SHEET, TILE, put_sheets, tile, tile_from
from denoscope.explorer.bundle.blobs import Blobs

__all__ = ["births_of", "quiet"]

_WIDE = 4
"""Cells that a picture of a birthplace is wide, at least; a quarter of the picture otherwise."""


def births_of(blobs: Blobs, made: Learned, place: Place, picture: Callable[[str], Image | None]) -> Births | None:
    """Birthplaces; None where the dictionary has none.

    Args:
        blobs: where pictures are written.
        made: the dictionary.
        place: where its cells lie, which gives the grid of the images that they come from; where the dictionary has
            no pictures of its own, images of other stores have none.
        picture: of an image by id, or None where it is not to be had.
    """
    told: Mapping[str, Sequence[Any]] = getattr(made, "births", {})
    if not told or len(told.get("sample", ())) != len(made.atoms):
        return None
    images = [None if name is None else str(name) for name in told["sample"]]
    cells = [None if cell is None else int(cell) for cell in told["cell"]]
    times = [None if level is None else float(level) for level in told["timestep"]]
    drawn: Mapping[int, bytes] = getattr(made, "pictures", {})
    tiles = {atom: tile_from(one) for atom, one in drawn.items()}
    left = [atom for atom, name in enumerate(images) if name is not None and atom not in tiles]
    grids = _grids(place, {str(images[atom]) for atom in left})
    for name, (frame, grid) in grids.items():
        shown = picture(name)
        for atom in (a for a in left if images[a] == name and cells[a] is not None):
            if shown is not None and 0 <= int(cells[atom] or 0) < grid.cells:
                tiles[atom] = _tile(shown, int(cells[atom] or 0), frame, grid)
    sheets = put_sheets(blobs, (tiles.get(atom) for atom in range(len(images)))) if tiles else ()
    return Births(tuple(images), tuple(cells), tuple(times), sheets, TILE, SHEET, EACH)


def _grids(place: Place, names: set[str]) -> dict[str, tuple[Frame, Grid]]:
    """How each image lies on the canvas; one image of each canvas size is read for its grid."""
    found: dict[str, tuple[Frame, Grid]] = {}
    known: dict[str, Grid | None] = {}
    for volume in place.volumes:
        for name in volume.table.ids:
            if name in names and name not in found:
                row = volume.table.position[name]
                group = f"{volume.recipe.digest} {volume.table.groups[row]}"
                if group not in known:
                    known[group] = volume.read(place.site, place.condition, np.array([row])).grid
                if (grid := known[group]) is not None:
                    found[name] = (Frame.of(volume.table.frames[row]), grid)
    return found


def _tile(image: Image, cell: int, frame: Frame, grid: Grid) -> NDArray[np.uint8]:
    row, col = divmod(cell, grid.cols)
    x, y = frame.centres(grid)[row, col].tolist()
    side = max(_WIDE * max(frame.cell_size(grid)), min(image.shape[:2]) / 4)
    return tile(image, x, y, side)


def quiet(read: Callable[[str], Image]) -> Callable[[str], Image | None]:
    """Pictures by id, None where the data set no longer has one."""

    def look(name: str) -> Image | None:
        try:
            return read(name)
        except DenoscopeError:
            return None

    return look
