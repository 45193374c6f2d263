"""The verb `learn`: store x dictionary -> dictionary + report."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import made_folder, opened, usual
from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.recipe import Origin, Recipe
from denoscope.core.registry import dictionaries
from denoscope.core.report import Report, Score
from denoscope.core.site import Site
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.rivals import rivals, usual_rivals
from denoscope.dictionaries.rows import PLACE, Rows, joined
from denoscope.dictionaries.score import Explained
from denoscope.progress import progress_bar
from denoscope.store.choose import by_recipe, by_site
from denoscope.store.store import Store
from denoscope.store.volume import Volume

__all__ = ["learn"]

log = logging.getLogger(__name__)

_ROWS = 32
"""Images that are read at a time, over all noise levels together."""

_NOTE = (
    "Fraction of variance unexplained (FVU) over the cells of images that nothing was learned from; 1 is the mean of "
    "the training cells, 0 is perfect. Principal components are as many as the dictionary has codes per cell; random "
    "atoms are drawn on the sphere and encode by themselves; other dictionaries beside it have as many atoms "
    "and codes per cell, where they have both. Intervals are from a bootstrap over images."
)
_SEVERAL = (
    "Cells of all noise levels were mixed for learning, also for the principal components and the mean; each score is "
    "of the same held-out images at one level. A temporal dictionary is scored as what it is at that level."
)


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
    asked = {} if timestep is None else {"timestep": timestep}
    if timesteps is None:
        volume, named, one = usual(place, site, condition, recipe, **asked)
        source = _source(place, volume, named, (one,), held_out)
    else:
        source = _source(place, *_several(place, site, recipe, timesteps), held_out)
    if out is not None:
        made_folder(out)
    goal = int(getattr(made.settings, "cells", 0)) or len(source.train) * source.per_image
    with progress_bar("learn", goal, progress) as advance:
        _fit(made, _Told(source, advance), keep)
    made.about = {"site": str(source.site), "condition": source.conditions[0].to_dict(), "recipe": source.recipe}
    if timesteps is not None:
        made.about = {**made.about, "timesteps": [found.timestep for found in source.conditions]}
    made.report = _report(made, source, started, baselines)
    name = place.save(made.report)
    if out is not None or place.place.local:
        made.folder = Path(out if out is not None else place.place.path(f"dictionaries/{name}"))
        made.save(made.folder)
    return made


@dataclass(frozen=True)
class _Source:
    """Cells of one site under some conditions, dealt by image into those to learn from and those held out."""

    store: Store
    site: Site
    conditions: tuple[Condition, ...]
    recipe: str
    per_image: int
    train: frozenset[str]
    test: frozenset[str]

    def batches(self, condition: Condition, seed: int | None) -> Iterator[Activations]:
        """Rows in order, or shuffled."""
        size = max(1, _ROWS // len(self.conditions))
        return self.store.batches(self.site, condition, size, shuffle_seed=seed, recipe=self.recipe)

    def held(self, condition: Condition) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Held-out images, and the cells of each."""
        for batch in self.batches(condition, None):
            for row, name in enumerate(batch.ids):
                if name in self.test:
                    yield name, _cells(batch.select([row]))

    def learned(self, seed: int) -> Iterator[Rows]:
        """Cells to learn from, mixed over images and noise levels."""
        rng = np.random.default_rng((seed, 2))
        streams = [self.batches(condition, seed + 1000 * place) for place, condition in enumerate(self.conditions)]
        for batches in zip_longest(*streams):
            found = zip(self.conditions, batches, strict=True)
            parts = [part for condition, batch in found if batch is not None for part in self._taught(condition, batch)]
            if parts:
                mixed = joined(parts)
                yield mixed[rng.permutation(len(mixed))]

    def _taught(self, condition: Condition, batch: Activations) -> Iterator[Rows]:
        """The cells of those images of a batch that may be learned from."""
        rows = [row for row, name in enumerate(batch.ids) if name in self.train]
        if rows:
            yield _placed(batch.select(rows), condition)


class _Told:
    """Training cells, shuffled anew each time they are iterated; a function hears how many went by."""

    def __init__(self, source: _Source, advance: Callable[[int], None]) -> None:
        self._source, self._advance, self._seed = source, advance, -1

    def __iter__(self) -> Iterator[Rows]:
        self._seed += 1
        for cells in self._source.learned(self._seed):
            yield cells
            self._advance(len(cells))


def _fit(made: Learned, batches: Iterable[Rows], keep: str | Path | None) -> None:
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


def _several(
    store: Store, site: str | Site | None, recipe: str | Recipe | None, timesteps: Sequence[float] | Literal["all"]
) -> tuple[Volume, Site, tuple[Condition, ...]]:
    """Recipe, site and conditions of several noise levels.

    Raises:
        InputError: none is stored, some lie in other recipes, or the word is not `all`.
    """
    if not store.volumes:
        raise StoreError(f"{store.place.url} holds no activations yet; fill it with: denoscope extract")
    if timesteps == "all":
        volumes = by_recipe(store.volumes, recipe)
        place = by_site(volumes, site)
        holding = [volume for volume in volumes if place in volume.sites]
        found = [(volume, place, one) for volume in holding for one in volume.conditions if one.timestep is not None]
    elif isinstance(timesteps, str) or not timesteps:
        raise InputError(f"timesteps are numbers, 0 to 999, or the one word 'all'; not {timesteps!r}")
    else:
        found = [usual(store, site, None, recipe, timestep=level) for level in dict.fromkeys(map(_number, timesteps))]
    if not found:
        raise InputError("nothing is stored there under a timestep; see: denoscope list STORE")
    if len({volume.recipe.digest for volume, _, _ in found}) > 1:
        raise InputError("several recipes hold these noise levels; say which with recipe")
    return found[0][0], found[0][1], tuple(sorted((one for _, _, one in found), key=lambda one: one.timestep or 0.0))


