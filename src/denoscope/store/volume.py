"""All that one recipe has put into a store, for reading."""

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations, Layout
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.frame import Grid
from denoscope.core.recipe import FORMAT, Recipe
from denoscope.core.site import Site
from denoscope.store import index
from denoscope.store.codec import decode
from denoscope.store.place import Place
from denoscope.store.shard import Shard
from denoscope.store.writer import RECIPE, Plan

__all__ = ["Volume"]

Positions = NDArray[np.int64]


class Volume:
    """One recipe's folder.

    Args:
        place: the folder, named by the recipe's digest.
        verify: check each tensor's SHA-256 when it is first read.

    Raises:
        StoreError: another format version, or a recipe that is not the one of this address.
    """

    def __init__(self, place: Place, verify: bool = True) -> None:
        self.place = place
        self._verify = verify
        self.recipe = _recipe(place)
        self.sites = tuple(Site(name) for name in self.recipe.sites)
        self.conditions = tuple(Condition.from_dict(values) for values in self.recipe.conditions)

    @cached_property
    def _loaded(self) -> tuple[index.Table, dict[str, Shard]]:
        return index.load(self.place, self._verify)

    @property
    def table(self) -> index.Table:
        """One entry per sample."""
        return self._loaded[0]

    @property
    def shards(self) -> dict[str, Shard]:
        """Finished shards by name."""
        return self._loaded[1]

    @property
    def plan(self) -> Plan | None:
        """How the samples were dealt out, where `extract` did it."""
        return Plan.read(self.place)

    @property
    def complete(self) -> bool:
        """Whether every planned shard is there."""
        return self.plan is None or len(self.shards) >= len(self.plan)

    @property
    def skipped(self) -> dict[str, str]:
        """Samples whose picture was broken: id to reason."""
        if self.table.skipped is not None:
            return dict(self.table.skipped)
        return {name: why for shard in self.shards.values() for name, why in shard.metadata["skipped"].items()}

    @property
    def origins(self) -> list[dict[str, Any]]:
        """What ran, for each shard."""
        return [shard.metadata["origin"] for shard in self.shards.values()]

    def positions(self, ids: Sequence[str] | None) -> Positions:
        """Entries of samples, in the order asked; all when None.

        Raises:
            UnknownName: a sample that is not here.
        """
        return np.arange(len(self.table)) if ids is None else self.table.locate(ids)

    def key(self, site: str, condition: Condition, group: str) -> str:
        """Name of a tensor in the shards."""
        return f"{site}|{self.conditions.index(condition)}|{group}"

    def read(self, site: Site, condition: Condition, positions: Positions) -> Activations:
        """Values of some samples, in the order asked; fp32 whatever the stored precision.

        Raises:
            InputError: no samples, or samples on grids of several sizes.
            StoreError: a damaged shard.
        """
        key = self.key(site.name, condition, self._group(site, positions))
        facts = self._facts(key, positions)
        values, draws = self._gather(key, positions, facts["draws"]), facts["draws"]
        table = self.table
        grid: list[Any] | None = None if self.recipe.keep["layout"] == "cells" else facts["grid"]
        layout: Layout = facts["layout"]
        return Activations(
            site=site,
            condition=condition,
            values=values,
            ids=tuple(name for name in table.names(positions) for _ in range(draws)),
            layout=layout,
            frames=tuple(frame for frame in table.laid(positions) for _ in range(draws)),
            grid=Grid(*grid) if grid else None,
            draws=tuple(range(draws)) * len(positions) if draws > 1 else (),
            recipe=self.recipe,
        )

    def cells(self, site: Site, positions: Positions) -> tuple[NDArray[np.int32], Grid]:
        """Which cells were kept, `(sample, cell)`, and the grid that they index.

        Raises:
            InputError: the recipe kept something else than `cells`, or the site has no grid.
        """
        if self.recipe.keep["layout"] != "cells":
            raise InputError(f"this recipe keeps {self.recipe.keep['layout']}, not a sample of cells")
        group = self._group(site, positions)
        facts = self._facts(f"{site}|cells|{group}", positions)
        if facts["grid"] is None:
            raise InputError(f"site {site} has tokens but no grid of cells")
        return self._gather(f"{site}|cells|{group}", positions, 1), Grid(*facts["grid"])

    def bytes_per_sample(self, site: Site, condition: Condition, group: str) -> int:
        """Size of one sample's values in fp32."""
        first = np.flatnonzero(self.table.groups == group)[:1]
        facts = self._facts(self.key(site.name, condition, group), first)
        return 4 * facts["draws"] * int(np.prod(facts["shape"][1:], dtype=np.int64))

    def _group(self, site: Site, positions: Positions) -> str:
        codes, names = self.table.group_codes
        counts = np.bincount(codes[positions], minlength=len(names))
        groups = sorted((names[code], int(counts[code])) for code in np.flatnonzero(counts))
        if not groups:
            raise InputError(f"no samples were asked for at {site}; this recipe holds {len(self.table)}")
        if len(groups) > 1:
            sizes = ", ".join(f"{group} ({count})" for group, count in groups)
            raise InputError(f"samples lie on canvases of several sizes: {sizes}; choose ids of one, or use batches()")
        return groups[0][0]

    def _facts(self, key: str, positions: Positions) -> dict[str, Any]:
        codes, names = self.table.shard_codes
        return self._shard(names[codes[positions[0]]], key).facts(key)

    def _shard(self, name: str, key: str) -> Shard:
        if name not in self.shards or key not in self.shards[name]:
            raise StoreError(f"{self.place.path(index.shard_file(name))} lacks {key!r}; delete it and extract again")
        return self.shards[name]

    def _gather(self, key: str, positions: Positions, draws: int) -> NDArray[Any]:
        table = self.table
        parts: list[NDArray[Any]] = []
        places: list[Positions] = []
        codes, names = table.shard_codes
        for code, where in _parts(codes[positions]):
            name = names[code]
            rows = (table.rows[positions[where]][:, None] * draws + np.arange(draws)).reshape(-1)
            shard = self._shard(name, key)
            parts.append(_rows(shard, key, rows))
            places.append((where[:, None] * draws + np.arange(draws)).reshape(-1))
        if len(parts) == 1:
            return parts[0]
        out = np.empty((len(positions) * draws, *parts[0].shape[1:]), dtype=parts[0].dtype)
        for part, place in zip(parts, places, strict=True):
            out[place] = part
        return out


