"""A figure: an object's painted parts and named keypoints in its own frame, before colour and place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from denoscope.data._world.sdf import Bounds, Point, Shape, join

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """One shape and how it is filled; parts are painted in order."""

    name: str
    shape: Shape
    fill: str
    """"body" (textured), "base" (the plain body colour), a fixed colour's name, or a part-colour role."""
    tone: float = 1.0
    """Brightness factor."""
    relief: float = 0.5
    """Nearness to the viewer within the object, 0..1."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a category's artist draws: y points down, the object faces right, about one unit long."""

    parts: tuple[Part, ...]
    keypoints: dict[str, tuple[Point, bool]]
    """Name -> (place, not hidden by the object itself)."""
    lift: float = 0.0
    """Height of the lowest point over the ground, in figure units."""

    @property
    def bounds(self) -> Bounds:
        """Tight bounds of all parts."""
        return join(p.shape.bounds for p in self.parts)


@dataclass(slots=True)
class Sketch:
    """A figure in the making."""

    parts: list[Part] = field(default_factory=list)
    keypoints: dict[str, tuple[Point, bool]] = field(default_factory=dict)

    def part(self, name: str, shape: Shape, fill: str, tone: float = 1.0, relief: float = 0.5) -> None:
        """Paint one more part over the others."""
        self.parts.append(Part(name, shape, fill, tone, relief))

    def mark(self, name: str, place: Point, shown: bool = True) -> None:
        """Name a keypoint."""
        self.keypoints[name] = (place, shown)

    def figure(self, lift: float = 0.0) -> Figure:
        """The finished figure."""
        return Figure(tuple(self.parts), self.keypoints, lift)


class Dice:
    """Uniform draws taken in blocks from a generator, since single draws are slow."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._stock: list[float] = []

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        if not self._stock:
            self._stock = self._rng.random(64).tolist()
        return self._stock.pop()

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self.unit()

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self.unit() < p

    def pick(self, items: Sequence[T]) -> T:
        """One item, all equally likely."""
        return items[int(self.unit() * len(items))]


Artist = Callable[[Dice], Figure]
