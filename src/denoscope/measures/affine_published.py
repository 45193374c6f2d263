"""The affine probe as it was published and run, with its peculiarities, to replay numbers and to measure their effect.

Muttenthaler et al. 2023 (ICLR) and Linhardt et al. 2024 (arXiv 2403.08469) descend by Adam on minibatches. What differs
from the certified probe of `affine` is named in `Published`; each is a switch or a number, so that its effect can be
measured.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError

__all__ = ["Descent", "Published", "Stop", "published_accuracy", "published_right"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]


class Descent(NamedTuple):
    """What the published protocol ends with.

    Attributes:
        factor: `(channel + 1, channel)`, W with b as its last row; of the last epoch, not of the best.
        losses: cross-entropy of the held-out choices after each epoch, in nats.
    """

    factor: Numbers
    losses: Numbers


@dataclass(eq=False)
class Stop:
    """Stops a descent whose held-out loss no longer improves.

    Attributes:
        best: the least loss so far.
        waited: epochs since then.
    """

    best: float = np.inf
    waited: int = 0

    def told(self, loss: float) -> int:
        """Epochs without a lower loss, this one included."""
        self.best, self.waited = (loss, 0) if loss < self.best else (self.best, self.waited + 1)
        return self.waited


@dataclass(frozen=True)
class Published:
    """Adam on minibatches of choices, mean cross-entropy + penalty.

    Peculiarities: the norm of W is penalised, not its square (`norm`), nor the bias; W starts as small noise and b as a
    constant; gradients are cut at a joint norm of 1; the held-out choices stop the descent that they are to judge; one
    stopping rule goes through all folds and never forgets (`one_stop`); activations are scaled by all objects, tested
    ones too (`scaled_by`); what is kept is the last epoch's map; and ties are wrong (`published_right`).
    """

    penalty: float = 0.1
    """Of the Frobenius norm of W."""
    norm: Literal["plain", "squared"] = "plain"
    """Whether |W| is penalised, as published, or |W|^2."""
    rate: float = 1e-4
    """Of Adam."""
    batch: int = 256
    """Choices per step."""
    epochs: int = 100
    """At most."""
    least: int = 3
    """Epochs before it may stop."""
    patience: int = 5
    """Epochs without a lower held-out loss after which it stops."""
    start: float = 1e-3
    """Standard deviation of W, and value of b, at first."""
    clip: float = 1.0
    """Norm at which the gradient is cut."""
    one_stop: bool = True
    """Whether later folds go on with the stopping rule of those before: with the least loss that any fold had, and no
    patience left, so that a fold with a higher loss ends after the `least` epochs. As published."""
    scaled_by: Literal["all", "training"] = "all"
    """Objects whose mean and standard deviation scale the activations; `all` lets the tested ones in, as published."""
    seed: int = 42

    def fit(self, x: Array, train: Array, held: Array, stop: Stop | None = None) -> Descent:
        """Learn from `train` until `held` no longer improves.

        Args:
            x: `(object, channel)`, scaled.
            train, held: rows `[i, j, odd]`.
            stop: of the folds before; a new one unless given.

        Raises:
            InputError: no choice to learn from, or none to stop by.
        """
        if not len(train) or not len(held):
            raise InputError(f"the published probe needs choices to learn from and to stop by; got {len(train)} and "
                             f"{len(held)}")  # fmt: skip
        z = np.concatenate([np.asarray(x, dtype=np.float64), np.ones((len(x), 1))], axis=1)
        rng, channels = np.random.default_rng(self.seed), z.shape[1] - 1
        w = np.concatenate([rng.normal(0, self.start, (channels, channels)), np.full((1, channels), self.start)])
        steps, losses, stop = _Adam(self.rate, w.shape), list[float](), stop or Stop()
        for _ in range(self.epochs):
            order = rng.permutation(len(train))
            for at in range(0, len(order), self.batch):
                w = w - steps.step(self._cut(self._gradient(z, w, train[order[at : at + self.batch]])))
            losses.append(_cross_entropy(z @ w, held)[0])
            if stop.told(losses[-1]) >= self.patience and len(losses) >= self.least:
                break
        return Descent(w, np.array(losses))

    def _gradient(self, z: Numbers, w: Numbers, rows: Array) -> Numbers:
        """Of the batch's cross-entropy and the penalty of W, by W~."""
        objects, inverse = np.unique(rows, return_inverse=True)
        mine = z[objects]
        found = mine.T @ _cross_entropy(mine @ w, inverse.reshape(rows.shape))[1]
        size = float(np.linalg.norm(w[:-1]))
        found[:-1] += self.penalty * (2 * w[:-1] if self.norm == "squared" else w[:-1] / max(size, 1e-300))
        return found

    def _cut(self, gradient: Numbers) -> Numbers:
        return gradient * min(1.0, self.clip / max(float(np.linalg.norm(gradient)), 1e-300))


@dataclass(eq=False)
class _Adam:
    """Kingma and Ba 2015, with the usual decays."""

    rate: float
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        self._mean, self._square, self._count = np.zeros(self.shape), np.zeros(self.shape), 0

    def step(self, gradient: Numbers) -> Numbers:
        self._count += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.999 * self._square + 0.001 * gradient**2
        mean, square = self._mean / (1 - 0.9**self._count), self._square / (1 - 0.999**self._count)
        return self.rate * mean / (np.sqrt(square) + 1e-8)


def published_accuracy(mapped: Array, rows: Array) -> float:
    """Share of choices that are right by the published rule for ties, which can go below 1/3.

    Args:
        mapped: `(object, column)`, objects under the map.
        rows: `[i, j, odd]`.
    """
    return float(published_right(_logits(np.asarray(mapped, dtype=np.float64), rows)).mean())


def published_right(logits: Array) -> NDArray[np.bool_]:
    """Choices that are right by the published rule for ties, `(row,)`.

    A choice is wrong where two of its three probabilities are equal, and where all three are when rounded to two
    digits: a map that is sure of nothing is then right about nothing. `triplets.credits` gives 1 / k for ties.

    Args:
        logits: of the three pairs, `(row, 3)`, first the pair that people kept together.
    """
    p = _probabilities(np.asarray(logits, dtype=np.float64))
    first, second, third = p.T
    tied = (first == second) | (first == third) | (second == third)
    rounded = np.round(p, 2)
    flat = (rounded == rounded[:, :1]).all(axis=1)
    return (p.argmax(axis=1) == 0) & ~tied & ~flat


def _logits(mapped: Numbers, rows: Array) -> Numbers:
    i, j, odd = mapped[rows[:, 0]], mapped[rows[:, 1]], mapped[rows[:, 2]]
    return np.stack([(i * j).sum(axis=1), (i * odd).sum(axis=1), (j * odd).sum(axis=1)], axis=1)


def _probabilities(logits: Numbers) -> Numbers:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _cross_entropy(mapped: Numbers, rows: Array) -> tuple[float, Numbers]:
    """Mean over the rows, and its gradient by the mapped objects."""
    p = _probabilities(_logits(mapped, rows))
    pull = p.copy()
    pull[:, 0] -= 1
    pull /= len(rows)
    i, j, odd = rows.T
    gradient = np.zeros_like(mapped)
    for one, other, weight in ((i, j, pull[:, 0]), (i, odd, pull[:, 1]), (j, odd, pull[:, 2])):
        np.add.at(gradient, one, weight[:, None] * mapped[other])
        np.add.at(gradient, other, weight[:, None] * mapped[one])
    return float(-np.log(np.maximum(p[:, 0], 1e-300)).mean()), gradient
