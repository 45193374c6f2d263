"""Writing one recipe's shards: resumable, safe against kill -9 and against other writers."""

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from denoscope.core.errors import InputError, StoreError
from denoscope.core.recipe import Origin, Recipe
from denoscope.core.sample import Sample
from denoscope.store import index, shard
from denoscope.store.block import Block
from denoscope.store.claims import STALE, Claims
from denoscope.store.place import Place
from denoscope.store.version import FORMAT, newer

__all__ = ["Plan", "Work", "Writer"]

PLAN = "plan.json"
RECIPE = "recipe.json"
_POLL = 0.2


@dataclass(frozen=True)
class Plan:
    """How a recipe's samples are dealt out to shards; the first writer's plan holds for all."""

    samples: int
    shard_size: int
    data: str | None = None
    """Spec by which `open_data` finds the images again; None for samples that were in memory."""
    logsnrs: tuple[float | None, ...] = ()
    """Log-SNR of each of the recipe's conditions, in order; None where there is no noise, empty where nobody said."""
    format: int = FORMAT
    """Version of the store that the plan was written for."""

    def __post_init__(self) -> None:
        if self.shard_size < 1:
            raise InputError(f"shard size must be at least 1, not {self.shard_size}")

    def __len__(self) -> int:
        """Number of shards."""
        return -(-self.samples // self.shard_size)

    def indices(self, number: int) -> range:
        """Samples of one shard."""
        return range(number * self.shard_size, min((number + 1) * self.shard_size, self.samples))

    def to_json(self) -> str:
        """The file."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, place: Place) -> "Plan | None":
        """The plan in a recipe's folder, if there is one."""
        if not place.exists(PLAN):
            return None
        try:
            told = json.loads(place.read(PLAN))
            made = cls(**{"format": 1, **told, "logsnrs": tuple(told.get("logsnrs", ()))})
        except (ValueError, TypeError, AttributeError):
            raise StoreError(
                f"{place.path(PLAN)} is damaged; delete the folder that holds it and extract again"
            ) from None
        if made.format > FORMAT:
            raise newer(place.path(PLAN), made.format)
        return made


class Work:
    """One shard that is ours to make: add what the model gives, then commit."""

    def __init__(self, writer: "Writer", name: str, indices: range) -> None:
        self.name = name
        self.indices = indices
        self._writer = writer
        self._block = Block(writer.recipe)
        self._started = time.monotonic()
        self._handed_over = False

    def add(self, activations: Sequence[Any]) -> None:
        """Take a batch of `Activations`, and show other writers that we are alive."""
        for item in activations:
            self._block.add(item)
        self._writer.claims.beat(self.name)

    def commit(self, samples: Sequence[Sample], skipped: Mapping[str, str], device: str = "cpu") -> None:
        """Write the shard: after this call the samples are safe."""
        self._writer.claims.beat(self.name)
        origin = Origin.now(time.monotonic() - self._started, device)
        write_shard(self._writer.place, self._writer.recipe, self.name, self._block, samples, skipped, origin)

    def hand_over(self) -> None:
        """Another thread will commit: the claim is kept until it calls `release`."""
        self._handed_over = True

    def leave(self) -> None:
        """Give the claim back, unless another thread does."""
        if not self._handed_over:
            self.release()

    def release(self) -> None:
        """Give the claim back."""
        self._writer.claims.give(self.name)


class Writer:
    """The writing side of one recipe's folder.

    Args:
        place: the recipe's folder.
        recipe: written to `recipe.json` when new.
        plan: how samples are dealt out; an earlier plan in the folder wins.
        stale: seconds after which another writer's claim is void.
    """

    def __init__(self, place: Place, recipe: Recipe, plan: Plan, stale: float = STALE) -> None:
        self.place = place
        self.recipe = recipe
        self.claims = Claims(place, index.SHARDS, stale)
        write_recipe(place, recipe)
        place.put(PLAN, plan.to_json().encode(), replace=False)
        self.plan = Plan.read(place) or plan

    def work(
        self, done: Callable[[int], None] = lambda count: None, order: Sequence[int] | None = None
    ) -> Generator[Work]:
        """The shards that are left, each claimed while it is worked on; ends when all shards exist.

        Args:
            done: told the number of samples in each shard that someone else finished, now or earlier.
            order: in which shards are tried; as they are numbered unless given.
        """
        left = list(range(len(self.plan)) if order is None else order)
        while left:
            busy: list[int] = []
            for number in left:
                if self._finished(number):
                    done(len(self.plan.indices(number)))
                    continue
                work = self._claimed(number)
                if work is None:
                    busy.append(number)
                    continue
                try:
                    yield work
                finally:
                    work.leave()
            if len(busy) == len(left):
                time.sleep(_POLL)
            left = busy

    def _claimed(self, number: int) -> Work | None:
        """A shard that is ours alone until it is left or committed; None while another has it, or once it is there."""
        name = self._name(number)
        if not self.claims.take(name):
            return None
        if self._finished(number):
            self.claims.give(name)
            return None
        return Work(self, name, self.plan.indices(number))

    def left(self) -> list[int]:
        """Numbers of the shards that do not exist yet."""
        return [number for number in range(len(self.plan)) if not self._finished(number)]

    def made(self) -> set[int]:
        """Numbers of the shards that exist; one look at the folder, however many there are."""
        names = (name.partition(".") for name in self.place.names(index.SHARDS))
        there = {int(stem) for stem, _, kind in names if stem.isdecimal() and kind == "safetensors"}
        return there & set(range(len(self.plan)))

    def dealt(self, number: int) -> Work | None:
        """A shard that was dealt out to us, whoever claimed it before; None when it is there."""
        return None if self._finished(number) else Work(self, self._name(number), self.plan.indices(number))

    def finish(self) -> None:
        """Write the index over all shards and remove what killed writers left."""
        index.save(self.place)
        if not self.left():
            self.claims.clear()

    def _finished(self, number: int) -> bool:
        return self.place.exists(index.shard_file(self._name(number)))

    @staticmethod
    def _name(number: int) -> str:
        return f"{number:05d}"


def write_recipe(place: Place, recipe: Recipe) -> None:
    """Write `recipe.json` unless it is there; its digest is the folder's name."""
    if not place.exists(RECIPE):
        place.put(RECIPE, recipe.to_json().encode(), replace=False)


def write_shard(
    place: Place,
    recipe: Recipe,
    name: str,
    block: Block,
    samples: Sequence[Sample],
    skipped: Mapping[str, str],
    origin: Origin,
) -> bool:
    """Write one shard; returns False, and leaves the other, when a shard of that name is there.

    Raises:
        StoreError: no space or no permission.
    """
    rows = block.rows(samples)
    tensors = block.tensors(rows)
    about = {"recipe": recipe.digest, "format": recipe.format, "rows": rows, "skipped": skipped}
    about["origin"] = asdict(origin)
    if not rows and not skipped:
        raise StoreError("a shard needs at least one sample")
    return place.write(index.shard_file(name), lambda file: shard.write(file, tensors, about), replace=False)
