"""What is evaluated: one site under one condition, or a grid of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from denoscope.chosen import usual_of
from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site, SiteInfo, select
from denoscope.store.choose import by_recipe, by_site, choose
from denoscope.store.store import Store
from denoscope.store.volume import Volume

__all__ = ["Sites", "Spot", "Timesteps", "computed", "level", "like", "rows_in_order", "spots"]

Sites = str | Site | Sequence[str | Site] | None
Timesteps = float | str | Sequence[float] | None

_ROWS = 64
"""Rows that are read at a time."""


@dataclass(frozen=True)
class Spot:
    """One site under one condition of one recipe."""

    store: Store
    volume: Volume
    site: Site
    condition: Condition

    def batches(self) -> Iterator[Activations]:
        """Every stored row, some at a time."""
        return self.store.batches(self.site, self.condition, _ROWS, recipe=self.volume.recipe)

    @property
    def beside(self) -> dict[str, Any]:
        """The columns that name it in a table."""
        told = {"site": self.site.name, "timestep": self.condition.timestep, "condition": str(self.condition)}
        return told | {"logsnr": self.logsnr, "alpha_bar": None if self.logsnr is None else float(expit(self.logsnr))}

    @property
    def logsnr(self) -> float | None:
        """Natural logarithm of the signal-to-noise ratio; None without noise, or where the store does not say it."""
        plan = self.volume.plan
        told = dict(zip(self.volume.conditions, plan.logsnrs, strict=False)) if plan else {}
        return told.get(self.condition, self.condition.logsnr)

    def __str__(self) -> str:
        return f"{self.site}, {level(self.condition)}"


def level(condition: Condition) -> str:
    """The noise level in words: `timestep 50`."""
    for name in ("timestep", "sigma", "logsnr"):
        if (value := getattr(condition, name)) is not None:
            return f"{name} {value:g}"
    return "clean"


def spots(
    store: Store,
    site: str | Site | None,
    sites: Sites,
    condition: Condition | None,
    timesteps: Timesteps,
    recipe: str | Recipe | None,
    trained: bool = False,
) -> list[Spot]:
    """The spots that are meant, sites in the order in which a model computes them.

    Args:
        store: where they lie.
        site: one site; None where only one is stored, or `sites` says which.
        sites: names, globs or aliases; `"all"` for every stored one.
        condition: one condition.
        timesteps: several levels; `"all"` for every condition under which a site is stored.
        recipe: digest, or its beginning.
        trained: leave out recipes of untrained models, where no recipe is named.

    Raises:
        UnknownName: a site or recipe that does not exist.
        InputError: both one and several of something, or a level that was not stored.
    """
    if site is not None and sites is not None:
        raise InputError("give site= for one site or sites= for several, not both")
    if condition is not None and timesteps is not None:
        raise InputError("give a condition or timesteps=, not both")
    if not store.volumes:
        raise StoreError(f"{store.place.url} holds no activations yet; fill it with: denoscope extract")
    volumes = _trained(by_recipe(store.volumes, recipe), trained and recipe is None)
    places = [by_site(volumes, site)] if sites is None else _sites(volumes, sites)
    return [Spot(store, *found) for place in places for found in _levels(volumes, place, condition, timesteps)]


def like(store: Store, spots: Sequence[Spot]) -> list[Spot]:
    """The same noise levels in another store, of all its sites where it has other ones."""
    conditions = list(dict.fromkeys(spot.condition for spot in spots))
    shared = [spot.site for spot in spots if spot.site in store.sites]
    sites = list(dict.fromkeys(shared)) or sorted(store.sites, key=lambda site: computed(site.name))
    return [Spot(store, *choose(store.volumes, site, condition)) for site in sites for condition in conditions]


def rows_in_order(volume: Volume, condition: Condition) -> list[str]:
    """The sample of each row, in the order in which the store reads them."""
    draws = condition.draws if condition.reduce == "all" else 1
    groups = dict.fromkeys(volume.table.groups.tolist())
    places = [place for group in groups for place in np.flatnonzero(volume.table.groups == group)]
    return [volume.table.ids[place] for place in places for _ in range(draws)]


def computed(name: str) -> tuple[tuple[int, int], ...]:
    """Key that sorts site names as a U-Net or transformer computes them: a part's inside before its output."""
    found = re.findall(r"(res|attn)\.(\d+)|(\w+)", name)
    return (*(_rank(kind, digits, word) for kind, digits, word in found), (_END, 0))


def _rank(kind: str, digits: str, word: str) -> tuple[int, int]:
    if kind:
        return int(digits), int(kind == "attn")
    return (int(word) if word.isdigit() else _RANK.get(word, 50)), 0


_END = 10**6
_PARTS = ("in", "d", "q", "down", "hidden", "k", "skip", "self", "v", "mid", "cross", "s", "map", "up", "ff", "b")
_RANK = {name: number for number, name in enumerate(_PARTS)} | {"ds": _END - 2, "us": _END - 2, "out": _END - 1}


def _levels(
    volumes: Sequence[Volume], site: Site, condition: Condition | None, timesteps: Timesteps
) -> Iterator[tuple[Volume, Site, Condition]]:
    """One site under each of its conditions that is meant."""
    if condition is not None or timesteps is None:
        yield usual_of(volumes, site, condition)
    elif timesteps == "all":
        holding = [volume for volume in volumes if site in volume.sites]
        for found in dict.fromkeys(found for volume in holding for found in volume.conditions):
            yield choose(holding, site, found)
    else:
        for value in [timesteps] if isinstance(timesteps, (int, float, str)) else timesteps:
            yield choose(volumes, site, {"timestep": _number(value)})


def _number(value: float | str) -> float:
    try:
        return float(value)
    except ValueError:
        raise InputError(f"timesteps are numbers, 0 to 999, or the one word 'all'; not {value!r}") from None


def _sites(volumes: Sequence[Volume], sites: str | Site | Sequence[str | Site]) -> list[Site]:
    names = {site.name for volume in volumes for site in volume.sites}
    infos = [SiteInfo(Site(name), (), None, 0.0) for name in sorted(names, key=computed)]
    asked = [sites] if isinstance(sites, (str, Site)) else list(sites)
    if not asked:
        raise InputError("sites= names no site; say 'all' for every stored one")
    return select(["**" if str(name) == "all" else name for name in asked], infos, shares=False)


def _trained(volumes: list[Volume], only: bool) -> list[Volume]:
    left = [volume for volume in volumes if "untrained" not in volume.recipe.model]
    return left if only and left else volumes
