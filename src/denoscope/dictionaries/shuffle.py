"""Rows in random order from a buffer of bounded size, and how well they are mixed.

A source gives whole images one after the other; neighbouring rows are alike, and a batch of them says little. The
buffer is filled, half of it is given away in random order, and it is filled again: a row meets those of many blocks.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.dictionaries.rows import Rows
from denoscope.measures.statistics import Estimate, bootstrap_mean

__all__ = ["Mixing", "room_for", "same_pairs", "shuffled"]

_PIECE = 8192
"""Rows that are given away at a time."""
_WINDOWS = 2048
"""Batches that are remembered; of longer streams every second, every fourth, ..."""


def room_for(rows: Rows, megabytes: float) -> int:
    """How many rows like these fit into a buffer, of 2^20 bytes each; never fewer than two.

    Raises:
        InputError: a buffer of no size.
    """
    if not megabytes > 0:
        raise InputError(f"a shuffle buffer needs a size in MB above 0, not {megabytes:g}")
    per_row = sum(part[:1].nbytes for part in _parts(rows).values())
    return max(2, int(megabytes * 2**20) // max(1, per_row))


def shuffled(
    blocks: Iterable[Rows], megabytes: float, chance: np.random.Generator, most: int | None = None
) -> Iterator[Rows]:
    """Every row once, in random order.

    Args:
        blocks: of rows with equal columns.
        megabytes: that the buffer may hold. Beside it there are one block and one piece of 8192 rows.
        chance: draws the order.
        most: rows that will come, about; a buffer need not be larger.

    Raises:
        InputError: a buffer of no size, or blocks that differ in their columns.
    """
    buffer: _Buffer | None = None
    for block in blocks:
        buffer = buffer or _Buffer(block, min(room_for(block, megabytes), max(2, most or 2**62)))
        while len(block):
            taken = buffer.take(block)
            block = block[taken:]
            if buffer.full:
                yield from buffer.give(chance, half=True)
    if buffer is not None:
        yield from buffer.give(chance, half=False)


class _Buffer:
    """Slots for rows: those given away are free, and the next rows go there."""

    def __init__(self, like: Rows, room: int) -> None:
        self._columns = {
            name: np.empty((room, *part.shape[1:]), dtype=part.dtype) for name, part in _parts(like).items()
        }
        self._room, self._free = room, np.arange(room)

    @property
    def full(self) -> bool:
        return not len(self._free)

    def take(self, rows: Rows) -> int:
        """Keep as many of the first rows as there is room for; how many."""
        count, parts = min(len(rows), len(self._free)), _parts(rows)
        if parts.keys() != self._columns.keys():
            raise InputError(f"blocks of rows differ: {', '.join(parts)} after {', '.join(self._columns)}")
        slots, self._free = self._free[:count], self._free[count:]
        for name, column in self._columns.items():
            column[slots] = parts[name][:count]
        return count

    def give(self, chance: np.random.Generator, half: bool) -> Iterator[Rows]:
        """Half of the rows, or all, in random order."""
        used = np.ones(self._room, dtype=bool)
        used[self._free] = False
        slots = chance.permutation(np.flatnonzero(used))
        slots = slots[: -(-len(slots) // 2)] if half else slots
        for start in range(0, len(slots), _PIECE):
            piece = slots[start : start + _PIECE]
            yield Rows(**{name: column[piece] for name, column in self._columns.items()})
        self._free = np.concatenate([self._free, slots])


class Mixing:
    """How well a stream of rows is mixed: the share of pairs within a batch that show the same image.

    Args:
        batch: rows of one.
    """

    def __init__(self, batch: int) -> None:
        self._batch, self._names, self._every, self._passed = batch, list[Any](), 1, 0
        self._shares: list[float] = []

    def see(self, rows: Rows) -> None:
        """Count the batches that are full with these rows."""
        if rows.places is None or self._batch < 2:
            return
        self._names += rows.places["sample"].tolist()
        while len(self._names) >= self._batch:
            window, self._names = self._names[: self._batch], self._names[self._batch :]
            if self._passed % self._every == 0:
                self._shares.append(same_pairs(window))
            self._passed += 1
            if len(self._shares) >= _WINDOWS:
                self._shares, self._every = self._shares[::2], 2 * self._every

    @property
    def share(self) -> Estimate | None:
        """Mean over batches; None before one was full."""
        return bootstrap_mean(self._shares) if self._shares else None


def same_pairs(images: Sequence[Any]) -> float:
    """Share of the pairs of rows that show the same image: sum n_i (n_i - 1) / (n (n - 1)) over images i."""
    counts = np.array(list(Counter(images).values()), dtype=np.float64)
    rows = counts.sum()
    return float((counts * (counts - 1)).sum() / (rows * (rows - 1)))


def _parts(rows: Rows) -> dict[str, NDArray[Any]]:
    """The columns that there are."""
    found = {one.name: getattr(rows, one.name) for one in fields(rows)}
    return {name: part for name, part in found.items() if part is not None}
