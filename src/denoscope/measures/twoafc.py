"""Two-alternative forced choice: which of two pictures is more like a third, and what can be reached at best.

Zhang, Isola, Efros, Shechtman and Wang 2018 (BAPPS); Fu, Tamir, Sundaram et al. 2023 (NIGHTS). With p the share of
people who take the second picture, whoever takes it earns p, and whoever takes the first 1 - p.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from denoscope.core.errors import InputError
from denoscope.measures.dyadic import share_interval
from denoscope.measures.statistics import Estimate

__all__ = ["agreement", "leave_one_out", "majority", "scored", "share_mean", "taken"]

Numbers = NDArray[np.float64]

_ROUNDING = 1e-12
"""Distances that differ by no more than this share of the largest are equal."""


def taken(first: ArrayLike, second: ArrayLike) -> NDArray[np.int64]:
    """Which picture is nearer: 0 the first, 1 the second, -1 where both are equally far, `(trial,)`.

    Args:
        first, second: distances of the two to the picture in question, `(trial,)`.

    Raises:
        InputError: distances that are not finite, or differ in number.
    """
    d0, d1 = (np.asarray(told, dtype=np.float64) for told in (first, second))
    if d0.shape != d1.shape or d0.ndim != 1 or not np.isfinite([d0, d1]).all():
        raise InputError(f"distances are finite and as many to the first as to the second, not {d0.shape}, {d1.shape}")
    tied = np.abs(d0 - d1) <= _ROUNDING * np.maximum(np.abs(d0), np.abs(d1))
    return np.where(tied, -1, d1 < d0)


def scored(choice: ArrayLike, share: ArrayLike) -> Numbers:
    """(d0 < d1) (1 - p) + (d1 < d0) p + (d0 = d1) / 2, `(trial,)`.

    Args:
        choice: as `taken` gives it.
        share: p, of the votes for the second picture.

    Raises:
        InputError: a share outside 0 ... 1.
    """
    p = _shares(share)
    return np.choose(np.asarray(choice) + 1, [np.full(p.shape, 0.5), 1 - p, p])


def majority(share: ArrayLike) -> Numbers:
    """max(p, 1 - p): what whoever takes the majority's picture earns, the largest score there is on these votes."""
    p = _shares(share)
    return np.maximum(p, 1 - p)


def agreement(share: ArrayLike, votes: ArrayLike | None = None) -> Numbers:
    """p^2 + (1 - p)^2: what one more person would earn on average (Zhang et al. 2018).

    Args:
        share: p.
        votes: n behind each share, 2 or more; (n (p^2 + (1 - p)^2) - 1) / (n - 1) is then free of the bias that a vote
            agrees with itself. Without, the number is too high.

    Raises:
        InputError: fewer than two votes.
    """
    p = _shares(share)
    found = p**2 + (1 - p) ** 2
    if votes is None:
        return found
    n = _votes(votes)
    return (n * found - 1) / (n - 1)


def leave_one_out(share: ArrayLike, votes: ArrayLike) -> Numbers:
    """How often one vote is the majority's of all others, half where these tie, `(trial,)`; below max(p, 1 - p).

    Args:
        share: p.
        votes: n behind each share, 2 or more.

    Raises:
        InputError: fewer than two votes.
    """
    n = _votes(votes)
    second = np.rint(_shares(share) * n)
    counts = np.stack([n - second, second])
    lead = counts - 1 - counts[::-1]
    return (counts * (np.sign(lead) + 1) / 2).sum(axis=0) / n


def share_mean(values: ArrayLike, groups: ArrayLike) -> Estimate:
    """Mean of shares with its 95 % interval, clustered by group; n is the number of groups.

    Wilson's interval at the number of independent trials that would have the clustered variance G / (G - 1) sum of
    squares of what each group's rows add; where no two differ, at the number of groups. So 15 of 15 is not certainty.

    Args:
        values: between 0 and 1, `(row,)`.
        groups: unit of each row.

    Raises:
        InputError: no row.
    """
    x, names = np.asarray(values, dtype=np.float64), np.asarray(groups)
    if not x.size or len(names) != x.size:
        raise InputError(f"a mean over {len(names)} rows needs as many numbers, got {x.size}")
    value = min(max(float(x.mean()), 0.0), 1.0)
    _, unit = np.unique(names, return_inverse=True)
    sums = np.bincount(unit, (x - value) / x.size)
    count = len(sums)
    variance, spread = float(np.square(sums).sum()) * count / max(count - 1, 1), value * (1 - value)
    trials = spread / variance if variance > 1e-9 * spread > 0 else float(count)
    return share_interval(value, max(trials, 1.0), float(stdtrit(max(count - 1, 1), 0.975)), count)


def _shares(share: ArrayLike) -> Numbers:
    p = np.asarray(share, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("shares of votes lie in 0 ... 1")
    return p


def _votes(votes: ArrayLike) -> NDArray[Any]:
    n = np.asarray(votes, dtype=np.float64)
    if not (n >= 2).all():
        raise InputError("how far votes agree is told by two of them or more")
    return n
