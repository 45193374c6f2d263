"""The verb `demo`: what the package does, on real input, in under a minute.

It reads photographs and generated scenes with the embedded model into a store, asks at every site whether the cells
of an object are alike, learns a small dictionary, and makes the explorer's bundle of all that.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from denoscope.bundling import Wanted, bundle
from denoscope.core.recipe import Recipe
from denoscope.core.report import Report
from denoscope.core.sample import DataSet, Sample
from denoscope.data.base import open_data
from denoscope.demo.picture import picture
from denoscope.demo.report import report
from denoscope.demo.warm import remember
from denoscope.extract import extract
from denoscope.interpret import interpret
from denoscope.learn import learn
from denoscope.models.loading import load, untrained
from denoscope.store.store import Store

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["SITES", "TIMESTEPS", "run_demo"]

MODEL, SCENES = "embedded", 64
SITES = ("in", "down.1", "mid", "up.0", "up.1", "up.2", "up.3")
TIMESTEPS = (0, 50, 200)
COMPARED = 50
"""Timestep at which the model is compared with its untrained twin."""
LOOKING = ("up.2.attn.2.blk.0.cross.map", "up.3.attn.0.blk.0.cross.map")
"""Where cells look among the words of a prompt."""
PROMPT = "a photo of a {category}"
LEARNED_AT, ATOMS = "up.1", 192
"""Where directions are learned, and how many."""
LOOKED_AT = 24
"""Scenes that are read with the prompt."""


def run_demo(out: Path, say: Callable[[str], None], model: str = MODEL, scenes: int = SCENES) -> list[str]:
    """Fill `out` with a store, a report and the explorer's bundle; what an earlier run has read is not read again.

    Args:
        out: folder.
        say: takes a line on what is going on.
        model: a U-Net that `load` knows.
        scenes: generated scenes that are read and measured.

    Returns:
        What was found and where it lies, line by line.
    """
    started = time.perf_counter()
    scope = load(model)
    world, photos = open_data("menagerie:test", scenes), open_data("photos")
    say(f"reading {len(photos)} photographs and {len(world)} scenes at {len(SITES)} sites, 3 noise levels")
    store, _ = _read(scope, "photos", len(photos), TIMESTEPS, out)
    store, trained = _read(scope, "menagerie:test", scenes, TIMESTEPS, out)
    say(f"reading {min(scenes, LOOKED_AT)} scenes with the prompt {PROMPT!r}, for what each word is looked at from")
    _read(scope, "menagerie:test", min(scenes, LOOKED_AT), (COMPARED,), out, LOOKING, PROMPT)
    say("reading the scenes again with the model's untrained twin")
    store, random = _read(untrained(scope), "menagerie:test", scenes, (COMPARED,), out)
    samples = _all(world)
    recipes = {"trained": trained, "untrained twin": random}
    found = report(store, recipes, SITES, COMPARED, samples, started)
    found.save(out / "report")
    store.save(found, "objects-hold-together")
    (out / "maps.png").write_bytes(picture(store, trained, SITES, COMPARED, samples))
    say(f"learning {ATOMS} directions of cells at {LEARNED_AT}, and looking for what they stand for")
    made = learn(
        store, "topk", LEARNED_AT, timestep=COMPARED, recipe=trained, atoms=ATOMS, k=8, cells=60_000, progress=False
    )
    interpret(store, made, looked=24)
    say("packing what was read for the explorer")
    bundle(store, wanted=Wanted(dictionaries=[made]))
    if (model, scenes) == (MODEL, SCENES):
        remember(out)
    return [*_told(found), *_places(out, store), f"done in {time.perf_counter() - started:.0f} s"]


def _read(
    model: "Model",
    data: str,
    limit: int,
    timesteps: Sequence[int],
    out: Path,
    sites: Sequence[str] = SITES,
    prompt: str = "",
) -> tuple[Store, Recipe]:
    """Extract, and the recipe under which the values lie."""
    store = extract(model, data, sites, timesteps, out=out / "store", limit=limit, prompt=prompt)
    wanted = (dict(model.recipe), data, limit, tuple(sorted(sites)), len(timesteps))
    for recipe in store.recipes:
        told = (dict(recipe.model), recipe.data["name"], recipe.data["count"], recipe.sites, len(recipe.conditions))
        if told == wanted:
            return store, recipe
    raise LookupError(f"extract left no recipe for {data} in {out}")


def _all(samples: DataSet) -> Sequence[Sample]:
    return [samples[index] for index in range(len(samples))]


def _told(found: Report) -> list[str]:
    """The site that separates objects best, and what it has to be compared with."""
    scores = [
        score for score in found.scores if score.name.startswith("trained") and f"timestep {COMPARED}" in score.name
    ]
    best = max(scores, key=lambda score: score.value)
    place = best.name.partition(", ")[2]
    beside = [found[f"{name}, {place}"] for name in ("untrained twin", "colour")]
    return [str(best), *(str(score) for score in beside)]


def _places(out: Path, store: Store) -> list[str]:
    return [
        f"report   {out / 'report' / 'report.html'}",
        f"maps     {out / 'maps.png'}",
        f"store    {out / 'store'}: {len(store.recipes)} recipes, {len(store.sites)} sites, {len(store.ids)} images",
        f"explore  denoscope explore {out / 'store'}",
    ]
