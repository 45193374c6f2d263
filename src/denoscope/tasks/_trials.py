"""Trials of two pictures beside a third, as facts tell them, and their distances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.core.task import Facts
from denoscope.tasks._rows import no_nan

__all__ = ["Trials", "distances", "trials_of"]

Array = NDArray[Any]

_ROUNDING = 1e-12
"""Of a cosine."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials whose three pictures are here.

    Attributes:
        rows: of the picture in question, the first and the second, `(trial, 3)`.
        share: of the votes for the second, `(trial,)`.
        votes: how many there were, `(trial,)`; None unless it is known of all.
        kinds: of each trial; "" where none is told.
        notes: what was left out, in sentences.
    """

    rows: NDArray[np.int64]
    share: NDArray[np.float64]
    votes: NDArray[np.int64] | None
    kinds: tuple[str, ...]
    notes: tuple[str, ...]


def trials_of(pooled: Activations, facts: Facts, votes: int = 0) -> Trials:
    """All trials of the facts `choices` (see `docs/data.md`).

    Args:
        pooled: one vector per image.
        facts: of each image.
        votes: behind each share where the facts do not say; 0 for unknown.

    Raises:
        InputError: no picture has trials, or none of them can be used.
    """
    place = {name: row for row, name in reversed(list(enumerate(pooled.ids)))}
    asked = [(row, told, str(fact.get("category") or ""))
             for row, fact in enumerate(facts) if place[pooled.ids[row]] == row
             for told in fact.get("choices") or ()]  # fmt: skip
    if not asked:
        raise InputError("these images come with no trials of two pictures beside a third (the fact 'choices'); data "
                         "sets that do are nights and bapps; see: denoscope list data")  # fmt: skip
    finite = no_nan(pooled.numpy())
    reasons = [_reason(told, row, place, finite) for row, told, _ in asked]
    kept = [trial for trial, reason in zip(asked, reasons, strict=True) if not reason]
    notes = [f"{reasons.count(reason)} of {len(asked)} trials {reason} and were left out."
             for reason in dict.fromkeys(filter(None, reasons))]  # fmt: skip
    if not kept:
        raise InputError(f"no trial can be used: {' '.join(notes)} Extract more images (limit=)?")
    counts = [int(told.get("votes") or votes) for _, told, _ in kept]
    return Trials(
        rows=np.array([(row, place[told["left"]], place[told["right"]]) for row, told, _ in kept], dtype=np.int64),
        share=np.array([float(told["share"]) for _, told, _ in kept]),
        votes=np.array(counts, dtype=np.int64) if min(counts) > 1 else None,
        kinds=tuple(kind for *_, kind in kept),
        notes=tuple(notes),
    )


def _reason(told: Mapping[str, Any], row: int, place: Mapping[str, int], finite: NDArray[np.bool_]) -> str:
    """Why a trial cannot be used; nothing where it can."""
    others = [place.get(str(told.get(name))) for name in ("left", "right")]
    if None in others:
        return "name a picture that is not here"
    share = told.get("share")
    if not isinstance(share, (int, float)) or not 0 <= share <= 1:
        return "have no share of votes in 0 ... 1"
    known = [row, *(other for other in others if other is not None)]
    return "" if finite[known].all() else "are about images with NaN or infinite values"


def distances(vectors: Array, rows: Array, metric: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far the first and the second picture of each trial are from the one in question, `(trial,)` each.

    Args:
        vectors: `(image, number)`.
        rows: `(trial, 3)`.
        metric: `cosine` (1 less it; 1 from a vector of zeros, and 0 where only rounding sets two vectors apart),
            `euclidean`, or `dot` (minus the inner product).
    """
    x = np.asarray(vectors, dtype=np.float64)
    if metric == "cosine":
        length = np.linalg.norm(x, axis=1, keepdims=True)
        x = np.divide(x, length, out=np.zeros_like(x), where=length > 0)
    return _far(x, rows[:, 0], rows[:, 1], metric), _far(x, rows[:, 0], rows[:, 2], metric)


def _far(x: Array, first: Sequence[int] | Array, second: Sequence[int] | Array, metric: str) -> NDArray[np.float64]:
    if metric == "euclidean":
        return np.linalg.norm(x[first] - x[second], axis=1)
    alike = np.einsum("ij,ij->i", x[first], x[second])
    return np.where(alike > 1 - _ROUNDING, 0.0, 1 - alike) if metric == "cosine" else -alike
