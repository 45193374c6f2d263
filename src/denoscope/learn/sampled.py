"""Cells of real sampling runs: a dictionary learns while pictures are made from prompts, at each step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.dictionaries.rows import Rows
from denoscope.learn.cells import cells_of, placed, thinned
from denoscope.learn.source import done

if TYPE_CHECKING:
    from denoscope.dictionaries._training.sharing import Share

__all__ = ["Sampled"]

_TURN = 1_000_003
"""Seeds between two passes."""


@dataclass(frozen=True)
class Sampled:
    """A source that makes pictures and reads what the branch with the prompt holds on the way; see `Source`.

    Attributes:
        model: that makes pictures.
        site: where it is read.
        conditions: noise level of each step that is read, most noise first.
        steps: these steps, 0 being the noisiest.
        recipe: what was asked of the model.
        per_image: cells that one picture has at one step.
        width: channels of a cell.
        kept: of these, how many are learned from.
        train: prompts to learn from.
        test: prompts held out; no picture of one is learned from.
        together: pictures that are made at a time.
        options: of `Model.generate`: number of steps, guidance.
        share: this process' part of the pictures; None for all.
    """

    model: Any
    site: Site
    conditions: tuple[Condition, ...]
    steps: tuple[int, ...]
    recipe: Recipe
    per_image: int
    width: int
    kept: int
    train: frozenset[str]
    test: frozenset[str]
    together: int
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    share: "Share | None" = None

    cheap = False

    @property
    def counts(self) -> tuple[int, int]:
        """Prompts to learn from, and held out."""
        return len(self.train), len(self.test)

    @property
    def per_turn(self) -> int:
        """Cells that one pass gives."""
        return len(self.train) * self.kept * len(self.steps)

    @property
    def told(self) -> Mapping[str, Any]:
        """How it was read."""
        return {"source": "pictures made while learning", "cells per image": self.kept, **self.options}

    def blocks(self, turn: int) -> Iterator[Rows]:
        """Cells to learn from, one step of some pictures at a time; each pass makes other pictures."""
        chance = np.random.default_rng((turn, 13))
        for _, batch in self._made(chance.permutation(sorted(self.train)).tolist(), (turn + 1) * _TURN, self.share):
            yield thinned(placed(batch, batch.condition.timestep), self.kept, chance)

    def held(self) -> Iterator[tuple[int, str, NDArray[np.float32]]]:
        """Held-out cells: number of the condition, picture, `(cell, channel)`."""
        for place, batch in self._made(sorted(self.test), 0):
            for row, name in enumerate(batch.ids):
                yield place, name, cells_of(batch.select([row]))

    def _made(
        self, prompts: Sequence[str], seed: int, share: "Share | None" = None
    ) -> Iterator[tuple[int, Activations]]:
        """Number of the step among those that are read, and what was read there."""
        starts = range(0, len(prompts), self.together)
        runs = [partial(self._run, prompts[start : start + self.together], seed + start) for start in starts]
        for found in done(runs, share):
            yield from enumerate(found)

    def _run(self, prompts: Sequence[str], seed: int) -> Iterator[Activations]:
        """What one sampling run of some prompts holds, step by step."""
        made = self.model.generate(prompts, record=[self.site], at=self.steps, seed=seed, decode=False, **self.options)
        yield from (found[self.site.name] for found in made.activations)
