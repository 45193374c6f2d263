"""Data sets of image pairs with matching keypoints: what a source sample says of its pairs."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from denoscope.data._card import Asked
from denoscope.data._pictures import Pictures, few

__all__ = ["Pair", "Paired", "Point"]

Point = tuple[str, float, float, float, float]
"""Name, x and y in the source, x and y in the target, px."""
Size = tuple[float, float]
"""Width and height, px."""

_SLACK = 1.0
"""Pixels that a point may lie beyond the edge: annotators count from 0 or from 1."""


@dataclass(frozen=True)
class Pair:
    """Two images and the points that both show."""

    name: str
    source: str
    """Id of a sample."""
    target: str
    category: str
    points: tuple[Point, ...]
    sizes: tuple[Size, Size]
    """Of source and target."""
    split: str
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Paired(Pictures):
    """Samples of which some are sources of pairs, in the order in which pairs first name them.

    Left out, counted and listed in `skipped`: pairs without a picture or a common point, and points outside their
    image by more than a pixel. A source whose pairs lost points says so in its fact `excluded`.
    """

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self._categories: dict[str, str] = {}
        self._splits: dict[str, str] = {}
        self._pairs: dict[str, list[dict[str, Any]]] = {}
        self._excluded: dict[str, int] = {}
        self._there: dict[str, bool] = {}

    def fill(self, pairs: Sequence[Pair], also: Mapping[str, str] | None = None) -> None:
        """Take the pairs in.

        Args:
            pairs: of all splits that were asked for.
            also: samples that belong to the split without being in a pair, to their category.
        """
        usable = [kept for pair in pairs if (kept := self._usable(pair)) is not None]
        for pair in few(usable, [(pair.split, pair.category) for pair in usable], self.asked.count("per")):
            self._take(pair)
        for id, category in (also or {}).items():
            self._categories.setdefault(id, category)
        self.report_skipped("pairs or points")

    def _usable(self, pair: Pair) -> Pair | None:
        """The pair with the points inside both images; None if it is of no use."""
        for id in (pair.source, pair.target):
            if not self._has(id):
                return self._skip(pair.name, "picture missing")
        if not pair.points:
            return self._skip(pair.name, "no point that both images show")
        inside = tuple(point for point in pair.points if _inside(point, pair.sizes))
        for point in pair.points:
            if point not in inside:
                self.skipped[f"{pair.name}, point {point[0]}"] = "point outside its image"
        if lost := len(pair.points) - len(inside):
            self._excluded[pair.source] = self._excluded.get(pair.source, 0) + lost
        return replace(pair, points=inside) if inside else self._skip(pair.name, "no point inside both images")

    def _has(self, id: str) -> bool:
        """Whether an image's file is there; looked up once."""
        if id not in self._there:
            self._there[id] = self.path_of(id) in self.files
        return self._there[id]

    def _skip(self, name: str, reason: str) -> None:
        self.skipped[name] = reason

    def _take(self, pair: Pair) -> None:
        for id in (pair.source, pair.target):
            self._categories.setdefault(id, pair.category)
            self._splits.setdefault(id, pair.split)
        points = [list(point) for point in pair.points]
        told = {"target": pair.target, "points": points, "facts": dict(pair.facts)}
        self._pairs.setdefault(pair.source, []).append(told)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """In the order in which the pairs name them."""
        return tuple(self._categories)

    def counts(self) -> dict[str, int]:
        """Images, pairs and matching keypoints."""
        return {"images": len(self), "pairs": self.pairs, "keypoint pairs": self.points}

    @property
    def pairs(self) -> int:
        """Pairs that were taken in."""
        return sum(map(len, self._pairs.values()))

    @property
    def points(self) -> int:
        """Keypoint pairs that were taken in."""
        return sum(len(pair["points"]) for pairs in self._pairs.values() for pair in pairs)

    def facts(self, index: int) -> Mapping[str, Any]:
        """Category, split, the image's own annotation, and the pairs whose source it is."""
        id = self.ids[index]
        told: dict[str, Any] = {"category": self._categories[id], "split": self._splits.get(id, self.asked.splits[0])}
        told |= self.annotation(id)
        if lost := self._excluded.get(id):
            told["excluded"] = {"points outside their image": lost}
        return told | {"pairs": self._pairs.get(id, [])}

    @abstractmethod
    def annotation(self, id: str) -> Mapping[str, Any]:
        """Keypoints, box and mask of one image."""

    @abstractmethod
    def path_of(self, id: str) -> str:
        """Name of an image's file."""

    def file(self, index: int) -> str:
        """Name of a sample's picture in the tree."""
        return self.path_of(self.ids[index])


def _inside(point: Point, sizes: tuple[Size, Size]) -> bool:
    _, xs, ys, xt, yt = point
    at = ((xs, ys), (xt, yt))
    return all(
        -_SLACK <= x <= width + _SLACK and -_SLACK <= y <= height + _SLACK
        for (x, y), (width, height) in zip(at, sizes, strict=True)
    )
