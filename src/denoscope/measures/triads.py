"""Intervals for triplets: a choice among three objects moves with each of them, and with who chose."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from denoscope.core.errors import InputError
from denoscope.measures.dyadic import share_interval
from denoscope.measures.statistics import Estimate
from denoscope.measures.triplets import Judgments

__all__ = ["by_object", "object_influence", "triad_mean", "triad_variance"]

Array = NDArray[Any]


def triad_variance(residuals: ArrayLike, judged: Judgments, learned: bool = False) -> float:
    """Variance of a sum over triplets, robust to every dependence through a shared object or participant.

    V = sum over rows i, j that share an object of e_i e_j, the form of Aronow, Samii and Assenova 2015 for three nodes.
    With A the sum of squares of what each object's rows add up to, B that of pairs of objects and C that of triplets,
    A counts two rows once for each object that they share, and A - B + C counts them once. Rows that share a
    participant are added, less each row with itself (Cameron, Gelbach and Miller 2011). Never below what independent
    triplets would have. The factor N (N - 1) / (N - 3)^2 makes up for the mean having been subtracted: it is exact
    where all triplets of N objects are there and objects have effects that add up.

    Under maps that were `learned` from the other parts of the objects, each object moves the sum twice, as one that is
    tested and as one that the other parts' maps were learned from: with a score sum over parts i, j of a_i . a_j each
    product is there twice, and the variance of what objects do is twice what it is with maps held fixed, whatever the
    number of parts. That is exact where there is nothing to learn, and wide where maps are well determined.

    Args:
        residuals: what each row adds to the sum, beyond its mean.
        judged: the choices.
        learned: whether rows were predicted by maps that were learned from other objects of the same ones.
    """
    e, n = np.asarray(residuals, dtype=np.float64), judged.objects
    nodes, dyads = _objects(e, judged), sum(np.bincount(pair, e, n * n) for pair in judged.pairs)
    different, code = judged.triples
    alone = float(np.square(e if len(different) == len(e) else np.bincount(code, e)).sum())
    robust = float(np.square(nodes).sum() - np.square(dyads).sum()) + alone
    seen = int((judged.asked > 0).sum())
    shared = max(robust - alone, 0.0)
    objects = (alone + shared * (1 + learned)) * seen * (seen - 1) / max(seen - 3, 1) ** 2
    return objects + _by_participant(e, judged.participant) * (1 + learned)


def triad_mean(values: ArrayLike, judged: Judgments, share: bool = True, learned: bool = False) -> Estimate:
    """Mean over choices with its 95 % interval, clustered by object and by participant; n is the number of choices.

    A share has Wilson's interval at the number of independent trials that would have its variance, anything else
    Student's; the quantile is that of as many units as there are objects, or participants where those are fewer.

    Args:
        values: of each row, such as 1 for a hit.
        judged: the choices.
        share: whether values lie between 0 and 1.
        learned: whether they follow from maps that were learned from other objects of the same ones.

    Raises:
        InputError: no row, or another number of them.
    """
    x = np.asarray(values, dtype=np.float64)
    if not x.size or x.shape != (len(judged),):
        raise InputError(f"a mean over {len(judged)} choices needs as many numbers, got {x.size}")
    value = float(x.mean())
    variance = triad_variance((x - value) / x.size, judged, learned)
    z = float(stdtrit(max(_units(judged) - 1, 1), 0.975))
    if not share:
        return Estimate(value, value - z * variance**0.5, value + z * variance**0.5, x.size)
    value = min(max(round(value, 12), 0.0), 1.0)
    spread = value * (1 - value)
    trials = spread / variance if variance > 1e-9 * spread > 0 else float(_units(judged))
    return share_interval(value, max(trials, 1.0), z, x.size)


def object_influence(values: ArrayLike, judged: Judgments, learned: bool = False) -> NDArray[np.float64]:
    """One number per object whose mean is the mean over choices, and whose spread is that of the mean, `(object,)`.

    u_o = mean + N (N - 1) / (N - 3) sum over the object's rows of (x - mean) / rows, Hajek's projection. A mean over u
    has the variance A of `triad_variance`, which is somewhat wide where objects have few choices. For maps that were
    `learned` from other objects the spread is wider by the ratio that there is between the two variances there.
    """
    x = np.asarray(values, dtype=np.float64)
    residual = (x - x.mean()) / x.size
    seen = int((judged.asked > 0).sum())
    fixed = triad_variance(residual, judged) if learned else 0.0
    wider = (triad_variance(residual, judged, learned) / fixed) ** 0.5 if fixed > 0 else 1.0
    return x.mean() + wider * judged.objects * (seen - 1) / max(seen - 3, 1) * _objects(residual, judged)


def by_object(values: ArrayLike, judged: Judgments) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean over the choices about each object, NaN where there is none, and how many there are, `(object,)`."""
    x = np.asarray(values, dtype=np.float64)
    count = judged.asked
    return np.divide(_objects(x, judged), count, out=np.full(judged.objects, np.nan), where=count > 0), count


def _objects(values: NDArray[np.float64], judged: Judgments) -> NDArray[np.float64]:
    columns = (judged.first, judged.second, judged.odd)
    return np.sum([np.bincount(column, values, judged.objects) for column in columns], axis=0)


def _by_participant(e: NDArray[np.float64], who: NDArray[np.int64]) -> float:
    """What rows of one participant have in common; never negative, and nothing where nobody is known."""
    known = who >= 0
    if not known.any():
        return 0.0
    _, code = np.unique(who[known], return_inverse=True)
    return max(float(np.square(np.bincount(code, e[known])).sum() - np.square(e[known]).sum()), 0.0)


def _units(judged: Judgments) -> int:
    """How many objects were asked about, or participants where those are known and fewer."""
    objects = int((judged.asked > 0).sum())
    people = len(np.unique(judged.participant[judged.participant >= 0]))
    return min(objects, people) if people else objects
