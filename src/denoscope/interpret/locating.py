"""Is an atom active where its word is? Codes against masks, beside codes and masks that are wrong in one way each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.dictionaries.base import Learned
from denoscope.interpret.passes import Advance, Fact, Passes
from denoscope.interpret.walking import Coded
from denoscope.measures.confidence import average_precision

__all__ = ["Located", "located", "moved", "partners", "turned"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_MOST = 40
"""Images per atom."""


class Located(NamedTuple):
    """Average precision of an atom's codes over cells, in images of the testing half that show its word, `(image,)`.

    Attributes:
        precision: against the image's own mask.
        elsewhere: the same codes against the mask of another image that shows the word: what an atom earns that only
            knows where such things usually stand.
        share: of the cells that the mask fills: what codes by lot earn.
        moved: the codes moved by half the image, around its edges, against its own mask.
        turned: the codes turned upside down.
        other: codes, on the same image, of another atom that is active about as often.
        images: number of each image.
    """

    precision: Floats
    elsewhere: Floats
    share: Floats
    moved: Floats
    turned: Floats
    other: Floats
    images: NDArray[np.int64]

    @property
    def fuzzing(self) -> float:
        """How often the true codes beat wrong ones on the same image, ties half; 0.5 is chance."""
        wrong = np.stack([self.moved, self.turned, self.other])
        return float(((np.sign(self.precision - wrong) + 1) / 2).mean())


class _Shot(NamedTuple):
    """An atom's codes and another one's at the cells of an image, `(cell,)`, and the mask of its word."""

    number: int
    codes: NDArray[np.float32]
    other: NDArray[np.float32]
    shape: tuple[int, int]
    mask: Mask

    @property
    def wrong(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The codes moved, turned, and of the other atom."""
        return moved(self.codes, self.shape), turned(self.codes, self.shape), self.other


def moved(codes: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Codes `(cell,)` of a rectangle of cells, moved by half of it around the edges."""
    return np.roll(codes.reshape(shape), (shape[0] // 2, shape[1] // 2), (0, 1)).reshape(-1)


def turned(codes: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Codes `(cell,)` of a rectangle of cells, turned by half a turn."""
    return codes.reshape(shape)[::-1, ::-1].reshape(-1)


def partners(density: NDArray[Any]) -> NDArray[np.int64]:
    """For each atom another one that is active about as often: its neighbour in the order of density, `(atom,)`."""
    order = np.argsort(density, kind="stable")
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.append(order[1:], order[-2:-1] if len(order) > 1 else order)
    return found


def located(
    passes: Passes, dictionary: Learned, words: Mapping[int, str], tested: NDArray[np.bool_], advance: Advance,
    others: NDArray[np.int64] | None = None,
) -> dict[int, Located]:  # fmt: skip
    """Where atoms are active, for atoms whose word names a segment.

    Args:
        passes: over where the activations lie; its images know `segments` (class of each pixel) and `segment_names`.
        dictionary: whose atoms.
        words: atom to word.
        tested: whether each image is on the testing half.
        advance: is told of every image.
        others: for each atom another one, whose codes stand beside; the next one unless given.
    """
    maps: dict[int, list[_Shot]] = {atom: [] for atom in words}
    beside = np.roll(np.arange(len(dictionary.atoms)), -1) if others is None else others
    for part in passes.parts(dictionary, _Locating(words, tested, beside), advance):
        for atom, shots in part.items():
            maps[atom] += shots[: _MOST - len(maps[atom])]
    return {atom: _scored(found) for atom, found in maps.items() if len(found) > 1}


@dataclass(frozen=True, eq=False)
class _Locating:
    """Codes and masks of one block."""

    words: Mapping[int, str]
    tested: NDArray[np.bool_]
    beside: NDArray[np.int64]

    def __call__(self, images: Iterator[Coded], fact: Fact) -> dict[int, list[_Shot]]:
        maps: dict[int, list[_Shot]] = {}
        names = set(self.words.values())
        for image in images:
            shown = _masks(image, fact, names) if self.tested[image.number] else {}
            for atom, word in self.words.items() if shown else ():
                codes = image.codes[:, atom]
                if word in shown and (codes > 0).any() and len(maps.setdefault(atom, [])) < _MOST:
                    other = image.codes[:, self.beside[atom]].copy()
                    maps[atom].append(_Shot(image.number, codes.copy(), other, image.shape, shown[word]))
        return maps


def _scored(found: Sequence[_Shot]) -> Located:
    """Each image beside the mask of the next one that lies on as many cells."""
    rows: list[tuple[float, ...]] = []
    for place, shot in enumerate(found):
        others = [one.mask for one in (*found[place + 1 :], *found[:place]) if len(one.mask) == len(shot.mask)]
        if others:
            wrong = [average_precision(shot.mask, codes) for codes in shot.wrong]
            right = average_precision(shot.mask, shot.codes), average_precision(others[0], shot.codes)
            rows.append((*right, float(shot.mask.mean()), *wrong, shot.number))
    told = np.array(rows, dtype=np.float64).reshape(-1, 7).T
    return Located(told[0], told[1], told[2], told[3], told[4], told[5], told[6].astype(np.int64))


def _masks(image: Coded, fact: Fact, words: set[str]) -> dict[str, Mask]:
    """Cells that show each word, by the class of most pixels under them; words that no cell or all cells show not."""
    segments, names = fact(image.name, "segments"), fact(image.name, "segment_names")
    if segments is None or names is None:
        return {}
    index, pixels = image.under(np.asarray(segments).shape)
    found: dict[str, Mask] = {}
    for number, name in enumerate(names):
        if name in words:
            inside = np.bincount(index, (np.asarray(segments) == number).reshape(-1), image.grid.cells) / pixels
            mask = (inside >= 0.5)[image.cells]
            if 0 < mask.sum() < len(mask):
                found[name] = mask
    return found
