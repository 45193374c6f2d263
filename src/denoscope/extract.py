"""The verb `extract`: model x data set x sites x conditions -> store."""

import logging
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denoscope.chosen import loaded
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.rank import rank
from denoscope.core.recipe import Recipe
from denoscope.core.sample import DataSet, Sample
from denoscope.core.site import Site
from denoscope.data.base import identity, open_data, read, spell
from denoscope.filling import fill_on
from denoscope.pool import Pool
from denoscope.progress import progress_bar
from denoscope.ranks import fill
from denoscope.shards import Shards
from denoscope.store import index
from denoscope.store.block import Block
from denoscope.store.keep import Keep
from denoscope.store.room import SHARE, check_room
from denoscope.store.store import Store
from denoscope.store.writer import Plan

if TYPE_CHECKING:
    from denoscope.models.base import Model
    from denoscope.models.coordinates import Canvas
    from denoscope.models.replay import Replay

__all__ = ["SHARD_BYTES", "extract"]

log = logging.getLogger(__name__)

SHARD_BYTES = 256 << 20
"""Images and values that one shard may hold in memory, where its size is not given."""

_LESS = (
    "name fewer sites or levels, keep less (--keep.layout cells, --keep.dtype int8), learn from the model itself "
    "(denoscope learn DICTIONARY MODEL --data), or say --yes"
)
_SHARD_SIZES = (4, 512)
Levels = float | Sequence[float] | None


def extract(
    model: "str | Path | Model",
    data: str | Path | DataSet | Sequence[Sample],
    sites: str | Site | Sequence[str | Site],
    timesteps: Levels = None,
    *,
    out: str | Path,
    conditions: Condition | Sequence[Condition] | None = None,
    sigmas: Levels = None,
    logsnrs: Levels = None,
    percents: Levels = None,
    clean: bool = False,
    keep: Keep | None = None,
    canvas: "Canvas | None" = None,
    limit: int | None = None,
    batch_size: int | None = None,
    shard_size: int | None = None,
    compat: "Replay | str | None" = None,
    pool: Pool | None = None,
    most_disk: float = SHARE,
    progress: bool = True,
    **fields: Any,
) -> Store:
    """Read a data set at sites under conditions, and keep the values in a store.

    Memory stays bounded whatever the number of images. What is finished is safe: run the same call again after an
    interruption and it goes on, run it in several processes and they share the work; `torchrun` and `accelerate launch`
    give each a GPU of its own. Broken pictures are skipped and listed in `store.skipped`.

    Args:
        model: name or path that `load` takes, or a loaded model.
        data: spec that `open_data` takes, or samples.
        sites: names, globs or aliases.
        timesteps, sigmas, logsnrs, clean: noise levels, each read under the same `fields`.
        percents: noise levels in percent, as published; the timesteps that they mean for this checkpoint's sampler are
            read (`denoscope.models.percents`).
        out: folder or fsspec URL of the store; new recipes join those already there.
        conditions: complete conditions, instead of levels and fields.
        keep: what is stored of each tensor; every cell in bf16 unless given.
        canvas: size policy; the model's own unless given.
        limit: at most so many samples.
        batch_size: rows per forward; the model's choice unless given.
        shard_size: samples per shard; by default about 256 MiB.
        compat: replay another extractor, such as `"sdhelper"` (`denoscope.models.compat`); part of the recipe.
        pool: a Ray cluster whose actors make the shards (`denoscope.pool.Pool`); this process unless given.
        most_disk: share of the free disk that may be filled; of how much is found out on the first picture, unless
            `shard_size` is given.
        progress: show a bar with the time left.
        fields: of `Condition`, such as `prompt`, `seed`, `draws`, `noise`.

    Raises:
        UnknownName: a model, data set, site or field that does not exist.
        InputError: no noise level, two complete sets of conditions, or no readable picture.
        NeedsRoom: the store would fill more than `most_disk` of what is free.
        StoreError: no space or no permission; finished shards are kept.
    """
    levels = {"timestep": timesteps, "sigma": sigmas, "logsnr": logsnrs}
    if percents is None:
        asked = _conditions(conditions, levels, clean, fields)
        scope = loaded(model)
    else:
        scope = loaded(model)
        asked = _conditions(conditions, {**levels, "timestep": _meant(scope, percents, timesteps)}, clean, fields)
    samples = open_data(data, limit)
    store = Store(out, create=True)
    places = scope.select(sites)
    replay = _compat(compat, batch_size)
    frame = scope.canvas(replay.canvas(canvas) if replay else canvas)
    recipe = Recipe(
        model={**scope.recipe, "compat": replay.to_dict()} if replay else scope.recipe,
        data=identity(data, samples),
        canvas=asdict(frame),
        sites=tuple(sorted(site.name for site in places)),
        conditions=tuple(condition.to_dict() for condition in asked),
        keep=(keep or Keep()).to_dict(),
    )

    made = Shards(scope, samples, places, asked, frame, batch_size, replay)
    plan = store.plan(recipe)
    if plan is None:
        size = _shard_size(recipe, made, (out, most_disk)) if shard_size is None else shard_size
        plan = Plan(len(samples), replay.whole(size) if replay else size, spell(data), _logsnrs(scope, asked, replay))
    writer = store.writer(recipe, plan)
    here = rank()
    with progress_bar("extract", len(samples), progress and here.first) as advance:
        if pool is None:
            fill(writer, made, here, advance)
        else:
            fill_on(pool, store, writer, made, data, advance)
    writer.finish()
    if not len(index.load(writer.place)[0]):
        raise InputError(f"none of the {len(samples)} pictures could be read; see store.skipped for the reasons")
    return store.refresh()


