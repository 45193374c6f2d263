"""Activations in eight bits, such that a browser computes similarities of any two cells from them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.measures.similarity import centred_cosine, cosine

__all__ = ["Pack", "level_name", "pack", "similarities"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pack:
    """One site under one condition, for all shown images.

    A cell x is kept as c = x - m, where m is the mean over all cells, rounded to integers q with a scale of its own,
    c = scale * q. Integer products are exact, and a.b = c.c' + c.m + c'.m + m.m, so that cosine and centred cosine
    both follow from q.q' and three numbers per cell.

    Attributes:
        site, level: where and under which noise.
        rows, cols, stride: of the grid; canvas pixels per cell.
        values: q, int8 `(sample, cell, channel)`.
        scalars: scale, |x|, |c| and c.m, `(sample, cell, 4)`.
        mean_square: m.m.
        error: largest difference to the exact cosines among cells that were tried.
    """

    site: str
    level: str
    rows: int
    cols: int
    stride: float
    values: NDArray[np.int8]
    scalars: Floats
    mean_square: float
    error: float


def pack(activations: Activations) -> Pack:
    """Round activations to a pack.

    Args:
        activations: with a grid of cells.

    Raises:
        InputError: no grid lies behind the values.
    """
    grid = activations.grid
    if grid is None:
        raise InputError(f"site {activations.site} has no grid of cells to map")
    tokens = activations.tokens().numpy().astype(np.float32)
    mean = tokens[activations.mask.reshape(len(tokens), -1)].mean(axis=0, dtype=np.float64).astype(np.float32)
    values, scalars = _quantise(tokens, mean)
    site, level = str(activations.site), level_name(activations.condition)
    rough = Pack(site, level, *grid, values, scalars, float(mean @ mean), 0.0)
    return replace(rough, error=_error(rough, tokens, mean))


def level_name(condition: Condition) -> str:
    """The noise of a condition in a word or two, for people: the bare number where it is a timestep."""
    if condition.timestep is not None:
        return f"{condition.timestep:g}"
    named = {"sigma": condition.sigma, "logsnr": condition.logsnr}
    return next((f"{name} {value:g}" for name, value in named.items() if value is not None), "clean")


def similarities(packed: Pack, sample: int, cell: int, centred: bool = False) -> Floats:
    """One cell against all cells of all images, `(sample, cell)`: what the page computes, to the letter.

    Args:
        packed: the site.
        sample, cell: the query.
        centred: centred cosine rather than cosine.
    """
    scale, norm, spread, along = np.moveaxis(packed.scalars, -1, 0)
    whole = packed.values.astype(np.float32) @ packed.values[sample, cell].astype(np.float32)
    products = whole * scale * scale[sample, cell]
    length = spread if centred else norm
    if not centred:
        products = products + along + along[sample, cell] + np.float32(packed.mean_square)
    lengths = length * length[sample, cell]
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0).clip(-1, 1)


def _quantise(tokens: Floats, mean: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Integers and the numbers that make cosines of them; lengths are of the exact values."""
    centred = tokens - mean
    scale = np.abs(centred).max(axis=-1) / 127
    whole = np.divide(centred, scale[..., None], out=np.zeros_like(centred), where=scale[..., None] > 0)
    lengths = np.linalg.norm(tokens, axis=-1), np.linalg.norm(centred, axis=-1)
    scalars = np.stack([scale, *lengths, centred @ mean], axis=-1)
    return np.rint(whole).astype(np.int8), scalars.astype(np.float32)


def _error(packed: Pack, tokens: Floats, mean: Floats) -> float:
    """Largest error of the maps of one cell per image, drawn at random."""
    cells = np.random.default_rng(0).integers(tokens.shape[1], size=len(tokens))
    queries, keys = tokens[np.arange(len(tokens)), cells], tokens.reshape(-1, tokens.shape[-1])
    worst = 0.0
    for centred, exact in ((False, cosine(queries, keys)), (True, centred_cosine(queries, keys, mean))):
        for sample, (cell, row) in enumerate(zip(cells.tolist(), exact, strict=True)):
            found = similarities(packed, sample, cell, centred).reshape(-1)
            worst = max(worst, float(np.abs(found - row).max()))
    return worst
