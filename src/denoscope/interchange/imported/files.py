"""The files of a folder of features, and what identifies them."""

from collections.abc import Iterable, Sequence
from hashlib import file_digest, sha256
from pathlib import Path

__all__ = ["below", "digest", "name_of"]


def below(root: Path, suffixes: Sequence[str]) -> list[Path]:
    """Files with one of some suffixes, sorted; the root itself where it is one."""
    if root.is_file():
        return [root] if root.suffix in suffixes else []
    return sorted(path for path in root.rglob("*") if path.suffix in suffixes and path.is_file())


def name_of(path: Path, root: Path) -> str:
    """Path below the root without its suffix, with `/`."""
    base = root.parent if root.is_file() else root
    return path.relative_to(base).with_suffix("").as_posix()


def digest(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over names and contents."""
    found = sha256()
    for path in dict.fromkeys(files):
        with path.open("rb") as file:
            found.update(f"{name_of(path, root)}\0{path.suffix}\0{file_digest(file, 'sha256').hexdigest()}\n".encode())
    return found.hexdigest()
