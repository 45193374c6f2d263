"""What people said about the objects of a store: one vector per object, and the choices that are about them alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.task import Facts
from denoscope.measures.triplets import Judgments
from denoscope.tasks._rows import column, no_nan

__all__ = ["Judged", "Objects", "judged", "objects_of"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Judged:
    """Objects that have a vector and were asked about.

    Attributes:
        vectors: mean over the images of an object, `(object, channel)`.
        names: of the objects, in the data set's order.
        judgments: the choices about three of them.
        embedding: what people think of them where that is known, `(object, dimension)`.
        notes: what was left out, in sentences.
    """

    vectors: NDArray[np.float64]
    names: tuple[str, ...]
    judgments: Judgments
    embedding: NDArray[np.float64] | None
    notes: tuple[str, ...]


def judged(pooled: Activations, facts: Facts) -> Judged:
    """Vectors and choices, by the facts `object_index`, `object`, `triplets` and `embedding` (see `docs/data.md`).

    Images with NaN or infinite values, and choices about an object of which no image is left, are left out and counted.

    Args:
        pooled: one vector per image.
        facts: of each image.

    Raises:
        UnknownName: no image has an object.
        InputError: an object has two names, or no choice is left.
    """
    shown = objects_of(pooled, facts)
    rows, notes = _choices(facts, shown.index), list(shown.notes)
    place = np.full(int(max(shown.objects.max(initial=0), rows[:, :3].max(initial=0))) + 1, -1)
    place[shown.objects] = np.arange(len(shown.objects))
    triplets = place[rows[:, :3]]
    known = (triplets >= 0).all(axis=1)
    if not known.any():
        raise InputError(f"none of {len(rows)} choices is about three of the {len(shown.objects)} objects that can be "
                         "used; extract more images (limit=)")  # fmt: skip
    if not known.all():
        notes.append(f"{(~known).sum()} of {len(rows)} choices name an object without an image here: left out.")
    return Judged(
        vectors=shown.vectors,
        names=shown.names,
        judgments=_compiled(np.column_stack([triplets[known], rows[known, 3]]).tobytes(), len(shown.objects)),
        embedding=_embedding(facts, shown.index, shown.objects),
        notes=tuple(notes),
    )


@dataclass(frozen=True, eq=False)
class Objects:
    """Objects that have a vector.

    Attributes:
        vectors: mean over the images of an object, `(object, channel)`.
        objects: number of each in the data set.
        names: of the objects.
        index: number of each image's object, -1 where it has none, `(image,)`.
        notes: what was left out, in sentences.
    """

    vectors: NDArray[np.float64]
    objects: NDArray[np.int64]
    names: tuple[str, ...]
    index: NDArray[np.int64]
    notes: tuple[str, ...]


def objects_of(pooled: Activations, facts: Facts) -> Objects:
    """One vector per object; images with NaN or infinite values are left out and counted.

    Raises:
        UnknownName: no image has an object.
        InputError: an object has two names, or none is left.
    """
    index = _indices(facts)
    finite = no_nan(pooled.numpy()) & (index >= 0)
    if not finite.any():
        raise InputError(f"none of {len(index)} images shows an object and holds finite values")
    objects, code = np.unique(index[finite], return_inverse=True)
    flat = pooled.numpy()[finite].astype(np.float64)
    sums = np.zeros((len(objects), flat.shape[1]))
    np.add.at(sums, code, flat)
    names, notes = _names(facts, index, objects), tuple(_lost(pooled, index, finite))
    return Objects(sums / np.bincount(code)[:, None], objects, names, index, notes)


@lru_cache(maxsize=2)
def _compiled(rows: bytes, objects: int) -> Judgments:
    """The same object for all sites of a grid, so that what follows from the choices alone is made once."""
    table = np.frombuffer(rows, dtype=np.int64).reshape(-1, 4)
    return Judgments.of(table[:, :3], objects, table[:, 3])


def _indices(facts: Facts) -> NDArray[np.int64]:
    """Number of each row's object, -1 where it has none.

    Raises:
        UnknownName: no row has one.
    """
    if not any("object_index" in row for row in facts):
        raise UnknownName("people chose between objects, and no image here says which object it shows (the fact "
                          "object_index); read images that do, such as people:test or things")  # fmt: skip
    told = column(facts, "object_index")
    return np.array([-1 if number is None else int(number) for number in told], dtype=np.int64)


def _choices(facts: Facts, index: NDArray[np.int64]) -> NDArray[np.int64]:
    """All choices, `(row, 4)`: the two that were kept together, the odd one, and who chose.

    Raises:
        InputError: there is none, or the odd one is none of the three.
    """
    found: list[Array] = []
    seen: set[int] = set()
    for a, row in zip(index.tolist(), facts, strict=True):
        some = row.get("triplets")
        if a < 0 or some is None or not len(some) or a in seen:
            continue
        seen.add(a)
        told = np.asarray(some, dtype=np.int64)
        found.append(np.column_stack([np.full(len(told), a), told]))
    if not found:
        raise InputError("these images come with no odd-one-out choices (the fact 'triplets'); data sets that do are "
                         "people and things; see: denoscope list data")  # fmt: skip
    a, b, c, odd, who = np.concatenate(found).T
    strange = (odd != a) & (odd != b) & (odd != c)
    if strange.any():
        at = int(strange.argmax())
        raise InputError(f"the odd one of triplet {(int(a[at]), int(b[at]), int(c[at]))} is {odd[at]}, which is none "
                         f"of the three ({strange.sum()} of {len(a)} triplets)")  # fmt: skip
    first, second = np.where(odd == a, b, a), np.where(odd == c, b, c)
    return np.column_stack([first, second, odd, who])


def _lost(pooled: Activations, index: NDArray[np.int64], finite: NDArray[np.bool_]) -> list[str]:
    none, bad = int((index < 0).sum()), int((~finite & (index >= 0)).sum())
    total = len(pooled)
    told = {
        f"{none} of {total} images show no object": none,
        f"{bad} of {total} images hold NaN or infinite values": bad,
    }
    return [f"{count} of {total} images {reason} and were left out." for reason, count in told.items() if count]


def _names(facts: Facts, index: NDArray[np.int64], objects: NDArray[np.int64]) -> tuple[str, ...]:
    """A name per object.

    Raises:
        InputError: two images of one object name it differently, or two objects share a name.
    """
    names: dict[int, str] = {}
    for number, row in zip(index.tolist(), facts, strict=True):
        name = str(row.get("object") or number)
        if names.setdefault(number, name) != name:
            raise InputError(f"object {number} is named {names[number]!r} and {name!r}; are the images in order?")
    found = tuple(names[number] for number in objects.tolist())
    if len(set(found)) < len(found):
        twice = next(name for name in found if found.count(name) > 1)
        raise InputError(f"two objects are named {twice!r}; each needs a name and a number of its own")
    return found


def _embedding(
    facts: Sequence[Any], index: NDArray[np.int64], objects: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """What people think of each object; None unless it is known of all."""
    known: dict[int, Array] = {}
    for number, row in zip(index.tolist(), facts, strict=True):
        if number >= 0 and number not in known and (told := row.get("embedding")) is not None:
            known[number] = np.asarray(told, dtype=np.float64)
    if any(number not in known for number in objects.tolist()):
        return None
    return np.stack([known[number] for number in objects.tolist()])
