"""From the cells of one image to one vector, in ways that learn nothing from people.

A function takes cells x `(cell, channel)` and which of them count `(cell,)`, and gives a vector in float64.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError, unknown

__all__ = ["POOLS", "Principal", "attention_weights", "pool_cells", "principal"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

_WIDE = 128
"""Channels up to which second moments are whole; of more, those of so many random combinations are."""
_FLAT = 1e-12
"""Share of the largest variance below which a principal axis is none."""


def attention_weights(cells: ArrayLike, focus: float = 10.0) -> Numbers:
    """w_c = exp(f cos(x_c, m)) / sum exp(f cos(x_c, m)), with m the mean of the cells, `(cell,)`.

    Attention whose query is the mean and whose keys are the cells, as in CLIP's pooling (Radford et al. 2021), without
    the matrices that are learned there. 0 gives the mean; the larger f, the more the typical cells count.

    Args:
        cells: x, `(cell, channel)`; a cell of zeros has cosine 0.
        focus: f.
    """
    x = np.asarray(cells, dtype=np.float64)
    m = x.mean(axis=0)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(m)
    cosine = np.divide(x @ m, lengths, out=np.zeros(len(x)), where=lengths > 0)
    raised = np.exp(focus * (cosine - cosine.max()))
    return raised / raised.sum()


def pool_cells(cells: ArrayLike, kept: ArrayLike, how: str = "mean", focus: float = 10.0) -> Numbers:
    """One vector of an image's cells, `(number,)`.

    - `mean`, `max`: of each channel over the cells that count.
    - `attention`: their mean with the weights of `attention_weights`.
    - `flatten`: all cells one after the other, those that do not count being zeros; `(cell x channel)`.
    - `cells`: as `flatten`, each cell brought to length 1 / sqrt(cells). The inner product of two images is then the
      mean over cells of the cosine at the same place, and the squared distance that of LPIPS with equal weights
      (Zhang et al. 2018) up to a factor.
    - `gram`: second moments G = X^T X / n (Lin, RoyChowdhury and Maji 2015; Gatys, Ecker and Bethge 2016), above the
      diagonal times sqrt 2: the inner product of two vectors is that of the two matrices. Of more than 128 channels,
      128 random combinations are taken first, the same for all images.

    Args:
        cells: x, `(cell, channel)`.
        kept: cells that count, `(cell,)`.
        how: one of `POOLS`.
        focus: of `attention`.

    Raises:
        UnknownName: another way.
        InputError: no cell counts.
    """
    x, some = np.asarray(cells, dtype=np.float64), np.asarray(kept, dtype=np.bool_)
    if how not in POOLS:
        raise unknown("pooling", how, POOLS, "denoscope.measures.pooling.POOLS")
    if not some.any():
        raise InputError(f"pooling needs a cell that counts; none of {len(x)} does")
    return POOLS[how](x, some, focus)


def _flat(x: Numbers, kept: Flags, focus: float) -> Numbers:
    return np.where(kept[:, None], x, 0.0).reshape(-1)


def _unit_cells(x: Numbers, kept: Flags, focus: float) -> Numbers:
    length = np.linalg.norm(x, axis=1, keepdims=True) * np.sqrt(kept.sum())
    return _flat(np.divide(x, length, out=np.zeros_like(x), where=length > 0), kept, focus)


def _gram(x: Numbers, kept: Flags, focus: float) -> Numbers:
    channels = x.shape[1]
    if channels > _WIDE:
        x = x @ np.random.default_rng(channels).normal(size=(channels, _WIDE)) / np.sqrt(_WIDE)
    some = x[kept]
    found = some.T @ some / len(some)
    upper = np.triu_indices(len(found))
    return found[upper] * np.where(upper[0] == upper[1], 1.0, np.sqrt(2.0))


POOLS: Mapping[str, Callable[[Numbers, Flags, float], Numbers]] = {
    "mean": lambda x, kept, _: x[kept].mean(axis=0),
    "max": lambda x, kept, _: x[kept].max(axis=0),
    "attention": lambda x, kept, focus: attention_weights(x[kept], focus) @ x[kept],
    "flatten": _flat,
    "cells": _unit_cells,
    "gram": _gram,
}
"""Ways to pool by name."""


class Principal(NamedTuple):
    """Principal components of some rows, to be applied to others.

    Attributes:
        mean: of the rows, `(channel,)`.
        axes: orthonormal, those of most variance first, `(component, channel)`.
    """

    mean: Numbers
    axes: Numbers

    def of(self, rows: ArrayLike) -> Numbers:
        """Coordinates of rows, `(row, component)`."""
        return (np.asarray(rows, dtype=np.float64) - self.mean) @ self.axes.T


def principal(rows: ArrayLike, count: int) -> Principal:
    """Axes of most variance, from the smaller of the two matrices of inner products; fewer where rows span fewer.

    Args:
        rows: `(row, channel)`.
        count: axes, at least 1.

    Raises:
        InputError: fewer than one axis, or as many as there are rows, whose differences span one less.
    """
    x = np.asarray(rows, dtype=np.float64)
    if not 1 <= count < len(x):
        raise InputError(f"{len(x)} rows have 1 ... {len(x) - 1} principal components, not {count}")
    mean = x.mean(axis=0)
    centred = x - mean
    wide = x.shape[1] > len(x)
    variance, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    order = np.flatnonzero(variance > _FLAT * max(float(variance[-1]), 0.0))[::-1][:count]
    axes = vectors[:, order].T
    return Principal(mean, axes @ centred / np.sqrt(variance[order, None]) if wide else axes)
