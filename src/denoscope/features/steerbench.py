"""The bench that steering is tried on: pictures of the same prompts from the same noise, before the same judges."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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

__all__ = ["Candidates", "SteeringBench", "steering_bench"]

Images = NDArray[np.uint8]
Judging = Callable[[Sequence[Any]], Sequence[str]]
Candidates = Mapping[str, Mapping[str, Sequence[Any]]]
"""For each target edits by name; those of one name act together."""
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


@dataclass(frozen=True, eq=False)
class SteeringBench:
    """Prompts, noise and judges that edits are tried on; what has no edit is made once for all that is tried.

    Attributes:
        model: that makes the pictures.
        judges: fact to a function from pictures to classes.
        settings: of `Model.generate`.
        counts: prompts of each target on which an edit is chosen, and further ones that are told of.
        otherwise: prompts name another value of the fact.
        control: kind of the change of equal size.
        ceiling: whether the target is put in words as well.
        seed: of the noise while choosing; the next one is that of what is told.
        sites: recorded in every run without edits, so that none is made again for another site.
        made: runs without edits, with the sites that they recorded.
    """

    model: "Model"
    judges: Mapping[str, Judging]
    settings: Mapping[str, Any]
    counts: tuple[int, int]
    otherwise: bool
    control: Control
    ceiling: bool
    seed: int
    sites: frozenset[str] = frozenset()
    made: "dict[tuple[Any, ...], tuple[frozenset[str], Generation]]" = field(default_factory=dict[Any, Any], repr=False)

    def success(self, candidates: Candidates, progress: bool = False) -> Report:
        """How often the best of some edits changes the fact that is meant, and how often it changes others.

        Args:
            candidates: for each target, such as `"background=snow"`, edits by name.
            progress: show a bar with the time left.

        Raises:
            InputError: no target, or one without edits.
            UnknownName: a target that nobody judges.
        """
        started = time.perf_counter()
        goals = {goal_of(text): {name: list(one) for name, one in told.items()} for text, told in candidates.items()}
        if not goals or min(map(len, goals.values())) < 1:
            raise InputError("give one target or more, and an edit or more for each")
        for goal in goals:
            if goal.fact not in self.judges:
                raise unknown("fact", goal.fact, self.judges, "judges=")
        rows, trying, sheets = list[Row](), list[Row](), dict[str, Images]()
        with progress_bar("steering success", sum(len(tried) + 4 for tried in goals.values()), progress) as advance:
            for goal, tried in goals.items():
                found = self._tried(goal, tried) if len(tried) > 1 else []
                best = max(found, key=lambda one: one["score"])["edit"] if found else next(iter(tried))
                advance(len(tried))
                seen, images = self._told(goal, best, tried[best])
                rows, trying = [*rows, *seen], [*trying, *found]
                sheets[f"{goal}: {best}"] = images
                advance(4)
        table = {name: [row[name] for row in rows] for name in rows[0]}
        picked = {str(goal): next(row["edit"] for row in rows if row["target"] == str(goal)) for goal in goals}
        return Report(
            task="steering success",
            parameters={"targets": [*candidates], "tried": {str(goal): [*tried] for goal, tried in goals.items()},
                        "chosen": picked, "choosing": trying, "prompts": list(self.counts), "control": self.control,
                        "otherwise": self.otherwise, "seed": self.seed, **self.settings},
            scores=tuple(success_scores(table, self.judges)),
            inputs={"model": _digest(dict(self.model.recipe)), "targets": _digest([*candidates])},
            origin=Origin.now(time.perf_counter() - started, str(self.model.device)),
            table=table,
            figures=success_figures(table, sheets),
            notes=(_NOTE, _KEPT),
        )  # fmt: skip

    def _tried(self, goal: Goal, tried: Mapping[str, Sequence[Any]]) -> list[Row]:
        """What each candidate does on the prompts that are for choosing."""
        asked = trials(goal, self.counts[0], otherwise=self.otherwise)
        found: list[Row] = []
        for name, edits in tried.items():
            seen = self._called(self._run(asked, edits, self.seed).images)
            reached = float(np.mean([one == goal.value for one in seen[goal.fact]]))
            kept = float(np.mean(_asked(goal, seen, asked)))
            told = {"reached": reached, "asked": kept, "score": reached + kept}
            found.append({"target": str(goal), "edit": name, **told})
        return found

    def _told(self, goal: Goal, name: str, edits: Sequence[Any]) -> tuple[list[Row], Images]:
        """A row for each picture without the edit, with it, with its control and with the target in the prompt."""
        asked, seed = trials(goal, self.counts[1], start=self.counts[0], otherwise=self.otherwise), self.seed + 1
        sites = frozenset(str(site) for one in by_site(edits) for site in self.model.select(one))
        turned = [matched(edit, self.control, seed=seed) for edit in edits]
        plain, other = self._unedited(asked, seed, sites), self._unedited(asked, seed + 1, sites)
        meter = Meter.of(_only(other, sites), _only(plain, sites), None)
        runs = {"": plain}
        runs |= {kind: self._run(asked, some, seed, sites) for kind, some in (("edit", edits), ("control", turned))}
        if self.ceiling:
            runs["prompt"] = self._unedited(named(asked, goal), seed, sites)
        before = self._called(plain.images)
        rows: list[Row] = []
        for kind, run in runs.items():
            seen, far = self._called(run.images), meter.distance(_only(run, sites))
            gap = np.abs(run.images.astype(np.float64) - plain.images).mean(axis=(1, 2, 3))
            kept, same = _asked(goal, seen, asked), _same(goal, seen, before)
            for i in range(len(asked)):
                rows.append({"target": str(goal), "edit": name, "run": kind, "picture": i, "prompt": asked[i].prompt,
                             "reached": float(seen[goal.fact][i] == goal.value), "asked": kept[i], "same": same[i],
                             "distance": float(far[i]), "change": float(gap[i]),
                             **{fact: names[i] for fact, names in seen.items()}})  # fmt: skip
        return rows, np.stack([run.images for run in runs.values()])

    def _unedited(self, asked: Sequence[Trial], seed: int, sites: frozenset[str]) -> "Generation":
        """Pictures without edits, made anew only where a site was not recorded yet."""
        key = (seed, *(trial.prompt for trial in asked))
        known, run = self.made.get(key, (self.sites, None))
        if run is None or not sites <= known:
            run = self._run(asked, (), seed, known | sites)
            self.made[key] = (known | sites, run)
        return run

    def _run(
        self, asked: Sequence[Trial], edits: Sequence[Any], seed: int, sites: frozenset[str] = frozenset()
    ) -> "Generation":
        changes, at = by_site(edits), looked_at(cast("int", self.settings["steps"]))
        prompts = [trial.prompt for trial in asked]
        return self.model.generate(prompts, edits=changes, record=sorted(sites), at=at, seed=seed, **self.settings)

    def _called(self, images: Images) -> dict[str, list[str]]:
        return {fact: list(judge(list(images))) for fact, judge in self.judges.items()}


def steering_bench(
    model: "str | Path | Model",
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
    sites: str | Sequence[str] = (),
    progress: bool = False,
    **options: Any,
) -> SteeringBench:
    """A bench for several sets of edits, such as those of several dictionaries: `bench.success({...})`.

    Args:
        model: name or path that `load` takes, or a loaded model; it must draw the menagerie.
        judges: fact to a function from pictures to classes; `rendered_judges()` unless given.
        choosing: prompts of each target on which one of its candidates is chosen; with a single candidate none.
        held: further prompts, with other noise, that everything told is of.
        otherwise: prompts name another value of the fact, which an edit has to overcome; they leave it open unless set.
        control: kind of the change of equal size, see `matched`.
        ceiling: also make pictures of the prompts with the target in words.
        seed: of the noise while choosing; the next one is that of what is told.
        steps, guidance: of sampling.
        sites: that several sets of edits will act at, where they are known, so that pictures without edits are made
            once for all.
        progress: show a bar while judges learn.
        options: further ones of `Model.generate`, such as `height` and `width`.

    Raises:
        InputError: too few prompts.
    """
    if held < 2 or choosing < 1:
        raise InputError(f"give a prompt or more to choose on and two or more to tell of, not {choosing} and {held}")
    told = dict(judges or rendered_judges(tuple(FACTORS), progress=progress))
    settings = {"steps": steps, "guidance": guidance, **options}
    scope = loaded(model)
    known = frozenset(str(site) for site in scope.select(sites)) if sites else frozenset[str]()
    return SteeringBench(scope, told, settings, (choosing, held), otherwise, control, ceiling, seed, known)


def _only(run: "Generation", sites: frozenset[str]) -> list[dict[str, Any]]:
    """What was recorded at some sites."""
    return [{name: block for name, block in step.items() if name in sites} for step in run.activations]


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
