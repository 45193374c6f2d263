"""Passes over a store, in this process or on a cluster: the same blocks, merged in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.dictionaries.base import Learned
from denoscope.evaluate.knowing import Reopened, reopened
from denoscope.interpret.walking import Coded, Source
from denoscope.pool import Do, Pool
from denoscope.store.place import Place
from denoscope.store.store import Store

__all__ = ["Advance", "Fact", "Passes", "Step"]

Advance = Callable[[int], Any]
Fact = Callable[[str, str], Any]
"""`fact(image, name)`: what the data set knows of an image."""
_WHY = "masks of atoms"

Part = TypeVar("Part", covariant=True)
Whole = TypeVar("Whole")


class Step(Protocol[Part]):
    """What is made of a block of images; it travels to actors through pickle, and so does what it makes."""

    def __call__(self, images: Iterator[Coded], fact: Fact) -> Part:
        """Read every image of a block once."""
        ...


@dataclass(frozen=True, eq=False)
class Passes:
    """A source, read block by block as often as is asked.

    Attributes:
        source: where the activations lie.
        reader: of pictures and masks.
        data: the images as the user gave them; None where the store can find them.
        pool: a cluster whose actors read blocks; this process where there is none.
    """

    source: Source
    reader: Reopened
    data: Any = None
    pool: Pool | None = None

    def parts(self, made: Learned, step: Step[Whole], advance: Advance) -> Iterator[Whole]:
        """What a step makes of each block, in the order of the blocks.

        Args:
            made: the dictionary whose codes are looked at.
            step: is done on every block.
            advance: is told of images: of each here, of whole blocks on a cluster.

        Raises:
            InputError: values without cells, or a node that does not see the store.
        """
        blocks = self.source.blocks
        if self.pool is None:
            for block in blocks:
                yield step(_told(self.source.coded(made, block), advance), self.reader.fact)
        else:
            job = _Job.of(self, made, step)
            for block, part in zip(blocks, self.pool.ordered(job, len(blocks)), strict=True):
                advance(len(block))
                yield part


def _told(images: Iterator[Coded], advance: Advance) -> Iterator[Coded]:
    for image in images:
        advance(1)
        yield image


@dataclass(frozen=True, eq=False)
class _Job:
    """All that an actor needs."""

    store: str
    recipe: str
    images: int
    site: Site
    condition: Condition
    data: Any
    made: Learned
    step: Step[Any]

    @classmethod
    def of(cls, passes: Passes, made: Learned, step: Step[Any]) -> _Job:
        """From what this process has open."""
        source = passes.source
        folder = source.volume.place.anywhere
        return cls(folder.rstrip("/").rpartition("/")[0], source.volume.recipe.digest, len(source.volume.table),
                   source.site, source.condition, passes.data, made, step)  # fmt: skip

    def __call__(self) -> Do[Any]:
        """Ready to read blocks.

        Raises:
            InputError: the node does not see the store, or another one.
        """
        volumes = {one.recipe.digest: one for one in Store(self.store).volumes} if Place(self.store).exists() else {}
        volume = volumes.get(self.recipe)
        if volume is None or len(volume.table) != self.images:
            raise InputError(f"a node does not see what lies in {self.store}; use a folder that all nodes share, or a "
                             "URL")  # fmt: skip
        source = Source(volume, self.site, self.condition)
        blocks, opened = source.blocks, dict[str, Reopened]()

        def fact(image: str, name: str) -> Any:
            if not opened:  # most steps need no picture
                opened[""] = reopened(volume, self.data, _WHY)
            return opened[""].fact(image, name)

        return lambda number: self.step(source.coded(self.made, blocks[number]), fact)
