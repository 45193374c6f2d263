"""How far an affine probe can be from its optimum, at most: a bound that its own probabilities give."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from denoscope.measures.affine_choices import Choices, entropy

__all__ = ["Certificate", "Shape", "certify", "largest"]

Numbers = NDArray[np.float64]
Shape = Literal["full", "diagonal", "shrunk"]
"""`diagonal`: a weight per channel; `shrunk`: drawn to a multiple of the identity (`affine_shrunk`)."""


class Certificate(NamedTuple):
    """How far from optimal a solution can be, at most.

    The dual of the problem is to maximise the mean entropy of probabilities q whose pull K(q) = sum_t (y - q) x x^T has
    no eigenvalue above lambda. The solution's own probabilities, mixed with the choices y until that holds, are one
    such q, so that the mean entropy of q is a lower bound of every objective.

    Attributes:
        objective: cross-entropy and penalty, in nats.
        bound: no M has a lower objective.
        slack: least eigenvalue of lambda I - K, at least 0 at the optimum (Karush, Kuhn and Tucker); for a shrunk map
            the harmonic mean of its eigenvalues, less lambda.
        complementarity: <M, lambda I - K>, 0 at the optimum; for a shrunk map lambda R(M) - <M, K>.
    """

    objective: float
    bound: float
    slack: float
    complementarity: float

    @property
    def gap(self) -> float:
        """The objective is at most this much above the least possible one, in nats."""
        return max(self.objective - self.bound, 0.0)


def certify(x: Numbers, choices: Choices, likeness: Numbers, trace: float, penalty: float, shape: Shape) -> Certificate:
    """The certificate of a likeness s = x M x^T with tr M = `trace`."""
    loss, p = choices.loss(likeness)
    pull = choices.pull(p)
    most = largest(x, pull, shape)
    share = min(1.0, penalty / most) if most > 0 else 1.0
    bound = float(choices.weight @ entropy(choices.towards(p, share)))
    held = penalty * trace - float((pull * likeness).sum())
    return Certificate(loss + penalty * trace, bound, penalty - most, held)


def largest(x: Numbers, pull: Numbers, shape: Shape) -> float:
    """Largest eigenvalue, or diagonal value, of K = x^T pull x."""
    if shape == "diagonal":
        return float((x * (pull @ x)).sum(axis=0).max())
    k = x.T @ pull @ x
    return float(eigh(k, eigvals_only=True, subset_by_index=[len(k) - 1, len(k) - 1])[0])
