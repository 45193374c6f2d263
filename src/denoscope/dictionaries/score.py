"""How well dictionaries explain cells that they did not see, image by image."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score
from denoscope.dictionaries.base import Learned
from denoscope.measures.reconstruction import VARIANTS, sums
from denoscope.measures.sparsity import covered, dense, evenness, nearest
from denoscope.measures.statistics import bootstrap_mean, bootstrap_ratio, percentile_interval

__all__ = ["Explained"]

_BLOCK = 2**24
"""Codes that are held at once."""
_GROUPS = 200
"""Units that sums over channels are kept for: images, or groups of them where there are more."""
_DRAWS = 500
"""Resamples of those."""
_ASKED = 1024
"""Atoms whose nearest ones are looked for."""
_ENOUGH = 64
"""Images in which an atom must be active to be seen well; a tenth of all where those are fewer."""


@runtime_checkable
class Told(Protocol):
    """A dictionary that knows more of its atoms than their directions."""

    def told(self) -> Mapping[str, list[Any]]:
        """Further columns of the table, one entry per atom."""
        ...


class Explained:
    """Sums over held-out cells, added image by image: what is unexplained, by every name; L0; use of each atom.

    FVU = sum |x - x_hat|^2 / sum |x - mean|^2, both over all cells, with the mean of the cells that were added. What
    other works report in its place stands beside it (`measures.reconstruction`).

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
        self._channels: list[NDArray[np.float64]] = []
        self._alike: list[tuple[float, float, float]] = []
        self.uses = np.zeros(len(subject.atoms), dtype=np.int64)
        """Cells in which each atom was active."""
        self.images_of = np.zeros(len(subject.atoms), dtype=np.int64)
        """Images in which each atom was active."""
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
        error, active, told = 0.0, 0, np.zeros((6, cells.shape[1]))
        alike, used = np.zeros(3), np.zeros(len(self.uses), dtype=bool)
        step = max(1, _BLOCK // len(self.uses))
        for start in range(0, len(cells), step):
            rows = cells[start : start + step]
            codes = self._subject.encode(rows)
            made = self._subject.decode(codes)
            error += _error(rows, made)
            active += int(np.count_nonzero(codes))
            told += sums(rows, made)
            alike += _likeness(rows - self._mean, made - self._mean)
            used |= codes.any(axis=0)
            self._count(image, codes)
        self._errors[""].append(error)
        self._active.append(active)
        self.images_of += used
        self._alike.append((alike[0], alike[1], alike[2]))
        if len(self._channels) < _GROUPS:
            self._channels.append(told)
        else:
            self._channels[(len(self._active) - 1) % _GROUPS] += told

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
        l0 = Score("L0", **active._asdict(), unit="atoms per cell", over="images")
        return (*fvu, *gains, *self._variants(), *self._likenesses(), l0, *self._used(), *self._nearest())

    def _variants(self) -> list[Score]:
        """What other works call unexplained, where it is not FVU."""
        units, over = np.stack(self._channels), "images" if len(self._active) <= _GROUPS else "groups of images"
        found: list[Score] = []
        for name in (name for name in VARIANTS if name != "FVU"):
            value = float(VARIANTS[name](units.sum(axis=0)))
            low, high = percentile_interval(units, VARIANTS[name], _DRAWS) if len(units) > 1 else (value, value)
            ends = min(low, value), max(high, value)
            found.append(Score(name, value, *ends, len(units), "share", "lower", over))
        return found

    def _likenesses(self) -> list[Score]:
        """Direction and length of what is explained, around the mean."""
        cosine, length, known = np.array(self._alike).T
        told = bootstrap_ratio(cosine, self._cells), bootstrap_ratio(length, known)
        return [
            Score("cosine", **told[0]._asdict(), better="higher", over="images"),
            Score("length", **told[1]._asdict(), unit="of what it should be", over="images"),
        ]

    def _used(self) -> list[Score]:
        """How many atoms do the work; counts over the dictionary, of these held-out images."""
        atoms, least = len(self.uses), max(1, min(_ENOUGH, -(-len(self._active) // 10)))
        frequency = self.uses / max(1, sum(self._cells))
        parts = [
            ("dead atoms", float((self.uses == 0).mean()), "lower", "atoms; never active on held-out"),
            ("dense atoms", dense(frequency), None, "atoms; active in more than 10 % of cells"),
            ("coverage", covered(self.images_of, least), "higher", f"atoms; active in at least {least} images"),
        ]
        if self.uses.any():
            parts.append(("evenness", evenness(self.uses), "higher", "atoms; exp(entropy of use) / atoms"))
        return [Score(name, v, v, v, atoms, "share", better, over) for name, v, better, over in parts]

    def _nearest(self) -> list[Score]:
        """Largest cosine of an atom with another one, beside that among as many random directions."""
        atoms = self._subject.atoms
        if len(atoms) < 2:
            return []
        rng = np.random.default_rng(17)
        asked = rng.permutation(len(atoms))[:_ASKED]
        ways = {"nearest atom": atoms, "nearest atom, random atoms": rng.normal(size=atoms.shape)}
        told = {name: bootstrap_mean(nearest(rows, asked)) for name, rows in ways.items()}
        return [Score(name, **mean._asdict(), unit="cosine", over="atoms") for name, mean in told.items()]

    def table(self) -> dict[str, list[Any]]:
        """One row per atom: how often it is active, its mean code then, its largest code and the image of that."""
        cells = max(1, sum(self._cells))
        return {
            "atom": list(range(len(self.uses))),
            "frequency": (self.uses / cells).tolist(),
            "mean code": (self.total / np.maximum(self.uses, 1)).tolist(),
            "largest code": self.strongest.tolist(),
            "image of it": self.where.tolist(),
            "images": self.images_of.tolist(),
            **(self._subject.told() if isinstance(self._subject, Told) else {}),
        }

    def _spread(self) -> NDArray[np.float64]:
        """sum |x - mean|^2 of each image, from its sums."""
        cells, sums = np.array(self._cells), np.stack(self._sums)
        mean = sums.sum(axis=0) / cells.sum()
        return np.maximum(np.array(self._squares) - 2 * sums @ mean + cells * (mean @ mean), 0.0)


def _likeness(x: NDArray[Any], made: NDArray[Any]) -> NDArray[np.float64]:
    """Sums over rows of the cosine, and of both lengths."""
    lengths = [np.sqrt(np.square(rows, dtype=np.float64).sum(axis=1)) for rows in (made, x)]
    both = lengths[0] * lengths[1]
    inner = (x * made).sum(axis=1, dtype=np.float64)
    cosine = np.divide(inner, both, out=np.zeros_like(both), where=both > 0)
    return np.array([cosine.sum(), lengths[0].sum(), lengths[1].sum()])


def _score(name: str, errors: NDArray[Any], spread: NDArray[Any]) -> Score:
    return Score(name, **bootstrap_ratio(errors, spread)._asdict(), unit="share", better="lower", over="images")


def _gain(name: str, gap: NDArray[Any], spread: NDArray[Any]) -> Score:
    found = bootstrap_ratio(gap, spread)
    return Score(f"FVU below {name}", **found._asdict(), unit="share", better="higher", over="images, paired")


def _error(x: NDArray[Any], made: NDArray[Any]) -> float:
    return float(np.square(x - made, dtype=np.float64).sum())
