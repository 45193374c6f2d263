"""Extraction on a cluster: every actor holds the model and makes whole shards of one store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.recipe import Recipe
from denoscope.core.sample import DataSet, Sample
from denoscope.data.base import fingerprint, open_data, spell
from denoscope.pool import Pool
from denoscope.shards import Shards
from denoscope.store.place import Place
from denoscope.store.store import Store
from denoscope.store.writer import Writer

__all__ = ["fill_on"]


def fill_on(
    pool: Pool, store: Store, writer: Writer, made: Shards, data: str | Path | DataSet | Sequence[Sample],
    advance: Callable[[int], None],
) -> None:  # fmt: skip
    """Make the shards that are left. They are renamed into place whole: nothing is lost or doubled, whoever is killed.

    Args:
        pool: whose actors make them.
        store: lies where every node can write to it.
        writer: of the recipe in that store.
        made: what is read.
        data: as `open_data` takes it; samples in memory travel to the actors, once.
        advance: told how many samples are done.

    Raises:
        InputError: a model that `load` did not make, or an actor that cannot make the same.
        MissingPackage: Ray is not installed.
    """
    left = writer.left()
    advance(writer.plan.samples - sum(len(writer.plan.indices(number)) for number in left))
    if left:
        for number, _ in pool.each(_Job.of(store, writer.recipe, made, data), left):
            advance(len(writer.plan.indices(number)))


@dataclass(frozen=True)
class _Job:
    """All that an actor needs; travels to its node."""

    model: Mapping[str, Any]
    data: Any
    count: int
    sites: Sequence[str]
    conditions: Sequence[Condition]
    canvas: Any
    batch_size: int | None
    replay: Any
    recipe: Recipe
    store: str

    @classmethod
    def of(cls, store: Store, recipe: Recipe, made: Shards, data: Any) -> _Job:
        """From what this process has open.

        Raises:
            InputError: a model that `load` did not make.
        """
        asked = getattr(getattr(made.model, "parts", None), "asked", None)
        if asked is None:
            raise InputError(
                "actors load the model themselves; give a name or what load() gives, not parts of your own"
            )
        samples = [made.samples[number] for number in range(len(made.samples))] if spell(data) is None else None
        return cls(
            model=asked,
            data=spell(data) or samples,
            count=len(made.samples),
            sites=[site.name for site in made.sites],
            conditions=made.conditions,
            canvas=made.canvas,
            batch_size=made.batch_size,
            replay=made.replay,
            recipe=recipe,
            store=store.place.anywhere,
        )

    def __call__(self) -> _Filler:
        """A model on some node, ready to make shards.

        Raises:
            InputError: the node has another model or other samples, or does not see the store.
        """
        from denoscope.models.loading import load

        model = load(**self.model)
        if dict(model.recipe) != {name: value for name, value in self.recipe.model.items() if name != "compat"}:
            raise InputError(f"a node has another {self.model['name']}: {dict(model.recipe)}, not {self.recipe.model}")
        samples = open_data(self.data, self.count)
        if fingerprint(samples) != self.recipe.data["fingerprint"]:
            raise InputError(
                f"a node sees other samples of {self.data}: {len(samples)}, not the {self.count} asked for"
            )
        sites = model.select(self.sites)
        place = Place(self.store)
        plan = Store(self.store).plan(self.recipe) if place.exists() else None
        if plan is None:
            raise InputError(f"a node does not see {self.store}; give a folder that all nodes share, or a URL")
        shards = Shards(model, samples, sites, self.conditions, self.canvas, self.batch_size, self.replay)
        return _Filler(shards, Store(self.store).writer(self.recipe, plan))


@dataclass(frozen=True)
class _Filler:
    """Makes one shard after another."""

    shards: Shards
    writer: Writer

    def __call__(self, number: int) -> None:
        """Make one shard, unless another actor did before it died."""
        work = self.writer.dealt(number)
        if work is not None:
            self.shards.make(work)
