"""Rows that a dictionary learns from: activations of cells, with their timesteps and targets where there are any."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.dictionaries.base import rows_of

__all__ = ["PLACE", "Rows", "joined", "rebatched", "repeated"]

PLACE = np.dtype([("sample", object), ("cell", np.int64)])
"""Where a row comes from: id of the sample, and number of the cell in reading order."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Activations `(sample, channel)`, as fp32 arrays.

    Attributes:
        values: what a dictionary reads.
        timesteps: noise level of each row, `(sample,)`, for dictionaries that know the noise.
        targets: what codes should explain instead of `values`, `(sample, channel)`, for transcoders.
        places: where each row comes from, `(sample,)` of `PLACE`, for dictionaries whose atoms are rows.
    """

    values: NDArray[np.float32]
    timesteps: NDArray[np.float32] | None = None
    targets: NDArray[np.float32] | None = None
    places: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        for name, part in (("timesteps", self.timesteps), ("targets", self.targets), ("places", self.places)):
            if part is not None and len(part) != len(self.values):
                raise InputError(f"{len(self.values)} rows cannot have {len(part)} {name}")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, which: slice | NDArray[np.intp]) -> "Rows":
        further = (self.timesteps, self.targets, self.places)
        return Rows(self.values[which], *(None if part is None else part[which] for part in further))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)


def joined(parts: Sequence[Rows]) -> Rows:
    """One after the other."""
    if len(parts) == 1:
        return parts[0]
    return Rows(
        np.concatenate([part.values for part in parts]),
        _joined([part.timesteps for part in parts], "timesteps"),
        _joined([part.targets for part in parts], "targets"),
        _joined([part.places for part in parts], "places"),
    )


def repeated(batches: Iterable[Any]) -> Iterator[Rows]:
    """Batches, checked, again and again until a reading of them gives nothing.

    Raises:
        InputError: a batch of another shape or width, or one that holds NaN or infinite values.
    """
    found = True
    while found:
        found = False
        for rows in _checked(batches):
            found = found or len(rows) > 0
            yield rows


def rebatched(batches: Iterable[Rows], most: int, size: int) -> Iterator[Rows]:
    """The same rows `size` at a time, at most `most` of them."""
    held: list[Rows] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) < min(size, most):
            continue
        rows = joined(held)[:most]
        full = len(rows) if len(rows) == most else len(rows) - len(rows) % size
        yield from (rows[start : min(start + size, full)] for start in range(0, full, size))
        most -= full
        held = [rows[full:]]
        if not most:
            return
    rest = [batch for batch in held if len(batch)]
    if rest:
        yield joined(rest)


def _checked(batches: Iterable[Any]) -> Iterator[Rows]:
    """Each part is checked on its own stream, so that widths may differ between values and targets."""
    width = None
    for batch in batches:
        rows = batch if isinstance(batch, Rows) else Rows(next(rows_of([batch])))
        values = next(rows_of([rows.values]))
        targets = None if rows.targets is None else next(rows_of([rows.targets]))
        width = width or values.shape[1]
        if values.shape[1] != width:
            raise InputError(f"batches must be (sample, {width}), got {values.shape}")
        timesteps = None if rows.timesteps is None else np.asarray(rows.timesteps, dtype=np.float32)
        yield Rows(values, timesteps, targets, rows.places)


def _joined(parts: Sequence[NDArray[Any] | None], name: str) -> NDArray[Any] | None:
    known = [part for part in parts if part is not None]
    if known and len(known) < len(parts):
        raise InputError(f"either all batches have {name} or none")
    return np.concatenate(known) if known else None
