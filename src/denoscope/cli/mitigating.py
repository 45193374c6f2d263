"""`denoscope mitigate`: what helps, task by task."""

from pathlib import Path
from typing import Annotated, Any

from tyro.conf import FlagCreatePairsOff, Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json, table

__all__ = ["mitigate"]

Plan = Annotated[FlagCreatePairsOff[bool], arg(help="only list what would be compared, and how much is read")]
Names = tuple[str, ...]


def mitigate(
    model: Annotated[Positional[str], arg(metavar="MODEL", help="name, Hub id or local folder")],
    /,
    *,
    data: str = "menagerie:test",
    site: str | None = None,
    timestep: float = 50,
    limit: int = 240,
    tasks: Names = (),
    mitigations: Names = (),
    sites: Names = (),
    timesteps: tuple[float, ...] = (0.0, 100.0, 200.0),
    twins: int = 12,
    rounds: int = 2,
    least: float = 0.01,
    out: Path = Path("runs/mitigate"),
    plan: Plan = False,
    progress: bool = True,
    as_json: AsJson = False,
) -> None:
    """Measure what helps against position, artefacts and noise: each mitigation on each task, before and after.

    Args:
        data: images with facts; a third each teaches, chooses and confirms (see `list data`).
        site: where to read; the block output that is best on the images for choosing unless given.
        timestep: noise level of the plain reading, 0 to 999.
        limit: at most so many images.
        tasks: what mitigations are measured by (see `list tasks`), as in `probe:superclass`; all that suit otherwise.
        mitigations: names of those to compare (see --plan); all that suit the model unless given.
        sites: other sites to read instead, or beside, as further rows.
        timesteps: other noise levels to read at instead, as further rows.
        twins: images of each part that get changed copies, for dense correspondence.
        rounds: mitigations that one recipe may hold.
        least: gain that a mitigation must be worth, as a share of the score without it.
        out: folder for the report: HTML page, JSON, Parquet.
        progress: show bars with the time left.
    """
    from denoscope.features.leaderboard import TASKS
    from denoscope.features.mitigate import mitigate as verb

    told: dict[str, Any] = {"sites": sites, "timesteps": timesteps, "twins": twins, "rounds": rounds, "least": least}
    if plan:
        _plan(model, site, timestep, tasks or TASKS, told, as_json)
        return
    report = verb(
        model, data, site=site, timestep=timestep, limit=limit, tasks=tasks, mitigations=mitigations, out=out,
        progress=progress, **told,
    )  # fmt: skip
    if as_json:
        show_json(report.to_dict())
        return
    for note in report.notes:
        say(note)
    for score in report.scores:
        if ", plain" in score.name or "recipe" in score.name:
            say(f"  {score}")
    say(f"page  {out}/report.html")


def _plan(
    model: str, site: str | None, timestep: float, tasks: Names, told: dict[str, Any], as_json: bool
) -> None:  # fmt: skip
    """What would be compared, without reading an image."""
    from denoscope.chosen import loaded
    from denoscope.features.benches import benches_of
    from denoscope.features.leaderboard import Leaderboard
    from denoscope.features.mitigate import blocks, planned

    benches_of(tasks)  # a task that does not exist is told now, not after the plan was believed
    scope = loaded(model)
    tried = blocks(scope)
    rows = planned(scope, site or tried[-1], timestep, Leaderboard(**told))
    if as_json:
        show_json({"sites tried": [] if site else tried, "mitigations": rows, "tasks": tasks})
        return
    table(([row[name] for name in row] for row in rows), list(rows[0]), ["passes per image"])
    passes = sum(row["passes per image"] for row in rows)
    first = "" if site else f", after one pass each at {', '.join(tried)} to choose a site"
    say(f"{passes} passes per image{first}; tasks: {', '.join(tasks)}")
