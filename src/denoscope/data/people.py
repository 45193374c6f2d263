"""Simulated people who say which of three things of the menagerie is the odd one: nothing about them is unknown.

An object is a kind of thing, such as a red striped cat, of which there are several pictures. What people think of it
is a sparse embedding that is nowhere negative (`_judging`); they choose by its dot products, with noise, and lapse now
and then. So the best that any model can do, how far people agree, the concepts behind their choices and the metric
that explains them are known, and tools that estimate them can be held to that.
"""

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Literal

import numpy as np

from denoscope.core.errors import InputError
from denoscope.core.registry import data
from denoscope.core.sample import Sample
from denoscope.data._card import Words
from denoscope.data._judging import CONCEPTS, Floats, Ints, Kind, Minds, drawn_triplets, embedding, kinds_of
from denoscope.data._triplets import Triplets
from denoscope.data._world.backgrounds import BACKGROUNDS
from denoscope.data._world.captions import caption
from denoscope.data._world.catalogue import CATEGORIES
from denoscope.data._world.render import render
from denoscope.data._world.scene import COLOURS, Scene, scene_of
from denoscope.data._world.textures import TEXTURES
from denoscope.data.menagerie import facts

__all__ = ["CONCEPTS", "People", "people"]

_SPLITS = {"train": 1, "test": 2, "val": 3}
_STREAM = 7
"""Sets this data set's generators apart from the menagerie's."""
_MOST = len(CATEGORIES) * len(COLOURS) * len(TEXTURES)
"""Kinds that the menagerie has."""
_SHARES = ("sharpness", "lapse")

WORDS = Words(
    splits=("train", "val", "test"),
    default="test",
    options=dict.fromkeys(
        ("objects", "images", "triplets", "repeated", "repeats", "participants", "size", "seed"), "a number"
    )
    | {"sharpness": "a number of at least 0", "lapse": "a share of 0 ... 1", "places": "one|any"},
)


