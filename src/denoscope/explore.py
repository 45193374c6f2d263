"""The verbs `explore`, `export` and `widget`: a store in a browser, live, as a static folder, or in a notebook."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from denoscope.bundling import BUDGET, Wanted, bundle, bundle_folder
from denoscope.chosen import opened
from denoscope.core.optional import require
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.dictionaries.base import Learned
from denoscope.explorer.export import check_out, export_page, page_folder
from denoscope.store.store import Store

__all__ = ["desk_folder", "explore", "export"]

Sites = str | Site | Sequence[str | Site] | None


def _quiet(_: str) -> None:
    """Say nothing."""


def explore(
    store: Store | str | Path,
    *,
    recipe: str | Recipe | None = None,
    sites: Sites = None,
    images: int | Sequence[str] = 96,
    dictionaries: Sequence[str | Path | Learned] = (),
    budget: int = BUDGET,
    port: int = 8765,
    open_browser: bool = True,
    device: str | None = None,
    precision: str | None = None,
    say: Callable[[str], None] = _quiet,
) -> None:
    """Serve the explorer's page of a store at 127.0.0.1 until interrupted.

    The first address carries a token, without which nothing is answered. What people add (marks, answers, pictures,
    directions) is kept beside the bundle (`desk_folder`). A second run shows it again, and packs only what is new.

    Args:
        store: a store, or its folder or URL; its pictures are opened again by the name of their data set.
        recipe: digest, or its beginning; everything in the store unless given.
        sites: which sites to show; all with a grid of cells unless given.
        images: how many, taken in turn from every data set, or which ones by id.
        dictionaries: whose atoms are shown: folders, names in the store's `dictionaries`, or what `learn` made.
        budget: bytes of packs, about; what does not fit is left out and said.
        port: TCP port; 0 takes any that is free.
        open_browser: show the page in the default browser.
        device, precision: of models that are loaded for live work, as for `load`.
        say: takes a line on what is going on.

    Raises:
        UnknownName: a site, image or recipe that does not exist.
        InputError: no site has a grid, the page was not built, or the port is taken.
        MissingPackage: `denoscope[explorer]` is not installed.
    """
    store = opened(store)
    wanted = Wanted(recipe=recipe, sites=sites, images=images, budget=budget, dictionaries=dictionaries)
    page = page_folder()
    for module in ("fastapi", "uvicorn", "python_multipart"):
        require(module, "serve the explorer", "denoscope[explorer]")
    from denoscope.explorer.server.room import Settings
    from denoscope.explorer.server.run import address, listening, new_token, serve
    from denoscope.live import Workshop

    with listening(port) as sock:
        folder = bundle(store, None, wanted, say)
        desk, token, found = desk_folder(store), new_token(), sock.getsockname()[1]
        live = Workshop(store, folder, desk / "images", device, precision, _folders(dictionaries))
        settings = Settings(folder, desk, token, found, page)
        serve(settings, live, sock, open_browser=open_browser, ready=lambda: say(_told(address(found, token))))


def _folders(dictionaries: Sequence[str | Path | Learned]) -> list[Path]:
    """Those that lie outside of the store: what lies in its folder `dictionaries` is found there."""
    given = (one.folder if isinstance(one, Learned) else Path(one) for one in dictionaries)
    return [folder for folder in given if folder is not None and folder.is_dir()]


def desk_folder(store: Store) -> Path:
    """Where what people add to a store is kept: annotations, answers, pictures, directions, the record of jobs."""
    return bundle_folder(store) / "desk"


def _told(address: str) -> str:
    return f"serving {address} (Ctrl-C ends)"


def export(
    store: Store | str | Path,
    out: str | Path,
    *,
    recipe: str | Recipe | None = None,
    sites: Sites = None,
    images: int | Sequence[str] = 96,
    dictionaries: Sequence[str | Path | Learned] = (),
    budget: int = BUDGET,
    say: Callable[[str], None] = _quiet,
) -> Path:
    """Write the explorer's page of a store as a static folder, for any web server: `python -m http.server -d OUT`.

    Args:
        store, recipe, sites, images, dictionaries, budget, say: as for `explore`.
        out: a new or empty folder, or an earlier export, of which only what changed is written.

    Returns:
        The folder.

    Raises:
        UnknownName: a site, image or recipe that does not exist.
        InputError: no site has a grid, the page was not built, or the folder holds something else.
        StoreError: the store is empty, or the folder cannot be written.
    """
    page_folder()
    check_out(Path(out))
    wanted = Wanted(recipe=recipe, sites=sites, images=images, budget=budget, dictionaries=dictionaries)
    return export_page(bundle(opened(store), None, wanted, say), out)


def widget(
    store: Store | str | Path,
    *,
    recipe: str | Recipe | None = None,
    sites: Sites = None,
    images: int | Sequence[str] = 96,
    dictionaries: Sequence[str | Path | Learned] = (),
    budget: int = BUDGET,
    height: int = 760,
    say: Callable[[str], None] = _quiet,
) -> Any:
    """The explorer's page of a store in a notebook cell; the place that is pinned comes back as `.selection`.

    Args:
        store, recipe, sites, images, dictionaries, budget, say: as for `explore`.
        height: of the cell, in pixels.

    Returns:
        A widget as `denoscope.explorer.widget.widget` describes it.

    Raises:
        MissingPackage: `denoscope[widget]` is not installed.
    """
    from denoscope.explorer.widget import widget as made

    wanted = Wanted(recipe=recipe, sites=sites, images=images, budget=budget, dictionaries=dictionaries)
    return made(bundle(opened(store), None, wanted, say), height)
