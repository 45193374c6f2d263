"""Non-negative matrix factorisation: parts that only add up."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.core.registry import dictionaries
from denoscope.dictionaries.base import Learned, like
from denoscope.dictionaries.rows import joined, rebatched, repeated

__all__ = ["NMF", "NMFSettings"]

_ROWS = 1024
"""Rows that are checked at a time."""
_STEPS = 200
"""Of the accelerated gradient descent that finds codes."""


@dataclass(frozen=True)
class NMFSettings:
    """Parameters of `NMF`."""

    atoms: int = 64
    """Parts."""
    cells: int = 10_000
    """Cells to learn from, all of them held at once."""
    passes: int = 100
    """Rounds over parts and codes, at most; it ends when they change by less than a ten-thousandth."""
    seed: int = 0
    """Of the parts at the start."""

    def __post_init__(self) -> None:
        if min(self.atoms, self.cells, self.passes) < 1 or self.seed < 0:
            raise InputError("atoms, cells and passes must be at least 1, seed must not be negative")


@dictionaries("nmf")
class NMF(Learned):
    """Non-negative parts of x - min(x) (Lee and Seung 1999): a baseline with dense codes.

    Atoms and codes are not negative, and bias is the smallest value of each channel. Parts are learned by coordinate
    descent from a start by singular vectors (mini-batches leave far more unexplained). Codes of a row are its
    non-negative least squares, argmin_z>=0 |x - bias - z @ atoms|^2, by accelerated gradient descent (Beck and Teboulle
    2009).
    """

    name: ClassVar[str] = "nmf"
    Settings: ClassVar[type[Any]] = NMFSettings

    def fit(self, batches: Iterable[Any]) -> Self:
        """Read batches until there were `cells` rows.

        Raises:
            InputError: no rows, rows that do not vary, NaN or infinite values.
        """
        told = self.settings
        held = list(rebatched(repeated(batches), told.cells, _ROWS))
        if not held:
            raise InputError("a dictionary needs rows to learn from, and there were none")
        rows = joined(held).values
        least = rows.min(axis=0)
        scale = float((rows - least).mean())
        if not scale:
            raise InputError("activations that do not vary have no directions to learn")
        parts = _parts((rows - least) / scale, told)
        lengths = np.linalg.norm(parts, axis=1, keepdims=True)
        atoms = np.where(lengths > 0, parts / np.where(lengths > 0, lengths, 1), np.eye(1, least.size))
        self.weights = {"atoms": atoms.astype(np.float32), "bias": least.astype(np.float32)}
        return self

    def random(self, mean: NDArray[np.float32]) -> Learned | None:
        """Parts drawn from the positive part of the sphere."""
        parts = np.abs(np.random.default_rng((self.settings.seed, 3)).normal(size=self.atoms.shape))
        twin = NMF(self.settings)
        unit = parts / np.linalg.norm(parts, axis=1, keepdims=True)
        twin.weights = {"atoms": unit.astype(np.float32), "bias": self.bias}
        return twin

    def _encode(self, x: Any) -> Any:
        torch = require("torch", "find codes that are not negative")
        rows = torch.from_numpy(np.ascontiguousarray(x)) if isinstance(x, np.ndarray) else x
        atoms = like(self.atoms, rows)
        codes = _nonnegative((rows - like(self.bias, rows)) @ atoms.T, atoms @ atoms.T)
        return codes.numpy() if isinstance(x, np.ndarray) else codes


def _parts(rows: NDArray[np.float32], told: NMFSettings) -> NDArray[np.float32]:
    """Parts `(atom, channel)` of rows that are not negative."""
    start = "nndsvda" if told.atoms <= min(rows.shape) else "random"
    learner = require("sklearn.decomposition", "find parts", "scikit-learn").NMF(
        told.atoms, init=start, max_iter=told.passes, random_state=told.seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", require("sklearn.exceptions", "find parts", "scikit-learn").ConvergenceWarning)
        return learner.fit(rows).components_


def _nonnegative(likeness: Any, gram: Any) -> Any:
    """argmin_z>=0 z G z' / 2 - z b' of each row: FISTA with restarts where momentum points uphill."""
    torch = require("torch", "find codes that are not negative")
    rate = 1 / torch.linalg.matrix_norm(gram, 2)
    codes = ahead = torch.zeros_like(likeness)
    t = likeness.new_ones(len(likeness), 1)
    for _ in range(_STEPS):
        new = (ahead - rate * (ahead @ gram - likeness)).clamp_min(0)
        uphill = ((ahead - new) * (new - codes)).sum(dim=1, keepdim=True) > 0
        t = t.where(~uphill, 1.0)
        further = (1 + (1 + 4 * t**2).sqrt()) / 2
        ahead = new + ((t - 1) / further) * (new - codes)
        codes, t = new, further
    return codes
