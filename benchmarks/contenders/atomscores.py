"""What dictionaries were measured at, on disk, as scores."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contenders.atoms import FACTS
from denoscope.dictionaries.base import load_dictionary
from denoscope.measures.factors import macro_f1, macro_f1_gap
from denoscope.measures.significance import false_discovery
from denoscope.measures.sparsity import matched, max_cosine
from denoscope.measures.statistics import Estimate, bootstrap_difference, bootstrap_mean, bootstrap_ratio

__all__ = ["FIRST", "LABELS", "Found", "Place", "Row", "gaps_of", "rows_of", "stable"]

Array = NDArray[Any]
Row = dict[str, Any]
LABELS = {
    "topk": "TopK SAE", "temporal": "temporal SAE", "itda": "ITDA", "topk-pursued": "TopK's atoms, pursued",
    "topk-random": "random atoms, top k", "random": "random atoms, pursued", "itda-random": "cells by chance, pursued",
    "kmeans": "k-means, 512 centres", "nmf": "NMF, 64 parts", "pca": "principal components", "neurons": "channels",
    "probe": "linear map of pooled cells", "topk-again": "TopK SAE, seed 1", "temporal-again": "temporal SAE, seed 1",
    "itda-again": "ITDA, seed 1", "topk-random-again": "random atoms, top k, seed 1",
    "itda-random-again": "cells by chance, seed 1",
}  # fmt: skip
GAPS = (("topk", "topk-random"), ("temporal", "topk-random"), ("itda", "itda-random"), ("itda", "random"),
        ("temporal", "topk"), ("itda", "topk"), ("topk", "neurons"), ("itda", "neurons"), ("topk", "pca"))  # fmt: skip
"""Pairs whose difference is told."""
FIRST = "50"
"""Noise level of the first table."""


@dataclass(frozen=True)
class Place:
    """Where it is kept what one dictionary was measured at."""

    folder: Path
    which: str
    site: str
    name: str

    @property
    def json(self) -> Path:
        """Numbers."""
        return self.folder / f"{self.which}-{self.site}-{self.name}.json"

    def keep(self, told: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Write both, the numbers last, so that what is there is whole."""
        np.savez_compressed(self.json.with_suffix(".npz"), **dict(arrays))
        self.json.write_text(json.dumps(told, indent=1))


@dataclass(frozen=True)
class Unit:
    """One dictionary as it was measured."""

    place: Place
    known: Mapping[str, Array]

    @cached_property
    def told(self) -> dict[str, dict[str, Any]]:
        """Numbers by noise level."""
        return json.loads(self.place.json.read_text())

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """What each image adds."""
        with np.load(self.place.json.with_suffix(".npz")) as found:
            return dict(found)

    def has(self, level: str, name: str) -> bool:
        """Whether something was measured."""
        return f"{level} {name}" in self.arrays

    def fvu(self, level: str) -> Estimate:
        """Unexplained share of the variance."""
        return bootstrap_ratio(self.arrays[f"{level} errors"], self.arrays[f"{level} spread"])

    def calls(self, level: str, fact: str, shuffled: bool = False) -> tuple[Array, Array]:
        """What the atoms call each image, and what it is."""
        part, truth = slice(*self.known[f"classes {fact}"].tolist()), self.known["truth"]
        name = "shuffled" if shuffled else "calls"
        rows = truth[self.arrays[f"{level} dealt"]] if shuffled else truth
        return self.arrays[f"{level} {name}"][:, part], rows[:, part]

    def f1(self, level: str, fact: str, shuffled: bool = False) -> Estimate:
        """Macro F1 of a fact."""
        return macro_f1(*self.calls(level, fact, shuffled), draws=500)

    def place_score(self, level: str, name: str) -> Estimate:
        """Mean over images of what maps are held against."""
        return bootstrap_mean(self.arrays[f"{level} {name}"])


@dataclass(frozen=True, eq=False)
class Found:
    """All that was measured."""

    runs: Path
    sites: tuple[str, ...]
    methods: tuple[str, ...]

    @cached_property
    def known(self) -> dict[str, Array]:
        """What is known of the scenes."""
        with np.load(self.runs / "scenes.npz") as found:
            return dict(found)

    @cached_property
    def units(self) -> dict[tuple[str, str, str], Unit]:
        """By model, site and name."""
        wanted = [Place(self.runs / "units", which, site, name)
                  for which in ("trained", "twin") for site in self.sites for name in LABELS]  # fmt: skip
        return {(p.which, p.site, p.name): Unit(p, self.known) for p in wanted if p.json.exists()}

    def at(self, site: str, which: str = "trained") -> dict[str, Unit]:
        """By name, in the order of the table."""
        return {name: self.units[which, site, name] for name in LABELS if (which, site, name) in self.units}

    def atoms(self, site: str, name: str) -> Array | None:
        """Directions of a dictionary, where it was learned."""
        place = self.runs / "dictionaries" / f"trained-{site}-{name}"
        return load_dictionary(place).atoms if (place / "config.json").exists() else None


