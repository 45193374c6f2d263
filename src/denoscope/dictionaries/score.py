"""How well dictionaries explain cells that they did not see, image by image."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score
from denoscope.dictionaries.base import Learned
from denoscope.measures.statistics import bootstrap_ratio

__all__ = ["Explained"]

_BLOCK = 2**24
"""Codes that are held at once."""


class Explained:
    """Sums over held-out cells, added image by image: fraction of variance unexplained, L0, use of each atom.

    FVU = sum |x - x_hat|^2 / sum |x - mean|^2, both over all cells, with the mean of the cells that were added.

    Args:
        subject: the dictionary that is scored.
        baselines: what stands beside it, by name.
        mean: what the mean baseline answers, `(channel,)`.
    """

    def __init__(self, subject: Learned, baselines: Mapping[str, Learned], mean: NDArray[Any]) -> None:
        self._subject, self._baselines, self._mean = subject, dict(baselines), mean.astype(np.float64)
        self._images: list[str] = []
        self._cells: list[int] = []
        self._sums: list[NDArray[np.float64]] = []
        self._squares: list[float] = []
        self._errors: dict[str, list[float]] = {name: [] for name in ("", *self._baselines, "mean")}
        self._active: list[int] = []
        self.uses = np.zeros(len(subject.atoms), dtype=np.int64)
        """Cells in which each atom was active."""
        self.total = np.zeros(len(subject.atoms))
        """Sum of each atom's codes."""
        self.strongest = np.zeros(len(subject.atoms))
        """Largest code of each atom, by size."""
        self.where = np.full(len(subject.atoms), "", dtype=object)
        """Image in which it was."""

    def add(self, image: str, cells: NDArray[np.float32]) -> None:
        """Count the cells `(cell, channel)` of one image."""
        x = cells.astype(np.float64)
        self._images.append(image)
        self._cells.append(len(x))
        self._sums.append(x.sum(axis=0))
        self._squares.append(float(np.square(x).sum()))
        self._errors["mean"].append(float(np.square(x - self._mean).sum()))
        for name, other in self._baselines.items():
            self._errors[name].append(_error(cells, other.decode(other.encode(cells))))
        self._subjected(image, cells)

    def _subjected(self, image: str, cells: NDArray[np.float32]) -> None:
        error, active = 0.0, 0
        step = max(1, _BLOCK // len(self.uses))
        for start in range(0, len(cells), step):
            rows = cells[start : start + step]
            codes = self._subject.encode(rows)
            error += _error(rows, self._subject.decode(codes))
            active += int(np.count_nonzero(codes))
            self._count(image, codes)
        self._errors[""].append(error)
        self._active.append(active)

    def _count(self, image: str, codes: NDArray[np.float32]) -> None:
        self.uses += np.count_nonzero(codes, axis=0)
        self.total += codes.sum(axis=0, dtype=np.float64)
        peak = codes[np.abs(codes).argmax(axis=0), np.arange(codes.shape[1])]
        better = np.abs(peak) > np.abs(self.strongest)
        self.strongest[better], self.where[better] = peak[better], image

    @property
    def images(self) -> int:
        """How many were added."""
        return len(self._images)

    def scores(self) -> tuple[Score, ...]:
        """FVU beside its baselines, L0 and dead atoms; intervals over images."""
        spread = self._spread()
        rows = {name: np.array(errors) for name, errors in self._errors.items()}
        fvu = [_score(f"FVU, {name}" if name else "FVU", rows[name], spread) for name in rows]
        gains = [_gain(name, rows[name] - rows[""], spread) for name in self._baselines]
        active = bootstrap_ratio(self._active, self._cells)
        dead = float((self.uses == 0).mean())
        return (
            *fvu,
            *gains,
            Score("L0", **active._asdict(), unit="atoms per cell", over="images"),
            Score("dead atoms", dead, dead, dead, len(self.uses), "share", "lower", "atoms; never active on held-out"),
        )

    def table(self) -> dict[str, list[Any]]:
        """One row per atom: how often it is active, its mean code then, its largest code and the image of that."""
        cells = max(1, sum(self._cells))
        return {
            "atom": list(range(len(self.uses))),
            "frequency": (self.uses / cells).tolist(),
            "mean code": (self.total / np.maximum(self.uses, 1)).tolist(),
            "largest code": self.strongest.tolist(),
            "image of it": self.where.tolist(),
        }

    def _spread(self) -> NDArray[np.float64]:
        """sum |x - mean|^2 of each image, from its sums."""
        cells, sums = np.array(self._cells), np.stack(self._sums)
        mean = sums.sum(axis=0) / cells.sum()
        return np.maximum(np.array(self._squares) - 2 * sums @ mean + cells * (mean @ mean), 0.0)


def _score(name: str, errors: NDArray[Any], spread: NDArray[Any]) -> Score:
    return Score(name, **bootstrap_ratio(errors, spread)._asdict(), unit="share", better="lower", over="images")


def _gain(name: str, gap: NDArray[Any], spread: NDArray[Any]) -> Score:
    found = bootstrap_ratio(gap, spread)
    return Score(f"FVU below {name}", **found._asdict(), unit="share", better="higher", over="images, paired")


def _error(x: NDArray[Any], made: NDArray[Any]) -> float:
    return float(np.square(x - made, dtype=np.float64).sum())
