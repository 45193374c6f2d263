"""Odd-one-out choices: of three objects, which two does a representation keep together, and do people as well?

Every score is read off one matrix of similarities, three numbers per triplet, so that millions of triplets take about a
second. Where two or three pairs tie for the most alike, each counts as 1 / k of a choice, whichever pair people kept.
"""

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import entr

from denoscope.core.errors import InputError, unknown
from denoscope.measures.comparison import squared_distances
from denoscope.measures.judgments import Judgments, kept_together

__all__ = [
    "CHANCE",
    "Calibrated",
    "Credits",
    "Judgments",
    "Metric",
    "alike",
    "calibrated",
    "chosen",
    "credits",
    "entropy",
    "flips",
    "gathered",
    "jensen_shannon",
    "kept_together",
    "log_loss",
    "probabilities",
    "triplet_similarity",
]

Array = NDArray[Any]
Metric = Literal["cosine", "dot", "euclidean"]

CHANCE = 1 / 3
"""Accuracy of a choice by lot."""
_ROUNDING = 1e-12
"""Similarities that differ by no more than this share of the largest are equal."""
_BLOCK = 2**16
"""Triplets at a time, so that what is gathered stays in the processor's cache."""
_RANGE = (-12.0, 12.0)
"""Natural logarithms of scale / temperature between which the best one is looked for."""


class Credits(NamedTuple):
    """What a representation earns.

    Attributes:
        right: of each row, 1, 0, or 1 / k where k pairs tie for the most alike and the kept one is among them.
        ties: how many rows have such a tie, of two pairs and of three.
    """

    right: NDArray[np.float64]
    ties: tuple[int, int]


