"""What stands beside a dictionary in its report: other dictionaries of its size, learned from the same cells."""

from collections.abc import Iterable, Sequence
from typing import Any

from denoscope.core.registry import dictionaries
from denoscope.dictionaries._pursuing import Pursuing
from denoscope.dictionaries.base import Learned

__all__ = ["rivals", "usual_rivals"]

_CELLS = 20_000
"""Cells that each learns from."""
_MOST = {"kmeans": 1024, "nmf": 64}
"""Atoms of those that take long with more."""
_LABELS = {
    "kmeans": "{} centres",
    "nmf": "{} non-negative parts",
    "neurons": "single channels",
    "random": "random directions",
    "itda-random": "cells by chance",
}


def usual_rivals(made: Learned) -> tuple[str, ...]:
    """Names of those that cost little beside it: single channels, and cells drawn by chance where codes are pursued."""
    names = ("neurons", "itda-random") if isinstance(made, Pursuing) else ("neurons",)
    return tuple(name for name in names if name != made.name)


def rivals(made: Learned, names: Sequence[str], batches: Iterable[Any]) -> dict[str, Learned]:
    """Learned dictionaries by what the report calls them, with as many atoms and codes per cell where they have both.

    Args:
        made: the dictionary that they stand beside; one of its own kind is left out.
        names: of registered dictionaries; `random` and `itda-random` are coded by pursuit, whatever `made` does.
        batches: cells to learn from, read once for each.

    Raises:
        UnknownName: one that is not registered.
    """
    found: dict[str, Learned] = {}
    for name in dict.fromkeys(names):
        kind = dictionaries.get(name)
        if isinstance(made, kind):
            continue
        rival: Learned = kind(**_settings(kind, made)).fit(batches)
        found[_LABELS.get(rival.name, rival.name).format(len(rival.atoms))] = rival
    return found


def _settings(kind: Any, made: Learned) -> dict[str, Any]:
    """As much of the dictionary's size as another kind knows of."""
    atoms, channels = made.atoms.shape
    cells = min(_CELLS, int(getattr(kind.Settings(), "cells", _CELLS)))
    wanted = {"atoms": min(atoms, _MOST.get(kind.name, atoms)), "cells": cells}
    wanted["k"] = min(int(getattr(made.settings, "k", atoms)), wanted["atoms"], channels)
    wanted["seed"] = int(getattr(made.settings, "seed", 0))
    if kind.name == "neurons":
        del wanted["atoms"]
    return {name: value for name, value in wanted.items() if name in kind.Settings.__dataclass_fields__}
