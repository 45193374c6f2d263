"""`denoscope migrate STORE`: an older store becomes one of the present version."""

import math
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json, table
from denoscope.store.store import Store
from denoscope.store.version import FORMAT
from denoscope.store.volume import Volume

__all__ = ["migrate"]


def migrate(
    store: Annotated[Positional[str], arg(metavar="STORE", help="folder or URL that an earlier denoscope filled")],
    /,
    *,
    model: Annotated[
        str | None, arg(help="tells the log-SNRs of its timesteps, which old plans lack (see `list models`)")
    ] = None,
    dry_run: Annotated[FlagCreatePairsOff[bool], arg(help="only say what would be written")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring an older store up to the present version: indexes and plans are written anew, shards are never touched.

    Interrupted at any moment, the store opens as before, and the same command does the rest.
    """
    found = Store(store)
    before = found.version
    steps = found.migrate(dry_run, None if model is None else _Levels(model))
    if as_json:
        told = [{"file": step.file, "what": step.what} for step in steps]
        show_json({"store": store, "from": before, "to": FORMAT, "written": not dry_run, "steps": told})
        return
    if not steps:
        say(f"{store} is of version {FORMAT} already; there is nothing to do")
        return
    table(((step.file, step.what) for step in steps), ["would be written" if dry_run else "written", "what"])
    if found.version != before:
        say(f"version {before} became version {found.version}")


class _Levels:
    """Log-SNRs by a model, for those recipes that it was read for."""

    def __init__(self, name: str) -> None:
        from denoscope.models.loading import load

        self._model = load(name)

    def __call__(self, volume: Volume) -> tuple[float | None, ...]:
        if dict(volume.recipe.model) != dict(self._model.recipe) or getattr(self._model, "levels", None) is None:
            return ()
        ratios = [self._model.snr(condition) for condition in volume.conditions]
        return tuple(math.log(ratio) if 0 < ratio < math.inf else None for ratio in ratios)
