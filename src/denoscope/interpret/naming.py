"""Names of atoms: words of captions and classes of facts, found on one half of the images, tested on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from denoscope.core.errors import InputError, unknown
from denoscope.interpret.observing import Observed
from denoscope.measures.atlas import Atlas
from denoscope.measures.factors import Detected, Named, detected, mutual_information, named
from denoscope.measures.lift import lift, vocabulary

__all__ = ["Names", "Words", "detection", "factors_of", "names_of"]

Floats = NDArray[np.float64]
_CLASSES = (2, 60)
"""A fact is a factor when so many classes stand in the images."""
_FEWEST = 8
"""Images that each class of a factor stands in, on average."""
_NEAR, _NEAR_LEAST = 8, 3
"""Neighbours of an atom whose strongest images are near misses, and how few of these say nothing."""


@dataclass(frozen=True, eq=False)
class Words:
    """The word of each atom.

    Attributes:
        word: whose lift among the strongest images of the naming half is the surest; empty where none is sure.
        q: the false discovery rate at which it stands, over all atoms and words.
        log_odds: its lift.
        detection: area under the ROC curve of the atom's strength for "the caption has the word", on the testing half;
            NaN without a word. 0.5 is chance.
        near: the same among images with the word and near misses: images without it in which one of the atoms that
            point most nearly the same way is strongest. NaN where there are fewer than three of either.
    """

    word: tuple[str, ...]
    q: Floats
    log_odds: Floats
    detection: Floats
    near: Floats


@dataclass(frozen=True, eq=False)
class Names:
    """All that atoms are called.

    Attributes:
        factors: name of a fact to the class that each atom detects.
        classes: name of a fact to the atom that detects each of its classes.
        information: name of a fact to mutual information with it, in bits, `(atom,)`.
        shuffled: the same with shuffled classes, `(atom,)`.
        words: from captions; None without them.
    """

    factors: Mapping[str, Named] = field(default_factory=dict[str, Named])
    classes: Mapping[str, Detected] = field(default_factory=dict[str, Detected])
    information: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    shuffled: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    words: Words | None = None


def factors_of(facts: Sequence[Mapping[str, Any]], asked: Sequence[str]) -> dict[str, NDArray[np.str_]]:
    """Facts that are classes of images: those that were asked for, or all that have few enough classes.

    Args:
        facts: of each image.
        asked: names; all unless given.

    Raises:
        UnknownName: one that was asked for is no fact of the images.
        InputError: one that was asked for is no word of every image, or has too few or too many classes.
    """
    known = list(dict.fromkeys(name for row in facts for name in row))
    found: dict[str, NDArray[np.str_]] = {}
    most = min(_CLASSES[1], len(facts) // _FEWEST)
    for name in asked or known:
        if name not in known:
            raise unknown(
                "fact of the images", name, known, "the store's index.parquet; several are given as --facts a b"
            )
        values = [row.get(name) for row in facts]
        words = all(isinstance(value, str) for value in values)
        count = len(set(map(str, values)))
        if words and _CLASSES[0] <= count <= most:
            found[name] = np.array(values, dtype=np.str_)
        elif asked:
            told = f"has {count} classes; {_CLASSES[0]} to {most} can be told" if words else "is no word of every image"
            raise InputError(f"the fact {name!r} {told} on {len(facts)} images")
    return found


def names_of(
    seen: Observed, halves: NDArray[np.int64], factors: Mapping[str, NDArray[np.str_]], captions: Sequence[str],
    least: int, seed: int, atoms: NDArray[Any] | None = None,
) -> Names:  # fmt: skip
    """What each atom is called.

    Args:
        seen: what the atoms did.
        halves: which half each image is of.
        factors: classes of each image.
        captions: of each image; empty where there are none.
        least: images of the naming half that an atom must be active in to be given a word.
        seed: of halves within factors and of shuffles.
        atoms: directions `(atom, channel)`, for near misses; none are looked for unless given.
    """
    rng = np.random.default_rng((seed, 5))
    strengths = seen.strengths
    active = strengths > 0
    return Names(
        factors={name: named(strengths, labels, seed) for name, labels in factors.items()},
        classes={name: detected(strengths, labels, seed) for name, labels in factors.items()},
        information={name: mutual_information(active, labels) for name, labels in factors.items()},
        shuffled={name: mutual_information(active, rng.permutation(labels)) for name, labels in factors.items()},
        words=_words(seen, halves, captions, least, atoms) if any(captions) else None,
    )  # fmt: skip


def detection(strengths: NDArray[Any], truth: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, ties counted half; NaN where all images or none are true."""
    positive = int(truth.sum())
    if positive in (0, len(truth)):
        return float("nan")
    ranks = rankdata(strengths)[truth].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * (len(truth) - positive)))


def _words(
    seen: Observed, halves: NDArray[np.int64], captions: Sequence[str], least: int, directions: NDArray[Any] | None
) -> Words | None:
    first = np.flatnonzero(halves == 0)
    place = {number: row for row, number in enumerate(first.tolist())}
    words, has = vocabulary(captions)
    if not words:
        return None
    atlas = seen.atlases[0]
    strongest = [[place[number] for number, _, _ in atlas.top(atom)] for atom in range(len(atlas.total))]
    found = lift([rows if len(rows) >= least else [] for rows in strongest], has[first])
    rank = np.where(np.isnan(found.q), np.inf, found.q - 1e-9 * np.nan_to_num(found.log_odds))
    best, atoms = rank.argmin(axis=1), np.arange(len(strongest))
    q, odds = found.q[atoms, best], found.log_odds[atoms, best]
    sure = np.nan_to_num(q, nan=1.0) < 0.05
    tested = halves == 1
    auc, near = np.full(len(atoms), np.nan), np.full(len(atoms), np.nan)
    for atom in np.flatnonzero(sure).tolist():
        strengths, truth = seen.strengths[:, atom], has[:, best[atom]]
        auc[atom] = detection(strengths[tested], truth[tested])
        if directions is not None:
            misses = _misses(seen.atlases[1], directions, atom, truth, len(halves))
            among = tested & (truth | misses)
            if min((among & truth).sum(), (among & misses).sum()) >= _NEAR_LEAST:
                near[atom] = detection(strengths[among], truth[among])
    return Words(tuple(words[best[atom]] if sure[atom] else "" for atom in atoms), q, odds, auc, near)


def _misses(
    atlas: Atlas, directions: NDArray[Any], atom: int, truth: NDArray[np.bool_], images: int
) -> NDArray[np.bool_]:
    """Images without the word in which a neighbour of the atom is strongest, `(image,)`."""
    cosines = directions @ directions[atom]
    cosines[atom] = -np.inf
    close = np.argsort(-cosines, kind="stable")[:_NEAR]
    found = np.zeros(images, dtype=np.bool_)
    found[[number for other in close.tolist() for number, _, _ in atlas.top(other)]] = True
    return found & ~truth
