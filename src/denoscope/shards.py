"""Making the shards of an extraction: what every process does that works on one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from denoscope.core.condition import Condition
from denoscope.core.sample import DataSet, Sample
from denoscope.core.site import Site
from denoscope.data.base import ahead
from denoscope.store.behind import Behind
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

    def stream(self, block: Iterable[Sample]) -> Iterator[list[Any]]:
        """Batches of activations, all sites and conditions of some samples together."""
        options = {"compat": self.replay} if self.replay else {}
        return self.model.stream(
            block, self.sites, self.conditions, canvas=self.canvas, batch_size=self.batch_size, **options
        )

    def make(
        self, work: Work, advance: Callable[[int], None] = lambda count: None, behind: Behind | None = None
    ) -> None:
        """Make one shard, its pictures read ahead of the model; those that are broken are counted and told.

        Args:
            work: the shard.
            advance: told how many samples are done.
            behind: writes it while the caller goes on; it is written when this returns unless given.

        Raises:
            StoreError: no space or no permission; finished shards are kept.
        """
        broken: dict[str, str] = {}
        good: list[Sample] = []
        with closing(ahead(self.samples, work.indices, broken)) as coming:
            for batch in self.stream(_kept(coming, good)):
                work.add(batch)
                advance(len(set(batch[0].ids)))
        advance(len(broken))
        commit = work.commit if behind is None else partial(behind.commit, work)
        commit(good, broken, str(getattr(self.model, "device", "cpu")))


def _kept(coming: Iterable[Sample], good: list[Sample]) -> Iterator[Sample]:
    for sample in coming:
        good.append(sample)
        yield sample
