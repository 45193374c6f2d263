"""Which affine maps may be learned, from which features."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.measures.affine import Shape, Solution, highest_penalty, solve, with_bias
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_local import distilled
from denoscope.measures.pooling import Principal, principal

__all__ = ["Family", "Scaling", "scaled", "scales"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]
Objects = NDArray[np.intp]
Scaling = Literal["scalar", "channel"]


@dataclass(frozen=True)
class Family:
    """Which maps may be learned, and how.

    Attributes:
        shape: `full`, `diagonal` or `shrunk`.
        rank: most columns of a full map; None for no limit.
        bias: whether the map has one; the other shapes never have.
        scaling: by one mean and standard deviation of all numbers, or of each channel.
        shares: penalties, as shares of the highest one (`affine.highest_penalty`).
        tolerance: optimality gap in nats.
        alpha: weight of the training objects' neighbourhoods, which a shrunk map then keeps (`affine_local`).
        temperature: of these neighbourhoods.
        components: principal components that are kept of the scaled channels; 0 for the channels themselves.
    """

    shape: Shape = "full"
    rank: int | None = None
    bias: bool = True
    scaling: Scaling = "scalar"
    shares: tuple[float, ...] = (0.6, 0.3, 0.1, 0.03, 0.01)
    tolerance: float = 1e-6
    alpha: float = 0.0
    temperature: float = 1.0
    components: int = 0

    def features(self, x: Array, train: Objects) -> Numbers:
        """Scaled by the training objects, in their principal components, with a column of ones for the bias.

        Raises:
            InputError: as many components as training objects, or more.
        """
        values = scaled(x, train, self.scaling)
        if self.components:
            values = self.principal(x, train).of(values)
        return with_bias(values) if self.bias and self.shape == "full" else values

    def principal(self, x: Array, train: Objects) -> Principal:
        """Axes of the training objects' scaled channels.

        Raises:
            InputError: as many components as training objects, or more.
        """
        if self.components >= len(train):
            raise InputError(f"components must be fewer than the {len(train)} objects that they are learned from, "
                             f"not {self.components}")  # fmt: skip
        return principal(scaled(x, train, self.scaling)[train], self.components)

    def solved(
        self,
        features: Numbers,
        choices: Choices,
        share: float,
        start: Numbers | None = None,
        loosely: float = 1.0,
        seed: int = 0,
    ) -> Solution:
        """The map at one penalty.

        Args:
            features: of the objects to learn from.
            choices: among them.
            share: of the highest penalty.
            start: the map of another penalty.
            loosely: how many times the tolerance the gap may be.
            seed: of the start, where none is given.
        """
        penalty = share * (highest_penalty(features, choices, self.shape) or 1.0)
        if self.alpha:
            return distilled(features, choices, penalty, np.arange(len(features)), alpha=self.alpha,
                             temperature=self.temperature, start=start)  # fmt: skip
        return solve(features, choices, penalty, shape=self.shape, rank=self.rank,
                     start=None if self.shape == "diagonal" else start, tolerance=loosely * self.tolerance,
                     seed=seed)  # fmt: skip


def scales(x: Array, train: Objects, scaling: Scaling) -> tuple[Numbers, Numbers]:
    """Mean and standard deviation of the training objects, of all numbers or of each channel.

    The deviation of a channel that does not vary is infinite, so that it becomes 0.
    """
    values = np.asarray(x, dtype=np.float64)[train]
    axis = 0 if scaling == "channel" else None
    mean, spread = values.mean(axis=axis), values.std(axis=axis)
    faint = spread <= 1e-12 * max(float(np.max(spread)), 1e-300)
    return np.asarray(mean), np.where(faint, np.inf, spread)


def scaled(x: Array, train: Objects, scaling: Scaling) -> Numbers:
    """Features less the mean, over the standard deviation, of the training objects.

    One mean and one deviation of all numbers (`scalar`, as published) leave channels of unequal size unequal; with
    those of each `channel` they are alike, and a channel that does not vary becomes 0.
    """
    mean, spread = scales(x, train, scaling)
    return (np.asarray(x, dtype=np.float64) - mean) / spread
