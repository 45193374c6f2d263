"""Activations as rows: one vector per cell, and where it comes from."""

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.dictionaries.rows import PLACE, Rows

__all__ = ["cells_of", "placed", "thinned"]


def cells_of(batch: Activations) -> NDArray[np.float32]:
    """Vectors `(cell, channel)`, without those on padding."""
    flat = batch.tokens()
    values = flat.numpy().reshape(-1, flat.shape[-1]).astype(np.float32, copy=False)
    return values if flat.grid is None or flat.layout == "pooled" else values[flat.mask.reshape(-1)]


def placed(batch: Activations, timestep: float | None) -> Rows:
    """The same, each with its noise level and its place: image, and number of the cell in reading order."""
    values, flat = cells_of(batch), batch.tokens()
    count = 1 if flat.layout == "pooled" else flat.shape[1]
    places = np.empty((len(batch), count), dtype=PLACE)
    places["sample"], places["cell"] = np.array(batch.ids, dtype=object)[:, None], np.arange(count)
    masked = flat.grid is not None and flat.layout != "pooled"
    kept = places[flat.mask.reshape(places.shape)] if masked else places.reshape(-1)
    return Rows(values, np.full(len(values), timestep or 0.0, dtype=np.float32), None, kept)


def thinned(rows: Rows, kept: int, chance: np.random.Generator) -> Rows:
    """At most `kept` rows of each image, drawn by chance, in their order."""
    assert rows.places is not None
    images = np.unique(rows.places["sample"].astype(str), return_inverse=True)[1]
    counts = np.bincount(images)
    if counts.max() <= kept:
        return rows
    order = np.lexsort((chance.random(len(rows)), images))
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows[np.sort(order[rank < kept])]
