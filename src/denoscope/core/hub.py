"""The Hugging Face Hub: addresses, files to and from it, and what is said when it cannot be reached.

What a repository holds is the business of whoever calls: dictionaries are models there, stores and reports data sets.
A token is handed to the Hub's own client and kept nowhere.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any, Literal

from denoscope.core.errors import InputError
from denoscope.core.optional import require

__all__ = [
    "HINT", "PREFIX", "Address", "Outgoing", "check_repo", "fetch", "files_of", "is_hub", "outgoing", "reason", "send",
    "unreachable",
]  # fmt: skip

PREFIX = "hf://"
HINT = "one of the Hub is hf://datasets/OWNER/NAME; where it is private: hf auth login"
Kind = Literal["model", "dataset"]
_ADDRESS = re.compile(r"hf:/{1,2}(?:(datasets)/)?((?!(?:datasets|spaces|buckets)/)[\w.-]+/[\w.-]+?)(?:@([\w./-]+))?/?")
_PATIENCE = 10
"""Seconds until the Hub counts as out of reach."""
_COMMIT_FILES, _COMMIT_BYTES = 64, 1 << 30
"""What one commit may hold: after an interruption no more than that is sent again."""


@dataclass(frozen=True)
class Address:
    """A repository, and the revision of it that is meant."""

    repo: str
    """OWNER/NAME."""
    kind: Kind = "model"
    """`dataset` where it is written `hf://datasets/OWNER/NAME`."""
    revision: str | None = None
    """Branch, tag or commit; the main branch unless given."""

    @classmethod
    def parse(cls, text: str) -> "Address | None":
        """`hf://OWNER/NAME`, `hf://datasets/OWNER/NAME`, each with `@REVISION` or without; None for anything else."""
        told = _ADDRESS.fullmatch(text)
        return cls(told[2], "dataset" if told[1] else "model", told[3]) if told else None

    def __str__(self) -> str:
        folder = "datasets/" if self.kind == "dataset" else ""
        return f"{PREFIX}{folder}{self.repo}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True)
class Outgoing:
    """One file to send: where it will lie, and how to get at its bytes when they are due."""

    path: str
    size: int
    open: Callable[[], Path | bytes]


def is_hub(text: str) -> bool:
    """Whether a text is meant as an address of the Hub."""
    return text.startswith("hf:/")


def check_repo(repo: str) -> None:
    """Refuse what is no OWNER/NAME.

    Raises:
        InputError: with what it was.
    """
    if re.fullmatch(r"[\w.-]+/[\w.-]+", repo) is None:
        raise InputError(f"a repository is OWNER/NAME, not {repo!r}")


def fetch(
    address: Address,
    *,
    into: Path | None = None,
    patterns: Sequence[str] | None = None,
    local_only: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
) -> Path:
    """The local folder of a repository's files; what was fetched before is not fetched again.

    Args:
        address: which one.
        into: folder for the files; the Hub's cache unless given.
        patterns: globs of the files that are wanted; all unless given.
        local_only: look only at what was fetched before.
        token: of the Hub; the one that `hf auth login` kept unless given.
        endpoint: another Hub.

    Raises:
        InputError: no such repository, or neither the Hub nor a copy at hand, with the command that fetches it.
    """
    hub = require("huggingface_hub", "reach the Hub")
    asked: dict[str, Any] = {
        "repo_type": address.kind, "revision": address.revision, "allow_patterns": patterns, "local_dir": into,
        "token": token, "endpoint": endpoint, "local_files_only": local_only, "etag_timeout": _PATIENCE,
    }  # fmt: skip
    try:
        return Path(hub.snapshot_download(address.repo, **asked))
    except (*unreachable(), OSError, ValueError) as error:
        kind = " --repo-type dataset" if address.kind == "dataset" else ""
        revision = f" --revision {address.revision}" if address.revision else ""
        command = f"hf download {address.repo}{kind}{revision}"
        raise InputError(f"{address} cannot be had: {reason(error)}; fetch it with: {command}") from None


def send(
    repo: str,
    kind: Kind,
    files: Iterable[Outgoing],
    *,
    message: str,
    private: bool = False,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Put files into a repository in their order, in commits of bounded size; the last one's address is returned.

    A file that lies there already with the same content is left out, so that the same call again goes on where an
    earlier one was interrupted. Nothing is deleted.

    Args:
        repo: OWNER/NAME; made if absent.
        kind: of repository.
        files: in the order in which they shall appear.
        message: of the commits.
        private: make it so that only its owner sees it.
        revision: branch; the main one unless given.
        token: of the Hub; the one that `hf auth login` kept unless given.
        endpoint: another Hub.

    Raises:
        InputError: no such owner, no right to write there, or a Hub out of reach.
    """
    check_repo(repo)
    hub = require("huggingface_hub", "reach the Hub")
    api = hub.HfApi(endpoint=endpoint, token=token)
    asked: dict[str, Any] = {"repo_type": kind, "revision": revision}
    try:
        address = str(api.create_repo(repo, repo_type=kind, private=private, exist_ok=True))
        if revision is not None:
            api.create_branch(repo, branch=revision, repo_type=kind, exist_ok=True)
        there = _there(api, repo, asked)
        for group in _groups(files):
            new = [(file, content) for file in group if not _same(content := file.open(), there.get(file.path))]
            adding = [hub.CommitOperationAdd(file.path, _plain(content)) for file, content in new]
            if adding:
                address = str(api.create_commit(repo, adding, commit_message=message, **asked).commit_url)
    except (*unreachable(), OSError, ValueError) as error:
        raise InputError(f"{repo} cannot be written: {reason(error)}; log in with: hf auth login") from None
    return address


