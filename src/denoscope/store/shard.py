"""One shard: a safetensors file that carries its own index, so that a single rename commits it.

The file is laid out by hand, a tensor at a time, because a shard may be larger than what one wants to hold twice;
any safetensors reader opens it. Its `__metadata__` holds, as JSON: `recipe`, `rows`, `tensors`, `origin`, `skipped`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import StoreError
from denoscope.store.codec import CODES
from denoscope.store.place import Place

__all__ = ["Shard", "Tensor", "write"]

_UNKNOWN = "0" * 64
"""Stands where a SHA-256 will be written, which is as long."""


@dataclass(frozen=True)
class Tensor:
    """One tensor to write: its key, type and shape, what is said of it, and how to make its bytes when they are due."""

    key: str
    code: str
    shape: tuple[int, ...]
    make: Callable[[], NDArray[Any]]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def size(self) -> int:
        """Bytes."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(CODES[self.code]).itemsize


def write(file: IO[bytes], tensors: Sequence[Tensor], metadata: Mapping[str, Any]) -> None:
    """Write a safetensors file whose metadata tells the SHA-256 of each tensor.

    Args:
        file: open for writing, seekable.
        tensors: made one after the other; wider types come first, as the format wants them aligned.
        metadata: JSON values.
    """
    ordered = sorted(tensors, key=lambda tensor: (-np.dtype(CODES[tensor.code]).itemsize, tensor.key))
    digests = dict.fromkeys((tensor.key for tensor in ordered), _UNKNOWN)
    file.write(_header(ordered, digests, metadata))
    for tensor in ordered:
        data = np.ascontiguousarray(tensor.make()).reshape(-1).view(np.uint8).data
        if data.nbytes != tensor.size:
            raise StoreError(f"tensor {tensor.key} has {data.nbytes} bytes where {tensor.size} were announced")
        file.write(data)
        digests[tensor.key] = sha256(data).hexdigest()
    file.seek(0)
    file.write(_header(ordered, digests, metadata))


def _header(tensors: Sequence[Tensor], digests: Mapping[str, str], metadata: Mapping[str, Any]) -> bytes:
    told = {tensor.key: {**tensor.facts, "sha256": digests[tensor.key]} for tensor in tensors}
    texts = {name: json.dumps(value) for name, value in {**metadata, "tensors": told}.items()}
    entries: dict[str, Any] = {"__metadata__": texts}
    start = 0
    for tensor in tensors:
        end = start + tensor.size
        entries[tensor.key] = {"dtype": tensor.code, "shape": list(tensor.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


class Shard:
    """A written shard, read through a memory map (remote ones by byte range).

    Args:
        place: the folder that holds it.
        name: of the file.
        digest: SHA-256 of its header, where an index tells it.
        verify: check each tensor's SHA-256 when it is first read.

    Raises:
        StoreError: the file is damaged or is not the one that the index tells of.
    """

    def __init__(self, place: Place, name: str, digest: str | None = None, verify: bool = True) -> None:
        self.place = place
        self.name = name
        self._expected = digest
        self._verify = verify
        self._checked: set[str] = set()

    def _raw(self) -> bytes:
        """The header, which is not kept: it names every sample of the shard."""
        length = int.from_bytes(self.place.read(self.name, 0, 8), "little")
        raw = self.place.read(self.name, 8, 8 + min(length, 1 << 30))
        if self._expected and self._verify and sha256(raw).hexdigest() != self._expected:
            raise self._damaged("its header is not the one that the index tells of")
        return raw

    @property
    def digest(self) -> str:
        """SHA-256 of the header, which holds the SHA-256 of every tensor."""
        return self._head[0]

    def check(self) -> None:
        """Read the header, and nothing else.

        Raises:
            StoreError: it is damaged, or not the one that the index tells of.
        """
        self._parsed(self._raw())

    @cached_property
    def _head(self) -> tuple[str, int, dict[str, Any]]:
        """Digest of the header, where the tensors begin, and what it says of them; not the rows."""
        raw = self._raw()
        entries = self._parsed(raw)
        told = entries["__metadata__"]
        try:
            entries["__metadata__"] = {name: json.loads(text) for name, text in told.items() if name != "rows"}
        except (ValueError, TypeError):
            raise self._damaged("its header cannot be read") from None
        return sha256(raw).hexdigest(), 8 + len(raw), entries

    def _parsed(self, raw: bytes) -> dict[str, Any]:
        try:
            entries = json.loads(raw)
            entries["__metadata__"].items()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._damaged("its header cannot be read") from None
        return entries

    @property
    def _entries(self) -> dict[str, Any]:
        return self._head[2]

    @property
    def metadata(self) -> dict[str, Any]:
        """What the shard tells of itself, but for its rows."""
        return self._entries["__metadata__"]

    def rows(self) -> list[dict[str, Any]]:
        """Entries of the samples: id, group, row, frame, facts. Read anew each time, as they may be large."""
        try:
            return json.loads(self._parsed(self._raw())["__metadata__"]["rows"])
        except (ValueError, KeyError, TypeError):
            raise self._damaged("its header cannot be read") from None

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def facts(self, key: str) -> dict[str, Any]:
        """What is said of one tensor, `code` and `shape` among it."""
        entry = self._entries[key]
        return {**self.metadata["tensors"][key], "code": entry["dtype"], "shape": tuple(entry["shape"])}

    def tensor(self, key: str) -> NDArray[Any]:
        """One tensor as it is stored (bf16 as uint16), mapped and not yet read unless it is verified first."""
        entry = self._entries[key]
        try:
            start, end = (self._head[1] + offset for offset in entry["data_offsets"])
            data = self.place.array(self.name, start, end)
            self._check(key, data)
            return data.view(CODES[entry["dtype"]]).reshape(entry["shape"])
        except (ValueError, KeyError, TypeError):
            raise self._damaged(f"tensor {key!r} is not what the header says") from None

    def _check(self, key: str, data: NDArray[np.uint8]) -> None:
        if not self._verify or key in self._checked:
            return
        if sha256(data.data).hexdigest() != self.metadata["tensors"][key]["sha256"]:
            raise self._damaged(f"tensor {key!r} does not match its SHA-256")
        self._checked.add(key)

    def _damaged(self, why: str) -> StoreError:
        return StoreError(f"{self.place.path(self.name)} is damaged or was changed: {why}; delete it and extract again")
