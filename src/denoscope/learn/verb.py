"""The verb `learn`: cells of a store, or of a model that runs meanwhile, x dictionary -> dictionary + report."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from denoscope.chosen import made_folder, opened
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.recipe import Recipe
from denoscope.core.registry import dictionaries
from denoscope.core.site import Site
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries.base import Learned
from denoscope.learn.reporting import reported
from denoscope.learn.stored import stored
from denoscope.learn.stream import Stream
from denoscope.progress import progress_bar
from denoscope.store.store import Store

__all__ = ["BUFFER", "learn"]

BUFFER = 256.0
"""MB of the shuffle buffer."""


def learn(
    store: Store | str | Path,
    dictionary: str = "topk",
    site: str | Site | None = None,
    condition: Condition | None = None,
    *,
    timestep: float | None = None,
    timesteps: Sequence[float] | Literal["all"] | None = None,
    recipe: str | Recipe | None = None,
    held_out: float = 0.1,
    out: str | Path | None = None,
    keep: str | Path | None = None,
    baselines: Sequence[str] | None = None,
    buffer: float = BUFFER,
    progress: bool = True,
    **settings: Any,
) -> Learned:
    """Learn directions from the cells of one site, and measure them on images that were held out.

    Args:
        store: a store, or its folder or URL.
        dictionary: name (`denoscope list dictionaries`).
        site: name or alias; may be left out where only one is stored.
        condition: the only one stored, or that whose timestep is nearest to 50, unless given.
        timestep: instead of a condition.
        timesteps: several noise levels, whose cells are mixed, or `"all"` that are stored; the report tells of each.
        recipe: digest, or its beginning, where several recipes hold the site.
        held_out: share of the images that nothing is learned from.
        out: folder to save to; `dictionaries/NAME` in the store unless given.
        keep: folder for a log and checkpoints of an autoencoder; one that was left there is continued.
        baselines: further dictionaries, learned from some of the same cells, that the report shows beside it (`nmf`,
            `kmeans`, `neurons`, `random`, `itda-random`); those that cost little unless given.
        buffer: MB of cells that are held to be shuffled.
        progress: show a bar with the time left.
        settings: of the dictionary, such as `atoms`, `k`, `cells`, `seed`.

    Returns:
        The dictionary, whose `.report` holds the fraction of variance unexplained (FVU) beside that of as many
        principal components as it has codes per cell, of the mean, and of its own atoms before training.

    Raises:
        UnknownName: a dictionary, setting, site or recipe that does not exist, with the nearest names.
        InputError: several conditions or recipes fit, too few images, or cells that do not vary.
        StoreError: nothing is stored, or it is damaged.
    """
    started = time.perf_counter()
    made: Learned = dictionaries.get(dictionary)(**settings)
    place = opened(store)
    source = stored(place, site, condition, timestep, timesteps, recipe, held_out)
    if out is not None:
        made_folder(out)
    train, _ = source.counts
    goal = int(getattr(made.settings, "cells", 0)) or train * source.per_image * len(source.conditions)
    batch = int(getattr(made.settings, "batch", 1024))
    with progress_bar("learn", goal, progress) as advance:
        stream = Stream(source, buffer, batch, advance=advance)
        _fit(made, stream, keep)
    made.about = {
        "site": str(source.site),
        "condition": source.conditions[0].to_dict(),
        "recipe": source.recipe.digest,
        "model": dict(source.recipe.model),
    }
    if timesteps is not None:
        made.about = {**made.about, "timesteps": [found.timestep for found in source.conditions]}
    plain, mixed = source.blocks(0), Stream(source, buffer, batch)
    made.report = reported(made, source, started, baselines, plain, mixed, stream.scores())
    name = place.save(made.report)
    if out is not None or place.place.local:
        made.folder = Path(out if out is not None else place.place.path(f"dictionaries/{name}"))
        made.save(made.folder)
    return made


def _fit(made: Learned, batches: Iterable[Any], keep: str | Path | None) -> None:
    """Learn, with checkpoints where they are wanted.

    Raises:
        InputError: a dictionary that is not trained step by step.
    """
    if keep is None:
        made.fit(batches)
    elif isinstance(made, Autoencoder):
        made.fit(batches, made_folder(keep))
    else:
        raise InputError(f"{made.name} is not trained step by step, so that there is nothing to keep; leave out keep")
