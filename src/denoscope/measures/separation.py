"""Does a representation hold an object together and apart from what is around it?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.frame import Grid
from denoscope.measures.geometry import centres_in_cells
from denoscope.measures.similarity import Measure, cosine

__all__ = ["separation"]

Flags = NDArray[np.bool_]


def separation(
    tokens: NDArray[Any], inside: Flags, outside: Flags, grid: Grid, measure: Measure = cosine, anchors: int = 32
) -> float:
    """Chance that a cell of the object is more alike to another of its cells than to an equally distant one around it.

    For cells i and j of the object and k of the background, where k is exactly as far from i as j is, it is the share
    of triples with s(i, j) > s(i, k), ties counting one half; averaged over j, then
    over i. 0.5 is chance. Since only equal distances are compared, a representation that merely varies smoothly
    over the image gains nothing from objects being compact.

    Args:
        tokens: cells of one image in reading order, `(cell, channel)`.
        inside, outside: which cells are the object's and which the background's, `(cell,)`.
        grid: where the cells lie.
        measure: similarity; larger is more alike.
        anchors: at most so many cells i, spread evenly over the object.

    Returns:
        A number in 0 ... 1; NaN when there is no such triple.
    """
    mine, others = np.flatnonzero(inside), np.flatnonzero(outside)
    if len(mine) < 2 or not len(others):
        return float("nan")
    places = centres_in_cells(grid)
    chosen = mine[np.linspace(0, len(mine) - 1, min(anchors, len(mine))).astype(int)]
    alike = measure(tokens[chosen], tokens).astype(np.float64)
    span = 2 * float(np.ptp(alike)) + 1
    shares: list[float] = []
    for anchor, row in zip(chosen, alike, strict=True):
        ring = np.square(places - places[anchor]).sum(axis=-1)
        shares.append(_share(row, ring * span, mine[mine != anchor], others))
    return float(np.nanmean(shares)) if not np.isnan(shares).all() else float("nan")


def _share(alike: NDArray[np.float64], ring: NDArray[np.float64], mine: NDArray[Any], others: NDArray[Any]) -> float:
    """Mean over the object's cells of the share of background cells in the same ring that are less alike.

    Rings are kept apart by adding to each similarity a number that grows with the ring by more than similarities
    differ, so that one sorted list serves all.
    """
    ordered = np.sort(alike[others] + ring[others])
    rings = np.sort(ring[others])
    start, end = np.searchsorted(rings, ring[mine], "left"), np.searchsorted(rings, ring[mine], "right")
    keys = alike[mine] + ring[mine]
    below = (np.searchsorted(ordered, keys, "left") + np.searchsorted(ordered, keys, "right")) / 2 - start
    compared = end > start
    return float(np.mean(below[compared] / (end - start)[compared])) if compared.any() else float("nan")
