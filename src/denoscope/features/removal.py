"""Does a concept go, and all else stay? Removal judged on prompts that name the concept and on others."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from denoscope.chosen import loaded
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin, canonical
from denoscope.core.report import Report, Score, Table
from denoscope.dictionaries.edits import by_site
from denoscope.dictionaries.repairs import matched
from denoscope.features.rendered import rendered_judges
from denoscope.features.trials import FACTORS, Goal, Trial, goal_of, named, trials
from denoscope.figures.doses import doses_sheet
from denoscope.measures.statistics import Estimate, bootstrap_difference, bootstrap_mean

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["removal_success"]

Judging = Callable[[Sequence[Any]], Sequence[str]]
_RUNS = {"": "without", "edit": "with", "control": "control"}
_NOTE = (
    "Removal (SAeUron, 2501.18052): `gone` is the share of pictures whose prompt names the concept and in which the "
    "judge does not see it. Other facts of these pictures, and all facts of pictures of other prompts, should stay as "
    "they were asked for. Control: every cell changed by as much at every step, in another direction."
)


def removal_success(
    model: "str | Path | Model",
    edits: Sequence[Any],
    concept: str,
    *,
    judges: Mapping[str, Judging] | None = None,
    prompts: int = 40,
    seed: int = 0,
    steps: int = 10,
    guidance: float = 4.0,
    progress: bool = False,
    **options: Any,
) -> Report:
    """How often edits take a concept out of pictures that were asked for it, and what else they change.

    Args:
        model: name or path that `load` takes, or a loaded model; it must draw the menagerie.
        edits: such as one of `unlearn`.
        concept: fact and value, such as `"category=cat"`.
        judges: fact to a function from pictures to classes; `rendered_judges()` unless given.
        prompts: that name the concept, and as many that name another value of its fact.
        seed: of the noise.
        steps, guidance: of sampling.
        progress: show a bar while judges learn.
        options: further ones of `Model.generate`.

    Raises:
        InputError: no edit, or too few prompts.
        UnknownName: a concept that nobody judges.
    """
    started, scope, goal = time.perf_counter(), loaded(model), goal_of(concept)
    told = dict(judges or rendered_judges(tuple(FACTORS), progress=progress))
    if not edits or prompts < 2:
        raise InputError("give an edit or more, and two prompts or more")
    if goal.fact not in told:
        raise unknown("fact", goal.fact, told, "judges=")
    others = trials(goal, prompts, otherwise=True)
    asked = {"own": named(others, goal), "other": others}
    changes = {"": (), "edit": edits, "control": [matched(edit, seed=seed) for edit in edits]}
    settings: dict[str, Any] = {"seed": seed, "steps": steps, "guidance": guidance, **options}
    rows, sheets = list[dict[str, Any]](), dict[str, list[Any]]()
    for group, some in asked.items():
        for run, made in changes.items():
            images = scope.generate([one.prompt for one in some], edits=by_site(made), **settings).images
            rows += _rows(goal, group, run, some, {fact: list(judge(list(images))) for fact, judge in told.items()})
            sheets.setdefault(group, []).append(images)
    table = {name: [row[name] for row in rows] for name in rows[0]}
    figures = {f"Prompts that name {'it' if group == 'own' else 'others'}":
               doses_sheet(np.stack(images), [one.prompt for one in asked[group]], list(_RUNS.values()))
               for group, images in sheets.items()}  # fmt: skip
    return Report(
        task="removal success",
        parameters={"concept": concept, "prompts": prompts, "edits": [type(edit).__name__ for edit in edits],
                    **settings},
        scores=tuple(_scores(table, told)),
        inputs={"model": _digest(dict(scope.recipe)), "concept": _digest(concept)},
        origin=Origin.now(time.perf_counter() - started, str(scope.device)),
        table=table,
        figures=figures,
        notes=(_NOTE,),
    )  # fmt: skip


def _rows(
    goal: Goal, group: str, run: str, asked: Sequence[Trial], seen: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, Any]]:
    """One for each picture: whether the concept is gone, and the share of facts that are as asked."""
    for i, one in enumerate(asked):
        facts = [fact for fact in seen if group == "other" or fact != goal.fact]
        kept = float(np.mean([seen[fact][i] == getattr(one, fact) for fact in facts])) if facts else 1.0
        yield {"group": group, "run": run, "picture": i, "prompt": one.prompt,
               "gone": float(seen[goal.fact][i] != goal.value), "kept": kept,
               **{fact: names[i] for fact, names in seen.items()}}  # fmt: skip


def _scores(table: Table, judges: Mapping[str, Any]) -> Iterator[Score]:
    for fact, judge in judges.items():
        if isinstance(accuracy := getattr(judge, "accuracy", None), Estimate):
            yield Score(f"accuracy of the judge of {fact}", *accuracy, unit="share", over="images that it has not seen")
    for name, group, column, unit in (
        ("gone", "own", "gone", "share of pictures"),
        ("other facts as asked", "own", "kept", "share of facts"),
        ("other prompts as asked", "other", "kept", "share of facts"),
    ):
        values = {run: _column(table, group, run, column) for run in _RUNS}
        for run, found in values.items():
            tag = "" if run == "edit" else f", {_RUNS[run]}"
            yield Score(f"{name}{tag}", *bootstrap_mean(found), unit=unit, better="higher", over="pictures")
        for run in ("", "control"):
            beyond = bootstrap_difference(values["edit"], values[run])
            yield Score(f"{name} beyond {_RUNS[run]}", *beyond, unit=unit, better="higher", over="pictures")


def _column(table: Table, group: str, run: str, column: str) -> list[float]:
    rows = zip(table["group"], table["run"], table[column], strict=True)
    return [value for one, other, value in rows if (one, other) == (group, run)]


def _digest(value: Any) -> str:
    return sha256(canonical(value).encode()).hexdigest()[:16]
