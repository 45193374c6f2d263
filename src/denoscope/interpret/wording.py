"""Which word of its captions does an atom lie under? Codes against word heat maps; no segmentation is needed."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from denoscope.interpret.naming import detection

__all__ = ["Scene", "Worded", "worded"]

Floats = NDArray[np.float64]
_LEAST = 2
"""Images of a half that a word must stand with."""


class Scene(NamedTuple):
    """One image under an atom.

    Attributes:
        half: 0 where the word is chosen, 1 where it is tested.
        codes: of the atom, `(cell,)`.
        maps: word to its heat at every cell, `(cell,)`.
    """

    half: int
    codes: NDArray[Any]
    maps: Mapping[str, NDArray[Any]]


class Worded(NamedTuple):
    """The word whose heat an atom lies under.

    Attributes:
        word: chosen on one half of the images; empty where no word stands with enough of them.
        agreement: area under the ROC curve of the word's heat for "the atom is active here", on the other half; 0.5 is
            chance. NaN without images there.
        others: the same of the other words of those captions: what any word earns, as heat lies on the object.
        images: of the other half.
    """

    word: str
    agreement: float
    others: float
    images: int


def worded(scenes: Sequence[Scene]) -> Worded:
    """The best word of an atom on one half of its images, on the other half.

    Args:
        scenes: images in which the atom is active.
    """
    found: dict[str, list[float]] = {}
    for scene in scenes:
        if scene.half == 0:
            for word, area in _areas(scene).items():
                found.setdefault(word, []).append(area)
    known = {word: float(np.mean(areas)) for word, areas in found.items() if len(areas) >= _LEAST}
    if not known:
        return Worded("", float("nan"), float("nan"), 0)
    best = max(known, key=known.__getitem__)
    tested = [_areas(scene) for scene in scenes if scene.half == 1 and best in scene.maps]
    own = [areas[best] for areas in tested]
    other = [area for areas in tested for word, area in areas.items() if word != best]
    return Worded(best, _mean(own), _mean(other), len(own))


def _areas(scene: Scene) -> dict[str, float]:
    on = np.asarray(scene.codes) > 0
    return {word: detection(heat, on) for word, heat in scene.maps.items()} if 0 < on.sum() < len(on) else {}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
