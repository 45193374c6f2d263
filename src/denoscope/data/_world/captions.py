"""Captions from a small closed vocabulary, with factors left out at random."""

import numpy as np

from denoscope.data._world.catalogue import CATEGORIES, FACING, SUPERCATEGORIES, SUPERCLASS
from denoscope.data._world.figure import Dice
from denoscope.data._world.scene import COLOURS, Scene, Thing
from denoscope.data._world.textures import TEXTURES

_OPENINGS = ("a photo of", "a picture of", "a drawing of", "")
_PLACES: dict[str, tuple[str, ...]] = {
    "meadow": ("on a meadow", "in the meadow", "on the grass"),
    "beach": ("at the beach", "on the beach", "on the sand"),
    "night": ("at night", "under the stars"),
    "room": ("in a room", "indoors"),
    "snow": ("in the snow", "in the mountains"),
}
_RELATIONS = {True: ("to the left of", "left of"), False: ("to the right of", "right of")}
_SUPER_SHARE = 0.05


def _words(*groups: str) -> set[str]:
    return {word for group in groups for word in group.split()}


VOCABULARY: tuple[str, ...] = tuple(
    sorted(
        _words("a an and small large facing left right next to of", *_OPENINGS, *CATEGORIES, *SUPERCATEGORIES)
        | _words(*COLOURS, *TEXTURES, *(p for places in _PLACES.values() for p in places))
        | _words(*(r for relations in _RELATIONS.values() for r in relations))
    )
)
"""Every word a caption can hold, in alphabetical order."""


def caption(scene: Scene, rng: np.random.Generator, drop: float = 0.35) -> str:
    """A caption of the scene.

    Each factor (size, colour, texture, facing, second object, background) is left out with probability `drop`;
    0 gives the full caption. Unless `drop` is 0, 5 % of the categories are named by their super-category.
    """
    dice = Dice(rng)
    opening = dice.pick(_OPENINGS) if drop else _OPENINGS[0]
    parts = [opening] if opening else []
    parts.append(_phrase(scene.things[0], dice, drop))
    if len(scene.things) > 1 and not dice.chance(drop):
        parts += [_link(scene, dice, drop), _phrase(scene.things[1], dice, drop)]
    if not dice.chance(drop):
        places = _PLACES[scene.background]
        parts.append(dice.pick(places) if drop else places[0])
    return " ".join(parts)


def _phrase(thing: Thing, dice: Dice, drop: float) -> str:
    words: list[str] = []
    size = "small" if thing.scale < 0.42 else "large" if thing.scale > 0.68 else ""
    for word in (size, thing.colour, thing.texture.kind):
        rare = word == size or word == "plain"
        if word and not dice.chance((1 + drop) / 2 if rare and drop else drop):
            words.append(word)
    named_above = drop > 0 and dice.chance(_SUPER_SHARE)
    words.append(SUPERCLASS[thing.category] if named_above else thing.category)
    words.insert(0, "an" if words[0][0] in "aeiou" else "a")
    if thing.category in FACING and not dice.chance((1 + drop) / 2 if drop else 0.0):
        words += ["facing", "left" if thing.mirror else "right"]
    return " ".join(words)


def _link(scene: Scene, dice: Dice, drop: float) -> str:
    first, second = (sum(t.box[0::2]) for t in scene.things[:2])
    if drop and dice.chance(0.5):
        return dice.pick(("and", "next to"))
    relations = _RELATIONS[first < second]
    return dice.pick(relations) if drop else relations[0]
