"""What people think of the objects of a store, concept by concept, and the choices that belong to each concept."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.task import Facts
from denoscope.measures.triplets import Judgments
from denoscope.tasks._judged import Judged, judged

__all__ = ["COLOURS", "Belongs", "Minds", "belonging", "grouped", "minds_of"]

Numbers = NDArray[np.float64]
Belongs = Literal["mean", "shared"]

COLOURS: tuple[str, ...] = (
    "black", "white", "red", "green", "yellow", "blue", "brown", "purple", "pink", "orange", "grey", "gray", "colour",
    "color", "colorful", "colourful",
)  # fmt: skip
"""What `colour` stands for: the eleven basic colour terms (Berlin and Kay 1969), and colour itself."""
_FEWEST = 4
"""Objects in which a concept must be above its least value, and below its largest."""
_BLOCK = 1 << 17
"""Choices whose kept pairs are averaged at a time."""


@dataclass(frozen=True, eq=False)
class Minds:
    """Objects with a vector, the choices about them, and what people think of them.

    Attributes:
        told: vectors, choices and names of objects.
        names: of the concepts.
        embedding: `(object, concept)`, of the concepts that can be decoded.
        whole: `(object, dimension)`, of all.
        notes: what was left out, in sentences.
    """

    told: Judged
    names: tuple[str, ...]
    embedding: Numbers
    whole: Numbers
    notes: tuple[str, ...]


def minds_of(pooled: Activations, facts: Facts) -> Minds:
    """By the facts `embedding`, `embedding_names`, and those of `judged`.

    Args:
        pooled: one vector per image.
        facts: of each image.

    Raises:
        InputError: no embedding of all objects that can be used, or no concept in which they differ.
    """
    told = judged(pooled, facts)
    if told.embedding is None:
        known = {row.get("object_index") for row in facts if row.get("embedding") is not None}
        raise InputError(f"what people think (the fact 'embedding') is known of {len(known)} objects, not of all "
                         f"{len(told.names)} here; data sets that tell are people, and things with an embedding "
                         "file; see: denoscope list data")  # fmt: skip
    if not np.isfinite(told.embedding).all():
        raise InputError("what people think of some object is NaN or infinite; mend the file of the embedding")
    names, kept = _names(facts, told.embedding.shape[1]), _told_apart(told.embedding)
    if not kept.any():
        raise InputError(f"none of {len(kept)} concepts tells {len(told.names)} objects apart: each applies to fewer "
                         f"than {_FEWEST}, or to all; extract more images (limit=)")  # fmt: skip
    lost = [name for name, some in zip(names, kept, strict=True) if not some]
    notes = [f"{len(lost)} of {len(kept)} concepts apply to fewer than {_FEWEST} of these objects, or to all but so "
             f"few, and were left out: {', '.join(lost)}."] if lost else []  # fmt: skip
    some = tuple(name for name, one in zip(names, kept, strict=True) if one)
    return Minds(told, some, told.embedding[:, kept], told.embedding, (*told.notes, *notes))


def grouped(names: Sequence[str], wanted: Sequence[str]) -> NDArray[np.bool_]:
    """Which concepts are meant, `(concept,)`: by name or pattern, or `colour` for those whose name holds a colour term.

    Raises:
        UnknownName: a name or pattern that fits none, where it is not `colour`.
    """
    found = np.zeros(len(names), dtype=bool)
    for pattern in wanted:
        fits = np.array([fnmatchcase(name.lower(), pattern.lower()) for name in names])
        if pattern == "colour":
            fits |= np.array([bool(set(re.split(r"[^a-z]+", name.lower())) & set(COLOURS)) for name in names])
        elif not fits.any():
            raise unknown("concept", pattern, names, "the column 'unit' of the report's table")
        found |= fits
    return found


def belonging(minds: Minds, how: Belongs, top: int) -> list[NDArray[np.intp]]:
    """Rows of the choices that belong to each concept; a choice belongs to the `top` largest of its kept pair.

    Args:
        minds: objects, choices and concepts.
        how: `mean` of the two objects, or what they `share` (the smaller of the two values).
        top: concepts of a choice.
    """
    found = _largest(minds.embedding.tobytes(), minds.told.judgments, how, min(top, len(minds.names)))
    return [np.flatnonzero((found == number).any(axis=1)) for number in range(len(minds.names))]


@lru_cache(maxsize=2)
def _largest(embedding: bytes, choices: Judgments, how: Belongs, top: int) -> NDArray[np.int64]:
    """Concepts of each choice, `(row, top)`, -1 where the pair has nothing of a further one; same for all sites."""
    e = np.frombuffer(embedding).reshape(choices.objects, -1)
    found = np.empty((len(choices), top), dtype=np.int64)
    for start in range(0, len(choices), _BLOCK):
        part = slice(start, start + _BLOCK)
        first, second = e[choices.first[part]], e[choices.second[part]]
        value = (first + second) / 2 if how == "mean" else np.minimum(first, second)
        best = np.argsort(-value, axis=1, kind="stable")[:, :top]
        found[part] = np.where(np.take_along_axis(value, best, axis=1) > 0, best, -1)
    return found


def _names(facts: Facts, dimensions: int) -> tuple[str, ...]:
    """Of all dimensions; numbers where the data set has no names, and beside names that stand twice."""
    told = next((row.get("embedding_names") for row in facts if row.get("embedding_names") is not None), None)
    if told is None or len(told) != dimensions:
        return tuple(f"dimension {number + 1}" for number in range(dimensions))
    names = [str(name).replace(",", ";") for name in told]
    return tuple(f"{name} ({number + 1})" if names.count(name) > 1 else name for number, name in enumerate(names))


def _told_apart(embedding: Numbers) -> NDArray[np.bool_]:
    """Concepts in which objects differ enough, `(dimension,)`."""
    above, below = (embedding > embedding.min(axis=0)).sum(axis=0), (embedding < embedding.max(axis=0)).sum(axis=0)
    return np.minimum(above, below) >= _FEWEST
