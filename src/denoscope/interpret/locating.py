"""Is an atom active where its word is? Codes against masks, beside masks of other images."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.dictionaries.base import Learned
from denoscope.interpret.walking import Coded, Source
from denoscope.measures.confidence import average_precision

__all__ = ["Located", "located"]

Floats = NDArray[np.float64]
_MOST = 40
"""Images per atom."""


class Located(NamedTuple):
    """Average precision of an atom's codes over the cells of images that show its word, on the testing half.

    Attributes:
        precision: against the image's own mask, `(image,)`.
        elsewhere: the same codes against the mask of another image that shows the word: what an atom earns that only
            knows where such things usually stand.
        share: of the cells that the mask fills: what codes by lot earn.
        images: number of each image.
    """

    precision: Floats
    elsewhere: Floats
    share: Floats
    images: NDArray[np.int64]


def located(
    source: Source, dictionary: Learned, words: Mapping[int, str], tested: NDArray[np.bool_],
    fact: Callable[[str, str], Any], advance: Callable[[int], Any],
) -> dict[int, Located]:  # fmt: skip
    """Where atoms are active, for atoms whose word names a segment.

    Args:
        source: where the activations lie.
        dictionary: whose atoms.
        words: atom to word.
        tested: whether each image is on the testing half.
        fact: `fact(image, name)` for `segments` (class of each pixel) and `segment_names`.
        advance: is told of every image.
    """
    maps: dict[int, list[tuple[int, Floats, NDArray[np.bool_]]]] = {atom: [] for atom in words}
    for image in source.coded(dictionary):
        advance(1)
        if tested[image.number]:
            shown = _masks(image, fact, set(words.values()))
            for atom, word in words.items():
                codes = image.codes[:, atom].astype(np.float64)
                if word in shown and (codes > 0).any() and len(maps[atom]) < _MOST:
                    maps[atom].append((image.number, codes, shown[word]))
    return {atom: _scored(found) for atom, found in maps.items() if len(found) > 1}


def _scored(found: Sequence[tuple[int, Floats, NDArray[np.bool_]]]) -> Located:
    """Each image beside the mask of the next one that lies on as many cells."""
    rows: list[tuple[float, float, float, int]] = []
    for place, (number, codes, mask) in enumerate(found):
        others = [other for _, _, other in (*found[place + 1 :], *found[:place]) if len(other) == len(mask)]
        if others:
            rows.append((average_precision(mask, codes), average_precision(others[0], codes), mask.mean(), number))
    precision, elsewhere, share, numbers = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return Located(precision, elsewhere, share, numbers.astype(np.int64))


def _masks(image: Coded, fact: Callable[[str, str], Any], words: set[str]) -> dict[str, NDArray[np.bool_]]:
    """Cells that show each word, by the class of most pixels under them; words that no cell or all cells show not."""
    segments, names = fact(image.name, "segments"), fact(image.name, "segment_names")
    if segments is None or names is None:
        return {}
    rows, cols = np.asarray(segments).shape
    y, x = np.mgrid[0:rows, 0:cols] + 0.5
    at = image.frame.cell_at(np.stack([x, y], axis=-1), image.grid)
    index = (at[..., 0] * image.grid.cols + at[..., 1]).reshape(-1)
    pixels = np.maximum(np.bincount(index, minlength=image.grid.cells), 1)
    found: dict[str, NDArray[np.bool_]] = {}
    for number, name in enumerate(names):
        if name in words:
            inside = np.bincount(index, (np.asarray(segments) == number).reshape(-1), image.grid.cells) / pixels
            mask = (inside >= 0.5)[image.cells]
            if 0 < mask.sum() < len(mask):
                found[name] = mask
    return found
