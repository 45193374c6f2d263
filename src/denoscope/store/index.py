"""The rows of all shards of a recipe, kept in `index.parquet` and in the shards themselves."""

import io
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from denoscope.core.optional import require
from denoscope.store.place import Place
from denoscope.store.shard import Shard
from denoscope.store.table import FACT, Table
from denoscope.store.version import FORMAT, newer

__all__ = ["INDEX", "SHARDS", "load", "save", "shard_file", "told", "version_of"]

log = logging.getLogger(__name__)

INDEX = "index.parquet"
SHARDS = "shards"
_SUFFIX = ".safetensors"
_ROWS = 4096
"""Entries that are written together; more are not held."""
_COLUMNS = 64
"""Facts that get a column of their own."""


def shard_file(name: str) -> str:
    """Path of a shard below its recipe's folder."""
    return f"{SHARDS}/{name}{_SUFFIX}"


def version_of(place: Place) -> int:
    """Version of the written index; 0 where there is none that can be read."""
    indexed = _read(place) if place.exists(INDEX) else None
    return indexed.version if indexed else 0


def told(place: Place) -> dict[str, str]:
    """Shards that the written index tells of, and the SHA-256 of their headers."""
    indexed = _read(place) if place.exists(INDEX) else None
    return indexed.digests if indexed else {}


def load(place: Place, verify: bool = True) -> tuple[Table, dict[str, Shard]]:
    """All rows of a recipe's folder, and its shards by name: from the index, and from shards that it does not know."""
    files = _names(place)
    indexed = _read(place) if files and place.exists(INDEX) else None
    digests = indexed.digests if indexed else {}
    shards = {name: Shard(place, shard_file(name), digests.get(name), verify) for name in files}
    if indexed is not None and digests.keys() == shards.keys():
        return indexed, shards
    if shards and (lost := digests.keys() - shards.keys()):
        log.warning("%s lacks shards that it had: %s; extract again", place.path(SHARDS), ", ".join(sorted(lost)))
    arrow, _ = _arrow()
    schema = arrow.schema(_types(arrow, {}).items())
    return Table.of(arrow.Table.from_batches(_batches(shards, schema), schema)), shards


def save(place: Place) -> None:
    """Write the index of all finished shards; readers without denoscope need it, and it saves opening every shard.

    The facts that are of one plain type in all samples get columns of their own beside the JSON text that holds all.
    """
    arrow, parquet = _arrow()
    shards = {name: Shard(place, shard_file(name), verify=False) for name in _names(place)}
    about: dict[str, Any] = {"format": FORMAT, "shards": {name: shard.digest for name, shard in shards.items()}}
    about["skipped"] = {name: why for shard in shards.values() for name, why in shard.metadata["skipped"].items()}
    known = {"denoscope": json.dumps(about)}

    def fill(file: IO[bytes]) -> None:
        facts = _plain_facts(shards)
        while True:
            schema = arrow.schema(_types(arrow, facts).items(), metadata=known)
            try:
                with parquet.ParquetWriter(file, schema) as writer:
                    for batch in _batches(shards, schema):
                        writer.write_batch(batch)
                return
            except _Mixed as mixed:  # a fact that was of one type so far is not: it stays in the JSON text alone
                del facts[mixed.fact]
                file.seek(0)
                file.truncate()

    place.write(INDEX, fill)


class _Mixed(Exception):
    def __init__(self, fact: str) -> None:
        self.fact = fact


def _names(place: Place) -> list[str]:
    return [name.removesuffix(_SUFFIX) for name in place.names(SHARDS) if name.endswith(_SUFFIX)]


def _types(arrow: Any, facts: Mapping[str, type]) -> dict[str, Any]:
    kinds = {str: arrow.string(), bool: arrow.bool_(), int: arrow.int64(), float: arrow.float64()}
    return {
        "id": arrow.string(), "shard": arrow.string(), "group": arrow.string(), "row": arrow.int64(),
        "frame": arrow.list_(arrow.float64(), 8), "facts": arrow.string(),
        **{f"{FACT}{name}": kinds[kind] for name, kind in facts.items()},
    }  # fmt: skip


def _plain_facts(shards: Mapping[str, Shard]) -> dict[str, type]:
    """Facts of the first shard's samples that are of one plain type."""
    first = next((rows for shard in shards.values() if (rows := shard.rows())), [])
    kinds: dict[str, set[type]] = {}
    for row in first:
        for name, value in row["facts"].items():
            kinds.setdefault(name, set()).add(type(value))
    plain = {name: next(iter(found)) for name, found in kinds.items() if len(found) == 1}
    return {name: kind for name, kind in list(plain.items())[:_COLUMNS] if kind in (str, bool, int, float)}


def _batches(shards: Mapping[str, Shard], schema: Any) -> Iterator[Any]:
    """The rows of shards, some thousands at a time."""
    held: list[Mapping[str, Any]] = []
    for name, shard in shards.items():
        held += [{**row, "shard": name} for row in shard.rows()]
        if len(held) >= _ROWS:
            yield _batch(held, schema)
            held = []
    if held:
        yield _batch(held, schema)


def _batch(rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:
    arrow, _ = _arrow()
    columns: list[Any] = []
    for field in schema:
        if field.name == "facts":
            values = [json.dumps(row["facts"]) for row in rows]
        elif field.name.startswith(FACT):
            values = _values(rows, field.name.removeprefix(FACT), field.type)
        else:
            values = [row[field.name] for row in rows]
        columns.append(arrow.array(values, field.type))
    return arrow.RecordBatch.from_arrays(columns, schema=schema)


def _values(rows: Sequence[Mapping[str, Any]], name: str, kind: Any) -> list[Any]:
    """One fact of every sample, None where there is none of that name.

    Raises:
        _Mixed: a value of another type, or one that a column does not hold.
    """
    wanted = {"string": str, "bool": bool, "int64": int, "double": float}[str(kind)]
    found = [row["facts"].get(name) for row in rows if name in row["facts"]]
    if any(type(value) is not wanted for value in found):
        raise _Mixed(name)
    if wanted is int and any(not -(1 << 63) <= value < 1 << 63 for value in found):
        raise _Mixed(name)
    return [row["facts"].get(name) for row in rows]


class _File:
    """Columns of a Parquet file, each read when it is asked for; it stays open, so that all are of one writing."""

    def __init__(self, place: Place) -> None:
        _, parquet = _arrow()
        here = place.local is not None
        source = place.path(INDEX) if here else io.BytesIO(place.read(INDEX))
        self._file = parquet.ParquetFile(source, memory_map=here, pre_buffer=False)
        self.about: dict[str, Any] = json.loads(self._file.schema_arrow.metadata[b"denoscope"])
        self.names = tuple(self._file.schema_arrow.names)

    def __len__(self) -> int:
        return self._file.metadata.num_rows

    def column(self, name: str) -> Any:
        """One column."""
        return self._file.read(columns=[name], use_threads=False).column(0)


def _read(place: Place) -> Table | None:
    """The written index; None when it cannot be read, as the shards know everything that is in it."""
    arrow, _ = _arrow()
    try:
        file = _File(place)
        if (version := int(file.about["format"])) > FORMAT:
            raise newer(place.path(INDEX), version)
        return Table(file, dict(file.about["shards"]), file.about.get("skipped"), version)
    except (arrow.ArrowException, OSError, ValueError, KeyError, TypeError):
        log.warning("%s is damaged; the shards' own entries are used", place.path(INDEX))
        return None


def _arrow() -> tuple[Any, Any]:
    why = "keep the index of a store"
    return require("pyarrow", why), require("pyarrow.parquet", why)
