"""A folder that is local or remote, in which a file is either whole or absent."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import StoreError
from denoscope.core.hub import PREFIX, is_hub, reason, unreachable
from denoscope.core.optional import require

__all__ = ["Place"]


class Place:
    """A folder on this machine or behind an fsspec URL (`s3://bucket/runs`, `memory://runs`).

    A file is written under a temporary name, flushed to disk and renamed, so that a reader never sees half of one.
    Remote files are composed on this machine and uploaded whole. The Hugging Face Hub (`hf://datasets/OWNER/NAME`) is
    read here, as it was when the place was made, and written by `push` alone, which sends many files in one commit.

    Args:
        url: path or URL.

    Raises:
        StoreError: from every method, when the disk or the service refuses.
    """

    def __init__(self, url: str | Path) -> None:
        text = str(url).removeprefix("file://")
        if not text:
            raise StoreError("a store needs a folder or a URL, and got an empty name")
        self.url = text
        self._fs: Any = None
        self._options: dict[str, Any] = {}
        self._errors: tuple[type[Exception], ...] = (OSError,)
        self._root = str(Path(text).expanduser())
        if is_hub(text):
            self.url = text = PREFIX + text.removeprefix("hf:").lstrip("/")
            self._options = {"cache_type": "none"}  # parts are read as they are asked for, not megabytes ahead
            self._errors = (OSError, ValueError, *unreachable())
        if "://" in text:
            fsspec = require("fsspec.core", "open a store by its URL")
            try:
                self._fs, self._root = fsspec.url_to_fs(text)
            except (ValueError, ImportError) as error:
                raise StoreError(f"cannot open {text}: {error}") from None
            self._fs.invalidate_cache()

    @property
    def local(self) -> Path | None:
        """The folder's path; None when it is remote."""
        return Path(self._root) if self._fs is None else None

    @property
    def anywhere(self) -> str:
        """The URL, or the path from the root: what finds it from any working folder."""
        return self.url if self._fs is not None else str(Path(self._root).absolute())

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written here file by file."""
        return bool(self._options)

    def path(self, name: str) -> str:
        """Where a file of the folder lies."""
        return f"{self._root}/{name}" if name else self._root

    def exists(self, name: str = "") -> bool:
        """Whether a file or folder is there."""
        if self._fs is None:
            return Path(self.path(name)).exists()
        try:
            if self.read_only:  # its own `exists` takes a service out of reach for an absent file
                return bool(self._fs.info(self.path(name)))
            self._fs.invalidate_cache()
            return bool(self._fs.exists(self.path(name)))
        except FileNotFoundError:
            return False
        except self._errors as error:
            raise StoreError(f"cannot reach {self.url}: {reason(error)}") from None

    def names(self, folder: str = "") -> list[str]:
        """Names in a folder, sorted; none when it does not exist."""
        if not self.exists(folder):
            return []
        if self._fs is None:
            return sorted(path.name for path in Path(self.path(folder)).iterdir())
        return sorted(entry.rstrip("/").rsplit("/", 1)[-1] for entry in self._fs.ls(self.path(folder), detail=False))

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """Bytes `start` to `end` of a file."""
        try:
            if self._fs is not None:
                return self._fs.cat_file(self.path(name), start=start, end=end, **self._options)
            with open(self.path(name), "rb") as file:  # noqa: PTH123 (path is a string for both kinds)
                file.seek(start)
                return file.read(-1 if end is None else end - start)
        except self._errors as error:
            why = getattr(error, "strerror", None) or reason(error)
            raise StoreError(f"cannot read {self.path(name)}: {why}") from None

    def size(self, name: str) -> int:
        """Bytes of a file.

        Raises:
            StoreError: it is not there.
        """
        try:
            return Path(self.path(name)).stat().st_size if self._fs is None else int(self._fs.size(self.path(name)))
        except self._errors as error:
            raise StoreError(f"cannot read {self.path(name)}: {reason(error)}") from None

    def array(self, name: str, start: int, end: int) -> NDArray[np.uint8]:
        """Bytes `start` to `end` of a file as a read-only array: mapped where local, fetched where remote."""
        if self._fs is not None or end == start:
            return np.frombuffer(self.read(name, start, end), dtype=np.uint8)
        try:
            return np.memmap(self.path(name), dtype=np.uint8, mode="r", offset=start, shape=(end - start,))
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot map {self.path(name)}: {error}; the file is shorter than it says") from None

    def write(self, name: str, fill: Callable[[IO[bytes]], None], replace: bool = True) -> bool:
        """Write a file whole or not at all.

        Args:
            name: of the file.
            fill: writes the content into an open seekable file.
            replace: whether an existing file gives way; if not, it stays and the new one is dropped.

        Returns:
            Whether the file that is now there is the new one.

        Raises:
            StoreError: no space, no permission; nothing is changed then.
        """
        if self.read_only:
            raise StoreError(f"{self.url} is only read here; fill a folder, then: denoscope push FOLDER OWNER/NAME")
        try:
            return self._write(name, fill, replace)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and self.exists(name):
                return False  # another writer finished the work, wrote the same and swept our temporary file away
            reason = error.strerror or str(error)
            raise StoreError(f"cannot write {self.path(name)}: {reason}; what was finished before is kept") from None

    def put(self, name: str, content: bytes, replace: bool = True) -> bool:
        """Write some bytes, as `write` does."""
        return self.write(name, lambda file: _all(file, content), replace)

    def _write(self, name: str, fill: Callable[[IO[bytes]], None], replace: bool) -> bool:
        target = Path(self.path(name))
        folder = target.parent if self._fs is None else Path(tempfile.gettempdir())
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{target.name}.{uuid4().hex[:8]}.tmp"
        try:
            with temporary.open("wb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            return self._publish(temporary, name, replace)
        finally:
            temporary.unlink(missing_ok=True)

    def _publish(self, temporary: Path, name: str, replace: bool) -> bool:
        if self._fs is not None:
            if not replace and self.exists(name):
                return False
            self._fs.makedirs(self.path(name).rsplit("/", 1)[0], exist_ok=True)
            self._fs.put_file(str(temporary), self.path(name))
            return True
        target = Path(self.path(name))
        if replace or not _can_link(temporary, target):
            temporary.replace(target)
        elif not _link(temporary, target):
            return False
        _sync_folder(target.parent)
        return True

    def remove(self, name: str) -> None:
        """Remove a file; an absent one is as good as removed."""
        if self._fs is None:
            Path(self.path(name)).unlink(missing_ok=True)
        elif self.exists(name):
            self._fs.rm_file(self.path(name))


def _all(file: IO[bytes], content: bytes) -> None:
    file.write(content)


def _link(temporary: Path, target: Path) -> bool:
    """Give the file its name unless the name is taken: atomic, the first writer wins."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    return True


def _can_link(temporary: Path, target: Path) -> bool:
    """Whether this file system knows hard links; where it does not, the last writer wins."""
    probe = target.with_name(f"{temporary.name}.link")
    try:
        os.link(temporary, probe)
    except OSError:
        return False
    probe.unlink()
    return True


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the platform allows folders to be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
