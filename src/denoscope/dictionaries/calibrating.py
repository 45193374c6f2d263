"""A threshold in place of a choice among atoms: what selects k codes becomes a JumpReLU dictionary."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries.base import Learned, rows_of
from denoscope.dictionaries.jumprelu import JumpReLU, JumpReLUSettings

__all__ = ["calibrated"]

_KNOWN = ("topk", "batchtopk", "matryoshka", "hierarchical")
_BLOCK = 2**24
"""Pre-activations that are held at once."""

Floats = NDArray[np.float64]


def calibrated(
    made: Learned, batches: Iterable[Any], thresholds: Literal["one", "each"] = "one", cells: int = 16_384
) -> JumpReLU:
    """The same atoms and encoder, active where they exceed a threshold, with as many codes on average as before.

    A cell's codes then no longer depend on its other codes (nor on other cells), so that an atom can be computed alone
    and cells that need more codes get more.

    Args:
        made: a `topk`, `batchtopk`, `matryoshka` or `hierarchical` dictionary.
        batches: cells like those that it learned from, `(sample, channel)`.
        thresholds: `one` for all atoms alike, in the units in which they are compared, such that there are as many
            codes in all; or for `each` atom its own, such that it is active as often as it was.
        cells: how many are looked at, the first ones.

    Raises:
        InputError: another kind of dictionary, no cells, or cells of another width.
    """
    if made.name not in _KNOWN or not isinstance(made, Autoencoder):
        raise InputError(f"thresholds stand in for the choice of {', '.join(_KNOWN)} dictionaries, not of {made.name}")
    if thresholds not in ("one", "each"):
        raise InputError(f"thresholds must be 'one' or 'each', not {thresholds!r}")
    x = _first(batches, cells)
    lengths = made.weights.get("lengths", np.ones(len(made.atoms), dtype=np.float32)).astype(np.float64)
    uses = _uses(made, x)
    limits = _one(made, x, lengths, int(uses.sum())) * lengths if thresholds == "one" else _each(made, x, uses)
    known = {field.name for field in fields(JumpReLUSettings)}
    told = {name: value for name, value in asdict(made.settings).items() if name in known}
    found = JumpReLU(JumpReLUSettings(**told))
    kept = {name: made.weights[name] for name in ("atoms", "bias", "encoder", "encoder_bias") if name in made.weights}
    found.weights = {**kept, "threshold": np.maximum(limits, 0).astype(np.float32)}
    found.about = {**made.about, "calibrated": {"from": made.name, "cells": len(x), "thresholds": thresholds}}
    return found


def _first(batches: Iterable[Any], cells: int) -> NDArray[np.float32]:
    held: list[NDArray[np.float32]] = []
    for rows in rows_of(batches):
        held.append(rows)
        if sum(map(len, held)) >= cells:
            break
    if not sum(map(len, held)):
        raise InputError("thresholds are set from cells, and there were none")
    return np.concatenate(held)[:cells]


def _blocks(made: Autoencoder, x: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    step = max(1, _BLOCK // len(made.atoms))
    return (x[start : start + step] for start in range(0, len(x), step))


def _uses(made: Autoencoder, x: NDArray[np.float32]) -> NDArray[np.int64]:
    """Cells in which each atom is active, `(atom,)`."""
    return np.sum([np.count_nonzero(made.encode(rows), axis=0) for rows in _blocks(made, x)], axis=0)


def _one(made: Autoencoder, x: NDArray[np.float32], lengths: Floats, count: int) -> float:
    """What exactly `count` pre-activations exceed, each divided by its atom's length."""
    width = min(len(lengths), 8 * made.settings.k)
    while True:
        parts = [_largest(made._before(rows).numpy() / lengths, width) for rows in _blocks(made, x)]
        found = np.concatenate(parts)
        ranked = np.sort(found, axis=None)[::-1]
        if width == len(lengths) or not (found.min(axis=1) >= ranked[count - 1]).any():
            return _between(ranked, count)
        width = min(len(lengths), 2 * width)


def _largest(before: Floats, width: int) -> Floats:
    return np.partition(before, before.shape[1] - width, axis=1)[:, before.shape[1] - width :]


def _each(made: Autoencoder, x: NDArray[np.float32], uses: NDArray[np.int64]) -> Floats:
    """What each atom's pre-activation exceeds in as many cells as it was active in."""
    limits, step = np.zeros(len(uses)), max(1, _BLOCK // len(x))
    w, b = made.weights["encoder"], made.weights.get("encoder_bias", np.zeros(len(uses), dtype=np.float32))
    for start in range(0, len(uses), step):
        some = slice(start, start + step)
        before = -np.sort(-((x - made.bias) @ w[some].T + b[some]), axis=0)
        limits[some] = [_between(column, count) for column, count in zip(before.T, uses[some], strict=True)]
    return limits


def _between(ranked: NDArray[Any], count: int) -> float:
    """Half-way between the `count`-th largest and the next; never below 0, and above all for none."""
    if count == 0:
        return 1.001 * max(float(ranked[0]), 0.0) + 1e-6
    after = float(ranked[count]) if count < len(ranked) else 0.0
    return (float(ranked[count - 1]) + max(after, 0.0)) / 2
