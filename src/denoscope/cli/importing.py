"""`denoscope import`: features that other programs saved."""

from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from denoscope.cli.asking import Yes, with_room
from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json
from denoscope.cli.reading import Flag, onward
from denoscope.core.imported import remark
from denoscope.interchange.imported.told import Told
from denoscope.store.codec import Dtype

__all__ = ["import_features"]

TOLD = Told()

Format = Annotated[
    Positional[str], arg(metavar="FORMAT", help="dift, sd-dino, thingsvision or generic-diffusion-feature")
]
Folder = Annotated[Positional[Path], arg(metavar="FOLDER", help="folder with the files of one extraction")]
DataSpec = Annotated[str | None, arg(help="the pictures: facts, frames and padding come from there (see `list data`)")]


def import_features(
    format: Format,
    folder: Folder,
    /,
    *,
    out: Annotated[str, arg(help="folder or fsspec URL of the store; new recipes join those already there")],
    data: DataSpec = None,
    limit: int | None = None,
    told: OmitArgPrefixes[FlagCreatePairsOff[Told]] = TOLD,
    pooled: Flag = False,
    dtype: Dtype | None = None,
    yes: Yes = False,
    progress: bool = True,
    as_json: AsJson = False,
) -> None:
    """Put features that DIFT, sd-dino, thingsvision or generic-diffusion-feature saved into a store.

    Args:
        limit: at most so many pictures.
        pooled: keep one vector per picture, the mean of its cells.
        dtype: precision on disk; that of the files unless given.
        progress: show a bar with the time left.
    """
    from denoscope.interchange.importing import import_features as verb

    store = with_room(
        lambda most: verb(
            folder, format, out=out, data=data, limit=limit, told=told, pooled=pooled, dtype=dtype, most_disk=most,
            progress=progress,
        ),
        yes,
    )  # fmt: skip
    if as_json:
        show_json({"out": out, "recipes": [recipe.digest for recipe in store.recipes], "skipped": store.skipped})
        return
    say(repr(store))
    for line in dict.fromkeys(filter(None, (remark(recipe.model) for recipe in store.recipes))):
        say(line)
    for line in onward(out, [site.name for site in store.sites]):
        say(line)
    for name, reason in store.skipped.items():
        say(f"skipped {name}: {reason}")
