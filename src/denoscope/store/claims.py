"""Who is working on which shard: small files that only one process can create."""

import json
import os
import socket
import time
from pathlib import Path

from denoscope.core.errors import StoreError
from denoscope.store.place import Place

__all__ = ["STALE", "Claims"]

STALE = 300.0
"""Seconds without a sign of life after which a claim is void."""


class Claims:
    """Claims on shards, so that several writers of one recipe share the work.

    A claim is a file made with O_EXCL that names its owner. It is void when the owner's process is gone (same
    machine) or has shown no sign of life for `stale` seconds. Claims save work and are not needed for safety: two
    writers of one shard write the same bytes, and the first rename wins. Remote stores have none.
    """

    def __init__(self, place: Place, folder: str, stale: float = STALE) -> None:
        self._folder = place.local / folder if place.local else None
        self._stale = stale

    def take(self, name: str) -> bool:
        """Claim a shard; whether it is ours now."""
        if self._folder is None or self._create(name):
            return True
        if not self._void(name):
            return False
        self._path(name).unlink(missing_ok=True)
        return self._create(name)

    def give(self, name: str) -> None:
        """Give a claim of ours back."""
        if self._folder:
            self._path(name).unlink(missing_ok=True)

    def beat(self, name: str) -> None:
        """Show a sign of life."""
        if self._folder and self._path(name).exists():
            os.utime(self._path(name))

    def clear(self) -> None:
        """Remove claims and half-written files that killed writers left behind, once every shard is there."""
        if self._folder:
            halves = [*self._folder.glob(".*.tmp"), *self._folder.parent.glob(".*.tmp")]
            for path in [*self._folder.glob("*.claim"), *halves]:
                path.unlink(missing_ok=True)

    def _create(self, name: str) -> bool:
        path = self._path(name)
        owner = json.dumps({"host": socket.gethostname(), "pid": os.getpid()})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x") as file:
                file.write(owner)
        except FileExistsError:
            return False
        except OSError as error:
            path.unlink(missing_ok=True)
            reason = error.strerror or str(error)
            raise StoreError(f"cannot write {path}: {reason}; what was finished before is kept") from None
        return True

    def _void(self, name: str) -> bool:
        path = self._path(name)
        age = self._age(path)
        try:
            owner = json.loads(path.read_text())
            return age > self._stale or (owner["host"] == socket.gethostname() and not _alive(owner["pid"]))
        except FileNotFoundError:
            return True  # given up just now
        except (ValueError, KeyError, TypeError):
            return age > 5  # half a claim: its owner is writing it, or died while doing so

    @staticmethod
    def _age(path: Path) -> float:
        try:
            return time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _path(self, name: str) -> Path:
        folder = self._folder or Path()
        return folder / f"{name}.claim"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
