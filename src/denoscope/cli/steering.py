"""`denoscope steer`: pictures without and with an edit, or under growing doses of it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json
from denoscope.cli.reading import Device, ModelName, Precision
from denoscope.cli.wishes import Branch, Kind, Wish, edits_of, limited
from denoscope.core.errors import InputError

__all__ = ["steer"]

KindFlag = Annotated[
    Kind,
    arg(
        help="push along the direction; take it out; set, or multiply, its coordinate; multiply the atom's codes; put"
        " the atom --by in its place; forget the concept --towards (SAeUron); push by what the words of"
        " --towards-prompt change against --against-prompt; put in the run of --towards-prompt"
    ),
]
Strength = Annotated[
    float | None,
    arg(
        help="of add: how far; of clamp: the coordinate; of scale and codes: the factor; of replace: how much for each"
        " unit (1); of forget: the multiplier (-1); of words: how much of the change (1). None for ablate and patch"
    ),
]
Unit = Annotated[
    Literal["activations", "norm"], arg(help="of add's strength; norm: lengths of the picture's cells at each step")
]
Dictionary = Annotated[Path | None, arg(metavar="FOLDER", help="that `learn` saved to, or the explorer; see --atom")]
Towards = Annotated[
    str | None,
    arg(metavar="FACT=VALUE", help="no dictionary: the direction to this class, read from --data; or what to forget"),
]
Other = Annotated[int | None, arg(help="of replace: number of the atom that comes")]
Window = Annotated[
    tuple[int, int] | None, arg(metavar="FIRST AFTER", help="denoising steps in which it acts, 0 the noisiest")
]
Noise = Annotated[tuple[float, float] | None, arg(metavar="LOW HIGH", help="noise levels, 0 to 1000, at which it acts")]
Box = Annotated[
    tuple[float, float, float, float] | None,
    arg(metavar="LEFT TOP RIGHT BOTTOM", help="part of the picture, in pixels, in which it acts"),
]
Mask = Annotated[Path | None, arg(metavar="PICTURE", help="as large as those made; it acts where this is bright")]
BranchFlag = Annotated[
    Branch,
    arg(
        help="under guidance: rows with the prompt, with the negative one, both, or opposed: the edit in the first and"
        " its opposite in the second, which guidance multiplies most"
    ),
]
Sites = Annotated[tuple[str, ...], arg(help="where the edit acts; the dictionary's own unless given; words: several")]
Prompts = Annotated[tuple[str, ...], arg(help="of words: with the word, and without it or with another in its place")]
Doses = Annotated[
    tuple[float, ...],
    arg(help="sweep: multiples of the edit, beside a control of the same size, judges and a meter of what is usual"),
]
Facts = Annotated[
    tuple[str, ...], arg(help="with --doses: what judges look for in the pictures, such as category colour background")
]
By = Annotated[
    Literal["auto", "renderings", "activations"],
    arg(
        help="a classifier trained on the menagerie's renderings alone, minutes once and then kept (auto: for the"
        " embedded model), or the nearest class mean in the model's own activations of --data"
    ),
]


def steer(
    model: ModelName,
    /,
    *,
    prompt: tuple[str, ...],
    dictionary: Dictionary = None,
    atom: int | None = None,
    towards: Towards = None,
    against: str | None = None,
    towards_prompt: Prompts = (),
    against_prompt: tuple[str, ...] = (),
    by: Other = None,
    edit: KindFlag = "add",
    strength: Strength = None,
    unit: Unit = "activations",
    site: Sites = (),
    window: Window = None,
    noise: Noise = None,
    branch: BranchFlag = "both",
    box: Box = None,
    mask: Mask = None,
    doses: Doses = (),
    judge: Facts = (),
    judge_by: By = "auto",
    judge_site: str = "mid",
    data: str = "menagerie:train",
    limit: int = 240,
    timestep: float = 400.0,
    seed: int = 0,
    steps: int = 30,
    guidance: float = 5.0,
    out: Path = Path("runs/steer"),
    device: Device = None,
    precision: Precision = None,
    progress: bool = True,
    force: bool = False,
    as_json: AsJson = False,
) -> None:
    """Generate from prompts twice, without and with an edit, from the same noise; or under several doses of it.

    Args:
        prompt: one or several texts.
        atom: number of the direction in the dictionary.
        against: with --towards, the value to lead away from; all others unless given.
        judge_site: whose activations judges of activations compare.
        data: labelled images that directions and judges are made from (see `list data`).
        limit: at most so many.
        timestep: noise level at which the direction of --towards is read.
        seed: names the starting noise.
        steps: denoising steps.
        guidance: classifier-free scale; 1 turns it off.
        out: folder for the pictures and the report.
        progress: show a bar with the time left, with --doses.
        force: also directions that were learned on another model or at another site.
    """
    from denoscope.chosen import made_folder
    from denoscope.models.loading import load

    scope = load(model, device=device, dtype=precision)
    sampling: dict[str, Any] = {"seed": seed, "steps": steps, "guidance": guidance}
    wish = Wish(edit, site, dictionary, atom, by, towards, against, strength, unit, towards_prompt, against_prompt,
                data, limit, timestep)  # fmt: skip
    edits, target = edits_of(scope, wish, sampling)
    made = [limited(one, window, noise, branch, box, mask) for one in edits]
    made_folder(out)
    told = {**sampling, "force": force}
    if doses:
        found = _swept(scope, prompt, made, doses, judge, (judge_by, judge_site), target, data, limit, progress, told)
    elif judge:
        raise InputError("judges look at the pictures of several doses; give --doses as well, such as 0.5 1 2")
    else:
        from denoscope.steer import steer as verb

        found = verb(scope, prompt, made, **told)
    place = found.save(out)
    if as_json:
        show_json(found.report.to_dict())
        return
    say(str(found.report))
    say(f"pictures  {place}")
    say(f"page  {place}/report.html")


def _swept(
    scope: Any, prompt: tuple[str, ...], made: list[Any], doses: tuple[float, ...], facts: tuple[str, ...], how: Any,
    target: dict[str, str], data: str, limit: int, progress: bool, told: dict[str, Any],
) -> Any:  # fmt: skip
    from denoscope.features.steering import judges_of
    from denoscope.features.sweeps import sweep

    by, site = how
    judges = judges_of(scope, facts, data, limit, site, by, progress) if facts else {}
    wanted = {fact: value for fact, value in target.items() if fact in judges}
    return sweep(scope, prompt, made, doses, judges=judges, target=wanted, progress=progress, **told)
