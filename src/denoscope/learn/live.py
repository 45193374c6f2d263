"""Cells of images that are noised and read while a dictionary learns: one forward per image, at any noise level.

x_t = alpha_t x0 + sigma_t e is closed form, so that no sampling run is needed (`denoscope renoised` says how alike the
two are). Each pass draws new noise, and deals the levels anew to the images.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import LAST_TIMESTEP, Condition
from denoscope.core.recipe import Recipe
from denoscope.core.sample import DataSet, Sample
from denoscope.core.site import Site
from denoscope.data.base import read
from denoscope.dictionaries.rows import Rows
from denoscope.learn.cells import cells_of, placed, thinned
from denoscope.learn.source import done

if TYPE_CHECKING:
    from denoscope.dictionaries._training.sharing import Share

__all__ = ["Live"]

_BLOCK = 64
"""Images that are opened at a time."""
_DRAWN = 8
"""Noise levels of such a block, where any may come."""


@dataclass(frozen=True)
class Live:
    """A source that noises images and reads them; see `Source`.

    Attributes:
        model: that is read.
        samples: its images.
        ids: of all of them.
        site: where it is read.
        conditions: under which held-out images are read, and the others too unless `anywhere`.
        recipe: what was asked of the model.
        per_image: cells that one image has.
        width: channels of a cell.
        kept: of these, how many are learned from.
        train: images to learn from.
        test: images held out.
        anywhere: each block of images draws noise levels of its own, among all.
        options: how the model reads.
        lost: images that could not be opened.
        together: images of a piece of work; those of one forward where several processes share them.
        share: this process' part of the forwards; None for all.
    """

    model: Any
    samples: DataSet
    ids: Sequence[str]
    site: Site
    conditions: tuple[Condition, ...]
    recipe: Recipe
    per_image: int
    width: int
    kept: int
    train: frozenset[str]
    test: frozenset[str]
    anywhere: bool = False
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lost: set[str] = field(default_factory=set[str])
    together: int = _BLOCK
    share: "Share | None" = None

    cheap = False

    @property
    def counts(self) -> tuple[int, int]:
        """Images to learn from, and held out."""
        return len(self.train), len(self.test)

    @property
    def per_turn(self) -> int:
        """Cells that one pass gives."""
        return len(self.train) * self.kept

    @property
    def told(self) -> Mapping[str, Any]:
        """How it was read."""
        lost = {"pictures that could not be read": len(self.lost)} if self.lost else {}
        told = {"source": "noised images, read while learning", "cells per image": self.kept}
        return {**told, **({"timesteps": "any, drawn anew"} if self.anywhere else {}), **lost}

    def blocks(self, turn: int) -> Iterator[Rows]:
        """Cells to learn from, a forward of some images at a time, under noise of this turn's own."""
        chance = np.random.default_rng((turn, 11))
        places = [place for place, name in enumerate(self.ids) if name in self.train]
        order = chance.permutation(places)
        for start in range(0, len(order), _BLOCK):
            indices = order[start : start + _BLOCK].tolist()
            opened = self._open(indices)
            forwards = [
                (condition, some[first : first + self.together])
                for condition, some in self._dealt(opened, turn, chance)
                for first in range(0, len(some), self.together)
            ]
            reading = [partial(self._read, some, [condition]) for condition, some in forwards]
            for (condition, _), group in zip(forwards, done(reading, self.share), strict=True):
                for batch in group:
                    yield thinned(placed(batch, condition.timestep), self.kept, chance)

    def held(self) -> Iterator[tuple[int, str, NDArray[np.float32]]]:
        """Held-out cells: number of the condition, image, `(cell, channel)`."""
        places = [place for place, name in enumerate(self.ids) if name in self.test]
        for start in range(0, len(places), _BLOCK):
            some = [sample for _, sample in self._open(places[start : start + _BLOCK])]
            for batch in self._read(some, self.conditions):
                place = self.conditions.index(batch.condition)
                for row, name in enumerate(batch.ids):
                    yield place, name, cells_of(batch.select([row]))

    def _open(self, indices: Sequence[int]) -> list[tuple[int, Sample]]:
        """The pictures that can be read, by their number."""
        good, broken = read(self.samples, indices)
        self.lost.update(broken)
        numbers = {self.ids[index]: index for index in indices}
        return [(numbers[sample.id], sample) for sample in good]

    def _dealt(
        self, opened: Sequence[tuple[int, Sample]], turn: int, chance: np.random.Generator
    ) -> Iterator[tuple[Condition, list[Sample]]]:
        """Images by noise level: over as many passes as there are levels, each image meets each level once."""
        levels = self.conditions
        if self.anywhere:
            drawn = chance.choice(LAST_TIMESTEP + 1, size=_DRAWN, replace=False)
            levels = tuple(levels[0].at(timestep=float(level)) for level in np.sort(drawn))
        for place, level in enumerate(levels):
            some = [sample for index, sample in opened if (index + turn) % len(levels) == place]
            if some:
                yield level.at(seed=level.seed + turn), some

    def _read(self, samples: Sequence[Sample], conditions: Sequence[Condition]) -> Iterator[Activations]:
        for group in self.model.stream(samples, [self.site], conditions, **self.options):
            yield from group
