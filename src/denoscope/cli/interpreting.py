"""`denoscope interpret`: what the atoms of a dictionary stand for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json
from denoscope.interpret.plan import Plan
from denoscope.pool import Pool

if TYPE_CHECKING:
    from denoscope.interpret.judges import Judge

__all__ = ["interpret"]

JudgeName = Annotated[
    str,
    arg(help="`colour`, an OpenAI-compatible address (http...), or a vision-language model of the Hub; none if empty"),
]
JudgeModel = Annotated[str, arg(help="model that the address is asked for; its key is read from OPENAI_API_KEY")]


def interpret(
    store: Annotated[Positional[str], arg(metavar="STORE", help="folder or URL that `extract` filled")],
    dictionary: Annotated[Positional[Path], arg(metavar="DICTIONARY", help="folder that `learn` saved to")],
    /,
    *,
    plan: OmitArgPrefixes[Plan] = Plan(),  # noqa: B008
    judge: JudgeName = "",
    judge_model: JudgeModel = "",
    model: Annotated[
        str | None,
        arg(help="that the store was extracted with: some atoms are changed while it runs, and laid on its heat maps"),
    ] = None,
    eye: Annotated[str, arg(help="sees patches: `pixels`, or an image encoder of the Hub or a folder")] = "pixels",
    timestep: Annotated[float | None, arg(help="noise level of the store; the dictionary's first unless given")] = None,
    data: Annotated[str | None, arg(help="the images, where the store cannot find them (see `list data`)")] = None,
    out: Annotated[Path, arg(help="folder for the report: HTML page, JSON, Parquet")] = Path("runs/interpret"),
    engine: Annotated[
        Literal["local", "ray"],
        arg(help="this process, or actors of a Ray cluster (needs `denoscope[ray]`), which `pool` describes"),
    ] = "local",
    pool: Pool = Pool(),  # noqa: B008
    progress: Annotated[bool, arg(help="show a bar with the time left")] = True,
    as_json: AsJson = False,
) -> None:
    """Name the atoms of a dictionary, locate them, and say how far each name holds, beside random atoms."""
    from dataclasses import asdict

    from denoscope.interpret import interpret as verb
    from denoscope.interpret.eyes import eye_of

    report = verb(
        store, dictionary, judge=_judge(judge, judge_model, out), model=model, eye=eye_of(eye), timestep=timestep,
        data=data, out=out, pool=pool if engine == "ray" else None, progress=progress, **asdict(plan),
    )  # fmt: skip
    if as_json:
        show_json(report.to_dict())
        return
    say(str(report))
    for note in report.notes:
        if note.startswith("Without "):
            say(note)
    say(f"page  {out}/report.html")
    say(f"atoms {out}/atoms.html")


def _judge(name: str, model: str, out: Path) -> "Judge | None":
    """The judge that is meant, with a memory in the report's folder."""
    from denoscope.interpret.judges import Colour, Remembered, endpoint, local

    if not name:
        return None
    made = Colour() if name == "colour" else endpoint(name, model) if name.startswith("http") else local(name)
    return Remembered(made, out / "judged")
