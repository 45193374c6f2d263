"""Principal components: the best linear dictionary, and what every other one is held against."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from denoscope.core.errors import InputError
from denoscope.core.registry import dictionaries
from denoscope.dictionaries.base import Learned, like, rows_of

__all__ = ["PCA", "PCASettings"]


@dataclass(frozen=True)
class PCASettings:
    """Parameters of `PCA`."""

    atoms: int = 32
    """Components that are kept, those of largest variance."""

    def __post_init__(self) -> None:
        if self.atoms < 1:
            raise InputError(f"atoms must be at least 1, not {self.atoms}")


@dictionaries("pca")
class PCA(Learned):
    """Principal components, exact: eigenvectors of the covariance (Pearson 1901), streamed.

    codes = (x - bias) @ atoms.T with orthonormal atoms and bias = mean(x). Sums of x and of its outer products are all
    that is kept of the batches, in fp64 and counted from the first row, so that nothing is lost to rounding.
    """

    name: ClassVar[str] = "pca"
    Settings: ClassVar[type[Any]] = PCASettings

    def fit(self, batches: Iterable[Any]) -> Self:
        """Read the batches once.

        Raises:
            InputError: more components than channels, or fewer than two rows.
        """
        count, origin, total, outer = 0, None, 0.0, 0.0
        for batch in rows_of(batches):
            origin = batch[0].astype(np.float64) if origin is None else origin
            centred = batch - origin
            count, total, outer = count + len(batch), total + centred.sum(axis=0), outer + centred.T @ centred
        if origin is None or count < 2:
            raise InputError("components need at least two rows")
        if self.settings.atoms > origin.size:
            raise InputError(f"{origin.size} channels have {origin.size} components, not {self.settings.atoms}")
        mean = np.asarray(total) / count
        variances, axes = np.linalg.eigh(outer / count - np.outer(mean, mean))
        kept = axes[:, ::-1].T[: self.settings.atoms]
        self.weights = {
            "atoms": _signed(kept).astype(np.float32),
            "bias": (origin + mean).astype(np.float32),
            "variances": np.maximum(variances[::-1], 0).astype(np.float32),
        }
        return self

    def _encode(self, x: Any) -> Any:
        return (x - like(self.bias, x)) @ like(self.atoms, x).T


def _signed(axes: Any) -> Any:
    """Each axis with its largest entry positive, so that equal data give equal signs."""
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    return axes * np.where(largest < 0, -1, 1)[:, None]
