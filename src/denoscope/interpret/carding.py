"""Which atoms get a card, which images stand on it, and what is said of them."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from denoscope.interpret.cards import Card, Meter
from denoscope.interpret.drawing import Shown
from denoscope.interpret.found import Interpreted

__all__ = ["atoms_for", "bands_of", "cards_of"]

_STRONG, _LESS = 5, 2
"""Images of the strongest band of a card, and of each of the others."""
_CLEAR = 0.1
"""F1 above calling every image by the class from which the class stands for a name."""


def atoms_for(found: Interpreted, count: int, named: bool = True) -> list[int]:
    """Atoms that get a card: for each word the one that detects it best, then the second best, and so on; then those
    without a word, the ones that are active in most images first.

    Args:
        found: of the dictionary.
        count: at most so many.
        named: whether those with a word come first.
    """
    atlas, words = found.observed.atlas, found.names.words
    order = np.argsort(-atlas.active_images, kind="stable").tolist()
    if words is not None and named:
        seen = dict.fromkeys(words.word, 0)
        rank: dict[int, tuple[float, float]] = {}
        for atom in np.argsort(-np.nan_to_num(words.detection), kind="stable").tolist():
            word = words.word[atom]
            rank[atom] = (seen[word] if word else np.inf, -float(words.detection[atom]) if word else 0.0)
            seen[word] += 1
        order.sort(key=rank.__getitem__)
    return [atom for atom in order if atlas.active_images[atom] > 0][:count]


def bands_of(found: Interpreted, atom: int) -> dict[str, list[int]]:
    """Numbers of the images in which an atom is strongest, about as strong as in half of them, and hardly active."""
    strengths = found.observed.strengths[:, atom].astype(np.float32)
    order = np.argsort(-strengths, kind="stable")[: int((strengths > 0).sum())]
    strong, rest = order[:_STRONG], order[_STRONG:]
    middle = rest[max(0, len(rest) // 2 - _LESS // 2) :][:_LESS]
    weak = rest[-_LESS:] if len(rest) >= 3 * _LESS else rest[:0]
    bands = {"strong": strong, "middle": middle[~np.isin(middle, weak)], "weak": weak}
    return {band: some.tolist() for band, some in bands.items()}


def cards_of(
    found: Interpreted,
    kind: str,
    atoms: Sequence[int],
    shown: Mapping[tuple[int, int], Shown],
    names: Sequence[str],
    has: Mapping[str, NDArray[np.bool_]],
    lines: Mapping[int, Sequence[str]],
) -> list[Card]:
    """Cards of some atoms.

    Args:
        found: of their dictionary.
        kind: `learned` or `random`.
        atoms: in the order of the page.
        shown: atom and number of an image to the image with the atom's codes.
        names: id of each image, by number.
        has: word to whether each image's caption has it.
        lines: further sentences on an atom.
    """
    made: list[Card] = []
    for atom in atoms:
        title, told = _title(found, atom)
        bands = bands_of(found, atom)
        strengths = found.observed.strengths[:, atom].astype(np.float32)
        active, word = strengths > 0, has.get(title, np.zeros(len(strengths), dtype=np.bool_))
        made.append(
            Card(
                atom, kind, title, told, tuple(_meters(found, atom)), tuple(lines.get(atom, ())),
                {band: [shown[atom, number] for number in some] for band, some in bands.items()},
                {band: [names[number] for number in some] for band, some in bands.items()},
                (strengths[active & word], strengths[active & ~word]), float(found.observed.atlas.density[atom]),
            )
        )  # fmt: skip
    return made


def _title(found: Interpreted, atom: int) -> tuple[str, str]:
    """The word of an atom, or the class that it detects clearly; and what that rests on."""
    words, known = found.names.words, _class(found, atom)
    detects = ""
    if known is not None and known[2] - known[3] > _CLEAR:
        detects = f"{known[0]}: {known[1]}, F1 {known[2]:.2f}"
    if words is not None and words.word[atom]:
        told = f"word of captions, q = {words.q[atom]:.1g}"
        return words.word[atom], f"{told}; {detects}" if detects else told
    return (str(known[1]), detects) if known is not None and detects else ("", "")


def _class(found: Interpreted, atom: int) -> tuple[str, str, float, float] | None:
    """Fact and class that an atom detects best above chance, with F1 and that chance."""
    told = [(name, str(of.label[atom]), float(of.f1[atom]), float(of.chance[atom]))
            for name, of in found.names.factors.items()]  # fmt: skip
    return max(told, key=lambda one: one[2] - one[3], default=None)


def _meters(found: Interpreted, atom: int) -> Iterator[Meter]:
    """What is known of an atom, each beside chance."""
    for meter in _all(found, atom):
        if np.isfinite(meter.value):
            yield meter


def _all(found: Interpreted, atom: int) -> Iterator[Meter]:
    if (words := found.names.words) is not None:
        yield Meter(
            "detection",
            float(words.detection[atom]),
            0.5,
            "ROC area: a strong atom means that the caption has the word, on images that named nothing",
        )
        yield Meter("near misses", float(words.near[atom]), 0.5,
                    "the same among images that the atoms nearest to it take for theirs")  # fmt: skip
    if (place := found.places.get(atom)) is not None and len(place.images):
        yield Meter(
            "location",
            float(place.precision.mean()),
            float(place.elsewhere.mean()),
            "average precision of its cells for the word's mask; the line is the mask of another image",
        )
        yield Meter("fuzzing", place.fuzzing, 0.5,
                    "how often its marks beat moved, turned and other atoms' marks")  # fmt: skip
    if (known := _class(found, atom)) is not None:
        yield Meter("F1 of class", known[2], known[3],
                    f"{known[0]}: {known[1]}, on the half of the images that did not choose it")  # fmt: skip
    if found.seen is not None and atom in found.looked:
        at = found.looked.index(atom)
        yield Meter("intruder", float(found.seen.intruder[at]), 0.2, "a patch of another atom among four is found")
        yield Meter("place", float(found.seen.place[at]), 0.5,
                    "its strongest patch is more like those of its other images than one elsewhere")  # fmt: skip
