"""Codes of all images, kept: sparse and in half precision, so that what follows need not read activations again.

k codes of two or four bytes' index and two bytes' value per cell, instead of channels of two or four bytes each: at
3,072 channels and k = 64, 24 to 48 times smaller.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import usual
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.frame import Frame, Grid
from denoscope.core.optional import require
from denoscope.dictionaries.attaching import base_of, elsewhere
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.digest import digest_of
from denoscope.interpret.walking import Coded, Source
from denoscope.store.store import Store

__all__ = ["CodeCache", "Kept", "keep_codes", "source_of"]

log = logging.getLogger(__name__)

_INDEX, _FORMAT = "codes.json", 1
_SHARD = 1 << 24
"""Codes per file: some hundred megabytes."""
_WIDE = 1 << 16
"""Atoms that two bytes can number."""


@dataclass(frozen=True, eq=False)
class Kept:
    """One image's codes, as rows of a sparse matrix.

    Attributes:
        number: of the image.
        name: its id.
        starts: where each cell's codes begin, `(cell + 1,)`; cells in reading order, padding left out.
        atoms: of each code, `(code,)`.
        values: half precision, `(code,)`.
        cells: index of each cell in the whole grid.
        frame, grid: between pixels and cells.
    """

    number: int
    name: str
    starts: NDArray[np.int64]
    atoms: NDArray[Any]
    values: NDArray[np.float16]
    cells: NDArray[np.int64]
    frame: Frame
    grid: Grid

    @property
    def rows(self) -> NDArray[np.int64]:
        """Cell of each code, counted without padding, `(code,)`."""
        return np.repeat(np.arange(len(self.cells)), np.diff(self.starts))

    def of(self, atom: int) -> NDArray[np.float32]:
        """One atom's code at every cell, `(cell,)`."""
        found, mine = np.zeros(len(self.cells), dtype=np.float32), self.atoms == atom
        found[self.rows[mine]] = self.values[mine]
        return found

    def dense(self, atoms: int) -> NDArray[np.float32]:
        """`(cell, atom)`."""
        found = np.zeros((len(self.cells), atoms), dtype=np.float32)
        found[self.rows, self.atoms] = self.values
        return found


