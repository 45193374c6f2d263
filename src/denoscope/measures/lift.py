"""Which words stand with the images in which an atom is strongest, more often than chance lets them?"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from denoscope.core.errors import InputError
from denoscope.measures.significance import false_discovery

__all__ = ["FILLERS", "Lift", "lift", "vocabulary"]

FILLERS = frozenset(
    {"a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "into", "is", "it", "its", "of", "on", "onto",
     "or", "over", "that", "the", "there", "this", "to", "was", "were", "with"}
)  # fmt: skip
"""Words that say nothing of what a picture shows."""


class Lift(NamedTuple):
    """How much more often each word stands with some images than with all.

    Attributes:
        log_odds: natural logarithm of the odds of the word among these images over those among the others, half a
            count added to each of the four, `(atom, word)`.
        p: that so many of the images have the word when they are drawn by lot: the upper tail of the hypergeometric
            distribution (Fisher's exact test), `(atom, word)`.
        q: the smallest false discovery rate at which the word stands, over all atoms and words at once.
    """

    log_odds: NDArray[np.float64]
    p: NDArray[np.float64]
    q: NDArray[np.float64]


def vocabulary(
    texts: Sequence[str], least: int = 5, most: float = 0.9, fillers: Collection[str] = FILLERS
) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """Words of the texts, and which text has which, `(text, word)`.

    Args:
        texts: captions or prompts.
        least: texts that a word stands in, at least.
        most: share of the texts that it stands in, at most; a word that all have tells them not apart.
        fillers: words that are left out.
    """
    split = [set(_words(text)) - set(fillers) for text in texts]
    counts = Counter(word for words in split for word in words)
    kept = sorted(word for word, count in counts.items() if least <= count <= most * len(texts))
    place = {word: number for number, word in enumerate(kept)}
    has = np.zeros((len(texts), len(kept)), dtype=np.bool_)
    for row, words in enumerate(split):
        has[row, [place[word] for word in words if word in place]] = True
    return tuple(kept), has


def lift(chosen: Sequence[Sequence[int]], has: NDArray[np.bool_]) -> Lift:
    """Lift of every word for every atom.

    Args:
        chosen: for each atom the images in which it is strongest; none where it is not to be tested.
        has: which image has which word, `(image, word)`.

    Raises:
        InputError: an image that does not exist, or one that is named twice for an atom.
    """
    images, words = has.shape
    hits, sizes = np.zeros((len(chosen), words)), np.zeros((len(chosen), 1))
    for atom, rows in enumerate(chosen):
        if len(set(rows)) < len(rows) or (len(rows) and not 0 <= min(rows) <= max(rows) < images):
            raise InputError(f"atom {atom} names an image twice, or one that is not among the {images}")
        hits[atom], sizes[atom] = has[list(rows)].sum(axis=0), len(rows)
    total = has.sum(axis=0)
    p = np.where(sizes > 0, hypergeom.sf(hits - 1, images, total, sizes), np.nan)
    inside = np.log((hits + 0.5) / (sizes - hits + 0.5))
    outside = np.log((total - hits + 0.5) / (images - sizes - total + hits + 0.5))
    return Lift(np.where(sizes > 0, inside - outside, np.nan), p, false_discovery(np.clip(p, 0, 1)).q)


def _words(text: str) -> list[str]:
    kept: Any = "".join(letter if letter.isalnum() or letter == "-" else " " for letter in text.lower())
    return kept.split()