def _compat(compat: "Replay | str | None", batch_size: int | None) -> "Replay | None":
    if compat is None:
        return None
    from denoscope.models.compat import compat_of

    return compat_of(compat, batch_size)


def _conditions(
    given: Condition | Sequence[Condition] | None, levels: dict[str, Levels], clean: bool, fields: dict[str, Any]
) -> list[Condition]:
    """Complete conditions as given, or one per noise level with the fields shared."""
    named = [name for name, values in levels.items() if values is not None] + ["clean"] * clean
    if given is not None:
        if named or fields:
            extra = ", ".join([*named, *fields])
            raise InputError(f"conditions say everything; leave out {extra}, or give levels instead of conditions")
        return [given] if isinstance(given, Condition) else list(dict.fromkeys(given))
    if not named:
        raise InputError("no noise level was given; say for example timesteps=[0, 50, 200], or clean=True")
    found = [Condition.from_dict({"clean": True, **fields})] if clean else []
    for name, values in levels.items():
        several = [] if values is None else [values] if isinstance(values, (int, float)) else values
        found += [Condition.from_dict({name: _number(value), **fields}) for value in several]
    if not found:
        raise InputError(f"{' and '.join(named)} name no noise level; the list is empty")
    return list(dict.fromkeys(found))


def _meant(model: "Model", percents: float | Sequence[float], timesteps: Levels) -> list[float]:
    """Timesteps that were given, and those that percentages mean for a model."""
    from denoscope.models.percents import timesteps_of

    several = [percents] if isinstance(percents, (int, float)) else list(percents)
    given = [] if timesteps is None else [timesteps] if isinstance(timesteps, (int, float)) else list(timesteps)
    return [*given, *timesteps_of(model, several)]


def _logsnrs(model: "Model", conditions: Sequence[Condition], compat: "Replay | None") -> tuple[float | None, ...]:
    """Log-SNR of each condition; None without noise, and nothing for a model that has no levels."""
    if getattr(model, "levels", None) is None:
        return ()
    ratios = [
        model.snr(one) if compat is None or one.noise == "none" else compat.level(model, one, conditions[0]).snr
        for one in conditions
    ]
    return tuple(math.log(ratio) if 0 < ratio < math.inf else None for ratio in ratios)


def _number(value: float) -> float:
    """A plain number, whole where it can be, so that 50, 50.0 and numpy's 50 are spelled alike."""
    return int(value) if float(value).is_integer() else float(value)


def _shard_size(recipe: Recipe, made: Shards, room: tuple[str | Path, float]) -> int:
    """Samples per shard, a power of two: tried on the first readable sample, images counted in.

    Raises:
        NeedsRoom: all samples together take more of the disk than they may.
    """
    for number in range(len(made.samples)):
        good, _ = read(made.samples, [number])
        if good:
            break
    else:
        raise InputError(f"none of the {len(made.samples)} pictures could be read")
    block = Block(recipe)
    for batch in made.stream(good):
        for item in batch:
            block.add(item)
    count = len(made.samples)
    check_room(room[0], block.bytes * count, f"the activations of {count} images", _LESS, room[1])
    fitting = SHARD_BYTES // max(1, block.bytes + good[0].image.nbytes)
    low, high = _SHARD_SIZES
    return max(low, min(high, 1 << max(0, fitting.bit_length() - 1)))
