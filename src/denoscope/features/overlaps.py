"""Model diffing by overlap: which cells became atoms in ITDA dictionaries of several models, sites or checkpoints."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import opened
from denoscope.core.errors import InputError
from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.dictionaries.digest import digest_of
from denoscope.figures.plots import heat_map
from denoscope.measures.overlap import Overlap, coarser, overlap
from denoscope.measures.significance import false_discovery
from denoscope.store.store import Store

__all__ = ["overlaps"]

_SEVERAL = 2
_NOTES = (
    "Overlap: cells that became atoms in both over cells that became atoms in either (Jaccard); intervals are from a "
    "bootstrap over images. Dictionaries of different widths compare, since an atom is known by its birthplace.",
    "Images shuffled: the same when the images of one dictionary are permuted, which keeps its liking for places and "
    "its number of atoms per image. What exceeds it depends on what the images show. q: false discovery rate.",
    "Read an overlap against two dictionaries of one model and site that met the cells in another order, on the same "
    "images and of the same size: no pair can be expected to share more. Sizes that differ bound it from above. What "
    "met the cells in one order shares some for that alone: an empty dictionary takes whatever comes first.",
)


_DRAWN = (
    "Some of these chose their cells by chance (--choose loss): of one seed they made the same draws and overlap for "
    "that alone, of different seeds hardly at all, whatever the models are. Compare --choose worst or --threshold."
)


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The cells that became atoms of one dictionary.

    Attributes:
        name: for people.
        made: the dictionary.
        cells: image and number of the cell of each atom.
        grid: rows and columns that cells are numbered in; None where that is not known.
        pool: how many images there were to choose from, where the dictionary says so.
    """

    name: str
    made: Learned
    cells: list[tuple[str, int]]
    grid: tuple[int, int] | None
    pool: int


