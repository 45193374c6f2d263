"""What a judge thinks of atoms, with the controls that say how far that is about the atoms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.interpret.drawing import Shown
from denoscope.interpret.judges import Judge, Marked

__all__ = ["Judged", "judged_by", "scored_by"]

Floats = NDArray[np.float64]


class Judged(NamedTuple):
    """What a judge said of each atom; images that are scored were not those that were explained.

    Attributes:
        text: what its strongest images have in common, `(atom,)`.
        own: mean score of its own marks, `(atom,)`.
        other: mean score of images of other atoms under the marks of those, which a published score takes for
            negatives; such a picture differs in content and in marks at once.
        moved: mean score of its own images with the marks moved by half the grid: what content alone is worth.
        turned: the same with the marks turned by half a turn.
        swapped: the same with the marks of another atom that is active about as often.
        dealt: mean score of its own marks against the text of another atom: what the judge says to anything.
    """

    text: tuple[str, ...]
    own: Floats
    other: Floats
    moved: Floats
    turned: Floats
    swapped: Floats
    dealt: Floats

    @property
    def location(self) -> Floats:
        """Own marks less the mean of wrong ones on the same images: nothing where the judge sees content alone."""
        return self.own - (self.moved + self.turned + self.swapped) / 3

    @property
    def published(self) -> Floats:
        """Mean of s over own images and of 1 - s over those of other atoms, on images that were not explained."""
        return (self.own + 1 - self.other) / 2


def judged_by(
    judge: Judge, explained: Mapping[int, Sequence[Shown]], scored: Mapping[int, Sequence[Shown]],
    swapped: Mapping[int, Sequence[Shown]], seed: int, advance: Callable[[int], Any],
) -> Judged:  # fmt: skip
    """Explain and score atoms.

    Args:
        judge: who is asked.
        explained: atom to images that the judge explains.
        scored: the same atoms to images that it scores: others than those.
        swapped: the same images with the codes of another atom.
        seed: of which other atoms stand against each.
        advance: is told of every atom.

    Raises:
        InputError: fewer than two atoms, a judge that cannot be reached, or one that mostly gives no number.
    """
    atoms = list(explained)
    if len(atoms) < 2:
        raise InputError("a judge compares atoms with one another: two or more are needed")
    top = {atom: max(float(image.codes.max()) for image in (*explained[atom], *scored[atom])) for atom in atoms}
    text: dict[int, str] = {}
    for atom in atoms:
        text[atom] = judge.explain([image.marked(top[atom]) for image in explained[atom]])
    order = np.random.default_rng((seed, 8)).permutation(len(atoms))
    partner = {atoms[a]: atoms[b] for a, b in zip(order, np.roll(order, 1), strict=True)}
    rows: list[list[float]] = []
    for atom in atoms:
        other, images = partner[atom], scored[atom]
        marks = {
            "own": [image.marked(top[atom]) for image in images],
            "other": [image.marked(top[other]) for image in scored[other]],
            "moved": [image.marked(top[atom], _half(image)) for image in images],
            "turned": [image.marked(top[atom], turned=True) for image in images],
            "swapped": [image.marked(None) for image in swapped[atom]],
        }
        rows.append([float(scored_by(judge, shown, text[atom]).mean()) for shown in marks.values()])
        rows[-1].append(float(scored_by(judge, marks["own"], text[other]).mean()))
        advance(1)
    return Judged(tuple(text[atom] for atom in atoms), *np.array(rows).T)


def scored_by(judge: Judge, images: Sequence[Marked], text: str) -> Floats:
    """Scores of marked images, `(image,)`; what has no number is the mean of those that have.

    Raises:
        InputError: a judge that gives no number for more than half of them.
    """
    found = np.array([judge.score(image, text) for image in images], dtype=np.float64)
    known = np.isfinite(found)
    if 2 * known.sum() < len(found):
        raise InputError(f"the judge {judge.name} gave no number for {int((~known).sum())} of {len(found)} pictures "
                         f"that it was to score against {text[:60]!r}")  # fmt: skip
    return np.where(known, found, found[known].mean())


def _half(image: Shown) -> tuple[int, int]:
    return image.grid.rows // 2, image.grid.cols // 2
