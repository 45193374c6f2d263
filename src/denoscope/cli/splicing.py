"""`denoscope faithful`: what a dictionary's reconstruction keeps of the denoiser's output."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json

__all__ = ["faithful"]


def faithful(
    model: Annotated[Positional[str], arg(metavar="MODEL", help="name, Hub id or local folder")],
    dictionary: Annotated[Positional[Path], arg(metavar="DICTIONARY", help="folder that `learn` saved to")],
    /,
    *,
    data: str = "menagerie:test",
    limit: int = 64,
    prompts: tuple[str, ...] = (),
    steps: int = 20,
    guidance: float = 5.0,
    seed: int = 0,
    out: Path = Path("runs/faithful"),
    progress: bool = True,
    force: bool = False,
    as_json: AsJson = False,
) -> None:
    """Put a dictionary's reconstruction in place of the activations, and say how much of the output stays.

    Args:
        data: images (see `list data`); half of them teach the baselines.
        limit: at most so many.
        prompts: pictures are sampled from these as well.
        steps: denoising steps of these.
        guidance: their classifier-free scale.
        seed: names their starting noise.
        out: folder for the report.
        progress: show a bar with the time left.
        force: also a dictionary that was learned on another model.
    """
    from denoscope.features.faithful import faithful as verb

    report = verb(
        model, dictionary, data, limit=limit, prompts=prompts, steps=steps, guidance=guidance, seed=seed,
        progress=progress, force=force,
    )  # fmt: skip
    report.save(out)
    if as_json:
        show_json(report.to_dict())
        return
    say(str(report))
    say(f"page  {out}/report.html")