def overlaps(
    dictionaries: Sequence[str | Path | Learned],
    names: Sequence[str] = (),
    *,
    stores: Sequence[Store | str | Path] = (),
    images: int | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> Report:
    """How far ITDA dictionaries chose the same cells of the same images as atoms, each with each.

    Args:
        dictionaries: two or more, learned from the same images: folders, or what `learn` made.
        names: what to call them; their folders, or model and site, unless given.
        stores: that tell the grids of sites, needed where these differ and a folder is not in its store: cells are
            then compared on the coarsest.
        images: how many there were to choose from; as the dictionaries' reports say, or those of any atom, where not
            given.
        draws: of the shuffle and the bootstrap.
        seed: of both.

    Raises:
        InputError: fewer than two, names that do not fit or are not told apart, atoms without birthplaces, or sites of
            different grids that nothing is known of.
        StoreError: no dictionary lies there.
    """
    started = time.perf_counter()
    chosen = _named([_chosen(given, stores) for given in dictionaries], names)
    if len(chosen) < _SEVERAL:
        raise InputError("overlap compares two dictionaries or more; give several folders")
    onto = _common([one.grid for one in chosen], [str(one.made.site) for one in chosen])
    ids = {name: number for number, name in enumerate(sorted({image for one in chosen for image, _ in one.cells}))}
    pool = max(len(ids), images or max(one.pool for one in chosen))
    rows = [_rows(one, ids, onto) for one in chosen]
    pairs = list(combinations(range(len(chosen)), 2))
    found = [overlap(rows[i], rows[j], pool, draws, seed) for i, j in pairs]
    between = [(chosen[i].name, chosen[j].name) for i, j in pairs]
    return Report(
        task="overlap",
        parameters={"dictionaries": [one.name for one in chosen], "images": pool, "draws": draws, "seed": seed,
                    "grid": list(onto) if onto else None},
        scores=tuple(score for pair, one in zip(between, found, strict=True) for score in _scores(pair, one)),
        inputs={one.name: digest_of(one.made) for one in chosen},
        origin=Origin.now(time.perf_counter() - started),
        table=_table(between, found, [str(one.made.site) for one in chosen], pairs),
        figures={"Overlap": _drawn([one.name for one in chosen], pairs, found)},
        notes=(*_NOTES, *[_DRAWN] * any(_by_chance(one.made) for one in chosen)),
    )  # fmt: skip


def _chosen(given: str | Path | Learned, stores: Sequence[Store | str | Path]) -> _Chosen:
    """Birthplaces of a dictionary's atoms.

    Raises:
        InputError: atoms that are no cells, or cells of no known image.
    """
    made = given if isinstance(given, Learned) else load_dictionary(given)
    births = cast("dict[str, list[Any]]", getattr(made, "births", {}))
    pairs = list(zip(births.get("sample", []), births.get("cell", []), strict=True))
    if not pairs or any(sample is None or cell is None for sample, cell in pairs):
        raise InputError(
            f"the atoms of {repr(made) if isinstance(given, Learned) else given} have no birthplaces; overlap compares "
            "dictionaries of `denoscope learn itda` from a store"
        )
    folder = given if not isinstance(given, Learned) else made.folder
    told = made.report.parameters if made.report is not None else {}
    return _Chosen(
        name="" if folder is None else Path(folder).name,
        made=made,
        cells=[(str(sample), int(cell)) for sample, cell in pairs],
        grid=_grid(made, None if folder is None else Path(folder), stores),
        pool=int(told.get("learned from", 0)),
    )


def _by_chance(made: Learned) -> bool:
    """Whether cells became atoms with a chance in proportion to what was left of them."""
    return getattr(made.settings, "choose", "") == "loss" and not getattr(made.settings, "threshold", 0.0)


def _grid(made: Learned, folder: Path | None, stores: Sequence[Store | str | Path]) -> tuple[int, int] | None:
    """Rows and columns of the dictionary's site, as a store tells them: one that was given, or that around its folder.

    Raises:
        StoreError: a store that was given and is none.
    """
    around = [folder.parents[1]] if folder is not None and folder.parent.name == "dictionaries" else []
    for given in (*stores, *around):
        for volume in opened(given).volumes:
            if made.site in volume.sites and volume.recipe.digest == made.about.get("recipe"):
                grid = volume.read(made.site, volume.conditions[0], np.arange(1)).grid
                return None if grid is None else (grid.rows, grid.cols)
    return None


def _named(chosen: Sequence[_Chosen], names: Sequence[str]) -> list[_Chosen]:
    """Under names that tell them apart."""
    if names and len(names) != len(chosen):
        raise InputError(f"{len(names)} names do not fit {len(chosen)} dictionaries")
    called = list(names) or [one.name or f"{one.made.about.get('site', 'dictionary')}" for one in chosen]
    if len(set(called)) < len(called):
        if names:
            raise InputError(f"names must tell dictionaries apart, and {', '.join(names)} do not")
        called = [f"{number}: {name}" for number, name in enumerate(called)]
    return [_Chosen(name, one.made, one.cells, one.grid, one.pool) for name, one in zip(called, chosen, strict=True)]


def _common(grids: Sequence[tuple[int, int] | None], sites: Sequence[str]) -> tuple[int, int] | None:
    """The coarsest of the grids; None where all are of one site and nothing has to be known.

    Raises:
        InputError: several sites, and a grid that is not known.
    """
    known = [grid for grid in grids if grid is not None]
    if len(known) < len(grids):
        if len(set(sites)) > 1:
            raise InputError(
                f"cells of {', '.join(dict.fromkeys(sites))} may lie on different grids; say where: stores"
            )
        return None
    return min(rows for rows, _ in known), min(cols for _, cols in known)


def _rows(one: _Chosen, ids: dict[str, int], onto: tuple[int, int] | None) -> NDArray[np.int64]:
    numbers = np.array([cell for _, cell in one.cells], dtype=np.int64)
    if onto is not None and one.grid is not None:
        numbers = coarser(numbers, one.grid, onto)
    return np.stack([np.array([ids[image] for image, _ in one.cells], dtype=np.int64), numbers], axis=1)


def _scores(pair: tuple[str, str], one: Overlap) -> tuple[Score, Score]:
    name, unit = " and ".join(pair), "share of cells"
    return (
        Score(name, one.value, one.low, one.high, one.n, unit, None, "images"),
        Score(
            f"{name}, images shuffled",
            one.chance,
            one.chance_low,
            one.chance_high,
            one.n,
            "share of cells",
            None,
            "shuffles",
        ),
    )


def _table(
    between: Sequence[tuple[str, str]], found: Sequence[Overlap], sites: Sequence[str], pairs: Sequence[tuple[int, int]]
) -> dict[str, list[Any]]:
    """A row per pair."""
    table: dict[str, list[Any]] = {
        "first": [first for first, _ in between],
        "second": [second for _, second in between],
        "sites": [f"{sites[i]}, {sites[j]}" for i, j in pairs],
        "overlap": [one.value for one in found],
        "low": [one.low for one in found],
        "high": [one.high for one in found],
        "images shuffled": [one.chance for one in found],
        "shuffled, 97.5 %": [one.chance_high for one in found],
        "p": [one.p for one in found],
        "q": false_discovery([one.p for one in found]).q.tolist(),
    }
    counts = {"cells of both": "shared", "cells of the first": "first", "cells of the second": "second"}
    return table | {name: [int(getattr(one, field)) for one in found] for name, field in counts.items()}


def _drawn(names: Sequence[str], pairs: Sequence[tuple[int, int]], found: Sequence[Overlap]) -> bytes:
    """The overlap of each with each above the diagonal, and what shuffled images give below it."""
    values = np.full((len(names), len(names)), np.nan)
    for (i, j), one in zip(pairs, found, strict=True):
        values[i, j], values[j, i] = one.value, one.chance
    return heat_map(
        values, names, names, "Cells that became atoms in both", "below the diagonal: images shuffled", better=None
    )
