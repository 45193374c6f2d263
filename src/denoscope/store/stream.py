"""Streaming what is stored, in order or shuffled: large blocks are read, their rows permuted in memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.site import Site
from denoscope.store.volume import Positions, Volume

__all__ = ["WINDOW", "batches", "vectors"]

WINDOW = 256 << 20
"""Bytes of fp32 values that are held and permuted at a time."""


def windows(
    volume: Volume, site: Site, condition: Condition, size: int, seed: int | None, window: int
) -> Iterator[Activations]:
    """Blocks of whole shards' samples, each of one canvas size and about `window` bytes, in random order when seeded.

    A block's length is a multiple of `size`, except where a canvas size ends.
    """
    if size < 1:
        raise InputError(f"batch size must be at least 1, not {size}")
    if not len(volume.table):
        raise StoreError(f"{volume.place.url} holds no samples; run the same extraction again")
    chance = None if seed is None else np.random.default_rng(seed)
    for group in dict.fromkeys(volume.table.groups.tolist()):
        order = _deal(volume, group, chance)
        fitting = max(1, window // max(1, volume.bytes_per_sample(site, condition, group)))
        step = -(-fitting // size) * size if fitting >= size else size
        for start in range(0, len(order), step):
            positions = np.sort(order[start : start + step])
            block = volume.read(site, condition, positions)
            yield block if chance is None else block.select(chance.permutation(len(block)))


def batches(
    volume: Volume, site: Site, condition: Condition, size: int, seed: int | None = None, window: int = WINDOW
) -> Iterator[Activations]:
    """Every stored row once, `size` at a time and of one canvas size each (the last of a canvas size may be short)."""
    for block in windows(volume, site, condition, size, seed, window):
        for start in range(0, len(block), size):
            yield block.select(slice(start, start + size))


def vectors(
    volume: Volume, site: Site, condition: Condition, size: int, seed: int | None = None, window: int = WINDOW
) -> Iterator[NDArray[np.float32]]:
    """Every stored cell on an image once, as `(size, channel)`; cells of several images mix when seeded."""
    chance = None if seed is None else np.random.default_rng((seed, 1))
    rest: NDArray[np.float32] | None = None
    for block in windows(volume, site, condition, 1, seed, window):
        cells = _cells(block)
        if chance is not None:
            cells = cells[chance.permutation(len(cells))]
        cells = cells if rest is None else np.concatenate([rest, cells])
        full = len(cells) - len(cells) % size
        for start in range(0, full, size):
            yield cells[start : start + size]
        rest = cells[full:].copy()
    if rest is not None and len(rest):
        yield rest


def _deal(volume: Volume, group: str, chance: Any) -> Positions:
    """Entries of a group, shard after shard; the shards shuffled when seeded."""
    found = np.flatnonzero(volume.table.groups == group)
    if chance is None:
        return found
    codes, names = volume.table.shard_codes
    here = np.unique(codes[found])
    shards = here[np.argsort([names[code] for code in here])]
    rank = np.zeros(len(names), dtype=np.int64)
    rank[chance.permutation(shards)] = np.arange(len(shards))
    return found[np.argsort(rank[codes[found]], kind="stable")]


def _cells(block: Activations) -> NDArray[np.float32]:
    """Vectors `(cell, channel)` of a block, without those on padding."""
    flat = block.tokens()
    if flat.layout == "pooled":
        return flat.values
    values = flat.values.reshape(-1, flat.shape[-1])
    return values if flat.grid is None else values[flat.mask.reshape(-1)]