def _number(level: Any) -> float:
    try:
        return float(level)
    except (TypeError, ValueError):
        raise InputError(f"timesteps are numbers, 0 to 999, or the one word 'all'; not {level!r}") from None


def _source(store: Store, volume: Volume, site: Site, conditions: tuple[Condition, ...], share: float) -> _Source:
    """Hold out images: those that come first in an order by hash, never fewer than one."""
    if not 0 < share < 1:
        raise InputError(f"held_out must lie between 0 and 1, not {share:g}")
    ids = sorted(volume.table.ids, key=lambda name: sha256(name.encode()).digest())
    count = max(1, round(share * len(ids)))
    if count == 1:
        log.warning("one image of %d is held out, which gives no intervals; --held-out 0.3 holds more out", len(ids))
    if len(ids) <= count:
        raise InputError(f"too few images to hold some out: {len(ids)}; a dictionary needs at least two")
    per_image = len(_cells(volume.read(site, conditions[0], np.arange(1))))
    if count * per_image < 2:
        raise InputError("one held-out cell cannot score a dictionary; hold more out, or extract more images or grids")
    train, test = frozenset(ids[count:]), frozenset(ids[:count])
    return _Source(store, site, conditions, volume.recipe.digest, per_image, train, test)


def _cells(batch: Activations) -> NDArray[np.float32]:
    """Vectors `(cell, channel)`, without those on padding."""
    flat = batch.tokens()
    values = flat.numpy().reshape(-1, flat.shape[-1])
    return values if flat.grid is None or flat.layout == "pooled" else values[flat.mask.reshape(-1)]


def _placed(batch: Activations, condition: Condition) -> Rows:
    """The same, each with its noise level and its place: image, and number of the cell in reading order."""
    values, flat = _cells(batch), batch.tokens()
    count = 1 if flat.layout == "pooled" else flat.shape[1]
    places = np.empty((len(batch), count), dtype=PLACE)
    places["sample"], places["cell"] = np.array(batch.ids, dtype=object)[:, None], np.arange(count)
    masked = flat.grid is not None and flat.layout != "pooled"
    level = 0.0 if condition.timestep is None else condition.timestep
    kept = places[flat.mask.reshape(places.shape)] if masked else places.reshape(-1)
    return Rows(values, np.full(len(values), level, dtype=np.float32), None, kept)


def _report(made: Learned, source: _Source, started: float, names: Sequence[str] | None = None) -> Report:
    """FVU on held-out images beside the baselines, and a table of the atoms."""
    per_cell = min(int(getattr(made.settings, "k", len(made.atoms))), made.bias.size)
    linear = PCA(atoms=per_cell).fit(source.learned(0))
    others = rivals(made, usual_rivals(made) if names is None else names, _Told(source, lambda _: None))
    found = [_explained(made, source, condition, linear, others) for condition in source.conditions]
    levels = [_level(condition) for condition in source.conditions]
    told = {"site": str(source.site), "held out": len(source.test), "learned from": len(source.train)}
    told |= {"condition": ", ".join(map(str, source.conditions))}
    several = len(found) > 1
    return Report(
        task=f"learn-{made.name}",
        parameters=asdict(made.settings) | told,
        scores=_scores(found, levels) if several else found[0].scores(),
        inputs={"recipe": source.recipe},
        origin=Origin.now(time.perf_counter() - started),
        table=_table(found, levels) if several else found[0].table(),
        notes=(_NOTE, _SEVERAL) if several else (_NOTE,),
    )


def _explained(
    made: Learned, source: _Source, condition: Condition, linear: PCA, others: Mapping[str, Learned]
) -> Explained:
    """Held-out cells under one condition, as the dictionary that it is there explains them."""
    at = getattr(made, "at", None)
    here = made if at is None else cast("Learned", at(condition.timestep or 0.0))
    twin = made.random(linear.bias)
    components = f"{len(linear.atoms)} principal components"
    baselines: dict[str, Learned] = {} if isinstance(made, PCA) else {components: linear}
    found = Explained(here, baselines | ({"random atoms": twin} if twin else {}) | dict(others), linear.bias)
    for image, cells in source.held(condition):
        found.add(image, cells)
    return found


def _level(condition: Condition) -> str:
    return str(condition) if condition.timestep is None else f"{condition.timestep:g}"


def _scores(found: Sequence[Explained], levels: Sequence[str]) -> tuple[Score, ...]:
    """Those of each noise level, which their names tell."""
    pairs = zip(found, levels, strict=True)
    return tuple(replace(score, name=f"{score.name} at {level}") for one, level in pairs for score in one.scores())


def _table(found: Sequence[Explained], levels: Sequence[str]) -> dict[str, list[Any]]:
    """How often each atom is active at each noise level, and how much."""
    table: dict[str, list[Any]] = {"atom": list(range(len(found[0].uses)))}
    for one, level in zip(found, levels, strict=True):
        table |= {f"{name} at {level}": column for name, column in one.table().items() if name != "atom"}
    return table
