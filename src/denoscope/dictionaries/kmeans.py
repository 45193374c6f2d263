"""Cluster centres as directions: one atom per cell."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np

from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.core.registry import dictionaries
from denoscope.dictionaries.base import Learned, like
from denoscope.dictionaries.rows import Rows, rebatched, repeated

__all__ = ["KMeans", "KMeansSettings"]


@dataclass(frozen=True)
class KMeansSettings:
    """Parameters of `KMeans`."""

    atoms: int = 256
    """Centres."""
    cells: int = 100_000
    """Cells to learn from; those that are stored are read again until there were as many."""
    batch: int = 4096
    """Cells per step."""
    seed: int = 0
    """Of the centres at the start (k-means++)."""

    def __post_init__(self) -> None:
        if min(self.atoms, self.cells, self.batch) < 1 or self.seed < 0:
            raise InputError("atoms, cells and batch must be at least 1, seed must not be negative")


@dictionaries("kmeans", aliases=("k-means",))
class KMeans(Learned):
    """Cluster centres c_i by mini-batch k-means (Sculley 2010): x_hat is the nearest centre, a baseline with L0 of 1.

    An atom is the direction from the mean to a centre, its one code their distance |c_i - bias|.
    """

    name: ClassVar[str] = "kmeans"
    Settings: ClassVar[type[Any]] = KMeansSettings

    def fit(self, batches: Iterable[Any]) -> Self:
        """Read batches until there were `cells` rows.

        Raises:
            InputError: fewer rows than centres, NaN or infinite values.
        """
        found = require("sklearn.cluster", "find centres", "scikit-learn").MiniBatchKMeans(
            self.settings.atoms, init="k-means++", n_init=1, random_state=self.settings.seed
        )
        count, total = 0, 0.0
        for rows in _enough(rebatched(repeated(batches), self.settings.cells, self.settings.batch), self.settings):
            found.partial_fit(rows.values)
            count, total = count + len(rows), total + rows.values.sum(axis=0, dtype=np.float64)
        mean = np.asarray(total) / count
        away = found.cluster_centers_.astype(np.float64) - mean
        lengths = np.linalg.norm(away, axis=1, keepdims=True)
        atoms = np.where(lengths > 0, away / np.where(lengths > 0, lengths, 1), np.eye(1, mean.size))
        self.weights = {
            "atoms": atoms.astype(np.float32),
            "bias": mean.astype(np.float32),
            "lengths": lengths[:, 0].astype(np.float32),
        }
        return self

    def _encode(self, x: Any) -> Any:
        torch = require("torch", "find the nearest centre")
        rows = torch.from_numpy(np.ascontiguousarray(x)) if isinstance(x, np.ndarray) else x
        lengths = like(self._weight("lengths"), rows)
        nearer = ((rows - like(self.bias, rows)) @ like(self.atoms, rows).T) * lengths - lengths**2 / 2
        where = nearer.argmax(dim=1, keepdim=True)
        codes = torch.zeros_like(nearer).scatter_(1, where, lengths[where])
        return codes.numpy() if isinstance(x, np.ndarray) else codes


def _enough(batches: Iterable[Rows], settings: KMeansSettings) -> Iterator[Rows]:
    """The batches, the first of them with as many rows as there are centres."""
    rows, held = iter(batches), list[Rows]()
    for batch in rows:
        held.append(batch)
        if sum(map(len, held)) >= settings.atoms:
            break
    if sum(map(len, held)) < settings.atoms:
        raise InputError(f"{settings.atoms} centres need as many rows, and there were {sum(map(len, held))}")
    yield Rows(np.concatenate([batch.values for batch in held]))
    yield from chain(rows)
