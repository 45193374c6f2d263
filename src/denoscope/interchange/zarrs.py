"""A store as Zarr (format 3): a group per recipe and canvas size, an array per site, labelled as xarray reads it.

`(condition, sample, SITE.axis, ...)` in fp32, cut into chunks of about a megabyte that lie together in shards of about
64, each written once and whole. Coordinates are arrays beside them; recipes and grids are attributes.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.optional import require
from denoscope.interchange.stacks import FRAME, Stack, Tensor

__all__ = ["write_zarr"]

FORMAT = 1
_CHUNK, _SHARD = 1 << 20, 64 << 20
"""Bytes of fp32: what a reader fetches at least, and what is held while writing."""
_LABELS = 1 << 16
"""Samples in a chunk of a coordinate."""
_FACT = "fact."
"""Before a fact whose name is taken."""

Advance = Callable[[int], None]


def write_zarr(found: Sequence[Stack], out: Path, advance: Advance) -> None:
    """Write stacks into a folder that is not there yet.

    Args:
        found: what to write.
        out: folder.
        advance: told the values that were written, in bytes of fp32.

    Raises:
        MissingPackage: without zarr.
    """
    zarr = require("zarr", "write Zarr", "zarr")
    told = {"denoscope": {"kind": "activations", "format": FORMAT}}
    root = zarr.create_group(str(out), zarr_format=3, attributes=told)
    for volume, own in groupby(found, key=lambda stack: stack.volume):
        about = {"recipe": json.loads(volume.recipe.to_json()), "skipped": dict(volume.skipped)}
        group = root.create_group(volume.recipe.digest, attributes=about)
        for stack in own:
            _Written(group, stack).all(advance)
            _consolidate(zarr, group.store, f"{group.path}/{stack.name}")
    _consolidate(zarr, root.store, "")


class _Written:
    """One stack on its way into a group."""

    def __init__(self, parent: Any, stack: Stack) -> None:
        self.stack = stack
        self.group = parent.create_group(stack.name)
        self.codec = require("zarr.codecs", "write Zarr", "zarr").BloscCodec(cname="zstd", clevel=3, shuffle="shuffle")

    def all(self, advance: Advance) -> None:
        """Values, then what labels them."""
        for tensor in self.stack.tensors:
            self._values(tensor, advance)
            self._cells(tensor)
        self._labels()

    def _values(self, tensor: Tensor, advance: Advance) -> None:
        """Every value, a shard at a time."""
        name, count = tensor.site.name, len(self.stack)
        chunk, shard = _sizes(count, tensor.bytes)
        about = {"site": name, "layout": tensor.layout, "stream": tensor.site.stream, **_grid(tensor)}
        array = self._array(
            name, (len(self.stack.numbers), count, *tensor.shape), "float32",
            ("condition", "sample", *(axis if axis == "draw" else f"{name}.{axis}" for axis in tensor.axes)),
            chunks=(1, chunk, *tensor.shape), shards=(1, shard, *tensor.shape), attributes=about,
        )  # fmt: skip
        for row, number in enumerate(self.stack.numbers):
            for start, stop in _spans(count, shard):
                array[row, start:stop] = self.stack.read(tensor, number, start, stop)
                advance((stop - start) * tensor.bytes)

    def _cells(self, tensor: Tensor) -> None:
        """Which cells were kept, or which lie on the image."""
        name = tensor.site.name
        if tensor.grid is None:
            return
        if tensor.layout == "tokens" and self.stack.thin:
            cells = self.stack.cells(tensor, 0, len(self.stack))
            self._label(f"{name}.cells", cells, ("sample", f"{name}.token"))
            return
        mask = self.stack.mask(tensor)
        if mask is not None:
            self._label(f"{name}.mask", mask, ("sample", f"{name}.row", f"{name}.col"))

    def _labels(self) -> None:
        """Ids, frames, facts and conditions."""
        stack = self.stack
        self._label("sample", _texts(stack.ids), ("sample",))
        self._label("frame", stack.frames(), ("sample", "frame_field"))
        self._label("frame_field", _texts(FRAME), ("frame_field",))
        self._label("facts", _texts(stack.texts()), ("sample",))
        self._label("condition", np.array(stack.numbers), ("condition",))
        beside = ["frame", "facts"]
        for name, values in stack.conditions_told().items():
            self._label(name, values, ("condition",))
            beside.append(name)
        for name, values in stack.facts().items():
            beside.append(self._free(name))
            self._label(beside[-1], values, ("sample",))
        # What xarray shall take as coordinates; names in this list are parted by spaces.
        told = {"recipe": stack.volume.recipe.digest, "canvas": stack.group}
        self.group.update_attributes({**told, "coordinates": " ".join(name for name in beside if " " not in name)})

    def _free(self, fact: str) -> str:
        """A name for a fact that nothing else has."""
        name = fact.replace("/", "_")
        return name if name and name not in self.group and not name.startswith(("_", ".")) else f"{_FACT}{name}"

    def _label(self, name: str, values: NDArray[Any], dims: Sequence[str]) -> None:
        chunks = (min(len(values), _LABELS) or 1, *values.shape[1:])
        dtype: Any = str if values.dtype.kind == "T" else values.dtype.name
        array = self._array(name, values.shape, dtype, dims, chunks=chunks)
        for start, stop in _spans(len(values), _LABELS):
            array[start:stop] = values[start:stop]

    def _array(self, name: str, shape: Sequence[int], dtype: Any, dims: Sequence[str], **options: Any) -> Any:
        return self.group.create_array(
            name, shape=tuple(shape), dtype=dtype, dimension_names=tuple(dims), compressors=self.codec,
            config={"write_empty_chunks": True}, **options,
        )  # fmt: skip


def _consolidate(zarr: Any, store: Any, path: str) -> None:
    """Gather a group's metadata in one place, where xarray looks first; other readers pass it over."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(store, path=path)


def _sizes(count: int, size: int) -> tuple[int, int]:
    """Samples per chunk and per shard, the latter a multiple of the former."""
    chunk = max(1, min(_CHUNK // max(1, size), count))
    return chunk, chunk * max(1, min(_SHARD // max(1, size * chunk), -(-count // chunk)))


def _spans(count: int, step: int) -> Iterator[tuple[int, int]]:
    for start in range(0, count, step):
        yield start, min(start + step, count)


def _texts(values: Sequence[str]) -> NDArray[Any]:
    return np.array(values, dtype=np.dtypes.StringDType())


def _grid(tensor: Tensor) -> dict[str, Any]:
    """The cells behind it; pixel = (cell * stride - offset) / scale, by the sample's frame."""
    if tensor.grid is None:
        return {}
    return {"grid_rows": tensor.grid.rows, "grid_cols": tensor.grid.cols, "stride": tensor.grid.stride}
