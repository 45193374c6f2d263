"""Extraction by several processes of one launcher (`torchrun`, `accelerate launch`), each with a model and a GPU.

They meet in the store alone: a shard is claimed by one of them, and a claim whose owner died is void. So no process
waits for a message of another, and whoever is killed, the others make what is left.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing

from denoscope.core.rank import Rank
from denoscope.shards import Shards
from denoscope.store.behind import Behind
from denoscope.store.writer import Writer

__all__ = ["fill"]

log = logging.getLogger(__name__)

_LOOK = 2.0
"""Seconds between two looks at what the others have finished."""


def fill(writer: Writer, made: Shards, here: Rank, advance: Callable[[int], None]) -> None:
    """Make this process' share of the shards, then what the others leave; ends when all shards exist.

    Args:
        writer: of the recipe in the store.
        made: what is read.
        here: this process.
        advance: told how many samples are done, by whomever.
    """
    shards = len(writer.plan)
    if here.first and shards < here.count:
        log.warning("%d shards for %d processes; a smaller --shard-size gives each its share", shards, here.count)
    tally = _Tally(writer, advance)
    with closing(writer.work(done=lambda _: tally.advance(0), order=here.order(shards))) as left, Behind() as behind:
        for work in left:
            tally.ours.add(int(work.name))
            made.make(work, tally.advance, behind)
    tally.look()


class _Tally:
    """What is done by all processes together, as far as one of them can see.

    Attributes:
        ours: shards that this process makes; they are told sample by sample.
    """

    def __init__(self, writer: Writer, advance: Callable[[int], None]) -> None:
        self.ours: set[int] = set()
        self._told: set[int] = set()
        self._writer, self._advance = writer, advance
        self.look()

    def advance(self, count: int) -> None:
        """Samples of ours; now and then those of the others too."""
        self._advance(count)
        if time.monotonic() - self._looked > _LOOK:
            self.look()

    def look(self) -> None:
        """Tell of the shards that others finished since."""
        new = self._writer.made() - self.ours - self._told
        self._advance(sum(len(self._writer.plan.indices(number)) for number in new))
        self._told |= new
        self._looked = time.monotonic()
