"""A store as Parquet with a card: a row per sample, a column per site and condition, for Hugging Face datasets.

Values are nested lists of fp32 whose shapes stand in the schema, so that `datasets` gives arrays and anything else that
reads Parquet gives lists. A configuration per recipe and canvas size, as shapes differ between those.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.optional import require
from denoscope.interchange.pages import converted_page
from denoscope.interchange.stacks import FRAME, Stack

__all__ = ["MARKER", "write_datasets"]

MARKER = "denoscope.json"
FORMAT = 1
_ROWS, _FILE = 32 << 20, 512 << 20
"""Bytes of fp32 in a row group, which is held while it is written, and in a file."""

Advance = Callable[[int], None]


def write_datasets(found: Sequence[Stack], out: Path, advance: Advance) -> None:
    """Write stacks into a folder that is not there yet.

    Args:
        found: what to write.
        out: folder.
        advance: told the values that were written, in bytes of fp32.

    Raises:
        MissingPackage: without `datasets`.
    """
    names = [f"{stack.volume.recipe.digest[:8]}-{stack.name}" for stack in found]
    told: dict[str, Any] = {"kind": "activations", "format": FORMAT, "recipes": {}, "configs": {}}
    for name, stack in zip(names, found, strict=True):
        written = _Written(stack)
        written.all(out / "data" / name, advance)
        told["recipes"][stack.volume.recipe.digest] = json.loads(stack.volume.recipe.to_json())
        told["configs"][name] = {"recipe": stack.volume.recipe.digest, "canvas": stack.group, "columns": written.told}
    (out / MARKER).write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    (out / "README.md").write_text(converted_page(dict(zip(names, found, strict=True))), encoding="utf-8")


class _Written:
    """One stack on its way into files."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.facts = stack.facts()
        self.texts = stack.texts()
        self.frames = stack.frames()
        self.values = {f"{tensor.site.name} {stack.volume.conditions[number]}": (tensor, number)
                       for tensor in stack.tensors for number in stack.numbers}  # fmt: skip
        self.beside = dict(_beside(stack))

    @property
    def told(self) -> dict[str, Any]:
        """What each column of values is; pixel = (cell * stride - offset) / scale, by the row's frame."""
        return {
            name: {"site": tensor.site.name, "condition": self.stack.volume.recipe.conditions[number],
                   "axes": tensor.axes, "grid": list(tensor.grid) if tensor.grid else None}
            for name, (tensor, number) in self.values.items()
        }  # fmt: skip

    def all(self, folder: Path, advance: Advance) -> None:
        """Row group after row group, file after file."""
        folder.mkdir(parents=True)
        parquet = require("pyarrow.parquet", "write Parquet")
        each = max(1, sum(tensor.bytes for tensor, _ in self.values.values()))
        rows, count = max(1, _ROWS // each), len(self.stack)
        per_file = rows * max(1, _FILE // (rows * each))
        for number, first in enumerate(range(0, count, per_file)):
            last = min(first + per_file, count)
            with parquet.ParquetWriter(folder / f"{number:05d}.parquet", self.schema, **self._how()) as writer:
                for start in range(first, last, rows):
                    stop = min(start + rows, last)
                    writer.write_table(self._rows(start, stop), row_group_size=stop - start)
                    advance((stop - start) * each)

    @cached_property
    def schema(self) -> Any:
        """Columns with their shapes, as `datasets` tells them."""
        hf = require("datasets", "write a data set that Hugging Face datasets reads")
        kinds: dict[str, Any] = {"id": hf.Value("string")}
        kinds |= {self._free(name): hf.Value(_KINDS[values.dtype.kind]) for name, values in self.facts.items()}
        kinds |= {"facts": hf.Value("string"), "frame": hf.List(hf.Value("float64"), length=len(FRAME))}
        kinds |= {name: _feature(hf, values.shape[1:], values.dtype.name) for name, values in self.beside.items()}
        kinds |= {name: _feature(hf, tensor.shape, "float32") for name, (tensor, _) in self.values.items()}
        return hf.Features(kinds).arrow_schema

    def _rows(self, start: int, stop: int) -> Any:
        arrow = require("pyarrow", "write Parquet")
        columns = [arrow.array(self.stack.ids[start:stop])]
        columns += [_column(arrow, values[start:stop]) for values in self.facts.values()]
        columns += [arrow.array(self.texts[start:stop]), _listed(arrow, self.frames[start:stop])]
        columns += [_listed(arrow, values[start:stop]) for values in self.beside.values()]
        columns += [_listed(arrow, self.stack.read(tensor, n, start, stop)) for tensor, n in self.values.values()]
        fitted = [_as(arrow, column, field.type) for column, field in zip(columns, self.schema, strict=True)]
        return arrow.Table.from_arrays(fitted, schema=self.schema)

    def _free(self, fact: str) -> str:
        """A name for a fact that nothing else has."""
        return f"fact.{fact}" if fact in {"id", "facts", "frame", *self.values, *self.beside} else fact

    def _how(self) -> dict[str, Any]:
        """Bytes of equal weight side by side, which halves what bf16 left empty; words by number."""
        leaves = [f"{name}{'.list.element' * len(tensor.shape)}" for name, (tensor, _) in self.values.items()]
        words = [name for name in self.schema.names if name not in self.values]
        return {"compression": "zstd", "use_dictionary": words, "use_byte_stream_split": leaves}


_KINDS = {"T": "string", "b": "bool", "i": "int64", "f": "float64"}


def _beside(stack: Stack) -> Iterator[tuple[str, NDArray[Any]]]:
    """Which cells were kept, or which lie on the image."""
    for tensor in stack.tensors:
        if tensor.grid is not None and tensor.layout == "tokens" and stack.thin:
            yield f"{tensor.site.name} cells", stack.cells(tensor, 0, len(stack))
        elif (mask := stack.mask(tensor)) is not None:
            yield f"{tensor.site.name} mask", mask


def _feature(hf: Any, shape: Sequence[int], dtype: str) -> Any:
    if len(shape) == 1:
        return hf.List(hf.Value(dtype), length=shape[0])
    return getattr(hf, f"Array{len(shape)}D")(shape=tuple(shape), dtype=dtype)


def _column(arrow: Any, values: NDArray[Any]) -> Any:
    return arrow.array(values.tolist(), arrow.string()) if values.dtype.kind == "T" else arrow.array(values)


def _listed(arrow: Any, values: NDArray[Any]) -> Any:
    """Lists of lists, without a copy of the numbers."""
    found = arrow.array(np.ascontiguousarray(values).reshape(-1))
    for size in reversed(values.shape[1:]):
        offsets = np.arange(0, len(found) + size, size, dtype=np.int32)
        found = arrow.ListArray.from_arrays(arrow.array(offsets), found)
    return found


def _as(arrow: Any, column: Any, kind: Any) -> Any:
    """A column of the schema's type."""
    if isinstance(kind, arrow.ExtensionType):
        return arrow.ExtensionArray.from_storage(kind, column.cast(kind.storage_type))
    return column.cast(kind)
