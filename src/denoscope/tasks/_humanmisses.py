"""Where a site is sure and people are sure of something else: triplets with pictures; and what people agree on."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Report, Score
from denoscope.core.task import Facts, Pictures
from denoscope.measures.ceilings import votes
from denoscope.measures.judgments import Judgments
from denoscope.measures.triads import triad_mean
from denoscope.measures.triplets import alike, calibrated
from denoscope.tasks._judged import Judged
from denoscope.tasks._seen import Sure

__all__ = ["Miss", "agreed", "gallery", "shown_by", "worst"]

Array = NDArray[Any]

_AGREE, _VOTES, _LEAST = 0.8, 5, 10
"""Share of the votes, of so many at least, from which people agree; and triplets that a score needs."""
_SHOWN = 8
"""Misses that are kept."""
_HEAD = 0.3
"""Inches above the pictures."""
_PEOPLE, _SITE = "#0f9d8a", "#d1495b"


@dataclass(frozen=True)
class Miss:
    """Three objects of which people and a site leave out different ones.

    Attributes:
        names: the two that people kept together, then their odd one.
        pictures: a sample of each, by id.
        odd: which of the three the site leaves out, 0 or 1.
        people, site: chance that each gives its own choice.
        votes: choices of people about the three.
    """

    names: tuple[str, str, str]
    pictures: tuple[str, str, str]
    odd: int
    people: float
    site: float
    votes: int


def shown_by(ids: Sequence[str], facts: Facts) -> dict[str, str]:
    """Name of each object to the id of its first picture."""
    found: dict[str, str] = {}
    for id, row in zip(ids, facts, strict=True):
        found.setdefault(str(row.get("object") or row.get("object_index")), id)
    return found


def agreed(choices: Judgments, right: NDArray[np.float64]) -> list[Score]:
    """The share of the triplets on which people agree of which a site makes the same choice; none of too few.

    People agree where at least 80 % of five votes or more are for one odd one. Chance is 1/3, and the ceiling 1 but
    for majorities that came about by lot.
    """
    counts, _ = _counted(choices)
    clear = (counts.sum(axis=1) >= _VOTES) & (counts.max(axis=1) >= _AGREE * counts.sum(axis=1))
    rows = np.flatnonzero(_of_majority(choices))
    rows = rows[clear[choices.triples[1][rows]]]
    if len(rows) < _LEAST:
        return []
    some = Judgments.of(
        np.column_stack([choices.first[rows], choices.second[rows], choices.odd[rows]]), choices.objects
    )
    over = f"triplets on which {_AGREE:.0%} of {_VOTES} people or more agree, clustered by object"
    return [Score("accuracy, agreed triplets", **triad_mean(right[rows], some)._asdict(), unit="share", over=over)]


def worst(told: Judged, right: NDArray[np.float64], sure: Sure, pictures: Mapping[str, str]) -> list[Miss]:
    """Misses by the product of people's chance of their choice and the site's of its own, no pair of objects twice.

    People's chance is that of their embedding where it is known, else (c + 1) / (n + 3) for c of n votes.
    """
    choices = told.judgments
    most = _of_majority(choices)[sure.rows] & (right[sure.rows] == 0)
    people = _people(told)[sure.rows]
    site = sure.chances[:, 1:].max(axis=1)
    found: list[Miss] = []
    met: set[frozenset[int]] = set()
    for at in np.argsort(-np.where(most, people * site, -1.0), kind="stable")[: 50 * _SHOWN]:
        row = sure.rows[at]
        three = [int(column[row]) for column in (choices.first, choices.second, choices.odd)]
        pairs = {frozenset(three) - {one} for one in three}
        if len(found) < _SHOWN and most[at] and not pairs & met:
            met |= pairs
            found.append(_miss(told, three, sure.chances[at], float(people[at]), pictures, int(row)))
    return found


def _miss(
    told: Judged, three: Sequence[int], chances: Array, people: float, pictures: Mapping[str, str], row: int
) -> Miss:
    """The second pair is first with odd, so that `second` is left out; the third leaves out `first`."""
    names = (told.names[three[0]], told.names[three[1]], told.names[three[2]])
    counts, _ = _counted(told.judgments)
    number = int(counts[told.judgments.triples[1][row]].sum())
    odd = 1 if chances[1] >= chances[2] else 0
    shown = (pictures[names[0]], pictures[names[1]], pictures[names[2]])
    return Miss(names, shown, odd, people, float(chances[1:].max()), number)


@lru_cache(maxsize=4)
def _counted(choices: Judgments) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same for all sites of a grid."""
    return votes(choices)