def _parts(codes: NDArray[np.int32]) -> list[tuple[int, Positions]]:
    """Distinct codes, each with the places where it stands."""
    order = np.argsort(codes, kind="stable")
    found, starts = np.unique(codes[order], return_index=True)
    return list(zip(found.tolist(), np.split(order, starts[1:]), strict=True))


def _rows(shard: Shard, key: str, rows: Positions) -> NDArray[Any]:
    """Some rows of a tensor, decoded; nothing else is touched."""
    scales = shard.tensor(f"{key}|scales")[rows] if f"{key}|scales" in shard else None
    return decode(shard.tensor(key)[rows], shard.facts(key)["code"], scales)


def _recipe(place: Place) -> Recipe:
    address = place.url.rstrip("/").rsplit("/", 1)[-1]
    text = place.read(RECIPE).decode("utf-8", "replace")
    try:
        version = json.loads(text)["format"]
        recipe = Recipe.from_json(text) if version == FORMAT else None
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{place.path(RECIPE)} is damaged: it cannot be read as a recipe") from None
    if recipe is None:
        raise StoreError(f"{place.path(RECIPE)} has format version {version}; this denoscope reads version {FORMAT}")
    if recipe.digest != address:
        raise StoreError(f"{place.path(RECIPE)} was changed: its digest is {recipe.digest}, its address {address}")
    return recipe
