"""Word maps of pictures: which part of a picture looks at which word of its prompt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import unknown
from denoscope.core.frame import Frame, Grid
from denoscope.core.optional import require
from denoscope.core.report import Report
from denoscope.core.site import alias
from denoscope.figures.heat import Panel, overlay, word_sheet
from denoscope.measures.heat import box_around, cut, joined, scaled
from denoscope.models.words import TextPart, columns_of

__all__ = ["HeatMap", "HeatMaps", "sheet"]

Array = NDArray[Any]
Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class HeatMap:
    """The word maps of one picture.

    Attributes:
        prompt: that was read.
        image: uint8 RGB `(row, col, 3)`, made or given.
        words: of the prompt, that have tokens of their own.
        frame: how the picture lies on the canvas.
        shares: per site, the share of each cell's attention that goes to each kept token, mean over heads, steps and
            draws: `(token, row, col)`, fp32.
        grids: of the sites.
        columns: of the kept tokens in the text.
        parts: the tokenizers that cut the prompt.
    """

    prompt: str
    image: Image
    words: tuple[str, ...]
    frame: Frame
    shares: Mapping[str, Array]
    grids: Mapping[str, Grid]
    columns: tuple[int, ...]
    parts: tuple[TextPart, ...]

    def word(self, word: str, sites: Sequence[str] = (), normalise: bool = False) -> NDArray[np.float64]:
        """The share of attention that goes to a word at each pixel: mean over its tokens and over sites.

        Args:
            word: a word of the prompt, or several in a row.
            sites: patterns of sites or blocks, such as `up.*`; all that were watched unless given.
            normalise: as a share of what goes to all words, without start, end and padding.

        Returns:
            `(height, width)` of the picture.

        Raises:
            UnknownName: the prompt lacks the word, or no such site was watched.
            InputError: the word has no token of its own.
        """
        wanted = self._index(columns_of(self.parts, self.prompt, word))
        several = [(self._cells(site, wanted, normalise), self.grids[site]) for site in self.sites(sites)]
        return joined(several, self.frame)

    def mask(self, word: str, threshold: float = 0.4, **options: Any) -> NDArray[np.bool_]:
        """Where the word's map, from its lowest to its highest value, reaches a threshold; `(height, width)`."""
        return cut(self.word(word, **options), threshold)

    def box(self, word: str, threshold: float = 0.4, **options: Any) -> tuple[int, int, int, int] | None:
        """(x0, y0, x1, y1) in pixels around the largest connected part of the word's mask."""
        return box_around(self.mask(word, threshold, **options))

    def overlay(self, word: str, top: float | None = None, **options: Any) -> Image:
        """The picture with the word's map over it, uint8 RGB.

        Args:
            word: of the prompt.
            top: share of attention that is drawn hottest, from 0, so that words and pictures compare; the map's own
                lowest and highest values unless given.
            options: of `word`.
        """
        found = self.word(word, **options)
        return overlay(self.image, scaled(found) if top is None else found / top)

    def sites(self, patterns: Sequence[str] = ()) -> list[str]:
        """Watched sites that patterns name.

        Raises:
            UnknownName: none answers to a pattern.
        """
        if not patterns:
            return list(self.shares)
        found: list[str] = []
        for pattern in map(alias, patterns):
            hits = [name for name in self.shares if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")]
            if not hits:
                raise unknown("watched site", pattern, self.shares, "maps[0].sites()")
            found += hits
        return list(dict.fromkeys(found))

    def _cells(self, site: str, wanted: list[int], normalise: bool) -> Array:
        values = self.shares[site]
        mean = values[wanted].mean(axis=0, dtype=np.float64)
        if not normalise:
            return mean
        spelled = {column for word in self.words for column in columns_of(self.parts, self.prompt, word)}
        total = values[self._index(sorted(spelled))].sum(axis=0, dtype=np.float64)
        return np.divide(mean, total, out=np.zeros_like(mean), where=total > 0)

    def _index(self, columns: Sequence[int]) -> list[int]:
        return [self.columns.index(column) for column in columns]


@dataclass(frozen=True, eq=False)
class HeatMaps(Sequence[HeatMap]):
    """Word maps of several pictures, and the report on them.

    Attributes:
        maps: one per picture.
        asked: words that were asked for; all of each prompt where there are none.
        report: what was done, with a share of attention per word.
    """

    maps: tuple[HeatMap, ...]
    asked: tuple[str, ...]
    report: Report

    def __len__(self) -> int:
        return len(self.maps)

    def __getitem__(self, index: Any) -> Any:
        return self.maps[index]

    def __iter__(self) -> Iterator[HeatMap]:
        return iter(self.maps)

    @property
    def images(self) -> list[Image]:
        """The pictures."""
        return [found.image for found in self.maps]

    def words(self, index: int) -> tuple[str, ...]:
        """The words of one picture that are shown."""
        return self.asked or self.maps[index].words

    def save(self, folder: str | Path) -> Path:
        """Write the report, each picture, and each word's overlay; the folder is returned."""
        pillow, place = require("PIL.Image", "save pictures", "pillow"), Path(folder)
        self.report.save(place)
        for index, found in enumerate(self.maps):
            pillow.fromarray(found.image).save(place / f"{index:03d}.png")
            for word in self.words(index):
                slug = "".join(letter if letter.isalnum() else "-" for letter in word)
                pillow.fromarray(found.overlay(word)).save(place / f"{index:03d}-{slug}.png")
        return place


def sheet(maps: Sequence[HeatMap], words: Sequence[Sequence[str]], most: int = 7) -> bytes:
    """A PNG with a row per picture: itself, then each word's map over it.

    Args:
        maps: of the pictures.
        words: of each picture.
        most: words per picture; of more, those with the smallest masks are shown, in the prompt's order.
    """
    rows = [
        [Panel(found.image, "picture"), *(Panel(found.overlay(word), word) for word in _smallest(found, shown, most))]
        for found, shown in zip(maps, words, strict=True)
    ]
    return word_sheet(rows, [found.prompt for found in maps])


def _smallest(found: HeatMap, words: Sequence[str], most: int) -> list[str]:
    if len(words) <= most:
        return list(words)
    areas = {word: float(found.mask(word).mean()) for word in words}
    kept = sorted(areas, key=areas.__getitem__)[:most]
    return [word for word in words if word in kept]
