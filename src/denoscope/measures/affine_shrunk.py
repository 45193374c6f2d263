"""An affine map that is drawn towards a multiple of the identity, at its certified optimum.

gLocal (Muttenthaler et al. 2023, NeurIPS, "Improving neural network representations using human similarity judgments")
penalises how far W is from the nearest multiple of the identity, |W - (tr W / p) I|^2 = |W|^2 - (tr W)^2 / p. Choices
depend on M = W W^T alone, and of all W with that M the root M^(1/2) has the least penalty,

    R(M) = tr M - (tr M^(1/2))^2 / p,

which is convex in M, as (tr M^(1/2))^2 is concave, and 0 for multiples of the identity. The problem with it is as
convex as that of `affine`, and has a certificate of its own: <K, M>, with K the pull of probabilities q, is at most
lambda R(M) for all M >= 0 if and only if the eigenvalues of lambda I - K are positive with a harmonic mean of lambda or
more. A strong penalty leaves the plain inner product, at its best temperature; a weak one leaves any map.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh
from scipy.optimize import brentq, minimize, minimize_scalar

from denoscope.measures.affine_certificate import Certificate
from denoscope.measures.affine_choices import Choices, entropy
from denoscope.measures.affine_solution import Solution, coordinates, until_certified

__all__ = ["Shrunk", "distance_to_scalar", "shrunk"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]

_ROUNDS, _STEPS = 30, 300
"""Descents, each followed by a certificate, and iterations of one, at most."""
_RANGE = (-12.0, 6.0)
"""Logarithms of a scale between which the best one is looked for, features having unit mean square."""


def distance_to_scalar(w: Array) -> float:
    """|W - (tr W / p) I|^2 of square weights, as gLocal's penalty `eye`; 0 for multiples of the identity."""
    values = np.asarray(w, dtype=np.float64)
    return float(np.square(values).sum() - np.trace(values) ** 2 / len(values))


def shrunk(
    x: Numbers, choices: Choices, penalty: float, start: Array | None = None, tolerance: float = 1e-6
) -> Solution:
    """The square map without bias of least cross-entropy + penalty (|W|^2 - (tr W)^2 / p).

    Args:
        x: `(object, channel)`, scaled.
        choices: among these objects.
        penalty: lambda, positive.
        start: W to start from; the multiple of the identity that fits best unless given.
        tolerance: gap at which to stop, in nats.
    """
    problem = Shrunk.of(x, choices, penalty)
    v = problem.scalar() if start is None else problem.inside(start)
    steps, options = 0, {"maxcor": 20, "maxiter": _STEPS, "maxfun": 2 * _STEPS, "ftol": 1e-15, "gtol": 1e-10}
    for _ in range(_ROUNDS):
        look = until_certified(lambda flat: problem.proof(flat.reshape(problem.shape)).gap, tolerance)
        result = minimize(problem.objective, v.reshape(-1), (), "L-BFGS-B", jac=True, callback=look, options=options)
        v, steps = result.x.reshape(v.shape), steps + int(result.nit)
        if problem.proof(v).gap <= tolerance or result.nit < _STEPS:
            break
    return Solution(problem.whole(v), penalty, problem.loss(v)[0], problem.proof(v), steps)


