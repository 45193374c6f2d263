"""Whose gain it is: of which objects, and of which of people's concepts."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score
from denoscope.measures.judgments import Judgments
from denoscope.measures.significance import Paired
from denoscope.measures.textgain import object_gain, triad_gain
from denoscope.tasks._judged import Judged
from denoscope.tasks._textrows import OVER

__all__ = ["concept_of", "concept_rows", "object_rows"]

Floats = NDArray[np.float64]
_BLOCK = 2**16
"""Choices at a time."""
_LEAST = 30
"""Choices that a concept or object needs."""

Told = Iterator[tuple[str, Score, float]]


def concept_of(embedding: NDArray[Any], judged: Judgments) -> NDArray[np.int64]:
    """The dimension that each choice is about: the largest one of the mean of the two that were kept, `(row,)`."""
    found = np.empty(len(judged), dtype=np.int64)
    for start in range(0, len(judged), _BLOCK):
        part = slice(start, start + _BLOCK)
        found[part] = (embedding[judged.first[part]] + embedding[judged.second[part]]).argmax(axis=1)
    return found


def concept_rows(gain: Floats, told: Judged, names: Sequence[str], kind: str) -> Told:
    """Name, mean gain of the choices about it, and p-value of each concept that enough choices are about.

    Args:
        gain: of each choice, a mean over sites.
        told: with people's embedding.
        names: of its dimensions.
        kind: of the prompt.
    """
    if told.embedding is None:
        return
    concept = concept_of(told.embedding, told.judgments)
    for number, name in enumerate(names):
        rows = np.flatnonzero(concept == number)
        if len(rows) >= _LEAST:
            some = told.judgments.select(rows)
            test = triad_gain(gain[rows], np.zeros(len(rows)), some)
            yield name, _score(f"gain by concept, {kind}", test), test.p


def object_rows(gain: Floats, told: Judged, kind: str) -> Told:
    """As `concept_rows`, of the choices about each object."""
    choices = told.judgments
    columns = np.concatenate([choices.first, choices.second, choices.odd]).astype(np.int64)
    order = np.argsort(columns, kind="stable")
    ends = np.searchsorted(columns[order], np.arange(choices.objects + 1))
    for number, name in enumerate(told.names):
        rows = np.sort(order[ends[number] : ends[number + 1]] % len(choices))
        if len(rows) >= _LEAST:
            test = object_gain(gain[rows], number, choices.select(rows))
            yield (
                name,
                _score(f"gain by object, {kind}", test, "choices about it, clustered by the other objects"),
                test.p,
            )


def _score(name: str, test: Paired, over: str = OVER) -> Score:
    return Score(name, *test.difference, unit="share", over=over)
