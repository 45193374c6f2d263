"""A dictionary's folder: `config.json`, `dictionary.safetensors`, `origin.json`, and what is said where it is none."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import StoreError
from denoscope.core.optional import require
from denoscope.core.recipe import FORMAT

__all__ = ["CONFIG", "ORIGIN", "REPORT", "WEIGHTS", "told_of", "weights_of", "write_weights"]

CONFIG, WEIGHTS, ORIGIN, REPORT = "config.json", "dictionary.safetensors", "origin.json", "report"
_DEPTH = ("*", "dictionaries/*")
"""Where dictionaries lie in a folder that is none."""


def write_weights(place: Path, told: Mapping[str, Any], weights: Mapping[str, NDArray[Any]]) -> None:
    """Write settings and weights; a folder that is half written has no settings and does not load."""
    place.mkdir(parents=True, exist_ok=True)
    (place / CONFIG).unlink(missing_ok=True)
    arrays = {name: np.ascontiguousarray(array) for name, array in weights.items()}
    half = place / f"{WEIGHTS}.half"
    require("safetensors.numpy", "save dictionaries").save_file(arrays, half)
    half.replace(place / WEIGHTS)
    (place / CONFIG).write_text(json.dumps(told, indent=1), encoding="utf-8")
    # safetensors lets nobody else read its files; others may read them where they may read their neighbours.
    (place / WEIGHTS).chmod((place / CONFIG).stat().st_mode & 0o777)


def told_of(folder: Path) -> dict[str, Any]:
    """Settings of the dictionary in a folder.

    Raises:
        StoreError: none lies there, with what lies there instead, or one of another version of the format.
    """
    try:
        told = cast("dict[str, Any]", json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        kind, version = told["dictionary"], told["format"]
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreError(f"no dictionary in {folder}{_instead(folder)}") from None
    if version != FORMAT:
        raise StoreError(
            f"the {kind!r} dictionary in {folder} has format version {version}; this denoscope reads version {FORMAT}: "
            "pip install --upgrade denoscope"
        )
    if not (folder / WEIGHTS).exists():
        raise StoreError(f"the {kind!r} dictionary in {folder} is incomplete: {WEIGHTS} is missing; copy it again")
    return told


def weights_of(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Weights by name.

    Raises:
        StoreError: a damaged file, or one that lacks what `origin.json` names.
    """
    try:
        found = require("safetensors.numpy", "load dictionaries").load_file(folder / WEIGHTS)
    except Exception as error:  # noqa: BLE001
        reason = " ".join(str(error).split())[:100]
        raise StoreError(f"{folder / WEIGHTS} is damaged or half written ({reason}); learn or copy it again") from None
    for name, shape in _shapes(folder).items():
        if name not in found or list(found[name].shape) != list(shape):
            has = f"has shape {found[name].shape}" if name in found else "is missing"
            raise StoreError(f"{folder / WEIGHTS} does not fit its {ORIGIN}: {name} {tuple(shape)} {has}")
    return found


def _shapes(folder: Path) -> Mapping[str, Any]:
    """What the weights should be; dictionaries of before told nothing."""
    try:
        told = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
        return dict(told.get("weights", {}))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError):
        raise StoreError(f"{folder / ORIGIN} is damaged; delete it to load the weights as they are") from None


def _instead(folder: Path) -> str:
    """What lies there, and how to read it."""
    from denoscope.dictionaries.formats import format_of

    if not folder.exists():
        hub = re.fullmatch(r"[\w.-]+/[\w.-]+", str(folder)) is not None
        return f", as it does not exist{f'; one of the Hub is written hf://{folder}' if hub else ''}"
    if name := format_of(folder):
        return (f", but one in the format of {name}; read it with: denoscope dictionary convert {folder} OUT "
                "--site SITE (read_dictionary in Python)")  # fmt: skip
    inside = sorted(found.parent for depth in _DEPTH for found in folder.glob(f"{depth}/{WEIGHTS}"))
    if inside:
        return f"; did you mean {', '.join(map(str, inside[:3]))}?"
    return f"; one is a folder with {CONFIG} and {WEIGHTS}"
