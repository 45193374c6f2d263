"""Storing activations that were read by hand rather than by `extract`."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.core.recipe import Origin, Recipe
from denoscope.core.sample import Sample
from denoscope.store import index
from denoscope.store.block import Block
from denoscope.store.keep import Keep
from denoscope.store.place import Place
from denoscope.store.writer import write_recipe, write_shard

__all__ = ["asked_by_hand", "put_by_hand"]


def asked_by_hand(items: Sequence[Activations], recipe: Recipe | None, keep: Keep | None) -> Recipe:
    """What was asked: the recipe given or carried, with the sites and conditions that are really there.

    Raises:
        InputError: no recipe is known, or the activations are of different samples.
    """
    carried = recipe or next((item.recipe for item in items if item.recipe), None)
    if carried is None:
        raise InputError("nothing says what was asked; give put() a recipe, or activations that carry one")
    if len({frozenset(item.ids) for item in items}) != 1:
        raise InputError("activations of different samples cannot be put together; put them one by one")
    chosen = keep or (Keep.from_dict(carried.keep) if carried.keep else Keep())
    return replace(
        carried,
        sites=tuple(sorted({item.site.name for item in items})),
        conditions=tuple(condition.to_dict() for condition in dict.fromkeys(item.condition for item in items)),
        keep=chosen.to_dict(),
    )


def put_by_hand(place: Place, recipe: Recipe, items: Sequence[Activations], samples: Sequence[Sample]) -> None:
    """Write those samples that the recipe's folder does not hold yet as one more shard."""
    write_recipe(place, recipe)
    known = set(index.load(place)[0].ids)
    fresh = dict.fromkeys(name for name in items[0].ids if name not in known)
    if not fresh:
        return
    block = Block(recipe)
    for item in items:
        block.add(item.select([i for i, name in enumerate(item.ids) if name in fresh]))
    given = {sample.id: sample for sample in samples}
    nothing = np.zeros((1, 1, 3), dtype=np.uint8)
    ordered = [given.get(name) or Sample(name, nothing) for name in fresh]
    names = (f"{number:05d}" for number in count(len(place.names(index.SHARDS))))
    while not write_shard(place, recipe, next(names), block, ordered, {}, Origin.now(0.0)):
        pass
    index.save(place)
