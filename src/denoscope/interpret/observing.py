"""One pass over a store: what every atom of a dictionary did."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.dictionaries.base import Learned
from denoscope.interpret.passes import Advance, Fact, Passes
from denoscope.interpret.walking import Coded
from denoscope.measures.atlas import Atlas

__all__ = ["Observed", "observed"]

_MOST = 2**28
"""Numbers of images x atoms that are held: half a gibibyte in half precision."""


@dataclass(frozen=True, eq=False)
class Observed:
    """What a dictionary's atoms did.

    Attributes:
        atlases: of the half of the images that names come from, and of the half that tests them.
        strengths: largest code of each atom in each image, fp16, `(image, atom)`; 0 where it is not active.
        where: of each image, row and column of its cells as shares of its sides, `(cell, 2)`.
    """

    atlases: tuple[Atlas, Atlas]
    strengths: NDArray[np.float16]
    where: tuple[NDArray[np.float64], ...]

    @cached_property
    def atlas(self) -> Atlas:
        """Of all images."""
        return self.atlases[0].merge(self.atlases[1])


def observed(passes: Passes, dictionary: Learned, top: int, advance: Advance) -> Observed:
    """Every image, once.

    Args:
        passes: over where the activations lie.
        dictionary: whose atoms.
        top: images that are kept per atom and half.
        advance: is told of every image.

    Raises:
        InputError: more images x atoms than can be held.
    """
    atoms, halves = len(dictionary.atoms), passes.source.halves()
    if len(halves) * atoms > _MOST:
        raise InputError(f"{len(halves)} images x {atoms} atoms are more than can be held ({_MOST:.2g}); interpret a "
                         f"store of {_MOST // atoms} images or fewer (extract --limit)")  # fmt: skip
    atlases = Atlas(atoms, top), Atlas(atoms, top)
    strengths = np.zeros((len(halves), atoms), dtype=np.float16)
    where: list[Any] = [None] * len(halves)
    for part in passes.parts(dictionary, _Observing(atoms, top, halves.astype(np.int8)), advance):
        atlases = atlases[0].merge(part.atlases[0]), atlases[1].merge(part.atlases[1])
        for number, strongest, places in zip(part.numbers, part.strengths, part.where, strict=True):
            strengths[number], where[number] = strongest, places
    return Observed(atlases, strengths, tuple(where))


@dataclass(frozen=True, eq=False)
class _Part:
    """What atoms did on one block of images."""

    atlases: tuple[Atlas, Atlas]
    numbers: list[int]
    strengths: list[NDArray[np.float16]]
    where: list[NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class _Observing:
    """Look at one block."""

    atoms: int
    top: int
    halves: NDArray[np.int8]

    def __call__(self, images: Iterator[Coded], fact: Fact) -> _Part:
        part = _Part((Atlas(self.atoms, self.top), Atlas(self.atoms, self.top)), [], [], [])
        most = float(np.finfo(np.float16).max)
        for image in images:
            part.atlases[self.halves[image.number]].add(image.number, image.codes, image.where)
            part.numbers.append(image.number)
            part.strengths.append(image.codes.max(axis=0).clip(0, most).astype(np.float16))
            part.where.append(image.where)
        return part