def _row(unit: Unit, level: str, score: str, told: Estimate, better: str = "") -> Row:
    place = unit.place
    return {"model": place.which, "site": place.site, "dictionary": place.name, "timestep": float(level),
            "score": score, **told._asdict(), "better": better}  # fmt: skip


def rows_of(found: Found, site: str) -> Iterator[Row]:
    """Every score of every dictionary at a site."""
    for which in ("trained", "twin"):
        for name, unit in found.at(site, which).items():
            for level in unit.told:
                yield from _scores(unit, level, name)


def _scores(unit: Unit, level: str, name: str) -> Iterator[Row]:
    if unit.has(level, "errors"):
        yield _row(unit, level, "FVU", unit.fvu(level), "lower")
        yield _row(unit, level, "L0", bootstrap_mean(unit.arrays[f"{level} active"]))
        for score in ("dead", "coverage", "evenness"):
            number, atoms = unit.told[level][score], int(unit.told[level]["atoms"])
            yield _row(unit, level, score, Estimate(number, number, number, atoms))
    for fact in FACTS:
        yield _row(unit, level, f"F1 of {fact}", unit.f1(level, fact), "higher")
        if name in ("topk", "topk-random", "itda", "neurons"):
            yield _row(unit, level, f"F1 of {fact}, shuffled facts", unit.f1(level, fact, shuffled=True))
    for score in ("iou", "any", "elsewhere", "named otherwise"):
        if unit.has(level, score):
            yield _row(unit, level, f"mIoU, {score}" if score != "iou" else "mIoU", unit.place_score(level, score))


def gaps_of(found: Found, sites: Sequence[str]) -> list[Row]:
    """Differences of pairs, of one model and from the random-init twin, with q over all that have a p."""
    rows: list[Row] = []
    for site in sites:
        units, twins = found.at(site), found.at(site, "twin")
        pairs = [(one, other, units[one], units[other]) for one, other in GAPS if one in units and other in units]
        pairs += [(name, f"{name}, random-init twin", units[name], twins[name]) for name in ("topk", "itda")
                  if name in twins and name in units]  # fmt: skip
        for one, other, first, second in pairs:
            for level in (level for level in first.told if level in second.told):
                rows += _gap(site, level, one, other, first, second)
    for row, q in zip(rows, false_discovery([row["p"] for row in rows]).q.tolist() if rows else [], strict=True):
        row["q"] = None if np.isnan(q) else q
        row["p"] = None if np.isnan(row["p"]) else row["p"]
    return rows


def _gap(site: str, level: str, one: str, other: str, first: Unit, second: Unit) -> Iterator[Row]:
    base = {"site": site, "timestep": float(level), "first": one, "second": other}
    for fact in FACTS:
        calls, truth = first.calls(level, fact)
        told = macro_f1_gap(calls, second.calls(level, fact)[0], truth, draws=500)
        yield {**base, "score": f"F1 of {fact}", **told.difference._asdict(), "p": told.p}
    if "twin" not in other:
        spread, errors = first.arrays[f"{level} spread"], [u.arrays[f"{level} errors"] for u in (first, second)]
        yield {**base, "score": "FVU", **bootstrap_ratio(errors[0] - errors[1], spread)._asdict(), "p": float("nan")}
    if first.has(level, "iou") and second.has(level, "iou"):
        told = bootstrap_difference(first.arrays[f"{level} iou"], second.arrays[f"{level} iou"])
        yield {**base, "score": "mIoU", **told._asdict(), "p": float("nan")}


def stable(found: Found, site: str) -> list[Row]:
    """How far two trainings find the same atoms, beside what needs no training."""
    rows: list[Row] = []
    for method in found.methods:
        signed, first = method != "itda", found.atoms(site, method)
        if first is None:
            continue
        drawn = np.random.default_rng(41).normal(size=first.shape)
        others = {"two seeds": (first, found.atoms(site, f"{method}-again")),
                  "two halves of the images": [found.atoms(site, f"{method}-half{side}") for side in (0, 1)],
                  "cells by chance": (first, found.atoms(site, "itda-random")),
                  "random directions": (first, drawn)}  # fmt: skip
        for name, (a, b) in others.items():
            if a is not None and b is not None and a.shape == b.shape:
                mcc = bootstrap_mean(matched(a, b, signed), draws=500)
                rows.append({"site": site, "method": method, "against": name, **mcc._asdict(),
                             "MMCS": max_cosine(a, b, signed)})  # fmt: skip
    return rows
