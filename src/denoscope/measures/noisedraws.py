"""How much of a score is the noise that was drawn, and how much the objects that were sampled?

A score is measured under several draws of the noise on the same choices about the same objects. Two sources move it:
other draws, whose spread is seen, and other objects, whose spread follows from how choices hang together.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, stdtr, stdtrit

from denoscope.core.errors import InputError
from denoscope.measures.judgments import Judgments
from denoscope.measures.significance import Paired
from denoscope.measures.statistics import Estimate
from denoscope.measures.triads import triad_variance

__all__ = ["Spread", "drawn_difference", "drawn_mean", "spread"]

Array = NDArray[Any]
Floats = NDArray[np.float64]


class Spread(NamedTuple):
    """Standard deviations of a score that was measured once.

    Attributes:
        draws: over draws of the noise, objects and choices held.
        objects: over samples of objects, participants and choices, draws held.
        share: of the variance of both together that is the draws'.
    """

    draws: Estimate
    objects: Estimate
    share: Estimate


def drawn_mean(rights: ArrayLike, judged: Judgments) -> Estimate:
    """Mean over choices and draws with its 95 % interval over objects, participants and draws; n counts choices.

    V = V_objects of the mean over draws + s^2 / S, with Student's quantile at Satterthwaite's degrees of freedom
    (Satterthwaite 1946). What noise does to single objects is in both, so that the interval is somewhat wide. One draw
    has no spread of its own: then V_objects is all.

    Args:
        rights: what each choice earns under each draw, 0 to 1, `(draw, row)`.
        judged: the choices.

    Raises:
        InputError: no draw, or another number of rows.
    """
    x = _checked(rights, judged)
    value = float(x.mean())
    half, _ = _half(x.mean(axis=0), [x], judged)
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0), len(judged))


def drawn_difference(first: ArrayLike, second: ArrayLike, judged: Judgments) -> Paired:
    """Mean of `first - second` over the same choices, each under draws of its own, and the p-value of no difference.

    Args:
        first, second: what each choice earns under each draw, `(draw, row)`; as many draws as there are of each.
        judged: the choices.

    Raises:
        InputError: no draw, or another number of rows.
    """
    a, b = _checked(first, judged), _checked(second, judged)
    difference = a.mean(axis=0) - b.mean(axis=0)
    value = float(difference.mean())
    half, (variance, df) = _half(difference, [a, b], judged)
    p = float(2 * stdtr(df, -abs(value) / variance**0.5)) if variance > 0 else float(value == 0)
    return Paired(Estimate(value, value - half, value + half, len(judged)), p)


def spread(rights: ArrayLike, judged: Judgments) -> Spread:
    """Where the uncertainty of a score comes from.

    The draws' interval is that of a normal variance, (S - 1) s^2 / chi^2; that of their share follows from it, the
    objects' variance held. `objects` is the root of the mean over draws of `triad_variance`, without an interval.

    Args:
        rights: what each choice earns under each draw, `(draw, row)`.
        judged: the choices.

    Raises:
        InputError: fewer than two draws, or another number of rows.
    """
    x = _checked(rights, judged)
    draws = len(x)
    if draws < 2:
        raise InputError("how much a score moves with the noise takes two draws of it or more")
    objects = float(np.mean([triad_variance((row - row.mean()) / row.size, judged) for row in x]))
    variance = float(x.mean(axis=1).var(ddof=1))
    ends = (draws - 1) * variance / chdtri(draws - 1, np.array([0.025, 0.975]))
    found = np.array([variance, *ends])
    shares = np.divide(found, found + objects, out=np.zeros(3), where=found + objects > 0)
    root = objects**0.5
    return Spread(_estimate(np.sqrt(found), draws), Estimate(root, root, root, len(judged)), _estimate(shares, draws))


def _estimate(found: Floats, n: int) -> Estimate:
    value, low, high = found.tolist()
    return Estimate(value, low, high, n)


def _checked(rights: ArrayLike, judged: Judgments) -> Floats:
    x = np.asarray(rights, dtype=np.float64)
    if x.ndim != 2 or not len(x) or x.shape[1] != len(judged) or not len(judged):
        raise InputError(f"draws of {len(judged)} choices are (draw, choice); got {x.shape}")
    return x


def _half(row: Floats, draws: list[Floats], judged: Judgments) -> tuple[float, tuple[float, float]]:
    """Half the interval of a row's mean, its variance and degrees of freedom."""
    sources = [(triad_variance((row - row.mean()) / row.size, judged), _units(judged) - 1)]
    sources += [(float(x.mean(axis=1).var(ddof=1)) / len(x), len(x) - 1) for x in draws if len(x) > 1]
    variance = sum(one for one, _ in sources)
    if variance <= 0:
        return 0.0, (0.0, 1.0)
    df = variance**2 / sum(one**2 / max(units, 1) for one, units in sources)
    return float(stdtrit(df, 0.975) * variance**0.5), (variance, df)


def _units(judged: Judgments) -> int:
    """How many objects were asked about, or participants where those are known and fewer."""
    objects = int((judged.asked > 0).sum())
    people = len(np.unique(judged.participant[judged.participant >= 0]))
    return min(objects, people) if people else objects