@dataclass(frozen=True, eq=False)
class Shrunk:
    """CE + lambda (|W|^2 - (tr W)^2 / r) with W = D V, in coordinates of the features' span, of r dimensions.

    Outside that span the best W is its mean diagonal (tr W / r) times the identity, at no further penalty.

    Attributes:
        z: objects, `(object, r)`, such that z V are the mapped ones but for a turn.
        scale: the diagonal of D.
        axes: of the span, `(channel, r)`, orthonormal.
        choices, penalty: as given.
    """

    z: Numbers
    scale: Numbers
    axes: Numbers
    choices: Choices
    penalty: float

    @classmethod
    def of(cls, x: Numbers, choices: Choices, penalty: float) -> "Shrunk":
        """Of scaled features `(object, channel)`."""
        z, back, _ = coordinates(x)
        scale = np.linalg.norm(back, axis=0)
        return cls(z, scale, back / scale, choices, penalty)

    @property
    def shape(self) -> tuple[int, int]:
        """Of V."""
        return len(self.scale), len(self.scale)

    def inside(self, w: Array) -> Numbers:
        """V of W."""
        return self.axes.T @ np.asarray(w, dtype=np.float64) @ self.axes / self.scale[:, None]

    def scalar(self) -> Numbers:
        """V of the multiple of the identity of least cross-entropy."""
        x = self.z / self.scale
        likeness, unit = x @ x.T, float(np.square(x).sum(axis=1).mean()) or 1.0
        told: Any = minimize_scalar(lambda log: self.choices.loss(np.exp(log) / unit * likeness)[0], bounds=_RANGE,
                                    method="bounded")  # fmt: skip
        return np.diag(np.sqrt(np.exp(told.x) / unit) / self.scale)

    def objective(self, flat: Numbers) -> tuple[float, Numbers]:
        """At V, flat, with its gradient."""
        v = flat.reshape(self.shape)
        mapped, w = self.z @ v, self.scale[:, None] * v
        loss, p = self.choices.loss(mapped @ mapped.T)
        mean = np.trace(w) / len(w)
        far = w - mean * np.eye(len(w))
        gradient = 2 * (self.penalty * self.scale[:, None] * far - self.z.T @ (self.choices.pull(p) @ mapped))
        return loss + self.penalty * float(np.square(far).sum()), gradient.reshape(-1)

    def loss(self, v: Numbers) -> tuple[float, Numbers]:
        """Cross-entropy and probabilities."""
        mapped = self.z @ v
        return self.choices.loss(mapped @ mapped.T)

    def proof(self, v: Numbers) -> Certificate:
        """With R of M itself, whatever root of M is held."""
        (loss, p), w = self.loss(v), self.scale[:, None] * v
        singular = np.linalg.svd(w, compute_uv=False)
        distance = max(float(np.square(singular).sum() - singular.sum() ** 2 / len(w)), 0.0)
        z, pull, mapped = self.z / self.scale, self.choices.pull(p), self.z @ v
        eigenvalues = eigvalsh(z.T @ pull @ z) / self.penalty
        share = _share(eigenvalues)
        bound = float(self.choices.weight @ entropy(self.choices.towards(p, share)))
        held = self.penalty * distance - float((pull * (mapped @ mapped.T)).sum())
        return Certificate(loss + self.penalty * distance, bound, self.penalty * _room(eigenvalues), held)

    def whole(self, v: Numbers) -> Numbers:
        """W in the features' own coordinates."""
        w, axes = self.scale[:, None] * v, self.axes
        rest = np.eye(len(axes)) - axes @ axes.T if len(axes) > len(w) else np.zeros((len(axes), len(axes)))
        return axes @ w @ axes.T + np.trace(w) / len(w) * rest


def _room(eigenvalues: Numbers) -> float:
    """Harmonic mean of 1 - kappa / lambda less 1, or the least of them less 1 where one is not positive."""
    left = 1 - eigenvalues
    return float(left.min() - 1 if left.min() <= 0 else len(left) / (1 / left).sum() - 1)


def _share(eigenvalues: Numbers) -> float:
    """Largest share of K / lambda, at most all of it, that leaves room; 0 if none does."""
    if _room(eigenvalues) >= 0:
        return 1.0
    most = min(1.0, 1 / max(float(eigenvalues.max()), 1e-300))
    least = 1e-6 * most
    if not (_room(least * eigenvalues) > 0 > _room(most * eigenvalues)):
        return 0.0
    found: Any = brentq(lambda share: _room(share * eigenvalues), least, most, xtol=1e-14)
    return float(found) * (1 - 1e-12)
