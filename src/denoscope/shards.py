"""Making the shards of an extraction: what every process does that works on one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from denoscope.core.condition import Condition
from denoscope.core.sample import DataSet, Sample
from denoscope.core.site import Site
from denoscope.data.base import read
from denoscope.store.writer import Work

if TYPE_CHECKING:
    from denoscope.models.base import Model
    from denoscope.models.coordinates import Canvas
    from denoscope.models.replay import Replay

__all__ = ["Shards"]


@dataclass(frozen=True)
class Shards:
    """A model with what it is to read: any shard can be made from it, and is the same wherever it is made."""

    model: Model
    samples: DataSet
    sites: Sequence[Site]
    conditions: Sequence[Condition]
    canvas: Canvas
    batch_size: int | None = None
    replay: Replay | None = None

    def stream(self, block: Sequence[Sample]) -> Iterator[list[Any]]:
        """Batches of activations, all sites and conditions of some samples together."""
        options = {"compat": self.replay} if self.replay else {}
        return self.model.stream(
            block, self.sites, self.conditions, canvas=self.canvas, batch_size=self.batch_size, **options
        )

    def make(self, work: Work, advance: Callable[[int], None] = lambda count: None) -> None:
        """Read one shard's samples and write it; pictures that are broken are counted and told.

        Raises:
            StoreError: no space or no permission; finished shards are kept.
        """
        good, broken = read(self.samples, work.indices)
        advance(len(broken))
        for batch in self.stream(good) if good else ():
            work.add(batch)
            advance(len(set(batch[0].ids)))
        work.commit(good, broken, str(getattr(self.model, "device", "cpu")))
