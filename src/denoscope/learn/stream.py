"""Training cells as a dictionary reads them: pass after pass, shuffled, counted."""

from collections.abc import Callable, Iterator

import numpy as np

from denoscope.core.report import Score
from denoscope.dictionaries.rows import Rows
from denoscope.dictionaries.shuffle import Mixing, shuffled
from denoscope.learn.source import Source

__all__ = ["Stream"]

_FIRST = 20_000
"""Cells that are remembered."""


class Stream:
    """Cells to learn from, in another order each time they are iterated.

    Args:
        source: where they come from.
        buffer: MB of the shuffle buffer.
        batch: cells of one training step, over which the mixing is measured.
        most: cells that are read of the source in all, where reading takes long; any number unless given.
        advance: hears how many went by.
    """

    def __init__(
        self,
        source: Source,
        buffer: float,
        batch: int,
        most: int | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._source, self._buffer, self._most, self._advance = source, buffer, most, advance
        self._turn, self._read, self._mixing = -1, 0, Mixing(batch)
        self.first: list[Rows] = []
        """Cells that went by first, for what is held against the dictionary, where reading takes long."""

    def __iter__(self) -> Iterator[Rows]:
        self._turn += 1
        chance, most = np.random.default_rng((self._turn, 2)), self._source.per_turn
        for rows in shuffled(self._blocks(), self._buffer, chance, most):
            self._mixing.see(rows)
            if self._most is not None and sum(map(len, self.first)) < _FIRST:
                self.first.append(rows)
            yield rows
            if self._most is None:
                self._advance(len(rows))

    def _blocks(self) -> Iterator[Rows]:
        """What is read of the source in this pass, never more than there should be."""
        if self._most is not None and self._read >= self._most:
            return
        for block in self._source.blocks(self._turn):
            if self._most is not None:
                block = block[: self._most - self._read]
                self._advance(len(block))
            self._read += len(block)
            yield block
            if self._most is not None and self._read >= self._most:
                return

    def scores(self) -> tuple[Score, ...]:
        """How well the batches were mixed, beside what all training cells in one heap would give."""
        share = self._mixing.share
        if share is None:
            return ()
        images, _ = self._source.counts
        cells = self._source.per_turn / images
        heap = max(0.0, cells - 1) / max(1.0, images * cells - 1)
        name, over = "same-image pairs", "training batches"
        return (
            Score(name, **share._asdict(), unit="share of pairs in a batch", better="lower", over=over),
            Score(f"{name}, one heap", heap, heap, heap, images, "share of pairs", "lower", "training images"),
        )
