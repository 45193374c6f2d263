"""The verb `convert`: a store in another format, written as a stream."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from denoscope.chosen import opened
from denoscope.core.errors import InputError, unknown
from denoscope.interchange.arrays import write_arrays
from denoscope.interchange.formats import Format
from denoscope.interchange.parquets import write_datasets
from denoscope.interchange.stacks import Stack, stacks
from denoscope.interchange.zarrs import write_zarr
from denoscope.progress import progress_bar
from denoscope.store.room import SHARE, check_room
from denoscope.store.store import Store

__all__ = ["convert"]

Write = Callable[[Sequence[Stack], Path, Callable[[int], None]], None]


def convert(
    store: "Store | str | Path",
    out: str | Path,
    to: Format,
    *,
    sites: str | Sequence[str] | None = None,
    recipe: str | None = None,
    most_disk: float = SHARE,
    progress: bool = True,
) -> Path:
    """Write a store in another format: values in fp32, equal to those of `Store.get`; ids, facts, frames and recipes.

    A stream: no more is held than some tens of megabytes of values. The folder appears when it is whole.

    Args:
        store: the store, or its folder or URL.
        out: new folder.
        to: `zarr` (format 3, as xarray reads it), `datasets` (Parquet, as Hugging Face datasets and pandas read it), or
            `npy` (an array per site and condition, as numpy maps it).
        sites: names or aliases; all unless given.
        recipe: digest, or its beginning; all unless given.
        most_disk: share of the free disk that may be filled.
        progress: show a bar with the time left.

    Returns:
        The folder.

    Raises:
        UnknownName: a format, site or recipe that does not exist.
        InputError: a folder that holds something already.
        NeedsRoom: it would fill more than `most_disk` of what is free.
        StoreError: nothing is stored, or it is damaged.
        MissingPackage: the format's package is not installed.
    """
    place, write = _free(Path(out)), _writer(to)
    found = list(stacks(opened(store), sites, recipe))
    size = sum(stack.bytes for stack in found)
    less = "name fewer sites (--sites), one recipe (--recipe), or say --yes"
    check_room(place.parent, size, f"{to}, uncompressed,", less, most_disk)
    part = place.with_name(f".{place.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with progress_bar("convert", size, progress) as advance:
            write(found, part, advance)
        if place.exists():
            place.rmdir()
        part.rename(place)
    except OSError as error:
        raise InputError(f"cannot write to {str(out)!r}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return place


def _writer(to: str) -> Write:
    if to not in get_args(Format):
        raise unknown("format", to, get_args(Format), "docs/interchange.md")
    return {"zarr": write_zarr, "datasets": write_datasets, "npy": write_arrays}[to]


def _free(out: Path) -> Path:
    """A folder that is new or empty.

    Raises:
        InputError: it holds something, is a file, or lies elsewhere.
    """
    if "://" in str(out) or ":/" in str(out):
        raise InputError(
            f"a converted store is a folder on this machine, not {str(out)!r}; push it to the Hub afterwards"
        )
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise InputError(f"{str(out)!r} holds something already; say a new folder")
    return out
