"""Dictionaries of other packages: SAELens, dictionary_learning, sparsify, sdxl-unbox, ITDA, DifFRACT, overcomplete."""

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from denoscope.core.errors import InputError, StoreError, unknown
from denoscope.core.site import Site
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.formats import (
    dictionary_learning,
    diffract,
    itda,
    itda_flux,
    openai,
    overcomplete,
    sae_lens,
    sparsify,
)
from denoscope.dictionaries.formats.parts import Parts, learned, parts_of
from denoscope.dictionaries.formats.reading import config

__all__ = ["FORMATS", "format_of", "read_dictionary", "write_dictionary"]

_ORIGIN = "origin.json"

FORMATS: Mapping[str, ModuleType] = {
    "sae_lens": sae_lens,
    "sparsify": sparsify,
    "dictionary_learning": dictionary_learning,
    "openai": openai,
    "itda": itda,
    "itda_flux": itda_flux,
    "diffract": diffract,
    "overcomplete": overcomplete,
}
"""Formats by name, in the order in which a folder is tried."""


def format_of(folder: str | PathLike[str]) -> str | None:
    """Whose format the files of a folder are, or one file is, if anyone's."""
    place = Path(folder)
    return next((name for name, one in FORMATS.items() if place.exists() and one.fits(place)), None)


def read_dictionary(
    folder: str | PathLike[str], format: str | None = None, *, k: int | None = None, site: str | Site | None = None
) -> Learned:
    """The dictionary of another package as one of ours: codes in the units of activations, atoms of length one.

    Args:
        folder: with its files; of DifFRACT, which keeps many in one folder, one of the files.
        format: one of `FORMATS`; told by the files unless given.
        k: of TopK, where the files do not say it.
        site: where it was learned; other packages name places in their own way, so that this is up to the caller.

    Raises:
        UnknownName: no such format.
        InputError: a kind that cannot be said as a linear encoder with atoms.
        StoreError: no such files, or damaged ones.
    """
    name = format or format_of(folder)
    if name is None:
        raise StoreError(f"{folder} holds no dictionary in a known format ({', '.join(FORMATS)})")
    one = _known(name)
    if not one.fits(Path(folder)):
        raise StoreError(f"{folder} holds no dictionary in the format of {name}")
    found: Parts | Learned = one.read(Path(folder), k)
    made = learned(found) if isinstance(found, Parts) else found
    made.about = {**_beside(Path(folder)), **made.about}
    if site is not None:
        made.about = {**made.about, "site": str(site)}
    return made


def write_dictionary(made: Learned, folder: str | PathLike[str], format: str) -> Path:
    """Write a dictionary as another package keeps it; the folder is returned.

    Args:
        made: an autoencoder, a transcoder, or a dictionary of cells.
        folder: made if absent.
        format: one of `FORMATS` that can be written.

    Raises:
        UnknownName: no such format.
        InputError: a dictionary that the format cannot say.
    """
    one, place = _known(format), Path(folder)
    save: Any = getattr(one, "save", None)
    whole: Any = getattr(one, "save_made", None)
    if save is None and whole is None:
        raise InputError(f"{format} is read alone; write sae_lens or dictionary_learning")
    parts = None if save is None else parts_of(made)
    place.mkdir(parents=True, exist_ok=True)
    if save is None:
        whole(made, place)
    else:
        save(parts, place)
        (place / _ORIGIN).write_text(json.dumps({"about": dict(made.about)}, default=str), encoding="utf-8")
    return place


def _beside(folder: Path) -> dict[str, Any]:
    """Where a dictionary was learned, which we write beside another package's files and packages leave alone."""
    told = config(folder / _ORIGIN).get("about") if (folder / _ORIGIN).exists() else None
    return dict(told) if isinstance(told, dict) else {}


def _known(name: str) -> ModuleType:
    if name not in FORMATS:
        raise unknown("format", name, FORMATS, "denoscope.dictionaries.formats.FORMATS")
    return FORMATS[name]
