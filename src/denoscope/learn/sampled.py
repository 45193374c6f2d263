"""Cells of real sampling runs: a dictionary learns while pictures are made from prompts, at each step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.dictionaries.rows import Rows
from denoscope.learn.cells import cells_of, placed, thinned

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
        for _, batch in self._made(chance.permutation(sorted(self.train)).tolist(), (turn + 1) * _TURN):
            yield thinned(placed(batch, batch.condition.timestep), self.kept, chance)

    def held(self) -> Iterator[tuple[int, str, NDArray[np.float32]]]:
        """Held-out cells: number of the condition, picture, `(cell, channel)`."""
        for place, batch in self._made(sorted(self.test), 0):
            for row, name in enumerate(batch.ids):
                yield place, name, cells_of(batch.select([row]))

    def _made(self, prompts: Sequence[str], seed: int) -> Iterator[tuple[int, Activations]]:
        """Number of the step among those that are read, and what was read there."""
        for start in range(0, len(prompts), self.together):
            some = prompts[start : start + self.together]
            made = self.model.generate(
                some, record=[self.site], at=self.steps, seed=seed + start, decode=False, **self.options
            )
            for place, found in enumerate(made.activations):
                yield place, found[self.site.name]
