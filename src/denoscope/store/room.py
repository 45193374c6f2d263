"""Room on a disk: nothing fills much of it without being asked."""

import shutil
from pathlib import Path

from denoscope.core.errors import InputError
from denoscope.store.place import Place

__all__ = ["SHARE", "NeedsRoom", "bytes_told", "check_room", "free_bytes"]

SHARE = 0.5
"""Share of the free bytes that may be filled without asking."""


class NeedsRoom(InputError):
    """More would be written than may be without asking; the message says how much, and what takes less."""


def free_bytes(path: str | Path) -> int | None:
    """Free bytes of the disk that a folder lies on, or would lie on; None for a URL, which does not say."""
    place = Place(path).local
    if place is None:
        return None
    there = next(parent for parent in (place.absolute(), *place.absolute().parents) if parent.exists())
    return shutil.disk_usage(there).free


def check_room(path: str | Path, wanted: float, what: str, less: str, share: float = SHARE) -> None:
    """Refuse to write more than a share of what is free.

    Args:
        path: folder that is written to.
        wanted: bytes.
        what: is written.
        less: what takes less room, or how to go on all the same.
        share: of the free bytes.

    Raises:
        NeedsRoom: it is more.
    """
    free = free_bytes(path)
    if free is not None and wanted > share * free:
        raise NeedsRoom(
            f"{what} would take {bytes_told(wanted)} of the {bytes_told(free)} that are free at {path}, "
            f"more than {share:.0%}; {less}"
        )


def bytes_told(count: float) -> str:
    """As `1.2 GB`."""
    power = min(max(len(str(int(count))) - 1, 0) // 3, 4)
    return f"{count / 1000**power:.3g} {('B', 'KB', 'MB', 'GB', 'TB')[power]}"
