"""How far edits take activations from what they usually are: a meter for pictures that are steered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.measures.geometry import coverage
from denoscope.measures.manifold import Usual, usual

__all__ = ["Meter", "looked_at"]

Array = NDArray[Any]
Recorded = Sequence[dict[str, Activations]]
_CELLS = 20_000
"""Cells that what is usual is learned from, at most, of each site and step."""


def looked_at(steps: int) -> tuple[int, ...]:
    """The first, the middle and the last of some denoising steps."""
    return tuple(sorted({0, steps // 2, steps - 1}))


@dataclass(frozen=True, eq=False)
class Meter:
    """Distances from what is usual at each recorded step and site.

    Attributes:
        known: what is usual, by step and site.
        plain: mean squared distance of pictures without edits, by step and site.
        part: pixels whose cells count `(row, col)`; all when None.
    """

    known: dict[tuple[int, str], Usual]
    plain: dict[tuple[int, str], float]
    part: Array | None

    @classmethod
    def of(cls, reference: Recorded, plain: Recorded, part: Array | None) -> "Meter":
        """Learn what is usual from pictures of other noise; how far unedited ones of the same noise are is the unit."""
        known = {(step, name): usual(_some(_cells(block, None))) for step, run in enumerate(reference)
                 for name, block in run.items()}  # fmt: skip
        unit = {(step, name): float(known[step, name].distance(np.concatenate(_cells(block, part))).mean())
                for step, run in enumerate(plain) for name, block in run.items()}  # fmt: skip
        return cls(known, unit, part)

    def distance(self, run: Recorded) -> Array:
        """Squared Mahalanobis distance over that of unedited pictures, mean over steps and sites, `(picture,)`."""
        return self._mean(run, lambda key, cells: self.known[key].distance(cells).mean() / self.plain[key])

    def outside(self, run: Recorded) -> Array:
        """Share of cells' deviation that is off the directions which usually hold 90 % of it `(picture,)`."""
        return self._mean(run, lambda key, cells: _share(self.known[key], cells))

    def _mean(self, run: Recorded, told: Any) -> Array:
        found = [[told((step, name), cells) for cells in _cells(block, self.part)]
                 for step, blocks in enumerate(run) for name, block in blocks.items()]  # fmt: skip
        return np.asarray(found, dtype=np.float64).mean(axis=0)


def _share(known: Usual, cells: Array) -> float:
    return float(known.outside(cells).sum() / max(known.spread(cells).sum(), 1e-30))


def _cells(block: Activations, part: Array | None) -> list[Array]:
    """Cells `(cell, channel)` of each picture: those that a part of it touches, where it touches any."""
    values = block.tokens().numpy().astype(np.float32)
    values = values[:, None] if values.ndim == 2 else values
    if part is None or block.grid is None:
        return list(values)
    touched = coverage(part, block.frames[0], block.grid).reshape(-1) > 0
    return list(values[:, touched]) if touched.any() else list(values)


def _some(cells: Sequence[Array]) -> Array:
    rows = np.concatenate(list(cells))
    if len(rows) <= _CELLS:
        return rows
    return rows[np.random.default_rng(0).choice(len(rows), _CELLS, replace=False)]
