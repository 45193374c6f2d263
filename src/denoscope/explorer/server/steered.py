"""Steered pictures on the desk: a folder each, complete before it has its name."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from pydantic import ValidationError

from denoscope.core.errors import StoreError, UnknownName
from denoscope.explorer.server.steershapes import Region, Steered

__all__ = ["keep", "known", "known_run", "mask_of", "new_id", "picture_of", "region_of", "remove"]

_TOLD = "steered.json"
Images = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def region_of(region: Region, height: int, width: int) -> Mask | None:
    """The part of a picture that is brushed, boolean `(height, width)`: cells of equal size; None where nothing is."""
    digits = np.frombuffer(bytes.fromhex(region.bits + "0" * (len(region.bits) % 2)), dtype=np.uint8)
    bits = np.unpackbits(digits)[: region.rows * region.cols].astype(bool)
    cells = np.zeros(region.rows * region.cols, dtype=bool)
    cells[: len(bits)] = bits
    if not cells.any():
        return None
    rows = np.arange(height) * region.rows // height
    cols = np.arange(width) * region.cols // width
    return cells.reshape(region.rows, region.cols)[np.ix_(rows, cols)]


def keep(folder: Path, told: Steered, pictures: Mapping[str, Images], mask: Mask | None) -> None:
    """Write a run: `pictures` are uint8 RGB `(picture, row, col, 3)` by layer.

    Raises:
        StoreError: no space or no permission.
    """
    half, whole = folder / f".{told.id}.part", folder / told.id
    try:
        half.mkdir(parents=True)
        for layer, images in pictures.items():
            for index, image in enumerate(images):
                Pictures.fromarray(image).save(half / _file(layer, index), format="PNG", compress_level=1)
        if mask is not None:
            Pictures.fromarray(mask.astype(np.uint8) * 255).save(half / mask_of(), format="PNG")
        (half / _TOLD).write_text(told.model_dump_json(indent=1), "utf-8")
        half.rename(whole)
    except OSError as error:
        raise StoreError(f"cannot keep the steered pictures: {error.strerror or error}") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)


def new_id() -> str:
    """A name that no other run has."""
    return uuid4().hex


def mask_of() -> str:
    """The file of the part that was brushed, beside the pictures."""
    return "mask.png"


def known(folder: Path) -> list[Steered]:
    """Every run, the newest first."""
    return sorted(_read(folder), key=lambda run: (run.created, run.id), reverse=True)


def known_run(folder: Path, name: str) -> Steered:
    """One run.

    Raises:
        UnknownName: there is none of that id.
    """
    for run in _read(folder):
        if run.id == name:
            return run
    raise UnknownName(f"no steered pictures {name[:60]!r}; list them with: GET /api/steered")


def picture_of(folder: Path, name: str, layer: str, index: int) -> Path:
    """One picture's file.

    Raises:
        UnknownName: no such run, layer or picture.
    """
    run = known_run(folder, name)
    path = folder / run.id / (mask_of() if layer == "mask" else _file(layer, index))
    if layer not in run.layers or (layer != "mask" and index >= run.ask.pictures) or not path.is_file():
        raise UnknownName(f"no picture {index} of {layer[:20]!r} there; it has {', '.join(run.layers)}")
    return path


def remove(folder: Path, name: str) -> Steered:
    """Take a run away.

    Raises:
        UnknownName: there is none of that id.
        StoreError: it cannot be removed.
    """
    run = known_run(folder, name)
    try:
        shutil.rmtree(folder / run.id)
    except OSError as error:
        raise StoreError(f"cannot remove the steered pictures: {error.strerror or error}") from None
    return run


def _file(layer: str, index: int) -> str:
    return f"{layer}-{index}.png"


def _read(folder: Path) -> Iterator[Steered]:
    for path in folder.glob(f"[0-9a-f]*/{_TOLD}"):
        try:
            run = Steered.model_validate_json(path.read_text("utf-8"))
        except (OSError, ValueError, ValidationError):
            continue
        if run.id == path.parent.name:
            yield run
