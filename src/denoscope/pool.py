"""Extraction on a Ray cluster: actors that each hold the model make whole shards of one store."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from denoscope.core.condition import Condition
from denoscope.core.errors import DenoscopeError, InputError
from denoscope.core.optional import require
from denoscope.core.recipe import Recipe
from denoscope.core.sample import DataSet, Sample
from denoscope.data.base import fingerprint, open_data, spell
from denoscope.shards import Shards
from denoscope.store.store import Store
from denoscope.store.writer import Writer

__all__ = ["Pool"]


@dataclass(frozen=True)
class Pool:
    """Model actors of a Ray cluster.

    Ray Data deals shards out to them, never more than they can take, and starts again what dies with a node. What is in
    the store stays there: shards are renamed into place whole, so that nothing is lost or doubled whoever is killed.
    """

    workers: int = 2
    """Actors, each with a model of its own."""
    most: int | None = None
    """Up to so many, where the cluster grows; as many as `workers` unless given."""
    cpus: float = 1.0
    """Processor cores of each; a model on a processor uses as many threads."""
    gpus: float = 0.0
    """GPUs of each; with 0.5 two share one."""
    address: str | None = None
    """Of a running cluster (`auto` finds one here); one is started on this machine, and ended, unless given."""

    def __post_init__(self) -> None:
        if self.workers < 1 or (self.most or self.workers) < self.workers:
            raise InputError(f"a pool needs 1 actor or more, and at most no fewer; not {self.workers} to {self.most}")
        if self.cpus < 0 or self.gpus < 0:
            raise InputError("cpus and gpus of an actor cannot be negative")

    def fill(
        self, store: Store, writer: Writer, made: Shards, data: str | Path | DataSet | Sequence[Sample],
        advance: Callable[[int], None],
    ) -> None:  # fmt: skip
        """Make the shards that are left.

        Args:
            store: lies where every node can write to it.
            writer: of the recipe in that store.
            made: what is read.
            data: as `open_data` takes it; samples in memory travel to the actors.
            advance: told how many samples are done.

        Raises:
            InputError: a model that `load` did not make, or an actor that cannot make the same.
            MissingPackage: Ray is not installed.
        """
        left = writer.left()
        advance(writer.plan.samples - sum(len(writer.plan.indices(number)) for number in left))
        if not left:
            return
        ray = require("ray", "extract on a cluster", "denoscope[ray]")
        job = _Job.of(store, writer.recipe, made, data, self.cpus)
        with self._cluster(ray), _told(ray):
            for row in self._rows(job, left):
                advance(int(row["samples"]))

    @contextmanager
    def _cluster(self, ray: Any) -> Generator[None]:
        """Connected, to a cluster that was there or to one of our own."""
        ours = not ray.is_initialized()
        if ours:
            cores = None if self.address else max(os.cpu_count() or 1, int(self.cpus * (self.most or self.workers)))
            ray.init(
                address=self.address or "local", num_cpus=cores, include_dashboard=None if self.address else False,
                log_to_driver=False, logging_level="ERROR", configure_logging=True,
            )  # fmt: skip
        try:
            yield
        finally:
            if ours:
                ray.shutdown()

    def _rows(self, job: _Job, left: Sequence[int]) -> Iterator[Mapping[str, Any]]:
        """One row per finished shard, as they are finished."""
        data = require("ray.data", "extract on a cluster", "denoscope[ray]")
        data.DataContext.get_current().enable_progress_bars = False  # there is one bar, of samples
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        shards = data.from_items([{"shard": number} for number in left], override_num_blocks=len(left))
        yield from shards.map(
            _Actor, fn_constructor_args=(job,), num_cpus=self.cpus, num_gpus=self.gpus,
            compute=data.ActorPoolStrategy(min_size=self.workers, max_size=self.most or self.workers),
        ).iter_rows()  # fmt: skip


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
    cpus: float

    @classmethod
    def of(cls, store: Store, recipe: Recipe, made: Shards, data: Any, cpus: float) -> _Job:
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
        local = store.place.local
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
            store=str(local.absolute() if local else store.place.url),
            cpus=cpus,
        )


class _Actor:
    """A model on some node, which makes one shard after another."""

    def __init__(self, job: _Job) -> None:
        import torch

        from denoscope.models.loading import load

        torch.set_num_threads(max(1, int(job.cpus)))
        model = load(**job.model)
        if dict(model.recipe) != {name: value for name, value in job.recipe.model.items() if name != "compat"}:
            raise InputError(f"a node has another {job.model['name']}: {dict(model.recipe)}, not {job.recipe.model}")
        samples = open_data(job.data, job.count)
        if fingerprint(samples) != job.recipe.data["fingerprint"]:
            raise InputError(f"a node sees other samples of {job.data}: {len(samples)}, not the {job.count} asked for")
        sites = model.select(job.sites)
        self._shards = Shards(model, samples, sites, job.conditions, job.canvas, job.batch_size, job.replay)
        store = Store(job.store)
        plan = store.plan(job.recipe)
        if plan is None:
            raise InputError(f"a node does not see {job.store}; give a folder that all nodes share, or a URL")
        self._writer = store.writer(job.recipe, plan)

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Make one shard, unless another actor did before it died."""
        number = int(row["shard"])
        work = self._writer.dealt(number)
        if work is not None:
            self._shards.make(work)
        return {"shard": number, "samples": len(self._writer.plan.indices(number))}


@contextmanager
def _told(ray: Any) -> Generator[None]:
    """An error of ours in an actor is told as it would be here; any other keeps Ray's account of it."""
    try:
        yield
    except ray.exceptions.RayError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, DenoscopeError):
            cause = getattr(cause, "cause", None) or cause.__cause__
        if cause is None:
            raise
        raise cause from None
