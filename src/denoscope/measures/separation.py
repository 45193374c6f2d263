"""Does a representation hold an object together and apart from what is around it?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.measures.similarity import Measure, cosine

__all__ = ["separation"]


def separation(
    tokens: NDArray[Any], inside: NDArray[np.bool_], outside: NDArray[np.bool_], measure: Measure = cosine
) -> float:
    """Chance that a cell of the object is more alike to another of its cells than to one of the background.

    For anchors i of the object, j != i of the object and k of the background it is the share of triples with
    s(i, j) > s(i, k), ties counting one half: the area under the ROC curve, averaged over anchors. 0.5 is chance.

    Args:
        tokens: cells of one image, `(cell, channel)`.
        inside, outside: which cells are the object's and which the background's, `(cell,)`.
        measure: similarity; larger is more alike.

    Returns:
        A number in 0 ... 1; NaN when the object has fewer than two cells or there is no background.
    """
    mine, others = np.flatnonzero(inside), np.flatnonzero(outside)
    if len(mine) < 2 or not len(others):
        return float("nan")
    same, apart = measure(tokens[mine], tokens[mine]), measure(tokens[mine], tokens[others])
    shares = [_auc(np.delete(same[i], i), apart[i]) for i in range(len(mine))]
    return float(np.mean(shares))


def _auc(positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """Share of pairs in which the positive one is larger, ties one half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    upto = np.searchsorted(ordered, positive, side="right")
    return float((below + upto).sum() / (2 * len(positive) * len(negative)))
