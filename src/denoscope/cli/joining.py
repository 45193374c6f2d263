"""`denoscope learn crosscoder` and `learn residual`: dictionaries of several sites or noise levels at once."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json
from denoscope.core.errors import InputError
from denoscope.core.hub import is_hub

__all__ = ["JOINT", "check_kept", "joint_with"]

JOINT = ("crosscoder", "residual")
"""Dictionaries whose rows hold several parts."""

Store = Annotated[Positional[str], arg(metavar="STORE", help="folder or URL that `extract` filled")]
Sites = Annotated[tuple[str, ...], arg(help="names or aliases; may be left out where only one is stored")]
Timesteps = Annotated[tuple[float, ...], arg(help="noise levels, 0 to 999; that nearest to 50 unless given")]


def joint_with(name: str) -> Callable[..., None]:
    """The command of one of them."""
    from denoscope.core.registry import dictionaries

    kind: Any = dictionaries.get(name)
    settings: Any = kind.Settings

    def run(
        store: Store,
        /,
        *,
        settings: OmitArgPrefixes[settings] = settings(),  # pyright: ignore[reportInvalidTypeForm] # noqa: B008
        sites: Sites = (),
        timesteps: Timesteps = (),
        recipe: Annotated[str | None, arg(help="digest, or its beginning, where several hold the sites")] = None,
        held_out: Annotated[float, arg(help="share of the images that nothing is learned from")] = 0.1,
        out: Annotated[Path | None, arg(help="folder to save to; in the store unless given")] = None,
        keep: Annotated[Path | None, arg(help="folder for a log and checkpoints, to go on from")] = None,
        baselines: Annotated[tuple[str, ...], arg(help="further dictionaries in the report: see `learn`")] = (),
        buffer: Annotated[float, arg(help="MB of cells that are held to be shuffled")] = 256.0,
        as_json: AsJson = False,
    ) -> None:
        from denoscope.learn.joint import learn_joint

        check_kept(store, out)
        told = {part: value for part, value in asdict(settings).items() if value != ()}
        made = learn_joint(
            store, name, sites, timesteps, recipe=recipe, held_out=held_out, out=out, keep=keep,
            baselines=baselines or None, buffer=buffer, **told,
        )  # fmt: skip
        if made.report is not None and as_json:
            show_json(made.report.to_dict())
        elif made.report is not None:
            say(str(made.report))
            say(f"dictionary  {made.folder}")

    run.__doc__ = (kind.__doc__ or "").strip().split("\n")[0]
    return run


def check_kept(store: str, out: Path | None) -> None:
    """Refuse to learn what would lie nowhere: a store elsewhere keeps no dictionaries.

    Raises:
        InputError: no folder was named.
    """
    if out is None and ("://" in store or is_hub(store)):
        raise InputError(f"{store} keeps no dictionaries; say where to save this one: --out runs/dictionary")
