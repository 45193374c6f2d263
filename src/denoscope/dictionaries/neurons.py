"""Single channels as directions: the basis that the network itself computes in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.core.registry import dictionaries
from denoscope.dictionaries.base import Learned, like, rows_of

__all__ = ["Neurons", "NeuronsSettings"]


@dataclass(frozen=True)
class NeuronsSettings:
    """Parameters of `Neurons`."""

    atoms: int = 0
    """Channels that are kept, those of largest variance; 0 for all."""
    k: int = 32
    """Channels that explain one cell, at most: those furthest from their means."""

    def __post_init__(self) -> None:
        if self.atoms < 0 or self.k < 1:
            raise InputError(f"atoms must not be negative and k at least 1, not {self.atoms} and {self.k}")


@dictionaries("neurons")
class Neurons(Learned):
    """Channels as atoms: codes are the k deviations from the mean that are largest by size, a baseline.

    Atoms are orthonormal, so that the largest deviations are the best k codes that there are.
    """

    name: ClassVar[str] = "neurons"
    Settings: ClassVar[type[Any]] = NeuronsSettings

    def fit(self, batches: Iterable[Any]) -> Self:
        """Read the batches once, for means and variances.

        Raises:
            InputError: no rows, NaN or infinite values, or more atoms than channels.
        """
        count, origin, total, squares = 0, None, 0.0, 0.0
        for rows in rows_of(batches):
            origin = rows[0].astype(np.float64) if origin is None else origin
            centred = rows - origin
            count, total, squares = count + len(rows), total + centred.sum(axis=0), squares + (centred**2).sum(axis=0)
        if origin is None:
            raise InputError("a dictionary needs rows to learn from, and there were none")
        if self.settings.atoms > origin.size:
            raise InputError(f"there are {origin.size} channels, not {self.settings.atoms}")
        mean = np.asarray(total) / count
        order = np.argsort(-(np.asarray(squares) / count - mean**2), kind="stable")
        kept = np.sort(order[: self.settings.atoms or origin.size])
        atoms = np.eye(origin.size, dtype=np.float32)[kept]
        self.weights = {"atoms": atoms, "bias": (origin + mean).astype(np.float32)}
        return self

    def _encode(self, x: Any) -> Any:
        torch = require("torch", "encode with single channels")
        rows = torch.from_numpy(np.ascontiguousarray(x)) if isinstance(x, np.ndarray) else x
        away = (rows - like(self.bias, rows)) @ like(self.atoms, rows).T
        where = away.abs().topk(min(self.settings.k, len(self.atoms)), dim=1).indices
        codes = torch.zeros_like(away).scatter_(1, where, away.gather(1, where))
        return codes.numpy() if isinstance(x, np.ndarray) else codes
