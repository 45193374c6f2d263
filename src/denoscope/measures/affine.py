"""An affine map under which dot products predict human choices, at its certified optimum.

The probe of Muttenthaler et al. 2023 (ICLR, "Human alignment of neural network representations") learns W and b such
that s_ij = (W^T x_i + b) . (W^T x_j + b) predicts the odd one out. With x~ = [x, 1], W~ = [W; b] and the penalty
lambda |W~|_F^2 = lambda tr M, the problem depends on W~ only through M = W~ W~^T and is convex in M:

    min over M >= 0 of  mean_t [ log sum_pairs exp s_pair - s_chosen ] + lambda tr M,    s_ij = x~_i^T M x~_j.

It is solved by L-BFGS on the factor W~ (Burer and Monteiro 2003). Wherever the descent ends, a lower bound of the
optimum follows from its own probabilities (`Certificate`), so that nobody has to believe that it has converged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from denoscope.core.errors import InputError
from denoscope.measures.affine_certificate import Certificate, Shape, certify, largest
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_shrunk import shrunk
from denoscope.measures.affine_solution import Solution, coordinates, until_certified

__all__ = ["Certificate", "Shape", "Solution", "certify", "highest_penalty", "path", "solve", "with_bias"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]

_START = 24
"""Columns of W~ at first; more are added while the certificate finds a direction that would help."""
_ROUNDS = 40
"""Descents, each followed by a certificate."""
_STEPS = 400
"""Iterations of a descent, at most."""
_SHRUNK = 10
"""Penalty of a shrunk map that is counted as the highest, in units of that of a full one."""


def with_bias(x: Array) -> Numbers:
    """Features with a last column of ones, so that W~ = [W; b]."""
    values = np.asarray(x, dtype=np.float64)
    return np.concatenate([values, np.ones((len(values), 1))], axis=1)


def highest_penalty(x: Array, choices: Choices, shape: Shape = "full") -> float:
    """The least penalty at which M = 0 is optimal: the largest eigenvalue (or diagonal value) of the pull at chance.

    A shrunk map never becomes 0; ten times that eigenvalue leave little more of it than the inner product.
    """
    most = max(largest(x, choices.pull(np.full((3, len(choices.weight)), 1 / 3)), shape), 0.0)
    return _SHRUNK * most if shape == "shrunk" else most


def solve(
    x: Array,
    choices: Choices,
    penalty: float,
    *,
    shape: Shape = "full",
    rank: int | None = None,
    start: Array | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> Solution:
    """The map with the least objective.

    Args:
        x: `(object, feature)`, standardised; with a last column of ones where a bias is wanted (`with_bias`).
        choices: among these objects.
        penalty: lambda, of the squared Frobenius norm of the map.
        shape: `full`, or `diagonal` for one weight per feature (M = diag(d), d >= 0: convex as well), or `shrunk`
            towards a multiple of the identity, without a column of ones (another convex penalty: `affine_shrunk`).
        rank: at most so many columns of a full map. The problem is then no longer convex and the certificate says how
            much is lost to the limit, at most.
        start: W~ to start from, such as the solution of another penalty; small random numbers unless given.
        tolerance: gap at which to stop, in nats.
        seed: of the random start.

    Raises:
        InputError: no positive penalty, features that are not finite, or of other objects than the choices.
    """
    x = _features(x, choices)
    if not penalty > 0:
        raise InputError(f"the penalty of an affine probe must be positive, not {penalty}")
    if shape == "diagonal":
        return _diagonal(x, choices, penalty, tolerance)
    if shape == "shrunk":
        return shrunk(x, choices, penalty, start, tolerance)
    z, back, into = coordinates(x)
    if rank is not None and rank < 1:
        raise InputError(f"rank must be at least 1, not {rank}")
    most = min(rank or z.shape[1], z.shape[1])
    w = _random(z, min(_START, most), seed) if start is None else into @ np.asarray(start, dtype=np.float64)
    problem = _Problem(z, back, choices, penalty)
    v, steps = _descend(problem, w[:, :most], most, tolerance)
    loss = choices.loss((z @ v) @ (z @ v).T)[0]
    return Solution(back @ v, penalty, loss, problem.proof(v), steps)


def path(
    x: Array,
    choices: Choices,
    shares: Sequence[float],
    *,
    shape: Shape = "full",
    rank: int | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> list[Solution]:
    """Solutions from strong to weak penalties, each started at the one before.

    Args:
        shares: penalties as shares of `highest_penalty`, above which nothing is learned.
        x, choices, shape, rank, tolerance, seed: as for `solve`.

    Raises:
        InputError: as `solve`, or a share that is not positive.
    """
    top = highest_penalty(_features(x, choices), choices, shape)
    found: list[Solution] = []
    for share in sorted(shares, reverse=True):
        start = found[-1].factor if found and shape != "diagonal" else None
        penalty = share * (top or 1.0)
        found.append(solve(x, choices, penalty, shape=shape, rank=rank, start=start, tolerance=tolerance, seed=seed))
    return found


def _features(x: Array, choices: Choices) -> Numbers:
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 2 or len(values) != choices.objects:
        raise InputError(f"choices among {choices.objects} objects came with features of shape {values.shape}")
    if not np.isfinite(values).all():
        raise InputError(f"{(~np.isfinite(values).all(axis=1)).sum()} of {len(values)} objects have NaN or infinity")
    return values


def _random(x: Numbers, columns: int, seed: int) -> Numbers:
    """Small enough to hardly say anything, whatever the scale of the features."""
    scale = 0.1 / max(float(np.sqrt((x**2).sum(axis=1).mean())), 1e-300)
    return np.random.default_rng(seed).normal(0, scale, (x.shape[1], columns))


@dataclass(frozen=True, eq=False)
class _Problem:
    """CE + lambda |P V|^2 in the coordinates of `coordinates`."""

    z: Numbers
    back: Numbers
    choices: Choices
    penalty: float

    def objective(self, flat: Numbers) -> tuple[float, Numbers]:
        """At V, flat, with its gradient 2 (lambda P^T P V - z^T pull z V)."""
        v = flat.reshape(self.z.shape[1], -1)
        mapped, square = self.z @ v, self.weights[:, None] * v
        loss, p = self.choices.loss(mapped @ mapped.T)
        gradient = 2 * (self.penalty * square - self.z.T @ (self.choices.pull(p) @ mapped))
        return loss + self.penalty * float((square * v).sum()), gradient.reshape(-1)

    @cached_property
    def weights(self) -> Numbers:
        """Diagonal of P^T P, whose columns are orthogonal."""
        return (self.back**2).sum(axis=0)

    def pull(self, v: Numbers) -> Numbers:
        """K in orthonormal coordinates of the span."""
        mapped = self.z @ v
        z = self.z / np.sqrt(self.weights)
        return z.T @ self.choices.pull(self.choices.loss(mapped @ mapped.T)[1]) @ z

    def proof(self, v: Numbers) -> Certificate:
        mapped = self.z @ v
        trace = float((self.weights[:, None] * v**2).sum())
        return certify(self.z / np.sqrt(self.weights), self.choices, mapped @ mapped.T, trace, self.penalty, "full")


def _descend(problem: _Problem, v: Numbers, most: int, tolerance: float) -> tuple[Numbers, int]:
    """Descents and certificates in turn, columns added where the certificate finds a use for them."""
    steps, options = 0, {"maxcor": 20, "maxiter": _STEPS, "maxfun": 2 * _STEPS, "ftol": 1e-15, "gtol": 1e-10}
    for _ in range(_ROUNDS):
        look = until_certified(lambda flat, shape=v.shape: problem.proof(flat.reshape(shape)).gap, tolerance)
        result = minimize(problem.objective, v.reshape(-1), (), "L-BFGS-B", jac=True, callback=look, options=options)
        v, steps = result.x.reshape(v.shape), steps + int(result.nit)
        if problem.proof(v).gap <= tolerance:
            break
        wider = _widened(problem, v, most)
        if wider is None and result.nit < _STEPS:
            break
        v = v if wider is None else wider
    return v, steps


def _widened(problem: _Problem, v: Numbers, most: int) -> Numbers | None:
    """V with idle columns turned to eigenvectors of K above lambda, which lower the objective; None if none does."""
    root = np.sqrt(problem.weights)
    u, size, _ = np.linalg.svd(root[:, None] * v, full_matrices=False)
    largest = float(size.max()) or float((root[:, None] * _random(problem.z, 1, 0)).max())
    kept = (u * size)[:, size > 1e-4 * largest][:, :most]
    values, vectors = np.linalg.eigh(problem.pull(v))
    new = vectors[:, values > problem.penalty][:, ::-1][:, : min(_START, most - kept.shape[1])]
    if not new.shape[1]:
        return None
    before = problem.objective(v.reshape(-1))[0]
    for scale in largest * 0.3 ** np.arange(1, 12):
        wider = np.concatenate([kept, scale * new], axis=1) / root[:, None]
        if problem.objective(wider.reshape(-1))[0] < before:
            return wider
    return None


def _diagonal(x: Numbers, choices: Choices, penalty: float, tolerance: float) -> Solution:
    """M = diag(d): L-BFGS-B on d >= 0 itself, which is convex as it stands."""

    def objective(d: Numbers) -> tuple[float, Numbers]:
        loss, p = choices.loss((x * d) @ x.T)
        return loss + penalty * float(d.sum()), penalty - (x * (choices.pull(p) @ x)).sum(axis=0)

    d, steps, proof = np.zeros(x.shape[1]), 0, certify(x, choices, np.zeros((len(x), len(x))), 0.0, penalty, "diagonal")
    for _ in range(_ROUNDS):
        result = minimize(objective, d, (), "L-BFGS-B", jac=True, bounds=[(0, None)] * len(d),
                          options={"maxcor": 20, "maxiter": 150, "ftol": 1e-15, "gtol": 1e-10})  # fmt: skip
        moved, d, steps = np.abs(result.x - d).max(), result.x, steps + int(result.nit)
        proof = certify(x, choices, (x * d) @ x.T, float(d.sum()), penalty, "diagonal")
        if proof.gap <= tolerance or not moved > 0:
            break
    return Solution(np.diag(np.sqrt(d)), penalty, choices.loss((x * d) @ x.T)[0], proof, steps)
