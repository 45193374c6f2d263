"""One pass over a store: what every atom of a dictionary did."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.dictionaries.base import Learned
from denoscope.interpret.walking import Source
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


def observed(source: Source, dictionary: Learned, top: int, advance: Callable[[int], Any]) -> Observed:
    """Every image, once.

    Args:
        source: where the activations lie.
        dictionary: whose atoms.
        top: images that are kept per atom and half.
        advance: is told of every image.

    Raises:
        InputError: more images x atoms than can be held.
    """
    atoms, halves = len(dictionary.atoms), source.halves()
    if len(halves) * atoms > _MOST:
        raise InputError(f"{len(halves)} images x {atoms} atoms are more than can be held ({_MOST:.2g}); interpret a "
                         f"store of {_MOST // atoms} images or fewer (extract --limit)")  # fmt: skip
    atlases = Atlas(atoms, top), Atlas(atoms, top)
    strengths = np.zeros((len(halves), atoms), dtype=np.float16)
    where: list[Any] = [None] * len(halves)
    most = float(np.finfo(np.float16).max)
    for image in source.coded(dictionary):
        atlases[halves[image.number]].add(image.number, image.codes, image.where)
        strengths[image.number] = image.codes.max(axis=0).clip(0, most)
        where[image.number] = image.where
        advance(1)
    return Observed(atlases, strengths, tuple(where))
