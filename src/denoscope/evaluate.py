"""The verb `evaluate`: store x task -> report."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.chosen import opened, usual
from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import unknown
from denoscope.core.recipe import Recipe
from denoscope.core.registry import tasks
from denoscope.core.report import Report
from denoscope.core.site import Site
from denoscope.core.task import Task
from denoscope.store.store import Store

__all__ = ["evaluate"]


def evaluate(
    store: Store | str | Path,
    task: str | Task,
    site: str | Site | None = None,
    condition: Condition | None = None,
    *,
    timestep: float | None = None,
    recipe: str | Recipe | None = None,
    save: bool = True,
    **params: Any,
) -> Report:
    """Run a task on one site of a store, under one condition.

    Args:
        store: a store, or its folder or URL.
        task: name (`denoscope list tasks`), or a task with its parameters.
        site: name or alias; may be left out where only one is stored.
        condition: the only one stored, or that whose timestep is nearest to 50, unless given.
        timestep: instead of a condition.
        recipe: digest, or its beginning, where several recipes hold the site.
        save: keep the report in the store, where `store.reports` lists it.
        params: of the task (`help(denoscope.tasks.probe.Probe)`).

    Raises:
        UnknownName: a task, parameter, site or recipe that does not exist, with the nearest names.
        InputError: several conditions or recipes fit, or the task cannot be run on what is stored.
        StoreError: nothing is stored, or it is damaged.
    """
    made = task_of(task, params)
    place = opened(store)
    asked = {} if timestep is None else {"timestep": timestep}
    volume, where, condition = usual(place, site, condition, recipe, **asked)
    values = _gathered(place.batches(where, condition, recipe=volume.recipe), made)
    known = place.facts(volume.recipe)
    report = made.run(values, [known[name] for name in values.ids])
    report = replace(report, inputs={**report.inputs, "recipe": volume.recipe.digest})
    if save:
        place.save(report)
    return report


def task_of(task: str | Task, params: dict[str, Any]) -> Task:
    """A task by name and parameters.

    Raises:
        UnknownName: no such task or parameter.
    """
    if not isinstance(task, str):
        return replace(task, **params) if params and is_dataclass(task) else task
    kind = tasks.get(task)
    known = [field.name for field in fields(kind)]
    for name in params:
        if name not in known:
            raise unknown(f"parameter of {task!r}", name, known, f"denoscope evaluate {task} --help")
    return kind(**params)


def _gathered(batches: Iterator[Activations], task: Task) -> Activations:
    """All rows as the task wants them; one that says how to `prepare` a batch never meets more than one at full size.

    Raises:
        InputError: prepared batches of several sizes cannot be joined.
    """
    prepare = getattr(task, "prepare", None)
    parts = [prepare(batch) if prepare else batch for batch in batches]
    first = parts[0]
    if len(parts) == 1:
        return first
    return replace(
        first,
        values=np.concatenate([part.numpy() for part in parts]),
        ids=tuple(name for part in parts for name in part.ids),
        frames=tuple(frame for part in parts for frame in part.frames),
        draws=tuple(draw for part in parts for draw in part.draws),
    )
