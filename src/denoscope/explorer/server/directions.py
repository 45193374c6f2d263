"""Painted probes on disk: a folder each, which `denoscope.add` takes for a dictionary."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from denoscope.core.errors import InputError, StoreError
from denoscope.explorer.bundle.blobs import Blobs
from denoscope.explorer.bundle.manifest import LayerEntry
from denoscope.explorer.server.files import BundleFiles
from denoscope.explorer.server.marks import Direction, DirectionAsk
from denoscope.explorer.server.protocol import Live
from denoscope.explorer.server.steershapes import ContrastAsk

__all__ = ["directions", "plane", "save_contrast", "save_direction"]

_TOLD = "direction.json"
Vector = NDArray[np.float32]


def save_direction(ask: DirectionAsk, files: BundleFiles, live: Live, folder: Path) -> Direction:
    """Save a probe; the folder is complete before it has its name.

    Raises:
        UnknownName: no such layer.
        InputError: a vector that does not fit the layer.
        StoreError: no space or no permission.
    """
    layer = files.layer(ask.layer)
    atom, centre = plane(_vector(ask.vector, layer.bands[-1]), ask.bias, layer, Blobs(files.folder))
    called = ask.name or f"probe at {layer.site}"
    return _kept(folder, called, layer, lambda half: live.direction(atom, centre, _about(ask, layer, called), half))


def save_contrast(ask: ContrastAsk, files: BundleFiles, live: Live, folder: Path) -> Direction:
    """Save the direction towards a value of a fact.

    Raises:
        UnknownName: no such layer, fact or value.
        InputError: a value that all pictures share.
        StoreError: no space or no permission.
    """
    called = f"{ask.fact} = {ask.value}" + (f" against {ask.against}" if ask.against else "")
    return _kept(folder, called, files.layer(ask.layer), lambda half: live.contrast(ask, half))


def _kept(folder: Path, called: str, layer: LayerEntry, write: Callable[[Path], object]) -> Direction:
    """A direction's folder, complete before it has its name."""
    name = uuid4().hex
    half, whole = folder / f".{name}.part", folder / name
    told = Direction(id=name, name=called, site=layer.site, python=_python(whole, layer))
    try:
        half.mkdir(parents=True)
        write(half)
        (half / _TOLD).write_text(told.model_dump_json(indent=1), "utf-8")
        half.rename(whole)
    except OSError as error:
        raise StoreError(f"cannot keep the direction: {error.strerror or error}") from None
    finally:
        _clear(half)
    return told


def directions(folder: Path) -> list[Direction]:
    """What was saved, by name."""
    return sorted(_read(folder), key=lambda direction: (direction.name, direction.id))


def plane(vector: Vector, bias: float, layer: LayerEntry, blobs: Blobs) -> tuple[Vector, Vector]:
    """From a probe w . c + b of packed cells to a unit vector u and a point x0 of the activations.

    u . (x - x0) is the signed distance of x from the plane on which the probe is undecided: packed cells are
    c = (x - m) B', where B has orthonormal columns (the identity for a layer without a basis), so that v = B'w,
    u = v / |v| and x0 = m - b u / |v|.

    Raises:
        InputError: a vector of zeros, or one so short that the plane lies nowhere.
    """
    mean = np.frombuffer(blobs.get(layer.mean), dtype="<f4").astype(np.float64)
    v = vector.astype(np.float64)
    if layer.basis is not None:
        v = v @ np.frombuffer(blobs.get(layer.basis), dtype="<f4").reshape(len(v), layer.channels).astype(np.float64)
    length = float(np.linalg.norm(v))
    if not length > 0:
        raise InputError("this direction is zero everywhere; paint cells of both kinds first")
    centre = (mean - bias / length * (v / length)).astype(np.float32)
    if not np.isfinite(centre).all():
        raise InputError("this direction is too short to be placed; paint more cells")
    return (v / length).astype(np.float32), centre


def _vector(text: str, width: int) -> Vector:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the vector is not base64") from None
    if len(raw) != 4 * width:
        raise InputError(
            f"the vector has {len(raw)} bytes; cells of this layer are packed as {width} numbers of 4 bytes"
        )
    found = np.frombuffer(raw, dtype="<f4").astype(np.float32)
    if not np.isfinite(found).all():
        raise InputError("the vector holds values that are not finite")
    return found


def _about(ask: DirectionAsk, layer: LayerEntry, name: str) -> dict[str, object]:
    """Where it comes from, as a dictionary's record."""
    painted = {kind: [cell.model_dump() for cell in getattr(ask, kind)] for kind in ("positive", "negative")}
    return {
        "name": name,
        "model": {"name": layer.model},
        "site": layer.site,
        "condition": dict(layer.condition),
        "recipe": layer.recipe,
        "layer": layer.id,
        "bias": ask.bias,
        **painted,
    }


def _read(folder: Path) -> Iterator[Direction]:
    for path in folder.glob(f"[0-9a-f]*/{_TOLD}"):
        try:
            yield Direction(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError, ValidationError):
            continue


def _clear(folder: Path) -> None:
    """Remove a folder that was not finished."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def _python(folder: Path, layer: LayerEntry) -> str:
    return (
        "import denoscope as ds\n\n"
        f"push = ds.add({str(folder.absolute())!r}, atom=0, strength=8.0)  # acts at {layer.site}\n"
        f'pictures = ds.steer({layer.model!r}, "", [push])\n'
        'pictures.save("steered")\n'
    )
