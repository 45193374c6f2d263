"""`denoscope explore` and `denoscope export`."""

import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from denoscope.cli.output import say
from denoscope.cli.reading import Device, Precision

__all__ = ["explore", "export"]

Folder = Annotated[Positional[str], arg(metavar="STORE", help="folder or URL that `extract` filled")]
RecipeDigest = Annotated[str | None, arg(help="digest, or its beginning; everything in the store unless given")]
SiteNames = Annotated[tuple[str, ...], arg(help="names or aliases; all that have a grid of cells unless given")]
Dictionaries = Annotated[
    tuple[str, ...],
    arg(name="dictionary", help="folders that `learn` filled, or names in STORE/dictionaries, whose atoms are shown"),
]
Megabytes = Annotated[int, arg(help="MiB of packs, about; what does not fit is left out and said")]


def explore(
    store: Folder,
    /,
    *,
    recipe: RecipeDigest = None,
    sites: SiteNames = (),
    images: int = 96,
    dictionaries: Dictionaries = (),
    budget: Megabytes = 512,
    port: int = 8765,
    browser: bool = sys.stdout.isatty(),
    device: Device = None,
    precision: Precision = None,
) -> None:
    """Serve a store's explorer, with live work, to a browser on this machine until interrupted.

    Args:
        images: how many pictures to show, taken in turn from every data set.
        port: TCP port; 0 takes any that is free.
        browser: open the page in the default browser; on by default in a terminal.
    """
    from denoscope.explore import explore as verb

    verb(
        store, recipe=recipe, sites=sites or None, images=images, dictionaries=dictionaries, budget=budget << 20,
        port=port, open_browser=browser, device=device, precision=precision, say=say,
    )  # fmt: skip


def export(
    store: Folder,
    out: Annotated[Positional[Path], arg(metavar="DIR", help="new or empty folder, or an earlier export")],
    /,
    *,
    recipe: RecipeDigest = None,
    sites: SiteNames = (),
    images: int = 96,
    dictionaries: Dictionaries = (),
    budget: Megabytes = 512,
) -> None:
    """Write a store's explorer as a static folder that needs no denoscope: for any web server.

    Args:
        images: how many pictures to show, taken in turn from every data set.
    """
    from denoscope.explore import export as verb

    made = verb(
        store, out, recipe=recipe, sites=sites or None, images=images, dictionaries=dictionaries, budget=budget << 20,
        say=say,
    )  # fmt: skip
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    say(f"{made}: {size / 2**20:.0f} MiB; look at it with: python -m http.server --directory {made}")
