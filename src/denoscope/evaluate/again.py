"""The commands that make a report again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from denoscope.core.condition import Condition
from denoscope.core.imported import imported_from
from denoscope.core.recipe import Recipe
from denoscope.core.task import Task
from denoscope.store.volume import Volume

__all__ = ["evaluating", "extracting"]


def extracting(volume: Volume, store: str) -> str:
    """The command that fills a store as this recipe's folder was filled; a remark where there is none.

    Args:
        volume: the recipe's folder.
        store: folder or URL.
    """
    recipe, plan = volume.recipe, volume.plan
    if program := imported_from(recipe.model):
        return f"# recipe {recipe.digest} was imported: denoscope import {program} FOLDER --out {_near(store)}"
    name = recipe.model.get("name")
    if name is None or plan is None or plan.data is None:
        return f"# recipe {recipe.digest} was stored by hand, or from samples in memory"
    model = f"untrained:{name}" if "untrained" in recipe.model else str(name)
    words = ["denoscope", "extract", model, plan.data, "--sites", *recipe.sites, *_noise(recipe)]
    words += _flags("canvas", recipe.canvas, {}) + _flags("keep", recipe.keep, {"layout": "grid", "dtype": "bf16"})
    words += ["--limit", str(plan.samples), "--out", _near(store)]
    compat = "  # with compat=, in Python" if "compat" in recipe.model else ""
    return shlex.join(words) + compat


def evaluating(task: Task, name: str, store: str, asked: Mapping[str, Any]) -> str:
    """The command that runs a task again.

    Args:
        task: with its parameters.
        name: under which it is registered.
        store: folder or URL.
        asked: flags of the verb, those that were not given being empty.
    """
    words = ["denoscope", "evaluate", name, _near(store)]
    for flag, value in asked.items():
        words += _flag(flag, value)
    kind: Any = type(task)
    changed = {field.name: getattr(task, field.name) for field in fields(kind)} if is_dataclass(task) else {}
    usual = {field.name: field.default for field in fields(kind)} if is_dataclass(task) else {}
    for flag, value in changed.items():
        if value != usual[flag]:
            words += _flag(flag, value)
    return shlex.join(words)


def _near(place: str) -> str:
    """A path from the working folder, where it lies below it."""
    path = Path(place)
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else place


def _flag(name: str, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if value is None or value == ():
        return []
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    if isinstance(value, (list, tuple)):
        return [flag, *map(_word, value)]
    return [flag, _near(_word(value))]


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _flags(name: str, values: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    told = {key: value for key, value in values.items() if value is not None and usual.get(key) != value}
    return [word for key, value in told.items() for word in _flag(f"{name}.{key}", value)]


def _noise(recipe: Recipe) -> list[str]:
    """Levels, and whatever else differs from the usual condition in the first one."""
    conditions = [Condition.from_dict(values) for values in recipe.conditions]
    words: list[str] = []
    for name in ("timestep", "sigma", "logsnr"):
        levels: Sequence[float] = [value for found in conditions if (value := getattr(found, name)) is not None]
        words += _flag(f"{name}s", list(dict.fromkeys(map(float, levels)))) if levels else []
    words += ["--clean"] if any(found.clean for found in conditions) else []
    rest = [field for field in fields(Condition) if field.name not in ("timestep", "sigma", "logsnr", "clean", "label")]
    first, prompts = conditions[0], list(dict.fromkeys(found.prompt for found in conditions))
    if len(prompts) > 1:
        words, rest = [*words, "--prompts", *prompts], [field for field in rest if field.name != "prompt"]
    for field in rest:
        if getattr(first, field.name) != field.default:
            words += _flag(field.name, getattr(first, field.name))
    return words