def files_of(folder: Path) -> list[Outgoing]:
    """Every file below a folder, README last, so that what it tells of is there when it appears."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    ordered = sorted(paths, key=lambda path: (path.name == "README.md", path))
    return [outgoing(path.relative_to(folder).as_posix(), path) for path in ordered]


def outgoing(path: str, content: Path | bytes) -> Outgoing:
    """A file that is at hand."""
    return Outgoing(path, len(content) if isinstance(content, bytes) else content.stat().st_size, lambda: content)


def reason(error: Exception) -> str:
    """What went wrong, in one line: the Hub's own words where it answered."""
    return " ".join(str(getattr(error, "server_message", None) or error).split())[:160]


def unreachable() -> tuple[type[Exception], ...]:
    """What the Hub's client raises without a network, whichever client it is built on."""
    errors = require("huggingface_hub.errors", "reach the Hub")
    named = (getattr(errors, name, None) for name in ("HTTPError", "HfHubHTTPError", "XetDownloadError"))
    return (*filter(None, named), RuntimeError)


def _there(api: Any, repo: str, asked: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Size and hash of every file that the repository holds; SHA-256 of large files, git's hash of small ones."""
    found = (item for item in api.list_repo_tree(repo, recursive=True, **asked) if hasattr(item, "blob_id"))
    return {file.path: (file.size, file.lfs.sha256 if file.lfs else file.blob_id) for file in found}


def _groups(files: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Files in their order, as many at a time as one commit may hold; one at least."""
    group: list[Outgoing] = []
    for file in files:
        full = len(group) == _COMMIT_FILES or sum(one.size for one in group) + file.size > _COMMIT_BYTES
        if group and full:
            yield group
            group = []
        group.append(file)
    if group:
        yield group


def _same(content: Path | bytes, there: tuple[int, str] | None) -> bool:
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if there is None or there[0] != size:
        return False
    digest = sha256() if len(there[1]) == 64 else sha1(f"blob {size}\0".encode())
    for block in _blocks(content):
        digest.update(block)
    return digest.hexdigest() == there[1]


def _blocks(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while block := file.read(1 << 20):
            yield block


def _plain(content: Path | bytes) -> str | bytes:
    return str(content) if isinstance(content, Path) else content
