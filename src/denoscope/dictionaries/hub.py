"""Dictionaries on the Hugging Face Hub: one repository each, with a model card that says what it is and how good."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from denoscope.core.errors import InputError
from denoscope.dictionaries._files import CONFIG, ORIGIN, WEIGHTS
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.card import card_of

__all__ = ["PREFIX", "fetched", "push"]

PREFIX = "hf://"
_ADDRESS = re.compile(r"hf:/{1,2}([\w.-]+/[\w.-]+?)(?:@([\w./-]+))?/?")
_FILES = [CONFIG, WEIGHTS, ORIGIN, "births.json", "births.zip", "report/*"]
"""What is fetched; a repository may hold more."""
_PATIENCE = 10
"""Seconds until the Hub counts as out of reach."""


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
    from huggingface_hub import HfApi

    if re.fullmatch(r"[\w.-]+/[\w.-]+", repo) is None:
        raise InputError(f"a repository is OWNER/NAME, not {repo!r}")
    api = HfApi(endpoint=endpoint, token=token)
    with TemporaryDirectory() as folder:
        made.save(folder)
        Path(folder, "README.md").write_text(card_of(made, repo, licence), encoding="utf-8")
        try:
            api.create_repo(repo, private=private, exist_ok=True)
            said = f"A {made.name} dictionary at {made.site}" if made.site else f"A {made.name} dictionary"
            sent: Any = api.upload_folder(repo_id=repo, folder_path=folder, revision=revision, commit_message=said)
        except (_unreachable(), OSError, ValueError) as error:
            raise InputError(f"{repo} cannot be written: {_reason(error)}; log in with: hf auth login") from None
    return str(sent.commit_url)


def fetched(address: str, *, local_only: bool = False, endpoint: str | None = None) -> Path:
    """The local folder of a dictionary on the Hub.

    Args:
        address: `hf://OWNER/NAME`, or `hf://OWNER/NAME@REVISION`.
        local_only: look only at what was fetched before.
        endpoint: another Hub.

    Raises:
        InputError: no such address or repository, or neither the Hub nor a copy at hand.
    """
    from huggingface_hub import snapshot_download

    told = _ADDRESS.fullmatch(address)
    if told is None:
        raise InputError(f"a dictionary of the Hub is hf://OWNER/NAME or hf://OWNER/NAME@REVISION, not {address!r}")
    repo, revision = told.groups()
    asked: dict[str, Any] = {"revision": revision, "allow_patterns": _FILES, "endpoint": endpoint}
    try:
        return Path(snapshot_download(repo, local_files_only=local_only, etag_timeout=_PATIENCE, **asked))
    except (_unreachable(), OSError, ValueError) as error:
        raise InputError(f"{address} cannot be had: {_reason(error)}; fetch it with: hf download {repo}"
                         f"{f' --revision {revision}' if revision else ''}") from None  # fmt: skip


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


def _unreachable() -> type[Exception]:
    """What the Hub's client raises without a network, whichever client it is built on."""
    from huggingface_hub import errors

    return getattr(errors, "HTTPError", errors.HfHubHTTPError)
