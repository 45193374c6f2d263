"""The verb `renoised`: do noised pictures hold what pictures in the making hold? A two-sample check by site and level.

Dictionaries, probes and similarity maps are learned from clean images that were noised; edits act on sampling runs. If
the two differ, what was learned on one need not hold on the other.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from denoscope.chosen import loaded, made_folder
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.recipe import Origin, Recipe
from denoscope.core.report import Report, Score
from denoscope.core.sample import DataSet, Sample
from denoscope.core.site import Site
from denoscope.data.base import identity, open_data, read
from denoscope.features.trajectories import How, Spot, Trajectories
from denoscope.figures.plots import Band, curves
from denoscope.measures.significance import false_discovery
from denoscope.measures.twosample import TwoSample, two_sample
from denoscope.models.visiting import steps_near, visited
from denoscope.progress import progress_bar

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["PAIRS", "renoised"]

PAIRS = ("noised pictures of its own", "noised images", "sampled twice")
"""What is held against sampling runs; the last is sampling runs again, which nothing but chance tells apart."""

_RATE = 0.05
_NOTE = (
    "Every row is of another picture, with a prompt of another image. Accuracy is that of a classifier that tells rows "
    "of real sampling runs (the branch with the prompt) from others at the same level, on pictures that it did not "
    "see; 0.5 is chance. `cells` are one cell of each picture, `means` the mean of its cells. The energy distance is a "
    "share of the distance between rows: 0 where both are drawn alike. p is by relabelling, q at one false discovery "
    "rate over the table; `sampled twice` is the control. Its own pictures tell what noising does, images what they "
    "differ in besides. Rows of neighbouring levels and sites are of the same pictures, and err together."
)


def renoised(
    model: "str | Path | Model",
    data: str | Path | DataSet | Sequence[Sample],
    sites: str | Site | Sequence[str | Site],
    timesteps: Sequence[float] | None = None,
    *,
    prompt: str = "{caption}",
    pictures: int = 64,
    steps: int | None = None,
    guidance: float | None = None,
    draws: int = 999,
    seed: int = 0,
    batch_size: int | None = None,
    out: str | Path | None = None,
    progress: bool = True,
) -> Report:
    """Tell sampling runs from noised pictures, by what a model holds at sites and noise levels.

    Args:
        model: name or path that `load` takes, or a loaded model.
        data: images whose facts make prompts; four times as many as `pictures`.
        sites: names, globs or aliases.
        timesteps: noise levels; the steps of the run that come nearest are read. Five of them unless given.
        prompt: of each picture; {fact} stands for the fact of an image.
        pictures: on each side.
        steps: denoising steps; the checkpoint's own number unless given.
        guidance: of the runs; the checkpoint's own unless given.
        draws: relabellings of a test.
        seed: of pictures, noise and tests.
        batch_size: rows per forward.
        out: folder for the report.
        progress: show a bar with the time left.

    Raises:
        UnknownName: a model, data set, site or fact that does not exist.
        InputError: too few images, or no site.
    """
    started = time.perf_counter()
    scope = loaded(model)
    places = tuple(scope.select(sites))
    samples = open_data(data, 4 * pictures)
    if out is not None:
        made_folder(out)
    levels = tuple(visited(scope, steps or scope.parts.steps))
    spaced = [levels[place].timestep for place in np.linspace(0, len(levels) - 1, 5).round().astype(int)]
    at = steps_near(levels, spaced if timesteps is None else timesteps)
    scale = scope.parts.guidance if guidance is None else guidance
    paths = Trajectories(scope, places, levels, at, scale, seed, batch_size)
    sides, count = _sides(paths, samples, pictures, prompt, seed, progress)
    found = {
        (pair, spot): two_sample(sides[None][spot], sides[pair][spot], draws, seed)
        for pair in PAIRS
        for spot in sides[None]
    }
    conditions = tuple(Condition(timestep=min(levels[step].timestep, 1000), prompt=prompt) for step in at)
    recipe = Recipe(
        scope.recipe, identity(data, samples), asdict(scope.canvas(None)), tuple(sorted(one.name for one in places)),
        tuple(one.to_dict() for one in conditions), {"layout": "none", "steps": len(levels), "guidance": scale},
    )  # fmt: skip
    told = {"pictures": count, "steps": len(levels), "guidance": scale, "prompt": prompt, "draws": draws, "seed": seed}
    table = _table(found, levels, count)
    report = Report(
        task="renoised",
        parameters=told,
        scores=_scores(found, levels),
        inputs={"recipe": recipe.digest},
        origin=Origin.now(time.perf_counter() - started, str(getattr(scope, "device", "cpu"))),
        table=table,
        figures=_figures(found, levels, at, places),
        notes=(_summary(table), _NOTE),
    )
    if out is not None:
        report.save(out)
    return report


def _sides(
    paths: Trajectories, samples: DataSet, pictures: int, prompt: str, seed: int, progress: bool
) -> tuple[dict[str | None, Mapping[Spot, Any]], int]:
    """Rows of sampling runs (None), and of each that is held against them; all of different images' prompts.

    Raises:
        InputError: fewer than 16 images.
    """
    good, _ = read(samples, range(min(len(samples), 4 * pictures)))
    order = np.random.default_rng(seed).permutation(len(good))
    count = len(good) // 4
    if count < 4:
        raise InputError(f"four pictures on each side need 16 images whose prompts differ; there are {len(good)}")
    asked = Condition(timestep=0, prompt=prompt)
    quarters = [[good[place] for place in order[part * count : (part + 1) * count]] for part in range(4)]
    texts = [[asked.text_for(sample.facts) for sample in quarter] for quarter in quarters]
    with progress_bar("renoised", 5 * count, progress) as advance:
        first, _ = paths.sampled(texts[0], seed * 10_007, advance)
        again, _ = paths.sampled(texts[1], seed * 10_007 + 2_003, advance)
        _, latents = paths.sampled(texts[2], seed * 10_007 + 4_007, advance)
        own = paths.noised(latents, texts[2], advance)
        images = paths.of_images(quarters[3], texts[3], advance)
    return {None: first, PAIRS[0]: own, PAIRS[1]: images, PAIRS[2]: again}, count


Found = Mapping[tuple[str, Spot], TwoSample]


def _scores(found: Found, levels: Sequence[Any]) -> tuple[Score, ...]:
    """Accuracies, site by site and level by level."""
    return tuple(
        Score(
            f"accuracy, {pair} at {site}, {levels[step].timestep:g}, {how}", **one.accuracy._asdict(), unit="share",
            over="pictures",
        )
        for (pair, (site, step, how)), one in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
    )  # fmt: skip


def _summary(table: Mapping[str, Sequence[Any]]) -> str:
    """How many tests find a difference, of each kind."""
    rows = list(zip(table["against sampling"], table["q"], strict=True))
    counts = {pair: [q <= _RATE for name, q in rows if name == pair] for pair in PAIRS}
    told = ", ".join(f"{pair} {sum(found)} of {len(found)}" for pair, found in counts.items())
    return f"Energy distances that hold at a false discovery rate of {_RATE:.0%}: {told}."


def _table(found: Found, levels: Sequence[Any], count: int) -> dict[str, list[Any]]:
    q = false_discovery([one.p for one in found.values()]).q.tolist()
    rows = [
        {
            "site": site, "timestep": levels[step].timestep, "against sampling": pair, "rows": how,
            "energy distance": one.energy.value, "energy low": one.energy.low, "energy high": one.energy.high,
            "p": one.p, "q": rate, "accuracy": one.accuracy.value, "accuracy low": one.accuracy.low,
            "accuracy high": one.accuracy.high, "accuracy p": one.accuracy_p, "pictures on each side": count,
        }
        for ((pair, (site, step, how)), one), rate in zip(found.items(), q, strict=True)
    ]  # fmt: skip
    return {name: [row[name] for row in rows] for name in rows[0]}


def _figures(found: Found, levels: Sequence[Any], at: Sequence[int], sites: Sequence[Site]) -> dict[str, bytes]:
    """Accuracy over noise, for each site, on means and on single cells."""
    steps = sorted(at, key=lambda step: levels[step].timestep)
    x = [round(levels[step].timestep) for step in steps]
    made: dict[str, bytes] = {}
    kinds: tuple[How, How] = ("means", "cells")
    for site, how in product(sites if len(steps) > 1 else (), kinds):
        lines: dict[str, Band] = {}
        for pair in PAIRS:
            told = [found[pair, (site.name, step, how)].accuracy for step in steps]
            lines[pair] = Band([t.value for t in told], [t.low for t in told], [t.high for t in told])
        lines["chance"] = Band(*([0.5] * len(steps),) * 3)
        rows = "means over cells" if how == "means" else "single cells"
        title = f"{site.name}: sampling runs told apart by {rows}"
        made[title] = curves(x, lines, title, "timestep", "accuracy", dashed=(PAIRS[2], "chance"))
    return made
