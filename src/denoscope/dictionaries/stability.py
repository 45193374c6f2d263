"""Would another training have found the same atoms?"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.core.registry import dictionaries
from denoscope.core.report import Score
from denoscope.dictionaries._pursuing import Pursuing
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.neurons import Neurons
from denoscope.dictionaries.pca import PCA
from denoscope.measures.sparsity import matched
from denoscope.measures.statistics import bootstrap_mean

__all__ = ["stability_scores", "successor"]

Array = NDArray[Any]
_SIGNLESS = (Pursuing, PCA, Neurons)
"""Their codes have both signs, so that an atom and its negative are the same."""


def successor(made: Learned) -> Learned:
    """The same method and settings with the next seed; it has learned nothing yet.

    Raises:
        InputError: a method that draws nothing, so that it would only repeat itself.
    """
    if not hasattr(made.settings, "seed"):
        raise InputError(f"{made.name} draws nothing: two trainings are the same, and stability says nothing")
    found: Learned = dictionaries.get(made.name)(replace(made.settings, seed=made.settings.seed + 1))
    return found


def stability_scores(first: Learned, second: Learned, seed: int = 0) -> tuple[Score, ...]:
    """How alike two trainings' atoms are, beside as many random directions, which in few channels are alike as well.

    `stability` is the mean cosine under the best one-to-one match (MCC), `nearest` that with the nearest atom of the
    other training, which may stand for several (MMCS); their `random directions` draw the other training on the sphere.

    Args:
        first, second: of one method and width.
        seed: of the random directions and of the intervals over atoms.

    Raises:
        InputError: of other widths.
    """
    a, b = sorted((first.atoms, second.atoms), key=len)
    if a.shape[1] != b.shape[1]:
        raise InputError(f"dictionaries of {a.shape[1]} and {b.shape[1]} channels share no atoms")
    signed = not isinstance(first, _SIGNLESS)
    drawn = np.random.default_rng((seed, 11)).normal(size=b.shape)
    found: list[Score] = []
    for tag, other in (("", b), (", random directions", drawn)):
        best = "higher" if not tag else None
        for name, cosines in (("stability", matched(other, a, signed)), ("nearest", _nearest(other, a, signed))):
            told = bootstrap_mean(cosines, seed=seed)._asdict()
            found.append(Score(f"{name}{tag}", **told, unit="cosine", better=best, over="atoms of two trainings"))
    return tuple(found)


def _nearest(found: Array, truth: Array, signed: bool) -> Array:
    """The largest cosine of each true atom with any found one."""
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12) for rows in (found, truth))
    cosines = b @ a.T
    return (cosines if signed else np.abs(cosines)).max(axis=1)