def alike(x: ArrayLike, metric: Metric = "cosine") -> NDArray[np.float64]:
    """How alike all pairs of objects are, `(object, object)`: cosine, inner product, or minus the Euclidean distance.

    Args:
        x: `(object, channel)`. A row of zeros has cosine 0 with every other.
        metric: of two rows.

    Raises:
        UnknownName: another metric.
        InputError: NaN, infinite values, or fewer than 3 objects.
    """
    rows = np.asarray(x, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 3 or not np.isfinite(rows).all():
        raise InputError(f"similarities need 3 objects or more of finite numbers, (object, channel), got {rows.shape}")
    if metric == "euclidean":
        return -np.sqrt(squared_distances(rows))
    if metric not in get_args(Metric):
        raise unknown("metric", metric, get_args(Metric), "denoscope evaluate alignment --help")
    if metric == "cosine":
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return rows @ rows.T


def credits(similar: Array, judged: Judgments) -> Credits:
    """Strict scoring: the pair that is most alike is kept together, and k pairs that tie earn 1 / k each.

    Args:
        similar: `(object, object)`, symmetric, larger where more alike.
        judged: people's choices.
    """
    flat, pairs, slack = similar.reshape(-1), judged.pairs, _slack(similar)
    right, ties = np.empty(len(judged)), [0, 0]
    for start in range(0, len(judged), _BLOCK):
        part = slice(start, start + _BLOCK)
        kept, first, second = flat.take(pairs[0, part]), flat.take(pairs[1, part]), flat.take(pairs[2, part])
        least = np.maximum(np.maximum(kept, first), second)
        least -= slack
        best = kept >= least
        count = best.astype(np.int8) + (first >= least) + (second >= least)
        np.divide(best, count, out=right[part])
        if count.max() > 1:
            ties[0] += int((count == 2).sum())
            ties[1] += int((count == 3).sum())
    return Credits(right, (ties[0], ties[1]))


def chosen(similar: Array, judged: Judgments) -> NDArray[np.int8]:
    """Which pair is most alike, `(row,)`: 0 the kept one, 1 first with odd, 2 second with odd, -1 where pairs tie."""
    found, slack = gathered(similar, judged), _slack(similar)
    tied = (found >= found.max(axis=1, keepdims=True) - slack).sum(axis=1) > 1
    return np.where(tied, -1, found.argmax(axis=1)).astype(np.int8)


def gathered(similar: Array, judged: Judgments) -> NDArray[np.float64]:
    """The similarities of the three pairs, `(row, 3)`: the kept one, first with odd, second with odd."""
    return similar.reshape(-1).take(judged.pairs).T


def probabilities(similar: Array, judged: Judgments, temperature: float = 1.0) -> NDArray[np.float64]:
    """Chances that each pair is kept, exp(s / T) / sum exp(s / T), `(row, 3)` in the order of `gathered`.

    The temperature divides. Zheng et al. 2019 and Muttenthaler et al. 2023 take the inner product for s.

    Raises:
        InputError: a temperature that is not positive.
    """
    if not temperature > 0:
        raise InputError(f"a temperature is positive, not {temperature}")
    return _softmax(gathered(similar, judged) / temperature)


def log_loss(similar: Array, judged: Judgments, temperature: float = 1.0) -> NDArray[np.float64]:
    """-log of the chance of what people chose, in nats, `(row,)`; log 3 for a choice by lot."""
    if not temperature > 0:
        raise InputError(f"a temperature is positive, not {temperature}")
    return _loss(gathered(similar, judged), 1 / temperature)


def entropy(chances: ArrayLike) -> NDArray[np.float64]:
    """-sum p log p of each row, in nats; log 3 where all three pairs are equally likely."""
    return entr(np.asarray(chances, dtype=np.float64)).sum(axis=-1)


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """Jensen-Shannon distance of chances, row by row: the root of H((p + q) / 2) - (H(p) + H(q)) / 2, in nats."""
    a, b = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    return np.sqrt(np.maximum(entropy((a + b) / 2) - (entropy(a) + entropy(b)) / 2, 0.0))


class Calibrated(NamedTuple):
    """The temperature of a representation, and what it is worth.

    Attributes:
        temperature: at which the mean loss is least, over all rows.
        loss: of each row, at the temperature that the other half of the triplets chose, in nats.
        chances: of the three pairs at that temperature, `(row, 3)`.
    """

    temperature: float
    loss: NDArray[np.float64]
    chances: NDArray[np.float64]


def calibrated(similar: Array, judged: Judgments, seed: int = 0) -> Calibrated:
    """The temperature at which choices are least surprising, cross-fitted over halves of the different triplets.

    The mean loss is convex in 1 / T, so that there is one such temperature. Repeats of a triplet stay together.
    """
    found, (triples, code) = gathered(similar, judged), judged.triples
    half = (np.random.default_rng(seed).permutation(len(triples)) % 2)[code]
    loss, chances = np.empty(len(judged)), np.empty((len(judged), 3))
    for side in (0, 1):
        test, train = half == side, half != side
        rate = _rate(found[train] if train.any() else found)
        loss[test], chances[test] = _loss(found[test], rate), _softmax(found[test] * rate)
    return Calibrated(1 / _rate(found), loss, chances)


def flips(x: ArrayLike, judged: Judgments, metric: Metric = "cosine", dtype: Any = np.float16) -> NDArray[np.bool_]:
    """Rows whose choice is another one when the values are kept in `dtype`, `(row,)`: the audit of half precision.

    Values beyond the largest of `dtype` are cut there, rather than made infinite.

    Args:
        x: `(object, channel)`.
        judged: people's choices.
        metric: of two rows.
        dtype: floating point type of less precision.
    """
    values, most = np.asarray(x, dtype=np.float64), float(np.finfo(dtype).max)
    rough = values.clip(-most, most).astype(dtype)
    return chosen(alike(values, metric), judged) != chosen(alike(rough, metric), judged)


def triplet_similarity(embedding: ArrayLike) -> NDArray[np.float64]:
    """Chance that two objects are kept together beside a third one, averaged over all third ones (Hebart et al. 2020).

    p_ij = mean over k other than i, j of e^s_ij / (e^s_ij + e^s_ik + e^s_jk), s the inner products; the diagonal is 1.
    The three chances of a triplet sum to 1, so that the mean off the diagonal is 1/3.

    Args:
        embedding: `(object, dimension)`.

    Raises:
        InputError: fewer than 3 objects, or numbers that are not finite.
    """
    s = alike(embedding, "dot")
    e, n = np.exp(s - s.max()), len(s)
    found = np.eye(n)
    for i in range(n):
        rows = e[i, i + 1 :, None]
        share = rows / (rows + e[i] + e[i + 1 :])
        share[:, i] = 0.0
        share[np.arange(n - i - 1), np.arange(i + 1, n)] = 0.0
        found[i, i + 1 :] = found[i + 1 :, i] = share.sum(axis=1) / (n - 2)
    return found


def _slack(similar: Array) -> float:
    return _ROUNDING * float(max(similar.max(), -similar.min()))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)


def _loss(found: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """log sum exp(rate s) - rate s_kept of each row."""
    logits = found * rate
    most = logits.max(axis=1)
    return np.log(np.exp(logits - most[:, None]).sum(axis=1)) + most - logits[:, 0]


def _rate(found: NDArray[np.float64]) -> float:
    """1 / T of least mean loss: where it is least on a scale of logarithms, in units of the similarities' spread."""
    some = found if len(found) <= 2**18 else found[np.linspace(0, len(found) - 1, 2**18).astype(int)]
    spread = float((some - some.mean(axis=1, keepdims=True)).std()) or 1.0
    told: Any = minimize_scalar(lambda log: _loss(some, np.exp(log) / spread).mean(), bounds=_RANGE, method="bounded")
    return float(np.exp(told.x)) / spread
