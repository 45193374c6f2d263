"""What both formats of ITDA share: atoms that are pursued, their birthplaces, and what the formats have no word for.

Both let a dictionary find its codes in one way only. Ours may do otherwise (orthogonal pursuit, codes of both signs):
that, and birthplaces by name, stand in `origin.json` beside the package's own files, which packages leave alone.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError, StoreError
from denoscope.dictionaries._pursuing import Pursuing
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.formats.reading import config
from denoscope.dictionaries.itda import ITDA

__all__ = ["Cells", "cells_of", "numbered", "restored", "told_beside"]

log = logging.getLogger(__name__)
_BESIDE = "origin.json"
_WAYS = {"itda": ("matching", True), "itda_flux": ("gradient", False)}
"""How each package finds codes, and whether they have signs."""


@dataclass(frozen=True, eq=False)
class Cells:
    """A pursued dictionary as both formats see it.

    Attributes:
        atoms: `(atom, channel)`.
        bias: `(channel,)`.
        settings: of the dictionary.
        births: columns `sample`, `cell`, `timestep`; empty where nothing is known.
        about: where it was learned.
    """

    atoms: NDArray[np.float32]
    bias: NDArray[np.float32]
    settings: Any
    births: Mapping[str, list[Any]]
    about: Mapping[str, Any]


def cells_of(made: Learned, format: str) -> Cells:
    """A dictionary whose codes are pursued.

    Raises:
        InputError: it has an encoder.
    """
    if not isinstance(made, Pursuing):
        raise InputError(f"{format} holds dictionaries whose codes are pursued, such as itda; {made.name!r} is none")
    births: Mapping[str, list[Any]] = getattr(made, "births", {})
    return Cells(made.atoms, made.bias, made.settings, births, made.about)


def numbered(found: Cells) -> NDArray[np.int64]:
    """Birthplaces as pairs of numbers, `(atom, 2)`: samples in the order of their first atom; -1 where unknown."""
    samples, cells = (found.births.get(name, [None] * len(found.atoms)) for name in ("sample", "cell"))
    order = {name: place for place, name in enumerate(dict.fromkeys(one for one in samples if one is not None))}
    rows = zip(samples, cells, strict=True)
    return np.array([(-1, -1) if s is None else (order[s], -1 if c is None else c) for s, c in rows], dtype=np.int64)


def told_beside(found: Cells, folder: Path, format: str) -> None:
    """Write what the package's files have no word for, and say where the package will do otherwise."""
    pursuit, signed = _WAYS[format]
    if (found.settings.pursuit, found.settings.signed) != (pursuit, signed):
        how = "signed" if signed else "non-negative"
        log.warning("the package finds codes by %s %s pursuit and will explain less than this dictionary, which %s",
                    how, pursuit, "reads its own way from origin.json when it is read here again")  # fmt: skip
    told = {"pursuit": found.settings.pursuit, "signed": found.settings.signed, "k": found.settings.k,
            "births": dict(found.births), "about": dict(found.about)}  # fmt: skip
    (folder / _BESIDE).write_text(json.dumps(told), encoding="utf-8")


def restored(
    folder: Path, atoms: NDArray[Any], bias: NDArray[Any], settings: Mapping[str, Any], births: Mapping[str, Any],
    about: Mapping[str, Any],
) -> ITDA:  # fmt: skip
    """A dictionary of ours, with what stands beside the package's files where we wrote them.

    Raises:
        StoreError: an atom of length zero, or NaN or infinite values.
    """
    lengths = np.linalg.norm(atoms, axis=1)
    if not np.isfinite(atoms).all() or not np.isfinite(bias).all() or not lengths.all():
        raise StoreError(f"atoms in {folder} hold NaN or infinite values, or one of length zero")
    beside = config(folder / _BESIDE) if (folder / _BESIDE).exists() else {}
    told = {**settings, **{name: beside[name] for name in ("pursuit", "signed") if name in beside}}
    made = ITDA(atoms=len(atoms), **told)
    made.weights = {
        "atoms": np.ascontiguousarray(atoms / lengths[:, None], dtype=np.float32),
        "bias": np.ascontiguousarray(bias, dtype=np.float32),
        "loss": np.full(len(atoms), np.nan, dtype=np.float32),
    }
    none: list[Any] = [None] * len(atoms)
    made.births = {name: list((beside.get("births") or births).get(name) or none)
                   for name in ("sample", "cell", "timestep")}  # fmt: skip
    known = {name: value for name, value in about.items() if value not in (None, "")}
    made.about = {**known, **beside.get("about", {}), "format": about["format"]}
    return made
