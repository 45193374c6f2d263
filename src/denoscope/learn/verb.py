"""The verb `learn`: cells of a store, or of a model that runs meanwhile, x dictionary -> dictionary + report."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from denoscope.chosen import made_folder
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.rank import rank
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.stability import stability_scores, successor
from denoscope.learn.joint import refuse_parts
from denoscope.learn.reading import Images
from denoscope.learn.reporting import reported
from denoscope.learn.source import Source
from denoscope.learn.spread import spread
from denoscope.learn.stream import Stream
from denoscope.learn.work import Work, prepared
from denoscope.progress import progress_bar
from denoscope.store.room import SHARE, check_room
from denoscope.store.store import Store

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["BUFFER", "learn"]

BUFFER = 256.0
"""MB of the shuffle buffer."""


def learn(
    store: "Store | str | Path | Model",
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
    stability: bool = False,
    most_disk: float = SHARE,
    data: Images | None = None,
    source: Literal["noised", "generation"] | None = None,
    prompt: str = "",
    prompts: Sequence[str] = (),
    steps: int | None = None,
    guidance: float | None = None,
    cells_per_image: int = 0,
    limit: int | None = None,
    batch_size: int | None = None,
    progress: bool = True,
    **settings: Any,
) -> Learned:
    """Learn directions from the cells of one site, and measure them on images that were held out.

    Of several processes that `torchrun` or `accelerate launch` started, each has the dictionary, and the first alone
    measures it and writes.

    Args:
        store: a store, or its folder or URL; or, with `data` or `source`, a model or its name, which is read while the
            dictionary learns, so that nothing lies on disk.
        dictionary: name (`denoscope list dictionaries`).
        site: name or alias; may be left out where only one is stored.
        condition: the only one stored, or that whose timestep is nearest to 50, unless given.
        timestep: instead of a condition.
        timesteps: several noise levels, whose cells are mixed, or `"all"`: those that are stored, or any that a model
            has, drawn anew; the report tells of each, or of some.
        recipe: digest, or its beginning, where several recipes hold the site.
        held_out: share of the images that nothing is learned from.
        out: folder to save to; `dictionaries/NAME` in the store unless given.
        keep: folder for a log and checkpoints of an autoencoder; one that was left there is continued.
        baselines: further dictionaries, learned from some of the same cells, that the report shows beside it (`nmf`,
            `kmeans`, `neurons`, `random`, `itda-random`); those that cost little unless given.
        buffer: MB of cells that are held to be shuffled.
        stability: learn a second time with the next seed, and say how far the atoms are the same.
        most_disk: share of the free disk that dictionary and checkpoints may fill.
        data: images for a model (`open_data`), or those whose facts make prompts.
        source: `"noised"` images, one forward each, unless given; or `"generation"`, pictures in the making.
        prompt, prompts, steps, guidance, cells_per_image, limit, batch_size: how a model is read: see
            `denoscope.learn.reading.Reading`.
        progress: show a bar with the time left.
        settings: of the dictionary, such as `atoms`, `k`, `cells`, `seed`.

    Returns:
        The dictionary, whose `.report` holds the fraction of variance unexplained (FVU) beside that of as many
        principal components as it has codes per cell, of the mean, and of its own atoms before training.

    Raises:
        UnknownName: a dictionary, setting, site or recipe that does not exist, with the nearest names.
        InputError: several conditions or recipes fit, too few images, or cells that do not vary.
        NeedsRoom: dictionary and checkpoints would fill more than `most_disk` of what is free.
        StoreError: nothing is stored, or it is damaged.
    """
    started = time.perf_counter()
    work = prepared(
        store, dictionary, site, condition, timestep=timestep, timesteps=timesteps, recipe=recipe, held_out=held_out,
        data=data, source=source, prompt=prompt, prompts=prompts, steps=steps, guidance=guidance,
        cells_per_image=cells_per_image, limit=limit, batch_size=batch_size, **settings,
    )  # fmt: skip
    made, place, batch = work.made, work.place, work.batch
    found = spread(work.source, str(getattr(made.settings, "device", "")))
    refuse_parts(made)
    second = successor(made) if stability else None
    if out is not None:
        made_folder(out)
    _check(work, out, keep, most_disk)
    here = rank()
    with progress_bar("learn", work.goal, progress and here.first) as advance:
        stream = Stream(found, buffer, batch, work.most, advance)
        _fit(made, stream, keep)
    made.about = _about(found, timesteps is not None)
    plain, mixed = (found.blocks(0), Stream(found, buffer, batch)) if found.cheap else (stream.first, stream.first)
    further = stream.scores()
    if second is not None:
        further += stability_scores(made, second.fit(Stream(found, buffer, batch, work.most)))
    if not here.first:
        return made
    made.report = reported(made, found, started, baselines, plain, mixed, further)
    name = None if place is None else place.save(made.report)
    if out is None and place is not None and place.place.local:
        out = place.place.path(f"dictionaries/{name}")
    if out is not None:
        made.folder = Path(out)
        made.save(made.folder)
    return made


def _check(work: Work, out: str | Path | None, keep: str | Path | None, most: float) -> None:
    """Refuse to fill a disk.

    Raises:
        NeedsRoom: with what takes less.
    """
    weights = 8.0 * int(getattr(work.made.settings, "atoms", 0)) * work.source.width
    store = work.place.place.url if work.place is not None else None
    if out is not None or store is not None:
        check_room(out or store or ".", weights, "the dictionary", "fewer --atoms take less, or say --yes", most)
    if keep is not None:
        check_room(keep, 8 * weights, "checkpoints", "leave out --keep, or say --yes", most)


def _about(source: Source, several: bool) -> dict[str, Any]:
    """What a dictionary remembers of where it was learned."""
    about: dict[str, Any] = {
        "site": str(source.site),
        "condition": source.conditions[0].to_dict(),
        "recipe": source.recipe.digest,
        "model": dict(source.recipe.model),
    }
    levels = [found.timestep for found in source.conditions]
    return {**about, "timesteps": levels} if several or len(levels) > 1 else about


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
