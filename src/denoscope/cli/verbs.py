"""`denoscope evaluate` and `learn`: flags made from the fields of what is registered."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from denoscope.cli.asking import Yes, with_room
from denoscope.cli.joining import JOINT, check_kept, joint_with
from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json
from denoscope.cli.parsing import deferred, parsed
from denoscope.core.errors import InputError
from denoscope.core.report import Report
from denoscope.learn.reading import Reading

if TYPE_CHECKING:
    from denoscope.learn.planning import Budget

__all__ = ["evaluate", "learn", "specialise"]

READING = Reading()

Folder = Annotated[Positional[str], arg(metavar="STORE", help="folder or URL that `extract` filled")]
SiteName = Annotated[str | None, arg(help="name or alias; may be left out where only one is stored")]
Timestep = Annotated[
    float | None, arg(help="noise level, 0 to 999; the only one stored, or that nearest to 50, unless given")
]
SeveralSites = Annotated[
    tuple[str, ...], arg(help="several sites in one report: names, globs or aliases, or the one word `all`")
]
SeveralTimesteps = Annotated[tuple[str, ...], arg(help="several noise levels in one report, or the one word `all`")]
BaselineNames = Annotated[
    tuple[Literal["pixels", "colour", "position", "latents"], ...],
    arg(help="the same task on something simpler, in the same cells, beside the scores"),
]
TwinStore = Annotated[
    str | None, arg(help="store that `extract untrained:MODEL` filled, whose scores stand beside; may be the same")
]
BesideStores = Annotated[tuple[str, ...], arg(help="further stores of the same images, for tasks that compare sites")]
DataSpec = Annotated[str | None, arg(help="the images, where the store cannot find them again (see `list data`)")]
LearnFrom = Annotated[
    Positional[str],
    arg(metavar="STORE", help="folder or URL that `extract` filled; with --data or --prompts, a model (`list models`)"),
]
LiveData = Annotated[
    str | None, arg(help="images that a model reads while the dictionary learns, and nothing stored (see `list data`)")
]
PlanOnly = Annotated[
    FlagCreatePairsOff[bool], arg(help="only say what it would cost: time by part, memory, disk; after a short trial")
]
RivalNames = Annotated[
    tuple[str, ...],
    arg(
        help="further dictionaries beside it in the report: nmf, kmeans, neurons, random, itda-random; few unless given"
    ),
]
ReportFolder = Annotated[Path | None, arg(help="folder to write the report to as well: HTML page, JSON, Parquet")]
RecipeDigest = Annotated[str | None, arg(help="digest, or its beginning, where the store holds several recipes")]


def evaluate(task: Annotated[Positional[str], arg(metavar="TASK", help="see `list tasks`")], store: Folder, /) -> None:
    """Run a task on what a store holds; `evaluate TASK --help` shows the task's own flags."""
    specialise(["evaluate", task, store])


def learn(
    dictionary: Annotated[Positional[str], arg(metavar="DICTIONARY", help="see `list dictionaries`")], store: Folder, /
) -> None:
    """Learn directions from one site of a store; `learn DICTIONARY --help` shows the dictionary's own flags."""
    specialise(["learn", dictionary, store])


def specialise(arguments: Sequence[str]) -> bool:
    """Run `evaluate TASK ...` or `learn DICTIONARY ...` with the flags of that task or dictionary.

    Returns:
        Whether the arguments were of that kind; the verb without a name is left to the general help.
    """
    makers: dict[str, Callable[[str], Callable[..., None]]] = {"evaluate": _evaluate_with, "learn": _learn_with}
    if len(arguments) < 2 or arguments[0] not in makers or arguments[1].startswith("-"):
        return False
    verb, name, *rest = arguments
    _in_order(verb, name, rest)
    command = deferred(makers[verb](name))
    parsed(lambda: tyro.cli(command, prog=f"denoscope {verb} {name}", args=rest or ["--help"]))()
    return True


def _in_order(verb: str, name: str, rest: Sequence[str]) -> None:
    """Say so where the store stands before the name.

    Raises:
        InputError: with the command in the right order.
    """
    from denoscope.core import registry

    known = registry.tasks if verb == "evaluate" else registry.dictionaries
    if rest and name not in known and rest[0] in known:
        raise InputError(f"the store comes second: denoscope {verb} {rest[0]} {name}")


