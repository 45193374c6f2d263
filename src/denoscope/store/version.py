"""Which version of the format a store has: `store.json` at its root.

| version | what it holds |
|---|---|
| 1 | no `store.json`; facts in the index as JSON texts alone; plans may lack the log-SNR of each condition |
| 2 | `store.json`; facts of one plain type as columns of the index; what was skipped in the index; log-SNRs in plans |

An address (`Recipe.format`) is versioned apart, since dictionaries and reports name addresses: a new version of the
store leaves them as they are.
"""

import json

from denoscope.core.errors import StoreError
from denoscope.store.place import Place

__all__ = ["FORMAT", "STORE", "newer", "stamp", "version_of"]

FORMAT = 2
STORE = "store.json"


def version_of(place: Place) -> int:
    """Version of the store in a folder; 1 where nothing says so.

    Raises:
        StoreError: a newer one than this denoscope knows, or a file that says nothing.
    """
    if not place.exists(STORE):
        return 1
    try:
        version = json.loads(place.read(STORE))["version"]
        if type(version) is not int or version < 1:
            raise ValueError(version)
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{place.path(STORE)} is damaged; delete it, then: denoscope migrate {place.url}") from None
    if version > FORMAT:
        raise newer(place.path(STORE), version)
    return version


def newer(path: str, version: object) -> StoreError:
    """Something is of a version that only a later denoscope reads."""
    return StoreError(
        f"{path} has format version {version}; this denoscope reads versions 1 to {FORMAT}: "
        "pip install --upgrade denoscope"
    )


def stamp(place: Place) -> None:
    """Say that a store is of the present version."""
    place.put(STORE, json.dumps({"format": "denoscope-store", "version": FORMAT}).encode())
