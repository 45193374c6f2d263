"""Does steering do what is meant, and nothing else? Edits chosen on some prompts, judged on others, beside controls."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import loaded
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin, canonical
from denoscope.core.report import Report
from denoscope.dictionaries.edits import by_site
from denoscope.dictionaries.repairs import Control, matched
from denoscope.features.rendered import rendered_judges
from denoscope.features.successscores import success_figures, success_scores
from denoscope.features.trials import FACTORS, Goal, Trial, goal_of, named, trials
from denoscope.features.unusual import Meter, looked_at
from denoscope.progress import progress_bar

if TYPE_CHECKING:
    from denoscope.models.base import Model
    from denoscope.models.generation import Generation

__all__ = ["steering_success"]

Images = NDArray[np.uint8]
Judging = Callable[[Sequence[Any]], Sequence[str]]
Candidates = Mapping[str, Mapping[str, Sequence[Any]]]
Row = dict[str, Any]
_NOTE = (
    "The edit of each target was chosen among its candidates on other prompts and other noise than those that are "
    "told: by the share of pictures that came to show the target, plus that of other facts as asked. Without "
    "the edit, under it, and under its control (every cell changed by as much at every step, another way) pictures "
    "start from the same noise. `Prompt`: the same prompt with the target in words, which also changes more than "
    "was asked for. Intervals are over pictures, those of one prompt together."
)
_KEPT = (
    "Other facts as asked: share of the other facts that the prompt names that a judge sees in it. As before: "
    "share of them that it calls as in the picture without the edit; whatever a judge wavers about counts against "
    "that, so it is to be read beside that of `prompt`."
)


def steering_success(
    model: "str | Path | Model",
    candidates: Candidates,
    *,
    judges: Mapping[str, Judging] | None = None,
    choosing: int = 10,
    held: int = 40,
    otherwise: bool = False,
    control: Control = "direction",
    ceiling: bool = True,
    seed: int = 0,
    steps: int = 10,
    guidance: float = 4.0,
    progress: bool = False,
    **options: Any,
) -> Report:
    """How often the best of some edits changes the fact that is meant, and how often it changes others.

    Args:
        model: name or path that `load` takes, or a loaded model; it must draw the menagerie.
        candidates: for each target, such as `"background=snow"`, edits by name; those of one name act together. See
            `denoscope.features.candidates` for how they are made of a dictionary.
        judges: fact to a function from pictures to classes; `rendered_judges()` unless given.
        choosing: prompts of each target on which one of its candidates is chosen; with a single candidate none.
        held: further prompts, with other noise, that everything told is of.
        otherwise: prompts name another value of the fact, which an edit has to overcome; they leave it open unless set.
        control: kind of the change of equal size, see `matched`.
        ceiling: also make pictures of the prompts with the target in words.
        seed: of the noise while choosing; the next one is that of what is told.
        steps, guidance: of sampling.
        progress: show a bar with the time left.
        options: further ones of `Model.generate`, such as `height` and `width`.

    Returns:
        A report: scores over all targets and for each, a row per picture, what was tried.

    Raises:
        InputError: no target, a target without edits, or too few prompts.
        UnknownName: a target that nobody judges.
    """
    started, scope = time.perf_counter(), loaded(model)
    goals = {goal_of(text): {name: list(edits) for name, edits in told.items()} for text, told in candidates.items()}
    if not goals or min(map(len, goals.values())) < 1 or held < 2 or choosing < 1:
        raise InputError("give one target or more, an edit or more for each, a prompt to choose on and two to tell of")
    told = dict(judges or rendered_judges(tuple(FACTORS), progress=progress))
    for goal in goals:
        if goal.fact not in told:
            raise unknown("fact", goal.fact, told, "judges=")
    settings = {"steps": steps, "guidance": guidance, **options}
    bench = _Bench(scope, told, settings, otherwise)
    work = sum((len(tried) > 1) * len(tried) + 4 + ceiling for tried in goals.values())
    rows, trying, sheets = list[Row](), list[Row](), dict[str, Images]()
    with progress_bar("steering success", work, progress) as advance:
        for goal, tried in goals.items():
            best = next(iter(tried))
            if len(tried) > 1:
                found = bench.choose(goal, tried, choosing, seed)
                best = max(found, key=lambda one: one["score"])["edit"]
                trying += found
                advance(len(tried))
            made, images = bench.told(goal, best, tried[best], (choosing, held), seed + 1, control, ceiling)
            rows += made
            sheets[f"{goal}: {best}"] = images
            advance(4 + ceiling)
    table = {name: [row[name] for row in rows] for name in rows[0]}
    picked = {str(goal): next(row["edit"] for row in rows if row["target"] == str(goal)) for goal in goals}
    return Report(
        task="steering success",
        parameters={"targets": [*candidates], "tried": {str(goal): [*tried] for goal, tried in goals.items()},
                    "chosen": picked, "choosing": trying, "prompts": [choosing, held], "otherwise": otherwise,
                    "control": control, "seed": seed, **settings},
        scores=tuple(success_scores(table, told)),
        inputs={"model": _digest(dict(scope.recipe)), "targets": _digest([*candidates])},
        origin=Origin.now(time.perf_counter() - started, str(scope.device)),
        table=table,
        figures=success_figures(table, sheets),
        notes=(_NOTE, _KEPT),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Bench:
    """Where edits are tried: pictures of the same prompts from the same noise, looked at by the same judges."""

    scope: "Model"
    judges: Mapping[str, Judging]
    settings: Mapping[str, Any]
    otherwise: bool

    def choose(self, goal: Goal, tried: Mapping[str, Sequence[Any]], count: int, seed: int) -> list[Row]:
        """What each candidate does on the prompts that are for choosing."""
        asked = trials(goal, count, otherwise=self.otherwise)
        found: list[Row] = []
        for name, edits in tried.items():
            seen = self._called(self._run(asked, edits, seed).images)
            reached = float(np.mean([one == goal.value for one in seen[goal.fact]]))
            kept = float(np.mean(_asked(goal, seen, asked)))
            found.append(
                {"target": str(goal), "edit": name, "reached": reached, "asked": kept, "score": reached + kept}
            )
        return found

    def told(
        self, goal: Goal, name: str, edits: Sequence[Any], counts: tuple[int, int], seed: int, control: Control,
        ceiling: bool,
    ) -> tuple[list[Row], Images]:  # fmt: skip
        """A row for each picture without the edit, with it, with its control and with the target in the prompt."""
        asked = trials(goal, counts[1], start=counts[0], otherwise=self.otherwise)
        sites = [str(site) for one in by_site(edits) for site in self.scope.select(one)]
        turned = [matched(edit, control, seed=seed) for edit in edits]
        plain, other = self._run(asked, (), seed, sites), self._run(asked, (), seed + 1, sites)
        meter = Meter.of(other.activations, plain.activations, None)
        runs = {"": plain}
        runs |= {kind: self._run(asked, some, seed, sites) for kind, some in (("edit", edits), ("control", turned))}
        if ceiling:
            runs["prompt"] = self._run(named(asked, goal), (), seed, sites)
        before = self._called(plain.images)
        rows: list[Row] = []
        for kind, run in runs.items():
            seen, far = self._called(run.images), meter.distance(run.activations)
            gap = np.abs(run.images.astype(np.float64) - plain.images).mean(axis=(1, 2, 3))
            kept, same = _asked(goal, seen, asked), _same(goal, seen, before)
            for i in range(len(asked)):
                rows.append({"target": str(goal), "edit": name, "run": kind, "picture": i, "prompt": asked[i].prompt,
                             "reached": float(seen[goal.fact][i] == goal.value), "asked": kept[i], "same": same[i],
                             "distance": float(far[i]), "change": float(gap[i]),
                             **{fact: names[i] for fact, names in seen.items()}})  # fmt: skip
        return rows, np.stack([run.images for run in runs.values()])

    def _run(self, asked: Sequence[Trial], edits: Sequence[Any], seed: int, sites: Sequence[str] = ()) -> "Generation":
        changes, at = by_site(edits), looked_at(cast("int", self.settings["steps"]))
        prompts = [trial.prompt for trial in asked]
        return self.scope.generate(prompts, edits=changes, record=list(sites), at=at, seed=seed, **self.settings)

    def _called(self, images: Images) -> dict[str, list[str]]:
        return {fact: list(judge(list(images))) for fact, judge in self.judges.items()}


def _asked(goal: Goal, seen: Mapping[str, Sequence[str]], asked: Sequence[Trial]) -> list[float]:
    """Share of the other facts that are as the prompt says, for each picture; 1 where it names none."""
    told = [{fact: getattr(one, fact, "") for fact in seen if fact != goal.fact} for one in asked]
    right = [[seen[fact][i] == value for fact, value in one.items() if value] for i, one in enumerate(told)]
    return [float(np.mean(some)) if some else 1.0 for some in right]


def _same(goal: Goal, seen: Mapping[str, Sequence[str]], plain: Mapping[str, Sequence[str]]) -> list[float]:
    """Share of the other facts that are called as before, for each picture."""
    others = [fact for fact in seen if fact != goal.fact]
    count = len(seen[goal.fact])
    return [float(np.mean([seen[fact][i] == plain[fact][i] for fact in others])) if others else 1.0
            for i in range(count)]  # fmt: skip


def _digest(value: Any) -> str:
    return sha256(canonical(value).encode()).hexdigest()[:16]
