"""Dictionaries on the Hugging Face Hub: one repository each, with a model card that says what it is and how good."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from denoscope.core.errors import InputError
from denoscope.core.hub import PREFIX, Address, check_repo, fetch, files_of, send
from denoscope.dictionaries._files import CONFIG, ORIGIN, WEIGHTS
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.card import card_of

__all__ = ["PREFIX", "fetched", "push"]

_FILES = [CONFIG, WEIGHTS, ORIGIN, "births.json", "births.zip", "report/*"]
"""What is fetched; a repository may hold more."""


def push(
    made: Learned,
    repo: str,
    *,
    private: bool = False,
    licence: str = "",
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Put a dictionary into a repository, with its report and a model card; the address of the commit is returned.

    Args:
        made: what was learned.
        repo: OWNER/NAME; made if absent.
        private: make it so that only its owner sees it.
        licence: of the weights, as the Hub spells it (`apache-2.0`); none is claimed unless given.
        revision: branch; the main one unless given.
        token: of the Hub; the one that `hf auth login` kept unless given.
        endpoint: another Hub.

    Raises:
        InputError: no such owner, no right to write there, or a Hub out of reach.
    """
    check_repo(repo)
    said = f"A {made.name} dictionary at {made.site}" if made.site else f"A {made.name} dictionary"
    with TemporaryDirectory() as folder:
        made.save(folder)
        Path(folder, "README.md").write_text(card_of(made, repo, licence), encoding="utf-8")
        where: dict[str, Any] = {"private": private, "revision": revision, "token": token, "endpoint": endpoint}
        return send(repo, "model", files_of(Path(folder)), message=said, **where)


def fetched(address: str, *, local_only: bool = False, endpoint: str | None = None) -> Path:
    """The local folder of a dictionary on the Hub.

    Args:
        address: `hf://OWNER/NAME`, or `hf://OWNER/NAME@REVISION`.
        local_only: look only at what was fetched before.
        endpoint: another Hub.

    Raises:
        InputError: no such address or repository, or neither the Hub nor a copy at hand.
    """
    told = Address.parse(address)
    if told is None or told.kind != "model":
        raise InputError(f"a dictionary of the Hub is hf://OWNER/NAME or hf://OWNER/NAME@REVISION, not {address!r}")
    return fetch(told, patterns=_FILES, local_only=local_only, endpoint=endpoint)
