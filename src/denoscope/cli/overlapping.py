"""`denoscope overlap`: how far ITDA dictionaries chose the same cells."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from denoscope.chosen import made_folder
from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json
from denoscope.core.errors import InputError

__all__ = ["overlap"]

Folders = Annotated[
    Positional[tuple[Path, ...]],
    arg(metavar="FOLDER", help="two or more that `learn itda` filled, from the same images"),
]
Names = Annotated[tuple[str, ...], arg(help="what to call them, in their order; their folders unless given")]
GridStores = Annotated[
    tuple[str, ...], arg(help="stores that tell the grids of sites, where these differ and folders lie outside of them")
]
Pool = Annotated[int | None, arg(help="images that there were to choose from; as the dictionaries say unless given")]


def overlap(
    folders: Folders,
    /,
    *,
    names: Names = (),
    stores: GridStores = (),
    images: Pool = None,
    draws: int = 2000,
    seed: int = 0,
    out: Path | None = None,
    as_json: AsJson = False,
) -> None:
    """Compare models, sites or checkpoints by which cells became atoms of their ITDA dictionaries.

    Args:
        draws: of the shuffle of images, and of the bootstrap.
        seed: of both.
        out: folder to write the report to: HTML page, JSON, Parquet.
    """
    from denoscope.features.overlaps import overlaps

    if not folders:
        raise InputError("overlap compares two dictionaries or more: denoscope overlap FOLDER FOLDER")
    if out is not None:
        made_folder(out)
    report = overlaps(folders, names, stores=stores, images=images, draws=draws, seed=seed)
    if out is not None:
        report.save(out)
    if as_json:
        show_json(report.to_dict())
        return
    say(str(report))
    if out is not None:
        say(f"page  {out}/report.html")