def _evaluate_with(name: str) -> Callable[..., None]:
    from denoscope.core.registry import tasks

    kind: Any = tasks.get(name)

    def run(
        store: Folder,
        /,
        *,
        task: OmitArgPrefixes[kind] = kind(),  # pyright: ignore[reportInvalidTypeForm] # noqa: B008
        site: SiteName = None,
        timestep: Timestep = None,
        sites: SeveralSites = (),
        timesteps: SeveralTimesteps = (),
        baselines: BaselineNames = (),
        twin: TwinStore = None,
        beside: BesideStores = (),
        recipe: RecipeDigest = None,
        data: DataSpec = None,
        out: ReportFolder = None,
        as_json: AsJson = False,
    ) -> None:
        from denoscope.chosen import opened
        from denoscope.evaluate import evaluate as verb
        from denoscope.store.shelf import Shelf

        report = verb(
            store, task, site, timestep=timestep, sites=sites or None, timesteps=_levels(timesteps),
            baselines=baselines, twin=twin, beside=beside, recipe=recipe, data=data, progress=True, save=False,
        )  # fmt: skip
        shelf = opened(store)
        if shelf.place.read_only:  # of the Hub
            folder = report.save(out or Path("runs/reports") / Shelf.name_of(report))
        else:
            folder = shelf.place.path(f"reports/{shelf.save(report)}")
            folder = folder if out is None else report.save(out)
        _show(report, as_json)
        if not as_json:
            say(f"page  {folder}/report.html")

    run.__doc__ = _first_line(kind)
    return run


def _learn_with(name: str) -> Callable[..., None]:
    from denoscope.core.registry import dictionaries

    if dictionaries.entry(name).name in JOINT:
        return joint_with(name)
    kind: Any = dictionaries.get(name)
    settings: Any = kind.Settings

    def run(
        store: LearnFrom,
        /,
        *,
        settings: OmitArgPrefixes[settings] = settings(),  # pyright: ignore[reportInvalidTypeForm] # noqa: B008
        data: LiveData = None,
        reading: OmitArgPrefixes[Reading] = READING,
        site: SiteName = None,
        timestep: Timestep = None,
        timesteps: SeveralTimesteps = (),
        recipe: RecipeDigest = None,
        held_out: Annotated[float, arg(help="share of the images that nothing is learned from")] = 0.1,
        out: Annotated[Path | None, arg(help="folder to save to; in the store unless given")] = None,
        keep: Annotated[Path | None, arg(help="folder for a log and checkpoints, to go on from")] = None,
        baselines: RivalNames = (),
        plan: PlanOnly = False,
        yes: Yes = False,
        buffer: Annotated[float, arg(help="MB of cells that are held to be shuffled")] = 256.0,
        stability: Annotated[bool, arg(help="learn again with the next seed: are the atoms the same?")] = False,
        as_json: AsJson = False,
    ) -> None:
        from denoscope.learn import learn as verb
        from denoscope.learn import plan as budget

        how = asdict(reading)
        if data is None and not reading.prompts:
            how["source"] = None if reading.source == "noised" else reading.source
            check_kept(store, Path() if plan else out)
        elif out is None and not plan:
            raise InputError("there is no store to keep the dictionary in; say where: --out runs/dictionary")
        asked: dict[str, Any] = {
            "timestep": timestep, "timesteps": _levels(timesteps), "recipe": recipe, "held_out": held_out,
            "data": data, **how, **asdict(settings),
        }  # fmt: skip
        if plan:
            _planned(budget(store, name, site, out=out, keep=keep, buffer=buffer, **asked), as_json)
            return
        made = with_room(
            lambda most: verb(
                store, name, site, out=out, keep=keep, baselines=baselines or None, buffer=buffer,
                stability=stability, most_disk=most, **asked,
            ),
            yes,
        )  # fmt: skip
        if made.report is not None:
            _show(made.report, as_json)
        if made.folder is not None and not as_json:
            say(f"dictionary  {made.folder}")

    run.__doc__ = _first_line(kind)
    return run


def _planned(found: "Budget", as_json: bool) -> None:
    if as_json:
        show_json(found.to_dict())
    else:
        say(str(found))


def _levels(asked: tuple[str, ...]) -> Any:
    """Nothing, the one word `all`, or numbers as they were typed."""
    return "all" if asked == ("all",) else asked or None


def _show(report: Report, as_json: bool) -> None:
    if as_json:
        show_json(report.to_dict())
    else:
        say(str(report))


def _first_line(kind: Any) -> str:
    return (kind.__doc__ or "").strip().split("\n")[0]
