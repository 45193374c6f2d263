"""A store on the Hugging Face Hub: a repository of data, laid out as the folder is, and a card of what it holds."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from denoscope.core.errors import InputError, StoreError
from denoscope.core.hub import Address, Outgoing, fetch, outgoing, send
from denoscope.store.hubcard import Shown, card_of
from denoscope.store.index import INDEX, shard_file
from denoscope.store.place import Place
from denoscope.store.shelf import REPORTS, Shelf
from denoscope.store.version import STORE
from denoscope.store.volume import Volume
from denoscope.store.writer import PLAN, RECIPE

__all__ = ["CARD", "check_address", "fetch_store", "files_to_send", "push_store"]

CARD = "README.md"


def push_store(
    place: Place,
    volumes: Sequence[Volume],
    repo: str,
    *,
    private: bool = False,
    licence: str = "",
    reports: bool = True,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Put recipes of a store, its reports and a card into a repository of data; the last commit's address is returned.

    What lies there already is not sent again, so that the same call goes on after an interruption; a recipe shows
    there when all its shards do. Nothing is deleted there. Where the images lie on this machine is left out.

    Args:
        place: the store's folder or URL.
        volumes: recipes to send.
        repo: OWNER/NAME; made if absent.
        private: make it so that only its owner sees it.
        licence: of the activations, as the Hub spells it (`cc-by-4.0`); none is claimed unless given.
        reports: send them as well.
        revision: branch; the main one unless given.
        token: of the Hub; the one that `hf auth login` kept unless given.
        endpoint: another Hub.

    Raises:
        StoreError: no activations, or a recipe of which shards are missing.
        InputError: no such owner, no right to write there, or a Hub out of reach.
    """
    files = files_to_send(place, volumes, repo, licence, reports)
    said = f"Activations: {sum(len(volume.table) for volume in volumes)} samples"
    where: dict[str, Any] = {"private": private, "revision": revision, "token": token, "endpoint": endpoint}
    return send(repo, "dataset", files, message=said, **where)


def files_to_send(
    place: Place, volumes: Sequence[Volume], repo: str = "OWNER/NAME", licence: str = "", reports: bool = True
) -> list[Outgoing]:
    """Files in the order in which they shall appear: shards before what names them, the card last.

    Raises:
        StoreError: no activations, or a recipe of which shards are missing.
    """
    if not volumes:
        raise StoreError(f"{place.url} holds no activations; fill it with: denoscope extract")
    for volume in volumes:
        if volume.plan is not None and not volume.complete:
            have = f"{len(volume.shards)} of {len(volume.plan)} shards"
            raise StoreError(f"recipe {volume.recipe.digest} has {have}; run the same extraction again, then push")
    files = [file for volume in volumes for file in _volume(volume)]
    files += [_kept(place, name, name) for name in place.names() if name.endswith(".json")]
    names = Shelf(place).names if reports else ()
    files += [_kept(place, path, path) for name in names for path in _below(place, f"{REPORTS}/{name}")]
    size = sum(file.size for file in files)
    shown = Shown(repo, licence, volumes, {name: Shelf(place).load(name) for name in names}, size)
    return [*files, outgoing(CARD, card_of(shown).encode())]


def fetch_store(
    address: Address, out: Path | None = None, recipe: str | None = None, token: str | None = None,
    endpoint: str | None = None,
) -> Path:  # fmt: skip
    """The folder of a store that was fetched whole, or of one of its recipes; goes on after an interruption.

    Args:
        address: of the repository.
        out: folder to write; the Hub's cache unless given.
        recipe: beginning of a digest; all recipes unless given.
        token: of the Hub; the one that `hf auth login` kept unless given.
        endpoint: another Hub.

    Raises:
        InputError: no such repository, or a Hub out of reach.
    """
    wanted = None if recipe is None else [f"{recipe}*/*", STORE, CARD, f"{REPORTS}/*"]
    return fetch(address, into=out, patterns=wanted, token=token, endpoint=endpoint)


def _volume(volume: Volume) -> Iterator[Outgoing]:
    """Shards, index and plan, then the recipe, without which readers do not look."""
    place, digest = volume.place, volume.recipe.digest
    if not place.exists(INDEX):
        raise StoreError(f"{place.path(INDEX)} is missing; run the same extraction again, which writes it")
    names = [shard_file(name) for name in sorted(volume.shards)]
    others = [name for name in place.names() if name.endswith(".json") and name not in (PLAN, RECIPE)]
    for name in [*names, INDEX, *others]:
        yield _kept(place, name, f"{digest}/{name}")
    if volume.plan is not None:
        yield outgoing(f"{digest}/{PLAN}", _without_paths(place.read(PLAN)))
    yield _kept(place, RECIPE, f"{digest}/{RECIPE}")


def _without_paths(plan: bytes) -> bytes:
    """The plan, with the data set's name only where it names no folder of this machine."""
    told: dict[str, Any] = json.loads(plan)
    spec = str(told.get("data") or "")
    return json.dumps({**told, "data": None}).encode() if "/" in spec or "\\" in spec else plan


def _kept(place: Place, name: str, path: str) -> Outgoing:
    """A file of the store: by its path where it is local, by its bytes where it is not."""
    if place.local is not None:
        return outgoing(path, Path(place.path(name)))
    return Outgoing(path, place.size(name), lambda: place.read(name))


def _below(place: Place, folder: str) -> list[str]:
    return [f"{folder}/{name}" for name in place.names(folder)]


def check_address(address: str) -> Address:
    """A repository of data.

    Raises:
        InputError: it is none, with how one is written.
    """
    told = Address.parse(address)
    if told is None or told.kind != "dataset":
        raise InputError(f"a store of the Hub is hf://datasets/OWNER/NAME, with @REVISION or without, not {address!r}")
    return told
