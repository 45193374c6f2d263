"""The menagerie: a procedural world of twelve kinds of things whose every fact is known.

Pictures are drawn on the fly with numpy from signed-distance fields; a scene is a function of
(seed, split, index) alone, and the same scene at another size is the same picture at another resolution.
Category, colour, texture and background are independent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import unknown
from denoscope.core.registry import data
from denoscope.core.sample import Sample
from denoscope.data._world.backgrounds import BACKGROUNDS
from denoscope.data._world.captions import VOCABULARY, caption
from denoscope.data._world.catalogue import CATEGORIES, KEYPOINTS, SUPERCATEGORIES, SUPERCLASS
from denoscope.data._world.render import PARTS, Layers, paint, render
from denoscope.data._world.scene import COLOURS, Scene, Thing, sample_scene
from denoscope.data._world.sheet import contact_sheet
from denoscope.data._world.textures import TEXTURES

__all__ = [
    "BACKGROUNDS",
    "CATEGORIES",
    "COLOURS",
    "KEYPOINTS",
    "PARTS",
    "SUPERCATEGORIES",
    "TEXTURES",
    "VOCABULARY",
    "Menagerie",
    "Scene",
    "Thing",
    "caption",
    "contact_sheet",
    "menagerie",
]

_SPLITS = {"train": 1, "test": 2}
_CAPTION = 1
"""Last word of the seed of a caption's generator; scenes use 0."""


@dataclass(frozen=True)
class Menagerie:
    """The data set, a plain sequence of samples: `world[i]` is a `Sample` whose facts are described in `facts`."""

    split: str = "test"
    """"train" or "test"; no scene is in both."""
    size: int = 128
    """Image side in px."""
    count: int = 1000
    """Number of samples."""
    seed: int = 0
    two_objects: float = 0.25
    """Share of scenes with two objects."""

    def __post_init__(self) -> None:
        if self.split not in _SPLITS:
            raise ValueError(f"the menagerie has no split {self.split!r}; it has {', '.join(_SPLITS)}")
        if self.size < 16 or self.count < 0:
            raise ValueError(f"size must be at least 16 px and count at least 0, got {self.size} and {self.count}")

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Sample]:
        return (self._sample(i) for i in range(self.count))

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        """One sample with all facts, or a list of samples."""
        if isinstance(index, slice):
            return [self._sample(i) for i in range(*index.indices(self.count))]
        return self._sample(self._place(index))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the parameters and the first pictures, which changes when the drawing does."""
        digest = sha256(repr(astuple(self)).encode())
        for index in range(min(self.count, 8)):
            digest.update(self.image(index).tobytes())
        return digest.hexdigest()

    def scene(self, index: int) -> Scene:
        """What picture `index` is drawn from, without drawing it."""
        return sample_scene(self._rng(self._place(index), 0), self.two_objects)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Only the picture, (size, size, 3) RGB: the fastest way to training data."""
        return paint(self.scene(index), self.size)

    def caption(self, index: int, drop: float = 0.35) -> str:
        """The caption that `world[index].facts` holds; other factors are left out at another `drop`."""
        return caption(self.scene(index), self._rng(self._place(index), _CAPTION), drop)

    def _sample(self, index: int) -> Sample:
        scene = self.scene(index)
        image, layers = render(scene, self.size)
        words = caption(scene, self._rng(index, _CAPTION))
        return Sample(f"menagerie/{self.split}/{self.seed}/{index:06d}", image, facts(scene, layers, words))

    def _rng(self, index: int, stream: int) -> np.random.Generator:
        entropy = np.random.SeedSequence((self.seed, _SPLITS[self.split], index, stream))
        return np.random.Generator(np.random.Philox(entropy))

    def _place(self, index: int) -> int:
        if not -self.count <= index < self.count:
            raise IndexError(f"sample {index} of a menagerie of {self.count}")
        return index % self.count


def facts(scene: Scene, layers: Layers, words: str) -> Mapping[str, Any]:
    """What is known of a picture.

    The main object's own facts (see `_object`), and: background, caption, objects (the same facts of every
    object, the main one first), mask (uint8 (size, size), 0 background, k the k-th object), parts (uint8, 0 or
    1 + index into `PARTS`), depth (float32 (size, size), metres: a ground plane under an eye 1.2 m high, objects
    at the depth of their contact point with a relief per part, sky at 30 m).
    """
    objects = [_object(thing, layers.mask, k) for k, thing in enumerate(scene.things, start=1)]
    whole = {"background": scene.background, "caption": words, "objects": objects}
    return objects[0] | whole | {"mask": layers.mask, "parts": layers.parts, "depth": layers.depth}


def _object(thing: Thing, mask: NDArray[np.uint8], index: int) -> dict[str, Any]:
    """One object's facts.

    box is (x0, y0, x1, y1) in px around the whole object, also where hidden, cut at the picture's edge;
    keypoints maps a name to (x, y, visible), visible meaning inside the picture and not hidden.
    """
    size = mask.shape[0]
    points = {name: _keypoint(p, shown, mask, index) for name, (p, shown) in thing.keypoints.items()}
    return {
        "category": thing.category,
        "superclass": SUPERCLASS[thing.category],
        "colour": thing.colour,
        "texture": thing.texture.kind,
        "mirror": thing.mirror,
        "rotation": thing.rotation,
        "scale": thing.scale,
        "part_colours": dict(thing.part_colours),
        "box": tuple(min(max(v, 0.0), 1.0) * size for v in thing.box),
        "keypoints": points,
    }


def _keypoint(p: tuple[float, float], shown: bool, mask: NDArray[np.uint8], index: int) -> tuple[float, float, bool]:
    size = mask.shape[0]
    x, y = p[0] * size, p[1] * size
    inside = 0.0 <= x < size and 0.0 <= y < size
    return x, y, shown and inside and bool(mask[int(y), int(x)] == index)


def menagerie(split: str = "test", size: int = 128, count: int = 1000, seed: int = 0) -> Menagerie:
    """The data set as the registry opens it."""
    return Menagerie(split, size, count, seed)


@data("menagerie", argument="split")
def _open(argument: str | None = None, limit: int | None = None) -> Menagerie:
    """Drawn scenes of twelve kinds of things with every fact known: `menagerie:test`, `menagerie:train`."""
    split = argument or "test"
    if split not in _SPLITS:
        raise unknown("split of the menagerie", split, _SPLITS, "denoscope list data")
    return menagerie(split, count=limit or 1000)
