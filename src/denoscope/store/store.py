"""A folder of activations and reports, addressed by recipe."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.frame import Grid
from denoscope.core.hub import HINT
from denoscope.core.recipe import Recipe
from denoscope.core.report import Report
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.store import stream
from denoscope.store.byhand import asked_by_hand, put_by_hand
from denoscope.store.choose import by_recipe, choose
from denoscope.store.facts import find, parse
from denoscope.store.keep import Keep
from denoscope.store.migrate import Levels, Step, migrate
from denoscope.store.place import Place
from denoscope.store.shelf import Shelf
from denoscope.store.version import FORMAT, stamp, version_of
from denoscope.store.volume import Volume
from denoscope.store.writer import RECIPE, Plan, Writer

__all__ = ["Store"]


class Store:
    """Activations on disk: a folder, or an fsspec URL, with one folder per recipe and one of reports.

    Every shard is a safetensors file that appears by a single rename, so a store is valid at any moment, also while it
    is being written and after kill -9. Values come back as fp32 numpy arrays; nothing is loaded that is not asked for.

    Args:
        path: folder or URL.
        create: make the folder if it is absent.
        verify: check each tensor's SHA-256 when it is first read.

    Raises:
        StoreError: no such folder, or one of another format version.
    """

    def __init__(self, path: str | Path, create: bool = False, verify: bool = True) -> None:
        self.place = Place(path)
        self._verify = verify
        if self.place.local is not None and self.place.local.is_file():
            raise StoreError(f"{path} is a file; a store is a folder, or a URL of one")
        if not create and not self.place.exists():
            way = f"make one with: denoscope extract MODEL DATA --out {path}"
            raise StoreError(f"no store at {str(path)!r}; {HINT if self.place.read_only else way}")
        self._version = version_of(self.place)

    @cached_property
    def volumes(self) -> tuple[Volume, ...]:
        """What each recipe has put here. Read once; `refresh()` looks again."""
        names = [name for name in self.place.names() if self.place.exists(f"{name}/{RECIPE}")]
        return tuple(Volume(self._folder(name), self._verify) for name in names)

    def refresh(self) -> "Store":
        """Look again at what is on disk, and return the store."""
        self.__dict__.pop("volumes", None)
        return self

    @property
    def version(self) -> int:
        """Version of its format; `denoscope migrate` brings older ones up to date."""
        return self._version

    # What is here ------------------------------------------------------------------------------------------------

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What was asked, for everything that is here."""
        return tuple(volume.recipe for volume in self.volumes)

    @property
    def sites(self) -> tuple[Site, ...]:
        """Every stored site."""
        return tuple(dict.fromkeys(site for volume in self.volumes for site in volume.sites))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every stored condition."""
        return tuple(dict.fromkeys(condition for volume in self.volumes for condition in volume.conditions))

    @property
    def ids(self) -> tuple[str, ...]:
        """Every stored sample."""
        return tuple(dict.fromkeys(name for volume in self.volumes for name in volume.table.ids))

    @property
    def skipped(self) -> dict[str, str]:
        """Samples that could not be read: id to reason."""
        return {name: why for volume in self.volumes for name, why in volume.skipped.items()}

    @property
    def complete(self) -> bool:
        """Whether all that was asked for is here; False while an extraction runs or after it was interrupted."""
        return all(volume.complete for volume in self.volumes)

    def volume(self, recipe: str | Recipe) -> Volume:
        """What one recipe has put here, by the recipe or the beginning of its digest."""
        return by_recipe(self.volumes, recipe)[0]

    def data(self, recipe: str | Recipe | None = None) -> str | None:
        """Spec by which `open_data` finds the images again; None when they were in memory.

        Raises:
            InputError: several recipes here read different images, and none was named.
        """
        specs = {volume.plan.data if volume.plan else None for volume in by_recipe(self.volumes, recipe)}
        if len(specs) > 1:
            raise InputError(f"this store holds several data sets: {', '.join(map(str, specs))}; name one with recipe=")
        return next(iter(specs), None)

    def facts(self, recipe: str | Recipe | None = None) -> dict[str, dict[str, Any]]:
        """What is known of each sample, by id: scalars, text and lists; arrays stay with the data set."""
        volumes = by_recipe(self.volumes, recipe)
        return {name: found for volume in volumes for name, found in parse(volume.table).items()}

    def find(self, recipe: str | Recipe | None = None, **filters: Any) -> tuple[str, ...]:
        """Ids of the samples whose facts match: `find(category="cat", colour=["red", "blue"], size=lambda s: s > 9)`.

        Raises:
            UnknownName: a fact that no sample has.
        """
        return find(by_recipe(self.volumes, recipe), filters)

    # Reading -----------------------------------------------------------------------------------------------------

    def get(
        self,
        site: str | Site | None = None,
        condition: Condition | None = None,
        *,
        ids: Iterable[str] | None = None,
        recipe: str | Recipe | None = None,
        **fields: Any,
    ) -> Activations:
        """Values at one site under one condition, fp32.

        Args:
            site: name or alias; may be left out where only one is stored.
            condition: may be left out where only one is stored, or be named by some of its fields: `timestep=50`.
            ids: samples, in the order wanted; all unless given.
            recipe: digest, or its beginning, where several recipes match.

        Raises:
            UnknownName: a site, sample, recipe or field that does not exist.
            InputError: nothing matches, several things do, or the samples lie on grids of several sizes.
            StoreError: a damaged shard.
        """
        volume, place, found = self._choose(site, condition, recipe, fields)
        return volume.read(place, found, volume.positions(None if ids is None else list(ids)))

    def batches(
        self,
        site: str | Site | None = None,
        condition: Condition | None = None,
        size: int = 64,
        *,
        shuffle_seed: int | None = None,
        window: int = stream.WINDOW,
        recipe: str | Recipe | None = None,
        **fields: Any,
    ) -> Iterator[Activations]:
        """As `get`, `size` rows at a time, each row once; shuffled within blocks of `window` bytes when seeded.

        A batch is of one canvas size, so this also reads stores of mixed image sizes.
        """
        return stream.batches(*self._choose(site, condition, recipe, fields), size, shuffle_seed, window)

    def vectors(
        self,
        site: str | Site | None = None,
        condition: Condition | None = None,
        size: int = 4096,
        *,
        shuffle_seed: int | None = None,
        window: int = stream.WINDOW,
        recipe: str | Recipe | None = None,
        **fields: Any,
    ) -> Iterator[NDArray[np.float32]]:
        """Every stored cell that lies on an image, once, as `(size, channel)`; `window` bytes are held at a time."""
        return stream.vectors(*self._choose(site, condition, recipe, fields), size, shuffle_seed, window)

    def cells(
        self,
        site: str | Site | None = None,
        *,
        ids: Iterable[str] | None = None,
        recipe: str | Recipe | None = None,
    ) -> tuple[NDArray[np.int32], Grid]:
        """Which cells `Keep(layout="cells")` kept: indices `(sample, cell)` in reading order, and their grid."""
        thinned = [v for v in by_recipe(self.volumes, recipe) if v.recipe.keep["layout"] == "cells"]
        if not thinned:
            raise InputError("no recipe here keeps a sample of cells")
        volume, place, _ = choose(thinned, site, thinned[0].conditions[0])
        return volume.cells(place, volume.positions(None if ids is None else list(ids)))

    def _choose(
        self, site: str | Site | None, condition: Condition | None, recipe: str | Recipe | None, fields: dict[str, Any]
    ) -> tuple[Volume, Site, Condition]:
        if condition is not None and fields:
            raise InputError(f"give a condition or fields of one ({', '.join(fields)}), not both")
        if not self.volumes:
            raise StoreError(f"{self.place.url} holds no activations yet; fill it with: denoscope extract")
        return choose(by_recipe(self.volumes, recipe), site, condition if condition is not None else fields)

    # Writing -----------------------------------------------------------------------------------------------------

    def put(
        self,
        activations: Mapping[str, Activations] | Iterable[Activations],
        *,
        recipe: Recipe | None = None,
        samples: Sequence[Sample] = (),
        keep: Keep | None = None,
    ) -> Recipe:
        """Store values that were read by hand, as `model.read` gives them.

        Args:
            activations: of the same samples at one or several sites and conditions.
            recipe: what was asked, where the activations do not carry it.
            samples: whose facts are stored along.
            keep: what is stored; the grid in bf16 unless the recipe or this says otherwise.

        Returns:
            The recipe under which they lie. Putting the same again changes nothing.

        Raises:
            InputError: no recipe is known, or the activations are of different samples.
            StoreError: no space or no permission.
        """
        items = list(activations.values() if isinstance(activations, Mapping) else activations)
        asked = asked_by_hand(items, recipe, keep)
        self._stamp()
        put_by_hand(self._folder(asked.digest), asked, items, samples)
        self.refresh()
        return asked

    def writer(self, recipe: Recipe, plan: Plan, **options: Any) -> Writer:
        """The writing side of one recipe's folder, for work in many shards."""
        self._stamp()
        return Writer(self._folder(recipe.digest), recipe, plan, **options)

    def plan(self, recipe: Recipe) -> Plan | None:
        """How a recipe's samples are dealt out to shards, if it was begun."""
        return Plan.read(self._folder(recipe.digest))

    def push_to_hub(self, repo: str, *, recipe: str | Recipe | None = None, **options: Any) -> str:
        """Put it into a repository of data on the Hugging Face Hub, with a card; the last commit's address is returned.

        Args:
            repo: OWNER/NAME.
            recipe: digest, or its beginning; all recipes unless given.
            options: see `denoscope.store.hub.push_store`, such as `private=True`.
        """
        from denoscope.store.hub import push_store

        return push_store(self.place, by_recipe(self.volumes, recipe), repo, **options)

    def migrate(self, dry_run: bool = False, levels: Levels | None = None) -> list[Step]:
        """Bring an older store up to the present version (`denoscope.store.migrate`); nothing where it is.

        Args:
            dry_run: only say what would be written.
            levels: tells log-SNRs that an older plan does not.

        Returns:
            The files that are written, in order.

        Raises:
            StoreError: shards that are lost or were changed; nothing is written then.
        """
        steps = migrate(self.place, self.refresh().volumes, dry_run, levels)
        self._version = version_of(self.place)
        self.refresh()
        return steps

    # Reports -----------------------------------------------------------------------------------------------------

    @property
    def reports(self) -> tuple[str, ...]:
        """Names of the reports that lie here."""
        return Shelf(self.place).names

    def report(self, name: str) -> Report:
        """A report by name.

        Raises:
            UnknownName: there is none of that name.
        """
        return Shelf(self.place).load(name)

    def save(self, report: Report, name: str | None = None) -> str:
        """Keep a report here; returns its name, made of the task and a digest unless one is given."""
        self._stamp()
        return Shelf(self.place).save(report, name)

    def _stamp(self) -> None:
        """A store that begins is of the present version; an older one stays what it is until it is migrated."""
        if self._version < FORMAT and not self.volumes and not self.reports:
            stamp(self.place)
            self._version = FORMAT

    def _folder(self, digest: str) -> Place:
        return Place(f"{self.place.url.rstrip('/')}/{digest}")

    def __repr__(self) -> str:
        counts = f"{len(self.recipes)} recipes, {len(self.sites)} sites, {len(self.ids)} samples"
        return f"Store({self.place.url!r}: {counts})"
