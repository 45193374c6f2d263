"""Which sample lies where, a column at a time: nothing is read that is not asked for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import unknown
from denoscope.core.frame import Frame
from denoscope.core.optional import require

__all__ = ["FACT", "Table"]

FACT = "fact."
"""Before the name of a fact that has a column of its own."""
_FEW = 16
"""Samples that are looked for one by one, before a table of all ids is worth making."""


class Source(Protocol):
    """Where columns come from: a file, of which only the columns that are asked for are read, or memory."""

    @property
    def names(self) -> Sequence[str]:
        """Of the columns."""
        ...

    def __len__(self) -> int: ...

    def column(self, name: str) -> Any:
        """One column, as an Arrow array in one piece or several."""
        ...


class Table:
    """One entry per sample, in the order of the shards.

    Args:
        source: of the columns `id`, `shard`, `group`, `row`, `frame`, `facts` and, for facts of one plain type,
            `fact.NAME`.
        digests: shard name to SHA-256 of its header.
        skipped: samples that could not be read, id to reason; None where only the shards tell.
        version: of the written index; 0 where the shards told.
    """

    def __init__(
        self,
        source: Source,
        digests: Mapping[str, str] | None = None,
        skipped: Mapping[str, str] | None = None,
        version: int = 0,
    ) -> None:
        self._source = source
        self.digests = dict(digests or {})
        self.skipped = skipped
        self.version = version

    @classmethod
    def of(cls, arrow: Any) -> Self:
        """A table that an Arrow table holds in memory."""
        return cls(_Held(arrow))

    def __len__(self) -> int:
        return len(self._source)

    def columns(self) -> dict[str, list[Any]]:
        """All of it as lists, but for the facts' own columns, which say nothing more."""
        names = [name for name in self._source.names if not name.startswith(FACT)]
        return {name: self._source.column(name).to_pylist() for name in names}

    # Samples -----------------------------------------------------------------------------------------------------

    @cached_property
    def ids(self) -> list[str]:
        """Of the samples."""
        return self._ids.to_pylist()

    @cached_property
    def position(self) -> dict[str, int]:
        """Sample id to entry."""
        return {name: i for i, name in enumerate(self.ids)}

    @cached_property
    def _ids(self) -> Any:
        return self._source.column("id").combine_chunks()

    def names(self, positions: NDArray[np.int64]) -> list[str]:
        """Ids of some entries."""
        if len(positions) <= _FEW:
            return [self._ids[int(place)].as_py() for place in positions]
        if len(positions) == len(self) and np.array_equal(positions, np.arange(len(self))):
            return self.ids
        arrow = _arrow()
        places = np.ascontiguousarray(positions, dtype=np.int64)
        return self._ids.take(
            arrow.Array.from_buffers(arrow.int64(), len(places), [None, arrow.py_buffer(places)])
        ).to_pylist()

    def locate(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Entries of samples, in the order asked.

        Raises:
            UnknownName: a sample that is not here.
        """
        if "position" in self.__dict__:
            found = [self.position.get(name, -1) for name in ids]
        elif len(ids) <= _FEW:
            found = [self._look(name) for name in ids]
        else:
            found = _compute().index_in(_texts(ids), value_set=self._ids).fill_null(-1).to_pylist()
        for name, place in zip(ids, found, strict=True):
            if place < 0:
                raise unknown("sample", name, self.ids, "store.ids")
        return np.array(found, dtype=np.int64)

    def _look(self, name: str) -> int:
        return _compute().index(self._ids, _texts([name])[0]).as_py()

    # Where they lie ----------------------------------------------------------------------------------------------

    @cached_property
    def shard_codes(self) -> tuple[NDArray[np.int32], list[str]]:
        """Number of the shard that holds each sample, and the shards' names."""
        return _coded(self._source.column("shard"))

    @cached_property
    def group_codes(self) -> tuple[NDArray[np.int32], list[str]]:
        """Number of each sample's stack within the shard (canvas size, or `all`), and the stacks' names."""
        return _coded(self._source.column("group"))

    @property
    def shards(self) -> NDArray[Any]:
        """Name of the shard that holds each."""
        codes, names = self.shard_codes
        return np.asarray(names, dtype=np.str_)[codes]

    @property
    def groups(self) -> NDArray[Any]:
        """Name of the stack within the shard."""
        codes, names = self.group_codes
        return np.asarray(names, dtype=np.str_)[codes]

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Row within the stack."""
        return self._source.column("row").to_numpy()

    @cached_property
    def frames(self) -> NDArray[np.float64]:
        """The eight numbers of each `Frame`."""
        flat = _compute().list_flatten(self._source.column("frame"))
        return flat.to_numpy().reshape(-1, 8)

    def laid(self, positions: NDArray[np.int64]) -> list[Frame]:
        """Frames of some entries; those that lie alike are one object."""
        rows = self.frames[positions]
        if len(rows) and (rows == rows[0]).all():
            return [Frame.of(rows[0])] * len(rows)
        made: dict[bytes, Frame] = {}
        keys = [row.tobytes() for row in rows]
        for key, row in zip(keys, rows, strict=True):
            if key not in made:
                made[key] = Frame.of(row)
        return [made[key] for key in keys]

    # Facts -------------------------------------------------------------------------------------------------------

    @property
    def facts(self) -> list[str]:
        """JSON texts; read anew each time, as they may be large."""
        return self._source.column("facts").to_pylist()

    def fact(self, name: str) -> tuple[NDArray[np.int32], list[Any]] | None:
        """One fact of every sample, as numbers of its values (-1 where it is not known) and the values.

        None for a fact that has no column of its own: lists, tables, or values of several types.
        """
        column = f"{FACT}{name}"
        return _coded(self._source.column(column)) if column in self._source.names else None


class _Held:
    """Columns of an Arrow table in memory."""

    def __init__(self, table: Any) -> None:
        self._table = table

    @property
    def names(self) -> Sequence[str]:
        return self._table.column_names

    def __len__(self) -> int:
        return self._table.num_rows

    def column(self, name: str) -> Any:
        return self._table.column(name)


def _coded(column: Any) -> tuple[NDArray[np.int32], list[Any]]:
    encoded = column.dictionary_encode().unify_dictionaries()
    pieces = [chunk.indices.fill_null(-1).to_numpy() for chunk in encoded.chunks]
    codes = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int32)
    return codes, encoded.chunk(0).dictionary.to_pylist() if pieces else []


def _texts(values: Sequence[str]) -> Any:
    """An Arrow array; `pyarrow.array` would import pandas where that is installed, longer work than any search."""
    builder = require("pyarrow.lib", "find a sample").StringBuilder()
    builder.append_values(list(values))
    return builder.finish()


def _arrow() -> Any:
    return require("pyarrow", "read the index of a store")


def _compute() -> Any:
    return require("pyarrow.compute", "read the index of a store")