@lru_cache(maxsize=4)
def _of_majority(choices: Judgments) -> NDArray[np.bool_]:
    """One choice of each triplet's majority, none where there is no single one, `(row,)`."""
    counts, triples = _counted(choices)
    code = choices.triples[1]
    top = np.take_along_axis(triples, counts.argmax(axis=1)[:, None], axis=1)[:, 0]
    alone = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    theirs = np.flatnonzero((choices.odd == top[code]) & alone[code])
    _, first = np.unique(code[theirs], return_index=True)
    found = np.zeros(len(code), dtype=bool)
    found[theirs[first]] = True
    return found


def _people(told: Judged) -> NDArray[np.float64]:
    """Chance of every choice by people themselves, `(row,)`."""
    choices = told.judgments
    if told.embedding is not None:
        return _by_embedding(told.embedding.tobytes(), choices)
    counts, triples = _counted(choices)
    code = choices.triples[1]
    own = counts[code][triples[code] == choices.odd[:, None]]
    return (own + 1) / (counts.sum(axis=1)[code] + 3)


@lru_cache(maxsize=2)
def _by_embedding(embedding: bytes, choices: Judgments) -> NDArray[np.float64]:
    similar = alike(np.frombuffer(embedding).reshape(choices.objects, -1), "dot")
    return calibrated(similar, choices).chances[:, 0]


def gallery(report: Report, pictures: Pictures) -> dict[str, bytes]:
    """Title to PNG of the misses of a report; nothing where it has none."""
    table = report.table
    rows = [row for row, kind in enumerate(table.get("kind", ())) if kind == "miss"]
    if not rows:
        return {}
    from matplotlib.figure import Figure

    across = min(2, len(rows))
    down = -(-len(rows) // across)
    figure = Figure(figsize=(5.6 * across, 2.3 * down + _HEAD), dpi=85)
    figure.suptitle("Most confident misses: what people and what the site leave out", fontsize=10, fontweight="bold",
                    x=0.012, y=1 - 0.1 / (2.3 * down + _HEAD), ha="left", va="top")  # fmt: skip
    for place, row in enumerate(rows):
        ids, names = (str(table[column][row]).split("\n") for column in ("pictures", "objects"))
        for k in range(3):
            axes = figure.add_axes(_place(place, k, across, down))
            axes.imshow(pictures(ids[k]), interpolation="nearest")
            _label(axes, names[k], k == 2, names[k] == table["odd one of the site"][row],
                   (table["people's"][row], table["site's"][row]))  # fmt: skip
    held = io.BytesIO()
    figure.savefig(held, format="png")
    return {"Most confident misses": held.getvalue()}


def _place(place: int, k: int, across: int, down: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of a picture of a triplet."""
    row, col = divmod(place, across)
    width, height = 1 / across, 1 / down
    body = 2.3 * down / (2.3 * down + _HEAD)
    left, bottom = (col + 0.025 + 0.315 * k) * width, (1 - (row + 0.81) * height) * body
    return left, bottom, 0.3 * width, 0.7 * height * body


def _label(axes: Any, name: str, people: bool, site: bool, chances: tuple[float, float]) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_title(name, fontsize=8, pad=3)
    colour = _PEOPLE if people else _SITE if site else "#cccccc"
    for side in axes.spines.values():
        side.set(color=colour, linewidth=3 if people or site else 1)
    if people or site:
        told = f"odd for people ({chances[0]:.0%})" if people else f"odd for the site ({chances[1]:.0%})"
        axes.set_xlabel(told, fontsize=8, color=colour, labelpad=3)
