"""`denoscope heatmaps`: where in pictures the words of their prompts are looked at from."""

from pathlib import Path
from typing import Annotated, Any

from tyro.conf import FlagCreatePairsOff, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json
from denoscope.cli.reading import Device, ModelName, Precision
from denoscope.core.errors import InputError

__all__ = ["heatmaps"]

Prompts = Annotated[
    tuple[str, ...], arg(help="one per picture; of --images one for all, in which {category} is the image's fact")
]
Images = Annotated[
    str | None,
    arg(metavar="DATA", help="look at images that exist, and make none: a folder, `photos` (see `list data`)"),
]
Words = Annotated[tuple[str, ...], arg(help="words or phrases of the prompt to show; all unless given")]
Sites = Annotated[
    tuple[str, ...], arg(help="maps or blocks, as in: --sites 'up.*'; all attention to text unless given")
]
Overlap = Annotated[
    FlagCreatePairsOff[bool],
    arg(help="score the maps of --fact against the masks of --images, beside wrong words and other baselines"),
]
PROMPT = "a photo of a {colour} {category}"


def heatmaps(
    model: ModelName,
    /,
    *,
    prompt: Prompts = (),
    images: Images = None,
    words: Words = (),
    sites: Sites = (),
    threshold: float = 0.4,
    timesteps: tuple[float, ...] = (200.0, 400.0, 600.0, 800.0),
    overlap: Overlap = False,
    fact: str = "category",
    limit: int | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    height: int | None = None,
    width: int | None = None,
    seed: int = 0,
    out: Path = Path("runs/heatmaps"),
    device: Device = None,
    precision: Precision = None,
    progress: bool = True,
    as_json: AsJson = False,
) -> None:
    """Map each word of a prompt to where the picture looks at it, while it is made or in images that exist.

    Args:
        threshold: of masks, 0 to 1 between the lowest and the highest value of a map.
        timesteps: noise levels over which the maps of --images are averaged.
        fact: with --overlap, the fact whose value is the word.
        limit: at most so many images; 12 unless given, 240 with --overlap.
        steps: denoising steps; the model's own number unless given.
        guidance: classifier-free scale; 1 turns it off.
        height: of the pictures in pixels; native unless given.
        width: of the pictures in pixels; native unless given.
        seed: names the noise.
        out: folder for pictures, overlays and the report.
        progress: with --overlap, show a bar with the time left.
    """
    from denoscope.models.loading import load

    made = {"steps": steps, "guidance": guidance, "height": height, "width": width}
    given = {name: value for name, value in made.items() if value is not None}
    if not prompt and not overlap:
        raise InputError('give a prompt, as in: --prompt "a photo of a red cat"')
    if overlap and (given or len(prompt) > 1):
        raise InputError("--overlap reads images with one template as prompt, and makes no pictures")
    scope = load(model, device=device, dtype=precision)
    if overlap:
        from denoscope.features.heatscores import heatmap_overlap

        report = heatmap_overlap(
            scope, images or "menagerie:test", prompt=prompt[0] if prompt else PROMPT, fact=fact, limit=limit or 240,
            sites=sites, timesteps=timesteps, threshold=threshold, seed=seed, out=out, progress=progress,
        )  # fmt: skip
    else:
        from denoscope.features.heatmaps import heatmaps as verb

        told: Any = prompt[0] if len(prompt) == 1 else prompt
        report = verb(
            scope, told, images=images, words=words, sites=sites, threshold=threshold, timesteps=timesteps,
            limit=(limit or 12) if images else None, seed=seed, out=out, **given,
        ).report  # fmt: skip
    if as_json:
        show_json(report.to_dict())
        return
    say(str(report))
    say(f"page  {out}/report.html")
