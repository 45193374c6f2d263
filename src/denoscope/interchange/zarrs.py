"""A store as Zarr (format 3): a group per recipe and canvas size, an array per site, labelled as xarray reads it.

`(condition, sample, SITE.axis, ...)` in fp32, cut into chunks of about a megabyte that lie together in shards of about
32, each written once and whole. Coordinates are arrays beside them; recipes and grids are attributes.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from denoscope.core.optional import require
from denoscope.interchange.labels import Label, axes_of, facts_of, labels
from denoscope.interchange.stacks import Stack, Tensor

__all__ = ["write_zarr"]

FORMAT = 1
_CHUNK, _SHARD = 1 << 20, 32 << 20
"""Bytes of fp32: what a reader fetches at least, and what is held while writing."""
_LABELS = 1 << 16
"""Samples in a chunk of a coordinate."""

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
        beside = [self._label(label) for label in labels(self.stack)]
        # What xarray shall take as coordinates; names in this list are parted by spaces.
        told = {"recipe": self.stack.volume.recipe.digest, "canvas": self.stack.group}
        self.group.update_attributes({**told, "coordinates": " ".join(name for name in beside if name)})

    def _values(self, tensor: Tensor, advance: Advance) -> None:
        """Every value, a shard at a time."""
        count = len(self.stack)
        chunk, shard = _sizes(count, tensor.bytes)
        array = self._array(
            tensor.site.name, (len(self.stack.numbers), count, *tensor.shape), "float32", axes_of(tensor),
            chunks=(1, chunk, *tensor.shape), shards=(1, shard, *tensor.shape), attributes=facts_of(tensor),
        )  # fmt: skip
        for row, number in enumerate(self.stack.numbers):
            for start, stop in _spans(count, shard):
                array[row, start:stop] = self.stack.read(tensor, number, start, stop)
                advance((stop - start) * tensor.bytes)

    def _label(self, label: Label) -> str:
        """Write a label; its name, where xarray is to take it as a coordinate that it would not know as one."""
        values = label.values
        chunks = (min(len(values), _LABELS) or 1, *values.shape[1:])
        dtype: Any = str if values.dtype.kind == "T" else values.dtype.name
        array = self._array(label.name, values.shape, dtype, label.axes, chunks=chunks)
        for start, stop in _spans(len(values), _LABELS):
            array[start:stop] = values[start:stop]
        known = label.about or " " in label.name or label.axes == (label.name,)
        return "" if known else label.name

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
