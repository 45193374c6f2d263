"""Cells that a store holds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import usual
from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.dictionaries.rows import Rows, joined
from denoscope.learn.cells import cells_of, placed
from denoscope.learn.source import dealt
from denoscope.store.choose import by_recipe, by_site
from denoscope.store.store import Store
from denoscope.store.volume import Volume

__all__ = ["Stored", "Timesteps", "number", "stored"]

Timesteps = Sequence[float] | Literal["all"] | None

_ROWS = 32
"""Images that are read at a time, over all noise levels together."""


@dataclass(frozen=True)
class Stored:
    """A source whose cells lie on disk; see `Source`."""

    store: Store
    site: Site
    conditions: tuple[Condition, ...]
    recipe: Recipe
    per_image: int
    width: int
    train: frozenset[str]
    test: frozenset[str]

    cheap = True

    @property
    def per_turn(self) -> int:
        """Cells that one pass gives."""
        return len(self.train) * self.per_image * len(self.conditions)

    @property
    def counts(self) -> tuple[int, int]:
        """Images to learn from, and held out."""
        return len(self.train), len(self.test)

    @property
    def told(self) -> Mapping[str, Any]:
        """Nothing else."""
        return {}

    def blocks(self, turn: int) -> Iterator[Rows]:
        """Cells to learn from, some images of each noise level at a time."""
        streams = [self._batches(one, turn + 1000 * place) for place, one in enumerate(self.conditions)]
        for batches in zip_longest(*streams):
            found = zip(self.conditions, batches, strict=True)
            parts = [part for condition, batch in found if batch is not None for part in self._taught(condition, batch)]
            if parts:
                yield joined(parts)

    def held(self) -> Iterator[tuple[int, str, NDArray[np.float32]]]:
        """Held-out cells: number of the condition, image, `(cell, channel)`."""
        for place, condition in enumerate(self.conditions):
            for batch in self._batches(condition, None):
                for row, name in enumerate(batch.ids):
                    if name in self.test:
                        yield place, name, cells_of(batch.select([row]))

    def _batches(self, condition: Condition, seed: int | None) -> Iterator[Activations]:
        size = max(1, _ROWS // len(self.conditions))
        return self.store.batches(self.site, condition, size, shuffle_seed=seed, recipe=self.recipe.digest)

    def _taught(self, condition: Condition, batch: Activations) -> Iterator[Rows]:
        """The cells of those images of a batch that may be learned from."""
        rows = [row for row, name in enumerate(batch.ids) if name in self.train]
        if rows:
            yield placed(batch.select(rows), condition.timestep)


def stored(
    store: Store,
    site: str | Site | None,
    condition: Condition | None,
    timestep: float | None,
    timesteps: Timesteps,
    recipe: str | Recipe | None,
    held_out: float,
) -> Stored:
    """What `learn` asks of a store.

    Raises:
        UnknownName: a site or recipe that does not exist.
        InputError: several conditions or recipes fit, or too few images.
        StoreError: nothing is stored.
    """
    if timesteps is None:
        asked = {} if timestep is None else {"timestep": timestep}
        volume, place, one = usual(store, site, condition, recipe, **asked)
        conditions: tuple[Condition, ...] = (one,)
    else:
        volume, place, conditions = _several(store, site, recipe, timesteps)
    train, test = dealt(volume.table.ids, held_out)
    per_image, width = cells_of(volume.read(place, conditions[0], np.arange(1))).shape
    if len(test) * per_image < 2:
        raise InputError("one held-out cell cannot score a dictionary; hold more out, or extract more images or grids")
    return Stored(store, place, conditions, volume.recipe, per_image, width, train, test)


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
        found = [usual(store, site, None, recipe, timestep=level) for level in dict.fromkeys(map(number, timesteps))]
    if not found:
        raise InputError("nothing is stored there under a timestep; see: denoscope list STORE")
    if len({volume.recipe.digest for volume, _, _ in found}) > 1:
        raise InputError("several recipes hold these noise levels; say which with recipe")
    return found[0][0], found[0][1], tuple(sorted((one for _, _, one in found), key=lambda one: one.timestep or 0.0))


def number(level: Any) -> float:
    """A noise level that may have been typed.

    Raises:
        InputError: no number.
    """
    try:
        return float(level)
    except (TypeError, ValueError):
        raise InputError(f"timesteps are numbers, 0 to 999, or the one word 'all'; not {level!r}") from None
