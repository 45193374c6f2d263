"""`denoscope interpret`: what the atoms of a dictionary stand for."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json

__all__ = ["interpret"]


def interpret(
    store: Annotated[Positional[str], arg(metavar="STORE", help="folder or URL that `extract` filled")],
    dictionary: Annotated[Positional[Path], arg(metavar="DICTIONARY", help="folder that `learn` saved to")],
    /,
    *,
    facts: tuple[str, ...] = (),
    caption: str = "caption",
    top: int = 24,
    least: int = 8,
    judged: int = 48,
    patch: float = 0.25,
    seed: int = 0,
    data: Annotated[str | None, arg(help="the images, where the store cannot find them (see `list data`)")] = None,
    out: Path = Path("runs/interpret"),
    progress: bool = True,
    as_json: AsJson = False,
) -> None:
    """Name the atoms of a dictionary, locate them, and say how far each name holds, beside random atoms.

    Args:
        facts: factors of the images, as in `category colour`; all facts with few classes unless given.
        caption: fact whose words are tried as names.
        top: strongest images that are kept per atom.
        least: images in which an atom must be active to be interpreted.
        judged: atoms whose patches are looked at, those active most often.
        patch: side of a patch, as a share of the picture's shorter side.
        seed: of halves, shuffles and draws.
        out: folder for the report: HTML page, JSON, Parquet with a row per atom.
        progress: show a bar with the time left.
    """
    from denoscope.interpret import interpret as verb

    report = verb(
        store, dictionary, facts=facts, caption=caption, top=top, least=least, judged=judged, patch=patch, seed=seed,
        data=data, out=out, progress=progress,
    )  # fmt: skip
    if as_json:
        show_json(report.to_dict())
        return
    say(str(report))
    say(f"page  {out}/report.html")