@dataclass(frozen=True)
class People:
    """Pictures of objects, object by object, and what people found odd.

    Facts beside the menagerie's: `object` and `object_index`; the arrays `triplets` (int64 `(m, 4)`: rows
    `[b, c, odd, participant]` of the choices that name the object first, all on its first picture) and `embedding`
    (float64 `(concept,)`); on the very first picture `embedding_names` and `truth`.
    """

    split: str = "test"
    """"train", "val" or "test": the same objects in other pictures, and other choices of other people."""
    objects: int = 96
    """Kinds of things, at most 384."""
    images: int = 2
    """Pictures of each object."""
    triplets: int = 20_000
    """Different triplets, at most as many as there are."""
    repeated: int = 200
    """Of these, so many are put to people several times, for ceilings."""
    repeats: int = 25
    """How often."""
    participants: int = 100
    """People."""
    sharpness: float = 1.6
    """Inverse temperature of their choices; 0 is chance."""
    lapse: float = 0.05
    """Mean share of choices that are made without a look; each participant has an own share, up to twice as much."""
    size: int = 128
    """Image side in px."""
    seed: int = 0
    places: Literal["one", "any"] = "one"
    """Whether all pictures are at one kind of place, or each at any of the five. A place fills most of a picture, and
    people say nothing of it: where it varies, means over few pictures tell mostly of places."""

    parallel: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.split not in _SPLITS:
            raise InputError(f"people has no split {self.split!r}; it has {', '.join(_SPLITS)}")
        if not 3 <= self.objects <= _MOST:
            raise InputError(f"objects must be 3 ... {_MOST}, as many kinds as there are, not {self.objects}")
        for name, least in {"images": 1, "triplets": 1, "repeats": 1, "participants": 1, "size": 16}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if self.places not in ("one", "any"):
            raise InputError(f"places of people are one or any, not {self.places!r}")
        if not (0 <= self.sharpness < math.inf and 0 <= self.lapse <= 1):
            told = f"not {self.sharpness:g} and {self.lapse:g}"
            raise InputError(f"sharpness must be at least 0 and lapse in 0 ... 1, {told}")

    def __len__(self) -> int:
        return self.objects * self.images

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int, /) -> Sample:
        """One picture with its facts."""
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        number, place = divmod(index % len(self), self.images)
        scene = self._scene(number, place)
        image, layers = render(scene, self.size)
        words = caption(scene, self._rng(2, number, place))
        known = facts(scene, layers, words) | {"split": self.split} | self._told(number, place)
        return Sample(self._id(number, place), image, known)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids in order, without a picture being drawn."""
        return tuple(self._id(number, place) for number in range(self.objects) for place in range(self.images))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Object that each picture shows, in order, without a picture being drawn."""
        return tuple(name for name in self.names for _ in range(self.images))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the parameters, the choices and the first pictures, which changes when any of them does."""
        digest = sha256(repr(astuple(self)).encode())
        digest.update(np.column_stack([self.choices.objects, self.choices.odd, self.choices.participant]).tobytes())
        for index in range(min(len(self), 8)):
            digest.update(self[index].image.tobytes())
        return digest.hexdigest()

    @cached_property
    def kinds(self) -> list[Kind]:
        """Category, colour and texture of each object; the same for all splits."""
        return kinds_of(self._rng(0, split=False), self.objects)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the objects."""
        return tuple(f"{colour} {texture} {category}" for category, colour, texture in self.kinds)

    @cached_property
    def minds(self) -> Minds:
        """Who chooses; what they think of the objects is the same for all splits."""
        thoughts = embedding(self._rng(1, split=False), self.kinds)
        lapses = self.lapse + min(self.lapse, 1 - self.lapse) * self._rng(3).uniform(-1, 1, self.participants)
        return Minds(thoughts, self.sharpness, lapses)

    @cached_property
    def choices(self) -> Triplets:
        """All of them, the repeated ones first."""
        rng = self._rng(4)
        drawn = drawn_triplets(rng, self.objects, min(self.triplets, math.comb(self.objects, 3)))
        several = min(self.repeated, len(drawn))
        asked = np.concatenate([np.repeat(drawn[:several], self.repeats, axis=0), drawn[several:]])
        return self.minds.answer(rng, asked)

    @cached_property
    def truth(self) -> dict[str, float]:
        """What estimates can be held to, from the probabilities p that the choices were drawn with.

        `ceiling`: mean max p over all choices, the expected accuracy of the best model; `entropy`: the best model's
        expected loss, in nats. `repeated ceiling` and `repeated agreement`: means of max p and of sum p^2 over the
        repeated triplets, p being that of a participant drawn by lot; estimators of ceilings aim at these two.
        """
        p = self.minds.chances(self.choices)
        several = min(self.repeated, len(self.choices))
        marginal = self.minds.marginal(self.choices.objects[: several * self.repeats : self.repeats])
        return {
            "ceiling": float(p.max(1).mean()),
            "entropy": float(-np.sum(p * np.log(np.maximum(p, np.finfo(float).tiny)), axis=1).mean()),
            "repeated ceiling": float(marginal.max(1).mean()),
            "repeated agreement": float((marginal**2).sum(1).mean()),
        }

    @cached_property
    def _rows(self) -> list[Ints]:
        return list(self.choices.of(self.objects))

    def _told(self, number: int, place: int) -> dict[str, Any]:
        first = {"embedding_names": list(CONCEPTS), "truth": self.truth} if number == place == 0 else {}
        thought: Floats = self.minds.embedding[number]
        rows = self._rows[number]
        listed = rows if place == 0 else rows[:0]
        return {
            "object": self.names[number], "object_index": number,
            "triplets": listed.copy(), "embedding": thought.copy(), **first,
        }  # fmt: skip

    def _id(self, number: int, place: int) -> str:
        return f"people/{self.split}/{self.seed}/{number:04d}/{place:04d}"

    def _scene(self, number: int, place: int) -> Scene:
        category, colour, texture = self.kinds[number]
        where = BACKGROUNDS[int(self._rng(6, split=False).integers(len(BACKGROUNDS)))] if self.places == "one" else None
        return scene_of(self._rng(5, number, place), category, colour, texture, where)

    def _rng(self, *of: int, split: bool = True) -> np.random.Generator:
        return np.random.default_rng((self.seed, _STREAM, _SPLITS[self.split] if split else 0, *of))


def people(argument: str = "", limit: int | None = None) -> People:
    """The data set that a spec means: a split and options between commas, such as `test,objects=60,lapse=0.1`.

    Args:
        argument: words of the spec.
        limit: at most about so many pictures: fewer objects, unless their number is given.

    Raises:
        UnknownName: no such split or option.
        InputError: several splits, or a number out of range.
    """
    found, options = WORDS.read("people", argument)
    split, *more = found
    if more:
        raise InputError(f"people is of one split at a time, not {'+'.join(found)}")
    told: dict[str, Any] = {name: _value(name, value) for name, value in options.items()}
    made = People(split, **told)
    if limit is None or "objects" in told or limit >= len(made):
        return made
    return replace(made, objects=max(3, -(-limit // made.images)))


def _value(name: str, text: str) -> float | str:
    if name == "places":
        return text
    if name not in _SHARES:
        return int(text)
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{name} of people is {WORDS.options[name]}, not {text!r}") from None


@data("people", argument="split,option=value", words=WORDS)
def _open(argument: str | None = None, limit: int | None = None) -> People:
    """Things of the menagerie and what simulated people find odd of three of them: `people:test,objects=60`."""
    return people(argument or "", limit)
