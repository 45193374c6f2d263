"""An affine map that people's choices ask for and that leaves the neighbourhoods of a representation as they are.

gLocal (Muttenthaler et al. 2023, NeurIPS, "Improving neural network representations using human similarity judgments"),
full-batch:

    min over W of  (1 - alpha) CE + alpha local + lambda |W - (tr W / p) I|^2,
    local = mean_i [ -sum_j p_ij log q_ij ],   p_i = softmax_j(cos(x_i, x_j) / tau),   q_i = the same of x W,   j != i.

The local term is not convex in M = W W^T, so that the descent may end in a valley of its own. A lower bound is known
all the same: that of the convex problem without it (`affine_shrunk`), plus alpha times the least that a cross-entropy
with p can be, the entropy of p. It need not be reached, so that the gap of these maps is wide.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import entr, logsumexp

from denoscope.core.errors import InputError
from denoscope.measures.affine_certificate import Certificate
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_shrunk import Shrunk
from denoscope.measures.affine_solution import Solution

__all__ = ["Neighbourhoods", "distilled"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]

_STEPS = 600
"""Iterations of the descent, at most."""


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Which objects a representation finds near which: softmax of their cosines, each object itself left out.

    Attributes:
        chances: p, `(object, object)`, 0 on the diagonal.
        temperature: tau, which divides the cosines.
    """

    chances: Numbers
    temperature: float

    @classmethod
    def of(cls, x: Array, temperature: float = 1.0) -> "Neighbourhoods":
        """Of objects `(object, channel)`.

        Raises:
            InputError: a temperature that is not positive, or fewer than two objects.
        """
        if not temperature > 0 or len(x) < 2:
            raise InputError(f"neighbourhoods need a positive temperature and two objects, not {temperature} and "
                             f"{len(x)}")  # fmt: skip
        return cls(np.exp(_logs(_directions(np.asarray(x, dtype=np.float64))[0], temperature)), temperature)

    @property
    def entropy(self) -> float:
        """Mean over the objects, in nats: the least that `loss` can be."""
        return float(entr(self.chances).sum(axis=1).mean())

    def loss(self, mapped: Numbers) -> tuple[float, Numbers]:
        """Cross-entropy of these neighbourhoods with those of mapped objects, in nats, and its gradient by these."""
        rows, length = _directions(mapped)
        logs, n = _logs(rows, self.temperature), len(rows)
        pull = (np.exp(logs) - self.chances) / (n * self.temperature)
        turn = (pull + pull.T) @ rows
        gradient = (turn - rows * (turn * rows).sum(axis=1, keepdims=True)) / length
        return float(-(self.chances * np.where(self.chances > 0, logs, 0.0)).sum() / n), gradient


def distilled(
    x: Array,
    choices: Choices,
    penalty: float,
    objects: Array,
    *,
    alpha: float = 0.1,
    temperature: float = 1.0,
    start: Array | None = None,
) -> Solution:
    """The square map without bias that L-BFGS finds; `penalty` is lambda, in units of the cross-entropy alone.

    What is minimised is (1 - alpha) (CE + penalty R) + alpha local, so that alpha = 0 is `affine_shrunk.shrunk`.

    Args:
        x: `(object, channel)`, scaled.
        choices: among these objects.
        penalty: of the distance to a multiple of the identity, positive.
        objects: whose neighbourhoods are kept, by index; `choices` may be about others.
        alpha: weight of the neighbourhoods, 0 to 1.
        temperature: of the neighbourhoods.
        start: W to start from; the multiple of the identity that fits best unless given.

    Raises:
        InputError: a weight outside [0, 1), or no positive penalty or temperature.
    """
    if not 0 <= alpha < 1 or not penalty > 0:
        raise InputError(f"alpha lies in [0, 1) and the penalty is positive, not {alpha} and {penalty}")
    x = np.asarray(x, dtype=np.float64)
    problem, near, share = (
        Shrunk.of(x, choices, penalty),
        Neighbourhoods.of(x[objects], temperature),
        alpha / (1 - alpha),
    )
    seen = problem.z[objects]

    def objective(flat: Numbers) -> tuple[float, Numbers]:
        v = flat.reshape(problem.shape)
        (first, slope), (second, turn) = problem.objective(flat), near.loss(seen @ v)
        return first + share * second, slope + share * (seen.T @ turn).reshape(-1)

    begun = problem.scalar() if start is None else problem.inside(start)
    options = {"maxcor": 20, "maxiter": _STEPS, "maxfun": 2 * _STEPS, "ftol": 1e-13, "gtol": 1e-8}
    result = minimize(objective, begun.reshape(-1), (), "L-BFGS-B", jac=True, options=options)
    v, proof = result.x.reshape(problem.shape), problem.proof(result.x.reshape(problem.shape))
    told = (1 - alpha) * proof.objective + alpha * near.loss(seen @ v)[0]
    bound = (1 - alpha) * proof.bound + alpha * near.entropy
    certificate = Certificate(told, bound, proof.slack, proof.complementarity)
    return Solution(problem.whole(v), penalty, problem.loss(v)[0], certificate, int(result.nit))


def _directions(x: Numbers) -> tuple[Numbers, Numbers]:
    """Rows of length 1, and their lengths, `(object, 1)`."""
    length = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
    return x / length, length


def _logs(rows: Numbers, temperature: float) -> Numbers:
    """Logarithms of the softmax of their cosines, -inf on the diagonal."""
    cosines = rows @ rows.T / temperature
    np.fill_diagonal(cosines, -np.inf)
    return cosines - logsumexp(cosines, axis=1, keepdims=True)
