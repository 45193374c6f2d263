"""Curves of how well concepts are decoded: along sites at each noise level, or along noise levels at each site."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.measures.significance import false_discovery
from denoscope.tasks._blocks import model_of
from denoscope.tasks._conceptscores import Found

__all__ = ["EVERY", "RATE", "TWIN", "Cell", "Line", "discoveries", "lines_of"]

Numbers = NDArray[np.float64]

TWIN = "random-init twin"
EVERY = "all"
"""Name of what a line is of that averages the others."""
RATE = 0.05
"""Of false discoveries."""


@dataclass(frozen=True, eq=False)
class Cell:
    """What was decoded at one site under one condition of one model."""

    model: str
    site: str
    level: str
    found: Found

    @classmethod
    def of(cls, block: Activations, found: Found) -> "Cell":
        """Named by the block."""
        return cls(model_of(block), block.site.name, _level(block.condition), found)


@dataclass(frozen=True, eq=False)
class Line:
    """R^2 of every concept along ordered places.

    Attributes:
        model: whose.
        name: noise level (or site) that the line is of; `all` for the mean of the others.
        along: what its places are, `site` or `noise`.
        places: names along it.
        value: `(place, concept)`.
        influence: by how much each object moved it, `(object, place, concept)`.
        decoded: concepts that are decoded at one of the places at least, `(concept,)`.
    """

    model: str
    name: str
    along: str
    places: tuple[str, ...]
    value: Numbers
    influence: Numbers
    decoded: NDArray[np.bool_]

    @property
    def suffix(self) -> str:
        """What is said after the name of a score."""
        return f", {TWIN}" if self.model == TWIN else ""

    def at(self, place: int) -> dict[str, str]:
        """Model, site and level of one place."""
        here, there = ("site", "level") if self.along == "site" else ("level", "site")
        return {"model": self.model, here: self.places[place], there: self.name}

    def mean(self, some: NDArray[np.bool_], draws: Numbers) -> tuple[Numbers, Numbers]:
        """Mean curve of some concepts `(place,)`, and when objects are drawn anew `(draw, place)`."""
        return self.value[:, some].mean(axis=1), draws[:, :, some].mean(axis=2)


def lines_of(cells: Sequence[Cell], along: str) -> list[Line]:
    """For each model the line that averages all with the same places, then one per level (or site).

    Raises:
        InputError: no line has two places.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for number, cell in enumerate(cells):
        found.setdefault((cell.model, cell.level if along == "site" else cell.site), []).append(number)
    decoded, several = discoveries(cells) <= RATE, {key: some for key, some in found.items() if len(some) > 1}
    lines = [_line(*key, [cells[i] for i in some], along, decoded[some]) for key, some in several.items()]
    if not lines:
        raise InputError(f"a peak along {'sites' if along == 'site' else 'noise levels'} needs two of them or more; "
                         f"give {'sites=' if along == 'site' else 'timesteps='}'all'")  # fmt: skip
    return [*_averaged(lines), *lines]


def discoveries(cells: Sequence[Cell]) -> Numbers:
    """q of every concept everywhere, `(cell, concept)`: the rate is over the whole tensor of each model."""
    p = np.array([cell.found.agrees.p for cell in cells])
    models, q = np.array([cell.model for cell in cells]), np.full(p.shape, np.nan)
    for model in np.unique(models):
        q[models == model] = false_discovery(p[models == model]).q
    return q


def _line(model: str, name: str, cells: Sequence[Cell], along: str, decoded: NDArray[np.bool_]) -> Line:
    places = tuple(cell.site if along == "site" else cell.level for cell in cells)
    value = np.array([cell.found.fits.value for cell in cells])
    influence = np.stack([cell.found.fits.influence for cell in cells], axis=1)
    return Line(model, name, along, places, value, influence, np.logical_or.reduce(decoded))


def _averaged(lines: Sequence[Line]) -> Iterator[Line]:
    for model in dict.fromkeys(line.model for line in lines):
        mine = [line for line in lines if line.model == model]
        mine = [line for line in mine if line.places == mine[0].places]
        value, influence = (np.mean([getattr(line, part) for line in mine], axis=0) for part in ("value", "influence"))
        decoded = np.logical_or.reduce([line.decoded for line in mine])
        yield Line(model, EVERY, mine[0].along, mine[0].places, value, influence, decoded)


def _level(condition: Condition) -> str:
    for name in ("timestep", "sigma", "logsnr"):
        if (value := getattr(condition, name)) is not None:
            return f"{name} {value:g}"
    return "clean"
