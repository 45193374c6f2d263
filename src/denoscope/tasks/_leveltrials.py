"""What facts tell of each choice beside the choice: its level of abstraction, and how long it took."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.core.task import Facts
from denoscope.measures.judgments import Judgments
from denoscope.tasks._judged import Judged, judged

__all__ = ["Told", "told_of"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Told:
    """Choices with what is known of each.

    Attributes:
        people: objects and choices.
        level: number of each choice's level, `(row,)`.
        seconds: to the response, NaN where unknown, `(row,)`.
        names: of the levels.
    """

    people: Judged
    level: NDArray[np.int64]
    seconds: NDArray[np.float64]
    names: tuple[str, ...]


def told_of(pooled: Activations, facts: Facts) -> Told:
    """As `judged`, with the facts `trials` and `level_names` (see `docs/data.md`).

    Raises:
        UnknownName: no image has an object.
        InputError: choices come without levels, or with another number of them, or no choice is left.
    """
    numbered, about, who, names = _numbered(facts)
    people = judged(pooled, numbered)
    row = people.judgments.participant
    trials = about[row]
    people = replace(people, judgments=_by(people.judgments, who[row].tobytes()))
    return Told(people, trials[:, 0].astype(np.int64), trials[:, 1], names)


@lru_cache(maxsize=2)
def _by(choices: Judgments, who: bytes) -> Judgments:
    """The same object for all sites of a grid, so that what follows from the choices alone is made once."""
    return replace(choices, participant=np.frombuffer(who, dtype=np.int64))


def _numbered(facts: Facts) -> tuple[list[dict[str, Any]], Array, Array, tuple[str, ...]]:
    """Facts in which the number of a choice stands for who made it; what is told of each, and who that was."""
    rows: list[dict[str, Any]] = []
    about, who = [np.empty((0, 2))], [np.empty(0, dtype=np.int64)]
    names: tuple[str, ...] = ()
    count = 0
    for row in facts:
        names = names or tuple(row.get("level_names") or ())
        kept = {key: row.get(key) for key in ("object", "object_index") if row.get(key) is not None}
        table, trials = row.get("triplets"), row.get("trials")
        if table is not None and len(table):
            table = np.asarray(table, dtype=np.int64)
            about.append(_checked(trials, len(table)))
            who.append(table[:, 3])
            kept["triplets"] = np.column_stack([table[:, :3], count + np.arange(len(table))])
            count += len(table)
        rows.append(kept)
    found = np.concatenate(about)
    most = int(found[:, 0].max(initial=0))
    return rows, found, np.concatenate(who), names if most < len(names) else tuple(f"{k}" for k in range(most + 1))


def _checked(trials: Any, count: int) -> Array:
    """Level and seconds of each choice of an object."""
    if trials is None:
        raise InputError("these choices come without levels (the fact 'trials'); the data set that has them is levels; "
                         "choices without are scored by: alignment")  # fmt: skip
    found = np.asarray(trials, dtype=np.float64)
    if found.shape != (count, 2) or not np.isfinite(found[:, 0]).all() or (found[:, 0] < 0).any():
        raise InputError(f"the fact 'trials' holds level and seconds of each of {count} choices, not {found.shape}")
    return found
