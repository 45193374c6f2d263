"""A direction from labelled images: what tells one class from the others, for the same edits as an atom."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.dictionaries.painted import Painted

__all__ = ["contrast"]

Array = NDArray[np.float64]
How = Literal["means", "probe"]
_HOWS = ("means", "probe")


def contrast(
    activations: Activations, labels: Sequence[Any], value: Any, *, against: Any = None, how: How = "means"
) -> Painted:
    """The direction towards one class, as a dictionary of one atom: `add(contrast(...), 0, strength=2, unit="norm")`.

    Its coordinates are counted from the middle between both means, where it is undecided.

    Args:
        activations: of labelled images at one site; their cells are averaged.
        labels: class of each image.
        value: the class that the direction leads to.
        against: the class that it leads away from; all others unless given.
        how: `means`: m1 - m0, which is how far classes lie apart. `probe`: W^-1 (m1 - m0) with the covariance W within
            classes (shrunk as by Ledoit and Wolf), which tells them apart best but may be a direction that
            activations hardly take.

    Raises:
        UnknownName: no such class, or another way.
        InputError: labels that do not fit, or a class without images.
    """
    if how not in _HOWS:
        raise unknown("way", how, _HOWS, "help(denoscope.contrast)")
    names = np.array([str(label) for label in labels])
    for asked in (value, against):
        if asked is not None and str(asked) not in names:
            raise unknown("class", str(asked), sorted(set(names.tolist())), "the labels")
    x = activations.pool().numpy().astype(np.float64)
    if len(x) != len(names):
        raise InputError(f"{len(names)} labels do not fit {len(x)} images")
    own, other = names == str(value), (names != str(value) if against is None else names == str(against))
    if not other.any() or (own & other).any():
        raise InputError(f"the class {value} is told from another one, not from itself alone")
    first, second = x[own].mean(axis=0), x[other].mean(axis=0)
    atom = first - second if how == "means" else _whitened(x, own, other, first - second)
    about = {"name": f"{value} against {against or 'others'}, {how}", "site": str(activations.site),
             "condition": activations.condition.to_dict(), "images": int(own.sum() + other.sum())}  # fmt: skip
    return Painted.of(atom, (first + second) / 2, about)


def _whitened(x: Array, own: NDArray[np.bool_], other: NDArray[np.bool_], gap: Array) -> Array:
    """W^-1 gap, with the covariance within two classes."""
    from sklearn.covariance import ledoit_wolf

    within = np.concatenate([x[some] - x[some].mean(axis=0) for some in (own, other)])
    covariance, _ = ledoit_wolf(within, assume_centered=True)
    return np.linalg.solve(covariance, gap)
