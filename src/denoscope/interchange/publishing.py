"""The verbs `push` and `pull`: anything that denoscope writes, to the Hugging Face Hub and back."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from denoscope.core.errors import InputError
from denoscope.core.hub import Address, Outgoing, check_repo, fetch, files_of, is_hub, outgoing, send
from denoscope.core.report import Report
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.dictionaries.hub import push as push_dictionary
from denoscope.interchange.pages import NOBODY, card_page, report_page
from denoscope.store.hub import CARD, fetch_store
from denoscope.store.place import Place
from denoscope.store.store import Store

__all__ = ["Kind", "kind_of", "pull", "push"]

Kind = Literal["store", "dictionary", "report", "card", "dataset"]
_TOLD: dict[Kind, tuple[str, ...]] = {
    "card": ("card.json", "card.md"),
    "dictionary": ("config.json", "dictionary.safetensors"),
    "report": ("report.json",),
    "dataset": ("denoscope.json", CARD),
}
"""Files by which a folder is known; a store is known by its recipes."""


def push(
    what: "Store | Learned | Report | str | Path",
    repo: str,
    *,
    private: bool = False,
    licence: str = "",
    recipe: str | None = None,
    reports: bool = True,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Put a store, dictionary, report, card or converted data set into a repository of its own, with a page of it.

    The same call again goes on after an interruption, and sends what is new; nothing is deleted. A dictionary becomes
    a model of the Hub, everything else a data set. Look at what you publish: reports name images and show pictures.

    Args:
        what: the thing, or the folder that holds it.
        repo: OWNER/NAME; made if absent.
        private: make it so that only its owner sees it.
        licence: as the Hub spells it (`cc-by-4.0`); none is claimed unless given.
        recipe: of a store: digest, or its beginning; all unless given.
        reports: of a store: send its reports as well.
        revision: branch, made if absent; the main one unless given.
        token: of the Hub, for this call alone; the one that `hf auth login` kept unless given.
        endpoint: another Hub.

    Returns:
        The address of the last commit.

    Raises:
        InputError: nothing that can be pushed, no right to write there, or a Hub out of reach.
        StoreError: an unfinished store.
    """
    check_repo(repo)
    if re.fullmatch(r"[\w.+-]*", licence) is None:
        raise InputError(f"a licence is one word as the Hub spells it, such as cc-by-4.0, not {licence!r}")
    thing = _opened(what) if isinstance(what, (str, Path)) else what
    where: dict[str, Any] = {"private": private, "revision": revision, "token": token, "endpoint": endpoint}
    if isinstance(thing, Store):
        return thing.push_to_hub(repo, recipe=recipe, licence=licence, reports=reports, **where)
    if isinstance(thing, Learned):
        return push_dictionary(thing, repo, licence=licence, **where)
    if isinstance(thing, Report):
        with TemporaryDirectory() as folder:
            files = files_of(thing.save(folder))
            page = outgoing(CARD, report_page(thing, repo, licence).encode())
            return send(repo, "dataset", [*files, page], message=f"Report: {thing.task}", **where)
    return send(repo, "dataset", _files(thing, repo, licence), message="Files of denoscope", **where)


def pull(
    address: str,
    out: str | Path | None = None,
    *,
    recipe: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> Path:
    """Fetch what `push` put into a repository; goes on after an interruption.

    Args:
        address: `hf://datasets/OWNER/NAME` for all but dictionaries, which are `hf://OWNER/NAME`; with `@REVISION` or
            without.
        out: folder to write, new or of an earlier pull; the Hub's cache unless given.
        recipe: of a store: beginning of a digest; all recipes unless given.
        token: of the Hub, for this call alone; the one that `hf auth login` kept unless given.
        endpoint: another Hub.

    Returns:
        The folder.

    Raises:
        InputError: no such repository, a folder that holds something else, or a Hub out of reach.
    """
    told = Address.parse(address)
    if told is None:
        raise InputError(f"an address of the Hub is hf://datasets/OWNER/NAME or hf://OWNER/NAME, not {address!r}")
    into = None if out is None else _free(Path(out))
    if told.kind == "dataset":
        return fetch_store(told, into, recipe, token, endpoint)
    return fetch(told, into=into, token=token, endpoint=endpoint)


def kind_of(folder: str | Path) -> Kind | None:
    """What lies in a folder; None where it is nothing of ours."""
    place = Place(folder)
    for kind, names in _TOLD.items():
        if all(place.exists(name) for name in names):
            return kind
    return (
        "store" if place.exists() and (place.local is None or place.local.is_dir()) and Store(folder).volumes else None
    )


def _opened(what: str | Path) -> Store | Learned | Report | Path:
    if is_hub(str(what)):
        raise InputError(f"{what} lies on the Hub already; push a folder of yours")
    if not Place(what).exists():
        raise InputError(
            f"nothing lies at {str(what)!r}; push takes a folder that extract, learn, evaluate or card wrote"
        )
    kind = kind_of(what)
    if kind is None:
        raise InputError(f"{str(what)!r} holds no store, dictionary, report, card or converted data set")
    if kind == "store":
        return Store(what)
    if kind == "dictionary":
        return load_dictionary(what)
    return Report.load(what) if kind == "report" else Path(what)


def _files(folder: Path, repo: str, licence: str) -> list[Outgoing]:
    """Of a card: its pages; of a converted data set: all that is there, its page for this repository."""
    if (folder / "card.json").exists():
        names = [name for name in ("card.json", "card.html", "card.md") if (folder / name).exists()]
        page = card_page(folder, licence)
        return [*(outgoing(name, folder / name) for name in names), outgoing(CARD, page.encode())]
    page = (folder / CARD).read_text(encoding="utf-8").replace(NOBODY, repo)
    if licence:
        page = page.replace("tags:", f"license: {licence}\ntags:", 1)
    return [*(file for file in files_of(folder) if file.path != CARD), outgoing(CARD, page.encode())]


def _free(out: Path) -> Path:
    """A folder that may be filled.

    Raises:
        InputError: it holds something that no pull wrote, or is a file.
    """
    if out.is_file():
        raise InputError(f"{str(out)!r} is a file; say a folder")
    if out.exists() and any(out.iterdir()) and not (out / ".cache" / "huggingface").exists():
        raise InputError(f"{str(out)!r} holds something else; say a new folder, or that of an earlier pull")
    return out
