"""The affine map that all objects teach, to be kept: what `nested` tests on objects that it never saw."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.measures.affine import Solution
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_family import Family, scales
from denoscope.measures.affine_folds import chosen_share
from denoscope.measures.affine_transforms import Transform

__all__ = ["Trained", "trained"]

Array = NDArray[Any]


class Trained(NamedTuple):
    """A map for activations as they are, and what is known of it.

    Attributes:
        transform: of activations.
        solution: of the problem with scaled activations.
        share: of the highest penalty, which parts of the objects chose.
    """

    transform: Transform
    solution: Solution
    share: float


def trained(x: Array, triplets: Array, family: Family, inner: int, seed: int) -> Trained:
    """Learned from all choices, with the penalty that is best when the objects are divided.

    Args:
        x: `(object, channel)`, as they are.
        triplets: rows `[i, j, odd]`.
        family: of maps.
        inner: parts of the objects that choose the penalty.
        seed: of the parts and the start.

    Raises:
        InputError: fewer objects than parts can be made of, no choice within a part, or values that do not vary.
    """
    objects = np.arange(len(x))
    share = chosen_share(x, triplets, family, objects, inner, seed)
    found = family.solved(family.features(x, objects), Choices.of(triplets, len(x)), share, seed=seed)
    if family.components:
        axes = family.principal(x, objects)
        made = _of_scaled(Transform.of(found.factor, len(axes.axes)), axes.mean, axes.axes.T)
    else:
        made = Transform.of(found.factor, x.shape[1])
    mean, spread = scales(x, objects, family.scaling)
    if family.scaling == "scalar":
        made = Transform(made.weights, made.bias, float(mean), float(spread))
    else:
        made = _of_scaled(made, mean, np.diag(1 / spread))
    return Trained(made.symmetric(), found, share)


def _of_scaled(made: Transform, mean: Array, axes: Array) -> Transform:
    """A map of (x - mean) axes as one of x."""
    weights = axes @ made.weights
    bias = -mean @ weights
    return Transform(weights, bias if made.bias is None else made.bias + bias)
