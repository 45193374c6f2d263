"""`denoscope convert`: a store in another format."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from denoscope.cli.asking import Yes, with_room
from denoscope.cli.output import say
from denoscope.interchange.formats import Format
from denoscope.store.room import bytes_told

__all__ = ["convert"]

Folder = Annotated[Positional[str], arg(metavar="STORE", help="folder or URL that `extract` filled")]
Out = Annotated[Positional[Path], arg(metavar="OUT", help="new folder")]


def convert(
    store: Folder,
    out: Out,
    /,
    *,
    to: Annotated[Format, arg(help="zarr for xarray, datasets (Parquet) for Hugging Face datasets, npy for numpy")],
    sites: Annotated[tuple[str, ...], arg(help="names or aliases; all unless given")] = (),
    recipe: Annotated[str | None, arg(help="digest, or its beginning; all unless given")] = None,
    yes: Yes = False,
    progress: Annotated[bool, arg(help="show a bar with the time left")] = True,
) -> None:
    """Write a store in another format: all values in fp32, ids, facts, frames and recipes."""
    from denoscope.interchange.converting import convert as verb

    asked = {"sites": sites or None, "recipe": recipe, "progress": progress}
    made = with_room(lambda most: verb(store, out, to, most_disk=most, **asked), yes)
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    say(f"{to}  {made}: {bytes_told(size)}")
