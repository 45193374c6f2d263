"""What `learn` reports: FVU on held-out images beside the baselines, and a table of the atoms."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, cast

from denoscope.core.condition import Condition
from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.rivals import rivals, usual_rivals
from denoscope.dictionaries.score import Explained
from denoscope.figures.atoms import frequencies
from denoscope.learn.source import Source

__all__ = ["reported"]

_NOTE = (
    "Fraction of variance unexplained (FVU) over the cells of images that nothing was learned from; 1 is the mean of "
    "the training cells, 0 is perfect. Principal components are as many as the dictionary has codes per cell; random "
    "atoms are drawn on the sphere and encode by themselves; other dictionaries beside it have as many atoms "
    "and codes per cell, where they have both. Intervals are from a bootstrap over images."
)
_SEVERAL = (
    "Cells of all noise levels were mixed for learning, also for the principal components and the mean; each score is "
    "of the same held-out images at one level. A temporal dictionary is scored as what it is at that level."
)


def reported(
    made: Learned,
    source: Source,
    started: float,
    names: Sequence[str] | None,
    plain: Iterable[Any],
    mixed: Iterable[Any],
    further: Sequence[Score] = (),
) -> Report:
    """FVU on held-out images beside the baselines, and a table of the atoms.

    Args:
        made: the dictionary.
        source: where it was learned.
        started: when, by `time.perf_counter`.
        names: of dictionaries to learn beside it; those that cost little unless given.
        plain: training cells for the principal components.
        mixed: training cells in random order, for the others.
        further: scores of the training itself.
    """
    per_cell = min(int(getattr(made.settings, "k", len(made.atoms))), made.bias.size)
    linear = PCA(atoms=per_cell).fit(plain)
    others = rivals(made, usual_rivals(made) if names is None else names, mixed)
    found = [_explained(made, condition, linear, others) for condition in source.conditions]
    for place, image, cells in source.held():
        found[place].add(image, cells)
    levels = [_level(condition) for condition in source.conditions]
    train, test = source.counts
    told = {"site": str(source.site), "held out": test, "learned from": train, **source.told}
    told |= {"condition": ", ".join(map(str, source.conditions))}
    several = len(found) > 1
    table = _table(found, levels) if several else found[0].table()
    shares = {level: table[f"frequency at {level}"] for level in levels} if several else {"": table["frequency"]}
    return Report(
        task=f"learn-{made.name}",
        parameters=asdict(made.settings) | told,
        scores=(*(_scores(found, levels) if several else found[0].scores()), *further),
        inputs={"recipe": source.recipe.digest},
        origin=Origin.now(time.perf_counter() - started),
        table=table,
        figures={"How often atoms are active": frequencies({name or made.name: of for name, of in shares.items()})},
        notes=(_NOTE, _SEVERAL) if several else (_NOTE,),
        recipes={source.recipe.digest: json.loads(source.recipe.to_json())},
    )


def _explained(made: Learned, condition: Condition, linear: PCA, others: Mapping[str, Learned]) -> Explained:
    """Sums over cells under one condition, as the dictionary that it is there explains them."""
    at = getattr(made, "at", None)
    here = made if at is None else cast("Learned", at(condition.timestep or 0.0))
    twin = made.random(linear.bias)
    components = f"{len(linear.atoms)} principal components"
    baselines: dict[str, Learned] = {} if isinstance(made, PCA) else {components: linear}
    return Explained(here, baselines | ({"random atoms": twin} if twin else {}) | dict(others), linear.bias)


def _level(condition: Condition) -> str:
    return str(condition) if condition.timestep is None else f"{condition.timestep:g}"


def _scores(found: Sequence[Explained], levels: Sequence[str]) -> tuple[Score, ...]:
    """Those of each noise level, which their names tell."""
    pairs = zip(found, levels, strict=True)
    return tuple(replace(score, name=f"{score.name} at {level}") for one, level in pairs for score in one.scores())


def _table(found: Sequence[Explained], levels: Sequence[str]) -> dict[str, list[Any]]:
    """How often each atom is active at each noise level, and how much."""
    table: dict[str, list[Any]] = {"atom": list(range(len(found[0].uses)))}
    for one, level in zip(found, levels, strict=True):
        table |= {f"{name} at {level}": column for name, column in one.table().items() if name != "atom"}
    return table
