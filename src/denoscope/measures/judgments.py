"""What people said: of three objects, which two they kept together and which one was the odd one out."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError

__all__ = ["Judgments", "kept_together"]

Array = NDArray[Any]
_BLOCK = 2**16
"""Triplets at a time, so that what is gathered stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Judgments:
    """People's choices, one row per choice: `first` and `second` were kept together, `odd` was the odd one out.

    Attributes:
        first, second, odd: object of each row, 0 ... objects - 1, `(row,)`.
        objects: how many there are.
        participant: who chose, `(row,)`; -1 where that is not known.
    """

    first: Array
    second: Array
    odd: Array
    objects: int
    participant: NDArray[np.int64]

    @classmethod
    def of(cls, rows: ArrayLike, objects: int, participant: ArrayLike | None = None) -> "Judgments":
        """From rows `(row, 3)` whose last column is the odd one.

        Raises:
            InputError: no row, an object that does not exist, or one that stands twice in a triplet.
        """
        table = np.asarray(rows)
        if table.ndim != 2 or table.shape[1] != 3 or not len(table) or table.dtype.kind not in "iu":
            raise InputError(f"triplets are whole numbers (row, 3), the odd one last; got {table.dtype} {table.shape}")
        if table.min() < 0 or table.max() >= objects:
            outside = ((table < 0) | (table >= objects)).any(axis=1)
            at = int(outside.argmax())
            raise InputError(f"triplet {at} names {table[at].tolist()}, but objects are 0 ... {objects - 1}; are they "
                             f"counted from 1? ({outside.sum()} of {len(table)} triplets)")  # fmt: skip
        kind = _index(objects)
        a, b, odd = (np.ascontiguousarray(column, dtype=kind) for column in table.T)
        twice = (a == b) | (a == odd) | (b == odd)
        if twice.any():
            at = int(twice.argmax())
            raise InputError(f"triplet {at} names an object twice: {table[at].tolist()} "
                             f"({twice.sum()} of {len(table)} triplets)")  # fmt: skip
        who = np.full(len(table), -1) if participant is None else np.asarray(participant, dtype=np.int64)
        if who.shape != a.shape:
            raise InputError(f"{len(table)} triplets came with {who.size} participants")
        return cls(a, b, odd, objects, who)

    def __len__(self) -> int:
        return len(self.odd)

    @cached_property
    def pairs(self) -> Array:
        """Where the three pairs stand in a flat matrix of objects, `(3, row)`: the kept pair, then those with `odd`."""
        found = np.empty((3, len(self)), dtype=_index(self.objects))
        sides = ((self.first, self.second), (self.first, self.odd), (self.second, self.odd))
        for start in range(0, len(self), _BLOCK):
            part = slice(start, start + _BLOCK)
            for row, (a, b) in zip(found, sides, strict=True):
                row[part] = np.minimum(a[part], b[part]) * self.objects + np.maximum(a[part], b[part])
        return found

    @cached_property
    def asked(self) -> NDArray[np.int64]:
        """How many rows each object is in, `(object,)`."""
        columns = (self.first, self.second, self.odd)
        return np.sum([np.bincount(column, minlength=self.objects) for column in columns], axis=0)

    @cached_property
    def triples(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The different triplets as sorted objects `(triple, 3)`, and which one each row is about `(row,)`."""
        first, second, odd = (column.astype(np.int64) for column in (self.first, self.second, self.odd))
        low, high = np.minimum(np.minimum(first, second), odd), np.maximum(np.maximum(first, second), odd)
        keys = (low * self.objects + first + second + odd - low - high) * self.objects + high
        known, code = np.unique(keys, return_inverse=True)
        high, pair = known % self.objects, known // self.objects
        return np.stack([pair // self.objects, pair % self.objects, high], axis=1), code

    def select(self, rows: NDArray[Any]) -> "Judgments":
        """Some rows, by index or mask; objects keep their numbers."""
        return Judgments(self.first[rows], self.second[rows], self.odd[rows], self.objects, self.participant[rows])


def kept_together(judged: Judgments) -> NDArray[np.float64]:
    """Share of the choices about two objects and a third one that kept the two, `(object, object)`.

    What `triplet_similarity` is the expectation of, as counted; NaN where no choice was about the two, 1 on the
    diagonal.
    """
    n = judged.objects
    kept = np.bincount(judged.pairs[0], minlength=n * n).reshape(n, n)
    asked = np.bincount(judged.pairs.reshape(-1), minlength=n * n).reshape(n, n)
    kept, asked = kept + kept.T, asked + asked.T
    found = np.divide(kept, asked, out=np.full((n, n), np.nan), where=asked > 0)
    np.fill_diagonal(found, 1.0)
    return found


def _index(objects: int) -> type[np.signedinteger[Any]]:
    """The smaller integer that counts all pairs of objects: half the memory is half the time."""
    return np.int32 if objects**2 < 2**31 else np.int64
