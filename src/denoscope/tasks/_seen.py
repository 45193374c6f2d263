"""What a site says of every choice: from the vectors of its objects, or from principal components of other objects.

Principal components are learned from objects, so that objects that are tested must not be among them. Objects are
dealt into six groups; three objects lie in at most three of them, and the components that they are looked at in were
learned from the other groups. So every choice counts, and each is tested on objects that its components never saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.measures.comparison import Distance, dissimilarities
from denoscope.measures.judgments import Judgments
from denoscope.measures.pooling import principal
from denoscope.measures.triplets import Metric, alike, calibrated, credits, flips

__all__ = ["Block", "Seen", "Sure", "Ties", "Vectors", "seen"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]
Ties = Literal["strict", "published"]
Vectors = Literal["raw", "centred", "standard"]

_GROUPS = 6
"""Of objects: components are learned from half of them."""
_CALIBRATED = 2**18
"""Choices that the temperature is fitted and measured on, at most; by lot."""


class Block(NamedTuple):
    """Some choices, and the vectors of their objects.

    Attributes:
        rows: which of all choices, `(row,)`.
        objects: number of each of the block's objects among all, `(object,)`.
        vectors: `(object, number)`.
        judgments: the choices, objects numbered as in the block.
    """

    rows: Array
    objects: Array
    vectors: Numbers
    judgments: Judgments


class Sure(NamedTuple):
    """How sure a site is of its choices.

    Attributes:
        rows: the choices that were looked at, all or so many by lot, `(row,)`.
        loss: -log of the chance of what people chose, in nats, `(row,)`.
        chances: of the kept pair, first with odd, second with odd, `(row, 3)`.
        temperature: at which the mean loss is least; the median over blocks.
    """

    rows: Array
    loss: Numbers
    chances: Numbers
    temperature: float


@dataclass(frozen=True, eq=False)
class Seen:
    """All choices as a site makes them, block by block.

    Attributes:
        judgments: all choices.
        blocks: that share them out.
    """

    judgments: Judgments
    blocks: Sequence[Block]

    def right(self, metric: Metric, ties: Ties = "strict") -> tuple[Numbers, tuple[int, int]]:
        """What each choice earns `(row,)`, and how many have a tie of two pairs and of three for the most alike.

        `strict`: k pairs that tie earn 1 / k each. `published`: of two that tie the first one is taken, which is
        people's wherever theirs is one of them, and three that tie are wrong (Muttenthaler et al. 2023; Linhardt et
        al. 2024): a leak of the truth, and a penalty.
        """
        found, two, three = np.empty(len(self.judgments)), 0, 0
        for block in self.blocks:
            told = credits(alike(block.vectors, metric), block.judgments)
            found[block.rows] = told.right if ties == "strict" else told.right >= 0.5
            two, three = two + told.ties[0], three + told.ties[1]
        return found, (two, three)

    def sure(self, metric: Metric, seed: int) -> Sure:
        """Chances at the temperature of least loss; that of a choice was chosen by other triplets of its block."""
        lot = np.ones(len(self.judgments), dtype=bool)
        if len(lot) > _CALIBRATED:
            lot[:] = False
            lot[np.random.default_rng((seed, 2)).choice(len(lot), _CALIBRATED, replace=False)] = True
        told = [(block.rows[lot[block.rows]], calibrated(alike(block.vectors, metric),
                 block.judgments.select(lot[block.rows]), seed))
                for block in self.blocks if lot[block.rows].any()]  # fmt: skip
        rows = np.concatenate([some for some, _ in told])
        order = np.argsort(rows)
        loss, chances = (np.concatenate([getattr(found, name) for _, found in told])[order]
                         for name in ("loss", "chances"))  # fmt: skip
        return Sure(rows[order], loss, chances, float(np.median([found.temperature for _, found in told])))

    def flips(self, metric: Metric) -> Numbers:
        """1 for choices that are other ones where vectors are kept in 16 bits, `(row,)`."""
        found = np.zeros(len(self.judgments))
        for block in self.blocks:
            found[block.rows] = flips(block.vectors, block.judgments, metric)
        return found

    def unlike(self, distance: Distance) -> Numbers | None:
        """Dissimilarity of all pairs of objects, the mean over blocks; None where no two objects differ in one."""
        n = self.judgments.objects
        total, count = np.zeros((n, n)), np.zeros((n, n))
        for block in self.blocks:
            if np.ptp(block.vectors, axis=0).max(initial=0.0) == 0:
                return None
            at = np.ix_(block.objects, block.objects)
            total[at] += dissimilarities(block.vectors, distance)
            count[at] += 1
        return total / np.maximum(count, 1)

    def dealt(self, rng: np.random.Generator) -> "Seen":
        """The same with vectors dealt to other objects, within each block."""
        deals = [block._replace(vectors=block.vectors[rng.permutation(len(block.vectors))]) for block in self.blocks]
        return Seen(self.judgments, deals)


def seen(vectors: Numbers, choices: Judgments, how: Vectors = "raw", components: int = 0, seed: int = 0) -> Seen:
    """Choices as vectors make them.

    Args:
        vectors: `(object, number)`.
        choices: about these objects.
        how: vectors as they are, less their mean over objects, or in units of their spread as well.
        components: principal components that are kept, learned from other objects than those that are tested, as their
            mean and spread are; 0 for the vectors themselves.
        seed: of the groups of objects.

    Raises:
        InputError: too few objects to learn so many components from.
    """
    if not components:
        every, n = np.arange(len(choices)), choices.objects
        return Seen(choices, (Block(every, np.arange(n), scaled(vectors, how, vectors), choices),))
    return Seen(choices, tuple(_apart(vectors, choices, how, components, seed)))


def scaled(vectors: Numbers, how: Vectors, known: Numbers) -> Numbers:
    """Vectors less the mean, and in units of the spread, of known ones; a channel that does not vary becomes 0."""
    if how == "raw":
        return vectors
    centred = vectors - known.mean(axis=0)
    spread = known.std(axis=0) if how == "standard" else np.ones(vectors.shape[1])
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)


def _apart(vectors: Numbers, choices: Judgments, how: Vectors, components: int, seed: int) -> list[Block]:
    group = np.random.default_rng((seed, 4)).permutation(len(vectors)) % _GROUPS
    most = len(vectors) - sum(np.sort(np.bincount(group, minlength=_GROUPS))[-3:])
    if components >= most:
        raise InputError(f"components must be fewer than the objects that they are learned from, {most} of the "
                         f"{len(vectors)} at a time, not {components}")  # fmt: skip
    sets = np.bitwise_or.reduce([1 << group[column] for column in (choices.first, choices.second, choices.odd)])
    left, blocks = np.ones(len(choices), dtype=bool), list[Block]()
    for three in combinations(range(_GROUPS), 3):
        rows = np.flatnonzero(left & (sets & ~sum(1 << g for g in three) == 0))
        left[rows] = False
        if len(rows):
            blocks.append(_block(vectors, choices, rows, np.isin(group, three), how, components))
    return blocks


def _block(
    vectors: Numbers, choices: Judgments, rows: Array, tested: NDArray[np.bool_], how: Vectors, components: int
) -> Block:
    """Tested objects in the components of all others."""
    objects, place = np.flatnonzero(tested), np.cumsum(tested) - 1
    train = scaled(vectors[~tested], how, vectors[~tested])
    shown = principal(train, components).of(scaled(vectors[tested], how, vectors[~tested]))
    some = np.column_stack([column[rows] for column in (choices.first, choices.second, choices.odd)])
    return Block(rows, objects, shown, Judgments.of(place[some], len(objects), choices.participant[rows]))
