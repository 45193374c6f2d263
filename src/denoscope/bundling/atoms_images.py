"""Images in which atoms are looked for: which, their pictures, and what they are called."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from denoscope.bundling.atoms_births import quiet
from denoscope.bundling.atoms_coded import CodedImage
from denoscope.bundling.families import Place
from denoscope.core.sample import Image
from denoscope.evaluate.knowing import reopened
from denoscope.explorer.bundle.atoms import GalleryImage
from denoscope.explorer.bundle.atoms_pictures import put_small
from denoscope.explorer.bundle.blobs import Blobs
from denoscope.explorer.bundle.manifest import ImageEntry
from denoscope.store.facts import parse

__all__ = ["entry_of", "even", "pictures_of", "titles_of"]


def even(names: list[str], count: int) -> list[str]:
    """So many of them, evenly from first to last."""
    if len(names) <= count:
        return names
    return [names[k] for k in np.linspace(0, len(names) - 1, count).round().astype(int)] if count > 0 else []


def entry_of(
    blobs: Blobs, image: CodedImage, shown: ImageEntry | None, look: Callable[[str], Image], titles: Mapping[str, str]
) -> GalleryImage:
    """An image of the gallery; its codes are written, and its picture where the manifest has none.

    Args:
        blobs: where to.
        image: as the dictionary codes it.
        shown: its entry in the manifest.
        look: pictures by id.
        titles: by id, what to call those whose name says nothing.
    """
    padding = np.setdiff1d(np.arange(image.grid.cells), image.valid).tolist()
    grey = np.full((max(1, image.frame.height), max(1, image.frame.width), 3), 128, np.uint8)
    picture = quiet(look)(image.name) if shown is None else None
    return GalleryImage(
        id=image.name,
        title=titles.get(image.name) or (shown.title if shown else image.name.rsplit("/", 1)[-1]),
        file=shown.file if shown else put_small(blobs, grey if picture is None else picture),
        width=image.frame.width,
        height=image.frame.height,
        rows=image.grid.rows,
        cols=image.grid.cols,
        stride=image.grid.stride,
        frame=image.frame.values,
        codes=blobs.put(image.codes.to_bytes(), "safetensors"),
        invalid=tuple(padding) or None,
    )


def pictures_of(place: Place) -> Callable[[str], Image]:
    """Pictures by id, from the data sets behind a place."""
    known: dict[str, Any] = {}

    def look(name: str) -> Image:
        volume = next(volume for volume in place.volumes if name in volume.table.position)
        digest = volume.recipe.digest
        if digest not in known:
            known[digest] = reopened(volume, None, "the pictures of atoms")
        return known[digest].fact(name, "image")

    return look


def titles_of(place: Place) -> dict[str, str]:
    """What images are called whose name is a number: by what they show."""
    found: dict[str, str] = {}
    for volume in place.volumes:
        for name, facts in parse(volume.table).items():
            last, shows = name.rsplit("/", 1)[-1], facts.get("category")
            if last.isdigit() and isinstance(shows, str):
                found[name] = f"{shows} {int(last)}"
    return found
