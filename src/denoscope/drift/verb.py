"""The verb `drift`: one checkpoint read in several precisions, and what that changes."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denoscope.chosen import made_folder
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.recipe import Origin, Recipe, canonical
from denoscope.core.report import Report
from denoscope.core.sample import DataSet, Sample
from denoscope.core.task import Joint, Task
from denoscope.data.base import identity, open_data
from denoscope.drift.reporting import Row, reported
from denoscope.drift.scored import Scored, change, scored
from denoscope.drift.variants import Variant
from denoscope.drift.variants import variants as variants_of
from denoscope.evaluate import evaluate, task_of
from denoscope.extract import extract
from denoscope.learn.cells import cells_of
from denoscope.measures.deviation import Deviation, deviation
from denoscope.models.loading import load
from denoscope.store.keep import Keep
from denoscope.store.store import Store

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["drift"]

_AT_ONCE = 16
"""Images that are compared at a time."""


def drift(
    model: str | Path,
    data: str | Path | DataSet | Sequence[Sample],
    sites: str | Sequence[str],
    timesteps: float | Sequence[float] = 50,
    *,
    against: str = "fp32",
    variants: Sequence[str] = ("bf16", "fp16"),
    task: str | Task | None = None,
    out: str | Path = "runs/drift",
    prompt: str = "",
    guidance: float | None = None,
    seed: int = 0,
    limit: int | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    progress: bool = True,
    **params: Any,
) -> Report:
    """Measure what precision and quantised weights change in a model's activations, and in a task's score.

    Everything that is read lies in the store `out/store`, in fp32, a recipe for each variant: interrupted, the same
    call goes on. Beside the variants stands the reference under another noise.

    Args:
        model: name, Hub id or folder; it is loaded once for each variant.
        data: images, with the facts that the task needs.
        sites: names, globs or aliases.
        timesteps: noise levels.
        against: precision of the reference: `fp32`, `bf16` or `fp16`.
        variants: what is held against it: precisions, quantisations (`int8`, `fp8`, `nf4`), or both (`bf16+int8`).
        task: name of a task that scores images or pairs, such as `probe` or `correspondence`, or the task itself.
        out: folder for store and report.
        prompt, guidance, seed: of the condition.
        limit: at most so many images.
        device, batch_size: as for `load` and `extract`.
        progress: show bars with the time left.
        params: of the task.

    Raises:
        UnknownName: a site, precision, quantisation or task that does not exist.
        InputError: nothing to compare, or a task that cannot be compared unit by unit.
        MissingPackage: what quantises is not installed.
    """
    started = time.perf_counter()
    every = variants_of(tuple(variants), against)
    chosen = None if task is None else task_of(task, params)
    if chosen is None and params:
        raise InputError(f"{', '.join(params)} belong to a task, and none was named; say for example task='probe'")
    if isinstance(chosen, Joint) and getattr(chosen, "joint", True):
        raise InputError(f"{task} compares sites with one another; drift needs a task that scores one")
    levels = [timesteps] if isinstance(timesteps, (int, float)) else list(timesteps)
    asked = [Condition(timestep=level, prompt=prompt, guidance=guidance, seed=seed) for level in levels]
    folder = made_folder(out)
    samples = open_data(data, limit)
    reading = {"out": folder / "store", "keep": Keep(dtype="fp32"), "batch_size": batch_size, "progress": progress}
    recipes: dict[str, Recipe] = {}
    for one in every:
        scope = load(model, device=device, **one.loading)
        conditions = one.conditions(asked)
        store = extract(scope, data, sites, conditions=conditions, limit=limit, **reading)
        recipes[one.name] = _recipe(store, scope, sites, conditions, identity(data, samples))
    store = Store(folder / "store")
    rows = list(_Bench(store, recipes, chosen).rows(every, asked))
    origin = Origin.now(time.perf_counter() - started, device or "cpu")
    parameters = {
        "model": str(model), "against": against, "variants": [one.name for one in every[2:]], "sites": sites,
        "timesteps": levels, "prompt": prompt, "guidance": guidance, "seed": seed,
        "task": None if chosen is None else str(chosen),
    }  # fmt: skip
    report = reported(rows, parameters, {name: recipe.digest for name, recipe in recipes.items()}, origin)
    report = replace(report, recipes={recipe.digest: recipe.to_json() for recipe in recipes.values()})
    report.save(folder)
    return report


def _recipe(
    store: Store, model: "Model", sites: str | Sequence[str], conditions: Sequence[Condition], data: Mapping[str, Any]
) -> Recipe:
    """What an extraction has put into a store, found by what it was asked."""
    names = tuple(sorted(site.name for site in model.select(sites)))
    told = tuple(one.to_dict() for one in conditions)
    wanted = (canonical(model.recipe), names, canonical(told), canonical(data), canonical(Keep(dtype="fp32").to_dict()))
    for found in store.recipes:
        held = (canonical(found.model), found.sites, *map(canonical, (found.conditions, found.data, found.keep)))
        if held == wanted:
            return found
    raise InputError(f"{store.place.url} does not hold what was just read into it")


class _Bench:
    """Activations of all variants, held against those of the first, and a task's scores of them.

    Args:
        store: that holds them.
        recipes: by variant.
        task: that is run on each; None for none.
    """

    def __init__(self, store: Store, recipes: Mapping[str, Recipe], task: Task | None) -> None:
        self._store, self._recipes, self._task = store, recipes, task
        self._ids = store.volume(next(iter(recipes.values()))).table.ids

    def rows(self, every: Sequence[Variant], asked: Sequence[Condition]) -> Iterator[Row]:
        """One for each variant, site and level; the reference comes first, without errors of its own."""
        first = every[0]
        for site in self._recipes[first.name].sites:
            for level, condition in enumerate(asked):
                wanted = self._scored(first, site, condition)
                yield Row(first.name, site, condition.timestep, (), wanted, None)
                for one in every[1:]:
                    under = one.conditions([asked[level]])[0]
                    found = self._scored(one, site, under)
                    changed = None if found is None or wanted is None else change(found, wanted)
                    far = tuple(self._deviations(one, first, site, under, condition))
                    yield Row(one.name, site, condition.timestep, far, found, changed)

    def _scored(self, one: Variant, site: str, condition: Condition) -> Scored | None:
        if self._task is None:
            return None
        digest = self._recipes[one.name].digest
        return scored(self._task, evaluate(self._store, self._task, site, condition, recipe=digest, save=False))

    def _deviations(
        self, one: Variant, first: Variant, site: str, under: Condition, condition: Condition
    ) -> Iterator[Deviation]:
        """Of every image, in order."""
        asked = ((one, under), (first, condition))
        for start in range(0, len(self._ids), _AT_ONCE):
            some = self._ids[start : start + _AT_ONCE]
            x, y = (self._store.get(site, c, ids=some, recipe=self._recipes[v.name].digest) for v, c in asked)
            for row in range(len(some)):
                yield deviation(cells_of(x.select([row])), cells_of(y.select([row])))