class CodeCache:
    """Codes of images in a folder.

    Args:
        folder: that `keep_codes` filled.

    Raises:
        StoreError: none lie there, or half of them.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.about: dict[str, Any] = json.loads((self.folder / _INDEX).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise StoreError(f"no kept codes in {folder}; keep them with: denoscope dictionary codes") from None
        if self.about.get("format") != _FORMAT:
            raise StoreError(f"codes in {folder} are of format {self.about.get('format')}, not {_FORMAT}")

    @property
    def names(self) -> tuple[str, ...]:
        """Id of each image, by number."""
        return tuple(self.about["names"])

    @property
    def atoms(self) -> int:
        """Of the dictionary."""
        return int(self.about["atoms"])

    @cached_property
    def bytes(self) -> int:
        """On disk."""
        return sum(path.stat().st_size for path in self.folder.glob("codes-*.safetensors"))

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Kept]:
        for shard in range(self.about["shards"]):
            yield from self._read(shard)

    def coded(self, dictionary: Learned | None = None) -> Iterator[Coded]:
        """Every image once, as reading the activations again would give it but for half precision.

        Args:
            dictionary: told, it must be the one whose codes these are.

        Raises:
            InputError: it is another one.
        """
        if dictionary is not None:
            self.check(dictionary)
        for one in self:
            where = (one.frame.centres(one.grid).reshape(-1, 2) / (one.frame.width, one.frame.height))[:, ::-1]
            yield Coded(one.number, one.name, one.dense(self.atoms), where.clip(0, 1)[one.cells], one.cells, one.frame,
                        one.grid)  # fmt: skip

    def check(self, dictionary: Learned) -> None:
        """Raise where the codes are those of another dictionary.

        Raises:
            InputError: they are.
        """
        if digest_of(dictionary) != self.about["dictionary"]:
            raise InputError(f"the codes in {self.folder} are those of another dictionary; keep this one's elsewhere")

    def _read(self, shard: int) -> Iterator[Kept]:
        path = self.folder / f"codes-{shard:05d}.safetensors"
        try:
            found = require("safetensors.numpy", "read kept codes").load_file(path)
        except Exception as error:  # noqa: BLE001
            raise StoreError(f"{path} is damaged: {' '.join(str(error).split())[:100]}") from None
        ends = np.concatenate([[0], np.cumsum(found["counts"])])
        for row, number in enumerate(found["numbers"].tolist()):
            cells = found["cells"][ends[row] : ends[row + 1]]
            starts = found["starts"][ends[row] : ends[row + 1] + 1]
            part = slice(int(starts[0]), int(starts[-1]))
            yield Kept(number, self.names[number], starts - starts[0], found["atoms"][part], found["values"][part],
                       cells.astype(np.int64), Frame.of(found["frames"][row]),
                       _grid(found["grids"][row]))  # fmt: skip


def source_of(store: Store, made: Learned, timestep: float | None = None) -> Source:
    """Where a dictionary was learned, or the same site in a store of other images.

    Args:
        store: that holds the site.
        made: the dictionary.
        timestep: noise level; that which it was learned at unless given.

    Raises:
        InputError: a dictionary that does not say where it was learned, or activations of another width.
    """
    if made.site is None:
        raise InputError("this dictionary does not say at which site it was learned; say it with --site when it is "
                         "converted, or learn it with denoscope learn")  # fmt: skip
    same = str(made.about.get("recipe", ""))
    here = same if same in [recipe.digest for recipe in store.recipes] else None
    known = made.about.get("condition")
    condition = Condition.from_dict(known) if known and timestep is None else None
    asked: dict[str, Any] = {} if timestep is None else {"timestep": timestep}
    volume, site, condition = usual(store, made.site, condition, here, **asked)
    if other := elsewhere(base_of(made), volume.recipe.model):
        log.warning("%s in the store: what its atoms do there says little about them", other)
    width = volume.read(site, condition, np.arange(1)).tokens().shape[-1]
    if width != made.width:
        raise InputError(f"{site} holds {width} channels here, but the dictionary reads {made.width}")
    return Source(volume, site, condition)


def keep_codes(
    source: Source, dictionary: Learned, folder: str | Path, advance: Callable[[int], Any] = lambda count: None,
    shard: int = _SHARD,
) -> CodeCache:  # fmt: skip
    """Encode every image of a source once, and keep the codes that are not zero.

    Args:
        source: stored activations.
        dictionary: that reads them.
        folder: for the files; its index is written last, so that half a cache is none.
        advance: is told of every image.
        shard: codes in one file, about.

    Raises:
        InputError: activations without cells, or of another width.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for old in (place / _INDEX, *place.glob("codes-*.safetensors")):
        old.unlink(missing_ok=True)
    held: list[Kept] = []
    shards, kept = 0, 0
    for image in source.coded(dictionary):
        held.append(_kept(image))
        kept += len(held[-1].values)
        advance(1)
        if sum(len(one.values) for one in held) >= shard:
            shards += _write(place, shards, held)
            held = []
    shards += _write(place, shards, held) if held else 0
    told = {"format": _FORMAT, "atoms": len(dictionary.atoms), "names": list(source.names), "shards": shards,
            "codes": kept, "site": str(source.site), "condition": source.condition.to_dict(),
            "recipe": source.volume.recipe.digest, "dictionary": digest_of(dictionary)}  # fmt: skip
    (place / _INDEX).write_text(json.dumps(told), encoding="utf-8")
    return CodeCache(place)


def _grid(values: NDArray[np.float64]) -> Grid:
    rows, cols, stride = values.tolist()
    return Grid(int(rows), int(cols), stride)


def _kept(image: Coded) -> Kept:
    rows, atoms = np.nonzero(image.codes)
    most = float(np.finfo(np.float16).max)
    values = image.codes[rows, atoms].clip(-most, most).astype(np.float16)
    live = values != 0
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows[live], minlength=len(image.cells)))])
    kind = np.uint16 if image.codes.shape[1] <= _WIDE else np.uint32
    return Kept(image.number, image.name, starts, atoms[live].astype(kind), values[live], image.cells, image.frame,
                image.grid)  # fmt: skip


def _write(place: Path, shard: int, held: Sequence[Kept]) -> int:
    """One file; 1 is returned."""
    offsets = np.concatenate([[0], np.cumsum([len(one.values) for one in held])])
    starts = [one.starts[:-1] + offset for one, offset in zip(held, offsets, strict=False)]
    arrays = {
        "numbers": np.array([one.number for one in held], dtype=np.int64),
        "counts": np.array([len(one.cells) for one in held], dtype=np.int64),
        "cells": np.concatenate([one.cells for one in held]).astype(np.int32),
        "starts": np.concatenate([*starts, offsets[-1:]]).astype(np.int64),
        "atoms": np.concatenate([one.atoms for one in held]),
        "values": np.concatenate([one.values for one in held]),
        "frames": np.array([one.frame.values for one in held]),
        "grids": np.array([(one.grid.rows, one.grid.cols, one.grid.stride) for one in held], dtype=np.float64),
    }
    path = place / f"codes-{shard:05d}.safetensors"
    half = path.with_suffix(".half")
    require("safetensors.numpy", "keep codes").save_file(arrays, half)
    half.replace(path)
    return 1
