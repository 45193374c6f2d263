"""`denoscope drift`: what lower precision and quantised weights change."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json, table
from denoscope.core.errors import InputError

__all__ = ["drift"]

_SHOWN = ("variant", "site", "timestep", "relative error", "cosine", "score", "value", "change")
_NUMBERS = (2, 3, 4, 6, 7)


def drift(
    model: Annotated[Positional[str], arg(metavar="MODEL", help="name, Hub id or local folder (see `list models`)")],
    data: Annotated[Positional[str], arg(metavar="DATA", help="images, such as menagerie:test (see `list data`)")],
    /,
    *,
    sites: Annotated[tuple[str, ...], arg(help="names, globs or aliases (see `sites MODEL`)")],
    timesteps: Annotated[tuple[float, ...], arg(help="noise levels, 0 to 999")] = (50.0,),
    variants: Annotated[
        tuple[str, ...], arg(help="bf16, fp16, int8, fp8, nf4, or a precision with quantised weights: bf16+int8")
    ] = ("bf16", "fp16"),
    against: Literal["fp32", "bf16", "fp16"] = "fp32",
    task: Annotated[
        str | None, arg(help="whose score is compared too: probe, correspondence, ... (`list tasks`)")
    ] = None,
    task_options: Annotated[
        tuple[str, ...], arg(help="settings of the task, as in: --task-options fact=superclass folds=3")
    ] = (),
    prompt: str = "",
    guidance: float | None = None,
    seed: int = 0,
    limit: int | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    out: Path = Path("runs/drift"),
    progress: bool = True,
    as_json: AsJson = False,
) -> None:
    """Measure what precision and quantised weights change in activations, and in a task's score.

    Args:
        against: precision of the reference.
        prompt: of every image.
        guidance: embedded guidance of distilled models (Flux-dev: 3.5).
        seed: of the noise.
        limit: at most so many images.
        device: cpu, cuda, cuda:1 or mps; the best there is unless given.
        batch_size: rows per forward; chosen from the model's size unless given.
        out: folder for the store and the report; interrupted, the same command goes on.
        progress: show bars with the time left.
    """
    from denoscope.drift import drift as verb

    report = verb(
        model, data, sites, timesteps, against=against, variants=variants, task=task, out=out, prompt=prompt,
        guidance=guidance, seed=seed, limit=limit, device=device, batch_size=batch_size, progress=progress,
        **dict(map(_setting, task_options)),
    )  # fmt: skip
    if as_json:
        show_json(report.to_dict())
        return
    shown = [name for name in _SHOWN if name in report.table]
    rows = zip(*(map(_cells(name, report.table), range(len(report.table["site"]))) for name in shown), strict=True)
    table(rows, shown, [_SHOWN[place] for place in _NUMBERS if _SHOWN[place] in shown])
    for note in report.notes:
        say(note)
    say(f"page  {out}/report.html")


def _setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE, the value as JSON where it is JSON.

    Raises:
        InputError: no equals sign.
    """
    name, sign, value = text.partition("=")
    if not sign:
        raise InputError(f"a setting of a task is NAME=VALUE, as in fact=superclass; not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _cells(name: str, columns: Any) -> Any:
    """How the rows of one column are written: with their intervals, where they have any."""
    lows, highs = columns.get(f"{name} low"), columns.get(f"{name} high")

    def cell(row: int) -> str:
        value = columns[name][row]
        if value is None:
            return "-"
        if not isinstance(value, float):
            return str(value)
        if lows is None:
            return f"{value:g}"
        if name == "change" and lows[row] == highs[row] == 0:
            return "0, none differs"
        digits = 5 if name == "cosine" else 3
        return f"{value:.{digits}g} [{lows[row]:.{digits}g}, {highs[row]:.{digits}g}]"

    return cell
