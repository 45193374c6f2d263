"""What of a store a verb works on, where the user left something open."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denoscope.core.condition import Condition
from denoscope.core.errors import StoreError
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.store.choose import by_recipe, by_site
from denoscope.store.store import Store

__all__ = ["USUAL_TIMESTEP", "opened", "usual"]

USUAL_TIMESTEP = 50
"""Where most sites of most models tell most about an image."""


def opened(store: Store | str | Path) -> Store:
    """A store, by itself or by its folder or URL.

    Raises:
        StoreError: no such folder.
    """
    return store if isinstance(store, Store) else Store(store)


def usual(
    store: Store,
    site: str | Site | None,
    condition: Condition | None = None,
    recipe: str | Recipe | None = None,
    **fields: Any,
) -> tuple[Site, Condition | None, Mapping[str, Any]]:
    """The site and condition that are meant, as `Store.get` takes them.

    Where neither a condition nor fields of one are given, it is the only one that the site was stored under, or that
    whose timestep is nearest to 50; two that are equally near stay open, and the store asks which.

    Raises:
        UnknownName: no such site or recipe.
        InputError: no site was named, and the store holds several.
        StoreError: the store is empty.
    """
    if not store.volumes:
        raise StoreError(f"{store.place.url} holds no activations yet; fill it with: denoscope extract")
    volumes = by_recipe(store.volumes, recipe)
    place = by_site(volumes, site)
    if condition is not None or fields:
        return place, condition, fields
    stored = dict.fromkeys(found for volume in volumes if place in volume.sites for found in volume.conditions)
    near = {found: _distance(found) for found in stored}
    nearest = [found for found, distance in near.items() if distance == min(near.values())]
    return place, nearest[0] if len(nearest) == 1 else None, {}


def _distance(condition: Condition) -> float:
    """From the usual timestep; other noise levels come last."""
    return abs(condition.timestep - USUAL_TIMESTEP) if condition.timestep is not None else float("inf")
