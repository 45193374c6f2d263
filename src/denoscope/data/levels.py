"""Odd-one-out choices at three levels of abstraction, with response times.

After Muttenthaler, Greff, Born et al.: "Aligning machine and human visual representations across abstraction levels",
Nature 2025 (AligNet; Levels). How the published set is laid out could not be found, so that this reads a table of a
layout of our own, which is easily written from any other: `levels.csv` beside a folder `images`, a row per choice:

    image1,image2,image3,odd,level,participant,response_time
    dog1.jpg,dog2.jpg,car.jpg,3,boundary,17,2.31

`odd` is 1, 2 or 3; `level` is `coarse` (three classes far apart), `fine` (one class) or `boundary` (two of one class
and one of another); `participant` (any word) and `response_time` (seconds) may be empty or absent.
"""

import itertools
from collections.abc import Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError, unknown
from denoscope.core.registry import data
from denoscope.data._card import Asked, Card
from denoscope.data._pictures import Pictures
from denoscope.data._reading import rows_of
from denoscope.data._tree import Tree, top, tree
from denoscope.data._triplets import NOBODY, Ints, Triplets

__all__ = ["LEVELS", "Levels", "levels"]

LEVELS = Card(
    title="Levels",
    folders=("levels", "Levels", "levels.zip"),
    splits=("coarse", "fine", "boundary"),
    default="all",
    home="the authors of Muttenthaler et al. 2025, and write it as docs/data.md says (levels.csv and images)",
    licence="see its page",
)

_TABLE, _FOLDER = "levels.csv", "images"
_IMAGES = ("image1", "image2", "image3")
_COLUMNS = (*_IMAGES, "odd", "level")
_LONG = 300.0
"""Seconds; where half of the response times are longer, they are milliseconds."""


class Levels(Pictures):
    """Pictures that choices name, in the order of their names; each is an object of its own.

    Facts: `object`, `object_index`, `split` (the levels that were asked for), the arrays `triplets` (int64 `(m, 4)`)
    and, row by row beside it, `trials` (float64 `(m, 2)`: number of the level, seconds to the response, NaN unknown);
    `level_names` on the first sample.
    """

    card = LEVELS

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        found = top(tree(asked.path), _TABLE)
        if found is None:
            raise LEVELS.missing(f"{asked.path} has no {_TABLE}")
        self.files: Tree = found
        self._where = f"{found.where}/{_TABLE}"
        rows = self._usable([row for row in self._rows() if row["level"] in asked.splits])
        self._names = sorted({row[name] for row in rows for name in _IMAGES})
        self.choices, self.trials = self._choices(rows)
        order = np.argsort(self.choices.objects[:, 0], kind="stable")
        ends = np.searchsorted(self.choices.objects[order, 0], np.arange(len(self._names) + 1))
        self._listed = list(self.choices.of(len(self._names)))
        self._trials = [self.trials[order[a:b]] for a, b in itertools.pairwise(ends)]
        self.report_skipped("pictures")

    def _rows(self) -> list[dict[str, str]]:
        rows = rows_of(self.files, _TABLE)
        if not rows:
            raise InputError(f"{self._where} has no choices")
        if lacking := [name for name in _COLUMNS if name not in rows[0]]:
            raise InputError(f"{self._where}: a row has {', '.join(_COLUMNS)}; the table lacks {lacking[0]}")
        for number, row in enumerate(rows):
            if row["level"] not in LEVELS.splits:
                raise unknown(f"level (row {number} of {self._where})", row["level"], LEVELS.splits,
                              "denoscope list data --check levels")  # fmt: skip
            if row["odd"] not in ("1", "2", "3"):
                raise InputError(f"{self._where}: odd is 1, 2 or 3, the odd one's place, not {row['odd']!r} "
                                 f"(row {number})")  # fmt: skip
        return rows

    def _usable(self, rows: list[dict[str, str]]) -> list[dict[str, str]]:
        """Choices whose three pictures are there."""
        known = {name: f"{_FOLDER}/{name}" in self.files for row in rows for name in (row[k] for k in _IMAGES)}
        for name, there in known.items():
            if not there:
                self.skipped[name] = "picture missing"
        kept = [row for row in rows if all(known[row[name]] for name in _IMAGES)]
        if not kept:
            told = f"{self._where} has no choice of level {'+'.join(self.asked.splits)} whose pictures are there"
            raise LEVELS.missing(f"{told} (of {len(rows)})")
        if len(kept) < len(rows):
            self.skipped[f"{len(rows) - len(kept):,} choices"] = "they name a picture that is missing"
        return kept

    def _choices(self, rows: list[dict[str, str]]) -> tuple[Triplets, NDArray[np.float64]]:
        place = {name: number for number, name in enumerate(self._names)}
        objects = np.array([[place[row[name]] for name in _IMAGES] for row in rows], dtype=np.int64)
        odd = objects[np.arange(len(rows)), [int(row["odd"]) - 1 for row in rows]]
        try:
            told = Triplets(objects, odd, self._people(rows))
        except InputError as error:
            raise InputError(f"{self._where}: {error}") from None
        level = [float(LEVELS.splits.index(row["level"])) for row in rows]
        return told, np.column_stack([level, self._seconds(rows)])

    def _people(self, rows: list[dict[str, str]]) -> Ints:
        names = [row.get("participant", "") for row in rows]
        number = {name: place for place, name in enumerate(sorted({name for name in names if name}))}
        return np.array([number.get(name, NOBODY) for name in names], dtype=np.int64)

    def _seconds(self, rows: list[dict[str, str]]) -> NDArray[np.float64]:
        """NaN where unknown; not positive means unknown as well.

        Raises:
            InputError: something else than numbers, or numbers that must be milliseconds.
        """
        texts = [row.get("response_time", "") for row in rows]
        try:
            found = np.array([float(text) if text else np.nan for text in texts])
        except ValueError:
            raise InputError(f"{self._where}: response_time is seconds, or empty") from None
        found[~(found > 0) | ~np.isfinite(found)] = np.nan
        if np.isfinite(found).any() and float(np.nanmedian(found)) > _LONG:
            told = f"half of the response times are above {np.nanmedian(found):g} s; they seem to be milliseconds"
            raise InputError(f"{self._where}: {told}")
        return found

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Names of the pictures without their ending."""
        stems = tuple(str(PurePosixPath(name).with_suffix("")) for name in self._names)
        return stems if len(set(stems)) == len(stems) else tuple(self._names)

    def file(self, index: int) -> str:
        """Name of a sample's picture in the tree."""
        return f"{_FOLDER}/{self._names[index]}"

    def facts(self, index: int) -> Mapping[str, Any]:
        """The object and the choices that name it first, with their level and time."""
        told: dict[str, Any] = {
            "object": self.ids[index], "object_index": index, "split": "+".join(self.asked.splits),
            "triplets": self._listed[index], "trials": self._trials[index],
        }  # fmt: skip
        return told | ({} if index else {"level_names": list(LEVELS.splits)})

    def counts(self) -> dict[str, int]:
        """Pictures, and choices of each level."""
        number = self.trials[:, 0].astype(int)
        by_level = {f"choices, {name}": int((number == k).sum()) for k, name in enumerate(LEVELS.splits)}
        return {"images": len(self)} | {name: count for name, count in by_level.items() if count}


@data("levels", argument="path:split", card=LEVELS)
def levels(argument: str | None = None, limit: int | None = None) -> Levels:
    """Levels: odd-one-out choices between classes, within one and at its border: `levels:/data/levels:fine`."""
    return Levels(LEVELS.ask("levels", argument))
