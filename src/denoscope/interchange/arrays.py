"""A store as plain files of numpy: a folder per recipe and canvas size, an array per site and condition.

`numpy.load(file, mmap_mode="r")` opens any of them without reading it; JSON beside them says what they are.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from denoscope.interchange.stacks import FRAME, Stack, Tensor

__all__ = ["write_arrays"]

FORMAT = 1
_SPAN = 32 << 20
"""Bytes of fp32 that are held."""

Advance = Callable[[int], None]


def write_arrays(found: Sequence[Stack], out: Path, advance: Advance) -> None:
    """Write stacks into a folder that is not there yet.

    Args:
        found: what to write.
        out: folder.
        advance: told the values that were written, in bytes of fp32.
    """
    for stack in found:
        folder = out / stack.volume.recipe.digest / stack.name
        folder.mkdir(parents=True)
        arrays = [
            _array(folder, stack, tensor, number, advance) for tensor in stack.tensors for number in stack.numbers
        ]
        beside = [told for tensor in stack.tensors for told in _beside(folder, stack, tensor)]
        recipe = json.loads(stack.volume.recipe.to_json())
        about = {"kind": "activations", "format": FORMAT, "recipe": recipe, "canvas": stack.group,
                 "samples": "samples.jsonl", "frame": FRAME, "arrays": arrays, "beside": beside}  # fmt: skip
        _samples(folder / "samples.jsonl", stack)
        (folder / "arrays.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")


def _array(folder: Path, stack: Stack, tensor: Tensor, number: int, advance: Advance) -> dict[str, Any]:
    """Write one site under one condition; what it is."""
    name, count = f"{tensor.site.name}.{number}.npy", len(stack)
    step = max(1, _SPAN // max(1, tensor.bytes))
    with (folder / name).open("wb") as file:
        _header(file, (count, *tensor.shape))
        for start in range(0, count, step):
            stop = min(start + step, count)
            file.write(np.ascontiguousarray(stack.read(tensor, number, start, stop), dtype="<f4").data)
            advance((stop - start) * tensor.bytes)
    condition = stack.volume.recipe.conditions[number]
    return {"file": name, "site": tensor.site.name, "condition": condition, "axes": ["sample", *tensor.axes],
            "grid": list(tensor.grid) if tensor.grid else None}  # fmt: skip


def _header(file: IO[bytes], shape: Sequence[int]) -> None:
    about = {"descr": "<f4", "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_2_0(file, about)


def _beside(folder: Path, stack: Stack, tensor: Tensor) -> list[dict[str, Any]]:
    """Which cells were kept, or which lie on the image, where that says anything."""
    if tensor.grid is not None and tensor.layout == "tokens" and stack.thin:
        kind, values = "cells", stack.cells(tensor, 0, len(stack))
    elif (values := stack.mask(tensor)) is not None:
        kind = "mask"
    else:
        return []
    name = f"{tensor.site.name}.{kind}.npy"
    np.save(folder / name, values)
    return [{"file": name, "site": tensor.site.name, "what": kind}]


def _samples(path: Path, stack: Stack) -> None:
    """A line per row of the arrays: id, frame, facts."""
    frames = stack.frames()
    with path.open("w", encoding="utf-8") as file:
        for name, frame, text in zip(stack.ids, frames, stack.texts(), strict=True):
            told = {"id": name, "frame": frame.tolist(), "facts": json.loads(text)}
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
