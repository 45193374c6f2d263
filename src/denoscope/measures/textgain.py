"""What a prompt adds to agreement with people, and how much of that comes from the words alone.

Everything is paired: the same choices are scored on similarities of the same objects with and without the words.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls
from scipy.special import stdtr, stdtrit

from denoscope.core.errors import InputError
from denoscope.measures.dyadic import dyadic_mean
from denoscope.measures.judgments import Judgments
from denoscope.measures.significance import Paired
from denoscope.measures.statistics import Estimate, bootstrap_ratio
from denoscope.measures.triads import object_influence, triad_mean

__all__ = ["Mixed", "as_told", "gain_share", "mixed_in", "object_gain", "triad_gain"]

Floats = NDArray[np.float64]


class Mixed(NamedTuple):
    """Similarities that two others were mixed into.

    Attributes:
        similar: the mixture, `(object, object)`.
        share: of the variance of what was imitated, over pairs of objects, that it explains.
        weight: of the second one, once each is in units of its spread over pairs; the two weights sum to 1.
    """

    similar: Floats
    share: float
    weight: float


def triad_gain(first: ArrayLike, second: ArrayLike, judged: Judgments) -> Paired:
    """Mean of `first - second` over the same choices, with `triad_mean`'s interval and the p-value of no difference.

    Args:
        first, second: what each row earns, `(row,)`.
        judged: the choices.

    Raises:
        InputError: no row, or another number of them.
    """
    gain = triad_mean(np.asarray(first, dtype=np.float64) - np.asarray(second), judged, share=False)
    return _tested(gain, _units(judged))


def object_gain(gain: ArrayLike, one: int, judged: Judgments) -> Paired:
    """Mean gain of choices that are all about one object, clustered by the two others of each; n counts choices.

    Args:
        gain: of each row, `(row,)`.
        one: the object.
        judged: choices about it.
    """
    sides = np.stack([judged.first, judged.second, judged.odd])
    others = sides.T[(sides != one).T].reshape(-1, 2)
    found = dyadic_mean(gain, others[:, 0], others[:, 1], share=False)
    tested = _tested(found, found.n)
    return Paired(found._replace(n=len(judged)), tested.p)


def as_told(similar: ArrayLike, carrier: ArrayLike, judged: Judgments) -> tuple[Floats, NDArray[np.bool_]]:
    """Similarities of objects as the words name them, where every object was shown under another one's name.

    Args:
        similar: of the objects as they were shown, `(object, object)`.
        carrier: for each object, the one that was shown under its name; -1 where none was, `(object,)`.
        judged: the choices.

    Returns:
        `(object, object)`, and the rows all of whose objects were named, `(row,)`.
    """
    places = np.asarray(carrier, dtype=np.int64)
    known = places >= 0
    rows = known[judged.first] & known[judged.second] & known[judged.odd]
    safe = np.where(known, places, 0)
    return np.asarray(similar, dtype=np.float64)[np.ix_(safe, safe)], rows


def mixed_in(target: ArrayLike, first: ArrayLike, second: ArrayLike) -> Mixed:
    """a S1 + b S2 with a, b >= 0 that is nearest to S over pairs of different objects, up to a constant.

    What a representation would be like if the second one were only put beside the first, with as much weight as it
    evidently has: for vectors side by side, inner products add up. Nobody's choices take part in the fit.

    Args:
        target, first, second: S, S1 and S2, symmetric, `(object, object)`.

    Raises:
        InputError: other shapes, or fewer than 3 objects.
    """
    s, *parts = (np.asarray(matrix, dtype=np.float64) for matrix in (target, first, second))
    if s.ndim != 2 or len(s) < 3 or any(part.shape != s.shape for part in parts):
        shapes = ", ".join(str(matrix.shape) for matrix in (s, *parts))
        raise InputError(f"similarities that are mixed are of the same 3 objects or more, (object, object): {shapes}")
    upper = np.triu_indices(len(s), 1)
    y, x = _centred(s[upper]), np.stack([_centred(part[upper]) for part in parts], axis=1)
    spread = np.sqrt(np.square(x).mean(axis=0))
    scale = np.divide(1.0, spread, out=np.zeros(2), where=spread > 0)
    weights: Any = nnls(x * scale, y)[0]
    total, left = float(y @ y), float(np.square(y - (x * scale) @ weights).sum())
    mixed = parts[0] * (weights[0] * scale[0]) + parts[1] * (weights[1] * scale[1])
    share = 1 - left / total if total else 0.0
    return Mixed(mixed, share, float(weights[1] / weights.sum()) if weights.sum() else 0.0)


def gain_share(part: ArrayLike, whole: ArrayLike, judged: Judgments, seed: int = 0) -> Estimate | None:
    """Mean of `part` over mean of `whole`, both gains of the same choices, with an interval over objects.

    None unless the whole gain is more than twice as large as its margin, some four standard errors: a share of what may
    be next to nothing could be anything. Objects are resampled by their influence on either mean (`object_influence`),
    so that what both have in common cancels; with few choices per object the interval errs to the wide side.

    Args:
        part, whole: gain of each row, `(row,)`; a row without a part (NaN) is left out of it.
        judged: the choices.
        seed: of the resampling.
    """
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    gain = triad_mean(below, judged, share=False)
    if not gain.low > gain.value / 2 > 0:
        return None
    known = ~np.isnan(above)
    some = judged if known.all() else judged.select(known)
    units = object_influence(above[known], some), object_influence(below, judged)
    return bootstrap_ratio(*units, seed=seed)


def _tested(gain: Estimate, units: int) -> Paired:
    """With the p-value that belongs to Student's interval."""
    freedom = max(units - 1, 1)
    error = (gain.high - gain.low) / 2 / float(stdtrit(freedom, 0.975))
    if error == 0:
        return Paired(gain, 1.0 if gain.value == 0 else 0.0)
    return Paired(gain, float(2 * stdtr(freedom, -abs(gain.value) / error)))


def _centred(values: Floats) -> Floats:
    return values - values.mean()


def _units(judged: Judgments) -> int:
    """Objects that were asked about, or participants where those are known and fewer."""
    objects = int((judged.asked > 0).sum())
    people = len(np.unique(judged.participant[judged.participant >= 0]))
    return min(objects, people) if people else objects
