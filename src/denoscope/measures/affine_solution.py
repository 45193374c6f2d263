"""What is known of a solved affine probe, and coordinates in which it is quickly solved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.measures.affine_certificate import Certificate
from denoscope.measures.affine_choices import entropy

__all__ = ["Solution", "coordinates", "until_certified"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]

_EVERY = 20
"""Iterations of a descent between two certificates."""
_FAINT = 0.1
"""Share of the mean variance below which a direction of the features is left as faint as it is."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A map, and what is known of how good it is.

    Attributes:
        factor: `(feature, column)`, W~ with M = W~ W~^T.
        penalty: lambda.
        cross_entropy: mean over the choices that it was fitted to, in nats.
        certificate: of the convex problem; for a limited rank, of the problem without that limit.
        iterations: of L-BFGS.
    """

    factor: Numbers
    penalty: float
    cross_entropy: float
    certificate: Certificate
    iterations: int

    def likeness(self, x: Array) -> Numbers:
        """s_ij of every pair of rows, `(n, n)`."""
        mapped = x @ self.factor
        return mapped @ mapped.T

    @property
    def spectrum(self) -> Numbers:
        """Eigenvalues of M, largest first."""
        return np.square(np.linalg.svd(self.factor, compute_uv=False), dtype=np.float64)

    @property
    def effective_rank(self) -> float:
        """exp of the entropy of the normalised eigenvalues of M (Roy and Vetterli 2007); 0 for M = 0."""
        values = self.spectrum
        if not values.sum() > 0:
            return 0.0
        return float(np.exp(entropy(values / values.sum())))


def coordinates(x: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Features z and maps P, P^-1 with x P = z, W~ = P V, in which the descent is well conditioned.

    The optimum never leaves the span of the rows of x; along its axes, features are brought to equal size, all but the
    faintest, which the penalty governs.
    """
    u, size, vt = np.linalg.svd(x, full_matrices=False)
    held = size > 1e-10 * size.max(initial=1e-300)
    u, size, vt = u[:, held], size[held], vt[held]
    by = np.sqrt((size**2).mean() / (size**2 + _FAINT * (size**2).mean()))
    return u * (size * by), vt.T * by, vt / by[:, None]


def until_certified(gap: Callable[[Numbers], float], tolerance: float) -> Callable[[Numbers], None]:
    """A callback for scipy's `minimize` that ends a descent once its gap is small enough, looking now and then.

    Args:
        gap: of the numbers that are descended on, in nats.
        tolerance: at which to end.
    """
    steps = 0

    def look(x: Numbers) -> None:
        nonlocal steps
        steps += 1
        if steps % _EVERY == 0 and gap(x) <= tolerance:
            raise StopIteration

    return look
