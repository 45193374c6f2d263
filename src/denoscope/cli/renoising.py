"""`denoscope renoised`: whether noised pictures hold what pictures in the making hold."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json, table

__all__ = ["renoised"]

_SHOWN = ("site", "timestep", "against sampling", "rows", "energy distance", "p", "q", "accuracy")


def renoised(
    model: Annotated[Positional[str], arg(metavar="MODEL", help="name, Hub id or local folder (see `list models`)")],
    data: Annotated[Positional[str], arg(metavar="DATA", help="images with captions, such as menagerie:test")],
    /,
    *,
    sites: Annotated[tuple[str, ...], arg(help="names, globs or aliases (see `sites MODEL`)")],
    timesteps: Annotated[tuple[float, ...], arg(help="noise levels; five of the run unless given")] = (),
    prompt: str = "{caption}",
    pictures: int = 64,
    steps: int | None = None,
    guidance: float | None = None,
    draws: int = 999,
    seed: int = 0,
    batch_size: int | None = None,
    out: Path = Path("runs/renoised"),
    progress: bool = True,
    as_json: AsJson = False,
) -> None:
    """Tell real sampling runs from noised pictures, by what a model holds at sites and noise levels.

    Args:
        prompt: of each picture; {fact} stands for the fact of an image.
        pictures: on each side; four times as many images are needed.
        steps: denoising steps; the checkpoint's own number unless given.
        guidance: of the runs; the checkpoint's own unless given.
        draws: relabellings of a test.
        seed: of pictures, noise and tests.
        batch_size: rows per forward; chosen from the model's size unless given.
        out: folder for the report.
        progress: show a bar with the time left.
    """
    from denoscope.features.renoising import renoised as verb

    report = verb(
        model, data, sites, timesteps or None, prompt=prompt, pictures=pictures, steps=steps, guidance=guidance,
        draws=draws, seed=seed, batch_size=batch_size, out=out, progress=progress,
    )  # fmt: skip
    if as_json:
        show_json(report.to_dict())
        return
    rows = zip(*(report.table[name] for name in _SHOWN), strict=True)
    table(([_cell(value) for value in row] for row in rows), list(_SHOWN), [*_SHOWN[1:2], *_SHOWN[4:]])
    for note in report.notes:
        say(note)
    say(f"page  {out}/report.html")


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
