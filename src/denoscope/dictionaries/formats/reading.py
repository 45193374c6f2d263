"""Files of other packages as arrays; nothing in them is executed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import StoreError
from denoscope.core.optional import require

__all__ = ["Tensors", "config", "tensors", "write"]

Tensors = dict[str, NDArray[np.float64]]


def config(path: Path) -> dict[str, Any]:
    """What a JSON file says.

    Raises:
        StoreError: it is no JSON object.
    """
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from None
    if not isinstance(told, dict):
        raise StoreError(f"{path} holds no settings by name")
    return cast("dict[str, Any]", told)


def tensors(path: Path, wanted: Mapping[str, str] | None = None) -> Tensors:
    """Tensors by name, in double precision, of a safetensors file or of a state dict that torch saved.

    A file of one tensor gives it under the name `tensor`.

    Args:
        path: of the file; pickles are read without running what they say (`weights_only`).
        wanted: names that must be there, to what they are.

    Raises:
        StoreError: a damaged file, or one that lacks a tensor.
    """
    try:
        if path.suffix == ".safetensors":
            found: Any = require("safetensors.torch", "read dictionaries").load_file(path)
        else:
            found = require("torch", "read dictionaries").load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001
        reason = str(error).strip().split("\n")[0][:120]
        raise StoreError(f"{path} is damaged, or no file of tensors: {reason}") from None
    found = {"tensor": found} if hasattr(found, "detach") else found
    inner = found.get("state_dict", found) if isinstance(found, dict) else {}
    made = {name: value.detach().double().numpy() for name, value in inner.items() if hasattr(value, "detach")}
    lacking = [f"{name} ({what})" for name, what in (wanted or {}).items() if name not in made]
    if lacking:
        raise StoreError(f"{path} lacks {', '.join(lacking)}; it has {', '.join(sorted(made)) or 'no tensors'}")
    return made


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Tensors in single precision: safetensors, or a state dict by torch, by the file's ending; "" is a lone tensor."""
    torch = require("torch", "write dictionaries")
    made = {name: torch.from_numpy(np.array(array, dtype=_kind(array), order="C")) for name, array in arrays.items()}
    if path.suffix == ".safetensors":
        require("safetensors.torch", "write dictionaries").save_file(made, path)
    else:
        torch.save(made.get("", made), path)


def _kind(array: NDArray[Any]) -> Any:
    return np.float32 if np.asarray(array).dtype.kind == "f" else np.int64
