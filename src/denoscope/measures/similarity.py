"""How alike two vectors are: every query against every key.

All functions take `query` `(channel,)` or `(query, channel)` and `keys` `(key, channel)` and return `(key,)` or
`(query, key)`. They compute in float32, or in float64 when either input is float64.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.core.registry import measures

__all__ = ["Measure", "centred_cosine", "cosine", "dot", "l1", "l2", "linf", "similarity_map"]

Rows: TypeAlias = NDArray[Any]
Measure: TypeAlias = Callable[[ArrayLike, ArrayLike], Rows]

_BLOCK = 2**22
"""Numbers that a distance may hold at once beyond its result."""


@measures("cosine", better="higher", low=-1.0, high=1.0)
def cosine(query: ArrayLike, keys: ArrayLike) -> Rows:
    """Cosine of the angle between two vectors, a.b / (|a| |b|); 0 where either is zero."""
    a, b = _rows(query, keys)
    return _shaped(_unit(a) @ _unit(b).T, query)


@measures("centred-cosine", aliases=("centered-cosine",), better="higher", low=-1.0, high=1.0)
def centred_cosine(query: ArrayLike, keys: ArrayLike, mean: ArrayLike | None = None) -> Rows:
    """Cosine after the mean vector is taken off both, (a-m).(b-m) / (|a-m| |b-m|); 0 where either is zero.

    Args:
        query: `(channel,)` or `(query, channel)`.
        keys: `(key, channel)`.
        mean: m, `(channel,)`; by default the mean of the keys. Give the data set's mean where maps of several
            images are compared, since otherwise each image has a zero of its own.
    """
    a, b = _rows(query, keys)
    m = b.mean(axis=0) if mean is None else np.asarray(mean, dtype=b.dtype)
    return _shaped(_unit(a - m) @ _unit(b - m).T, query)


@measures("dot", better="higher")
def dot(query: ArrayLike, keys: ArrayLike) -> Rows:
    """Dot product, the sum over channels of a_i b_i."""
    a, b = _rows(query, keys)
    return _shaped(a @ b.T, query)


@measures("l2", aliases=("euclidean",), better="lower", low=0.0)
def l2(query: ArrayLike, keys: ArrayLike) -> Rows:
    """Euclidean distance, the root of the sum of (a_i - b_i)^2."""
    return _distance(query, keys, lambda gap: np.sqrt(np.square(gap).sum(axis=-1)))


@measures("l1", aliases=("manhattan",), better="lower", low=0.0)
def l1(query: ArrayLike, keys: ArrayLike) -> Rows:
    """Manhattan distance, the sum of |a_i - b_i|."""
    return _distance(query, keys, lambda gap: np.abs(gap).sum(axis=-1))


@measures("linf", aliases=("chebyshev",), better="lower", low=0.0)
def linf(query: ArrayLike, keys: ArrayLike) -> Rows:
    """Chebyshev distance, the largest |a_i - b_i|."""
    return _distance(query, keys, lambda gap: np.abs(gap).max(axis=-1))


def similarity_map(
    source: Activations, row: int, cell: tuple[int, int], target: Activations | None = None, measure: Measure = cosine
) -> Rows:
    """One cell of one image against every cell of every target image, `(sample, row, col)`; padding is NaN.

    Args:
        source: activations with a grid, in which the query lies.
        row: which sample of `source`.
        cell: (row, col) of the query in the grid.
        target: activations of the same site; `source` itself by default.
        measure: any function of this module, or one with the same arguments.

    Raises:
        InputError: the cell lies outside the grid, or the sites differ in width.
    """
    target = source if target is None else target
    grid, keys = source.on_grid().numpy(), target.tokens().numpy()
    rows, cols = grid.shape[2:]
    if not (0 <= cell[0] < rows and 0 <= cell[1] < cols):
        raise InputError(f"cell {cell} lies outside the grid of {rows} x {cols} cells at {source.site}")
    query = grid[row, :, cell[0], cell[1]]
    found = measure(query, keys.reshape(-1, keys.shape[-1]))
    mask = target.mask
    return np.where(mask, found.reshape(mask.shape), np.nan)


def _rows(query: ArrayLike, keys: ArrayLike) -> tuple[Rows, Rows]:
    """Both as `(row, channel)` of one float dtype."""
    a, b = np.asarray(query), np.asarray(keys)
    if a.ndim not in (1, 2) or b.ndim != 2 or a.shape[-1] != b.shape[-1]:
        wanted = "query (channel,) or (query, channel) and keys (key, channel)"
        raise InputError(f"wanted {wanted} of equal width, got shapes {a.shape} and {b.shape}")
    dtype = np.float64 if np.float64 in (a.dtype, b.dtype) else np.float32
    return np.atleast_2d(a).astype(dtype, copy=False), b.astype(dtype, copy=False)


def _shaped(values: Rows, query: ArrayLike) -> Rows:
    return values[0] if np.ndim(query) == 1 else values


def _unit(rows: Rows) -> Rows:
    """Rows divided by their length; zero rows stay zero."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)


def _distance(query: ArrayLike, keys: ArrayLike, reduce: Callable[[Rows], Rows]) -> Rows:
    """`reduce` of every difference, a block of keys at a time, since the differences do not fit in memory."""
    a, b = _rows(query, keys)
    result = np.empty((len(a), len(b)), dtype=b.dtype)
    step = max(1, _BLOCK // max(1, b.shape[1]))
    for i, row in enumerate(a):
        for start in range(0, len(b), step):
            result[i, start : start + step] = reduce(b[start : start + step] - row)
    return _shaped(result, query)
