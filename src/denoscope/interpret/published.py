"""The score that the paper on Flux's dictionaries (2025) gives atoms, as its code has it, with controls of our own.

The five strongest images that an atom is active enough in are explained, and the same five are judged, so that a text
which only describes them does well; beside them stand the strongest images of five other atoms, drawn in proportion to
how many images those have, under *their* marks, so that content and marks differ at once. The score is the mean of s on
the one and of 1 - s on the other: a judge that always gives the same number earns 0.5 with any text. Marks are scaled
in each image by itself, so that a weak one looks like a strong one, and what counts as active is a fixed number in the
units of that dictionary's codes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.interpret.asking import scored_by
from denoscope.interpret.drawing import Shown
from denoscope.interpret.judges import Judge
from denoscope.interpret.passes import Fact
from denoscope.interpret.walking import Coded
from denoscope.measures.atlas import Atlas

__all__ = ["CELLS", "NEGATIVES", "Enough", "NoImages", "Published", "drawn_others", "published_by"]

Floats = NDArray[np.float64]
NEGATIVES = 5
"""Other atoms that stand against each, with an image each."""


CELLS = 6
"""Cells above the threshold from which the published score keeps an image."""


@dataclass(frozen=True)
class Enough:
    """The images of a block in which atoms are active enough, and the strongest of them.

    Attributes:
        atoms: of the dictionary.
        above: code that a cell must exceed to count.
        top: images that are kept per atom.
    """

    atoms: int
    above: float
    top: int

    def __call__(self, images: Iterator[Coded], fact: Fact) -> Atlas:
        """An atlas of codes that are 0 throughout an image with too few such cells."""
        found = Atlas(self.atoms, self.top)
        for image in images:
            enough = (image.codes > self.above).sum(axis=0) >= min(CELLS, len(image.codes))
            found.add(image.number, np.where(enough, image.codes, 0), image.where)
        return found


class NoImages(InputError):
    """Fewer than two atoms are active enough in any image."""


class Published(NamedTuple):
    """What the published procedure says of each atom.

    Attributes:
        text: what its images have in common, `(atom,)`.
        score: mean of s on its images and 1 - s on those of other atoms, `(atom,)`.
        dealt: the same pictures against the text of another atom: what the procedure gives any text.
    """

    text: tuple[str, ...]
    score: Floats
    dealt: Floats


def drawn_others(atom: int, images: NDArray[Any], rng: np.random.Generator) -> list[int]:
    """Other atoms, in proportion to how many images each has; as many as there are where those are few.

    Args:
        atom: that they stand against.
        images: of each atom of the dictionary, `(atom,)`.
        rng: of the draw.
    """
    weights = images.astype(np.float64)
    weights[atom] = 0
    count = min(NEGATIVES, int((weights > 0).sum()))
    return rng.choice(len(weights), count, replace=False, p=weights / weights.sum()).tolist() if count else []


def published_by(
    judge: Judge, own: Mapping[int, Sequence[Shown]], others: Mapping[int, Sequence[Shown]],
    advance: Callable[[int], Any],
) -> Published:  # fmt: skip
    """Explain and score atoms as published.

    Args:
        judge: who is asked.
        own: atom to its images, which are explained and then judged.
        others: the same atoms to images of other atoms, with the codes of those.
        advance: is told of every atom.

    Raises:
        InputError: a judge that cannot be reached, or that mostly gives no number.
    """
    atoms = list(own)
    pictures = {a: [one.marked(None, colour="blue") for one in (*own[a], *others[a])] for a in atoms}
    text = {a: judge.explain(pictures[a][: len(own[a])]) for a in atoms}
    partner = dict(zip(atoms, [*atoms[1:], *atoms[:1]], strict=True))
    scores: list[tuple[float, float]] = []
    for a in atoms:
        ours = np.arange(len(pictures[a])) < len(own[a])
        told = [scored_by(judge, pictures[a], text[by]) for by in (a, partner[a])]
        scores.append((float(np.where(ours, told[0], 1 - told[0]).mean()),
                       float(np.where(ours, told[1], 1 - told[1]).mean())))  # fmt: skip
        advance(1)
    return Published(tuple(text[a] for a in atoms), *np.array(scores).reshape(-1, 2).T)
