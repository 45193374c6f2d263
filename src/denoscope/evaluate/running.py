"""A task on one spot after the other, with its baselines and its random-init twin."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from denoscope.core.activations import Activations
from denoscope.core.errors import DenoscopeError, InputError
from denoscope.core.imported import remark
from denoscope.core.report import Report, Score
from denoscope.core.sample import DataSet, Sample
from denoscope.core.task import Drawing, Facts, Joint, Pictures, Streaming, Task
from denoscope.evaluate.baselines import baseline
from denoscope.evaluate.joining import in_order, joined
from denoscope.evaluate.knowing import Reopened, known, reopened
from denoscope.evaluate.patches import Baseline
from denoscope.evaluate.spots import Spot, rows_in_order
from denoscope.evaluate.texts import text_blocks
from denoscope.figures.single import single_figures
from denoscope.progress import progress_bar
from denoscope.store.choose import choose
from denoscope.store.facts import parse
from denoscope.store.store import Store
from denoscope.store.volume import Volume

__all__ = ["TWIN", "Bench", "Data", "Run", "findings"]

TWIN = "random-init twin"
Data = DataSet | Sequence[Sample] | str | None
Change = Callable[[Activations], Activations]


@dataclass(frozen=True)
class Run:
    """What was found at one spot."""

    spot: Spot
    report: Report


class Bench:
    """A task, what it is compared with, and the data sets that it needs, opened once.

    Args:
        task: with its parameters.
        baselines: names.
        twin: store of the untrained model.
        data: images of stores that were made from samples in memory.
    """

    def __init__(self, task: Task, baselines: Sequence[str] = (), twin: Store | None = None, data: Data = None) -> None:
        self.task = task
        self._baselines = {name: baseline(name) for name in baselines}
        self._fills: dict[tuple[str, str], Baseline] = {}
        self._twin = twin
        self._data = data
        self._opened: dict[str, Reopened] = {}
        self._simple: dict[Any, tuple[list[Score], list[str]]] = {}
        self.twins: list[Spot] = []

    def each(self, spots: Sequence[Spot], progress: bool = False) -> list[Run]:
        """One report per spot."""
        runs: list[Run] = []
        with progress_bar("evaluate", len(spots), progress) as advance:
            for spot in spots:
                runs.append(Run(spot, self._at(spot)))
                advance(1)
        return runs

    def joint(self, spots: Sequence[Spot], progress: bool = False) -> Report:
        """One report on all spots together; the twin's are further blocks."""
        task: Joint = self.task  # pyright: ignore[reportAssignmentType]
        blocks: list[Activations] = []
        with progress_bar("read", len(spots), progress) as advance:
            for spot in [*spots, *map(self._twin_of, spots if self._twin else ())]:
                rows = self._rows(spot.batches())
                blocks.append(in_order(rows, blocks[0].ids) if blocks else rows)
                advance(1)
        facts = self._facts(spots[0].volume, blocks[0].ids)
        words, notes = text_blocks(blocks, facts, spots[0].volume.recipe) if getattr(task, "texts", False) else ([], [])
        report = task.run_joint([*blocks, *words], facts)
        digests = dict.fromkeys(block.recipe.digest for block in blocks if block.recipe)
        origins = dict.fromkeys(filter(None, (remark(spot.volume.recipe.model) for spot in spots)))
        return replace(
            report, inputs={**report.inputs, "recipe": ", ".join(digests)}, notes=(*report.notes, *notes, *origins)
        )

    def read(self, spot: Spot) -> tuple[Activations, Facts]:
        """All rows of a spot as the task wants them, and what is known of each."""
        rows = self._rows(spot.batches())
        return rows, self._facts(spot.volume, rows.ids)

    def drawn(self, report: Report, volume: Volume) -> Report:
        """The report with figures: those that any task has, and the task's own."""
        own = self.task.draw(report, self._pictures(volume)) if isinstance(self.task, Drawing) else {}
        return replace(report, figures={**report.figures, **single_figures(report, own), **own})

    def _at(self, spot: Spot) -> Report:
        """The task's report, with the findings of baselines and twin as further scores."""
        report = self._run(spot)
        beside, notes = [], list(report.notes)
        for name in self._baselines:
            scores, failed = self._baseline(name, spot)
            beside += scores
            notes += failed
        if self._twin is not None:
            beside += _renamed(findings(self._run(self._twin_of(spot)), self._repeated), TWIN)
        told = {name: value for name, value in spot.beside.items() if name not in report.parameters}
        notes += filter(None, [remark(spot.volume.recipe.model)])
        return replace(
            report,
            scores=(*report.scores, *beside),
            parameters={**report.parameters, **told},
            inputs={**report.inputs, "recipe": spot.volume.recipe.digest},
            notes=tuple(notes),
        )

    def _run(self, spot: Spot, change: Change | None = None) -> Report:
        batches = Again(spot.batches, change)
        if isinstance(self.task, Streaming):
            facts = self._facts(spot.volume, rows_in_order(spot.volume, spot.condition))
            return self.task.run_batches(batches, facts)
        rows = self._rows(batches)
        return self.task.run(rows, self._facts(spot.volume, rows.ids))

    def _rows(self, batches: Iterable[Activations]) -> Activations:
        """All rows as the task wants them; with `prepare`, no more than one batch is ever there at full size."""
        prepare = getattr(self.task, "prepare", None)
        return joined([prepare(batch) if prepare else batch for batch in batches])

    def _baseline(self, name: str, spot: Spot) -> tuple[list[Score], list[str]]:
        """Findings on a baseline, which are the same for all spots with the same cells; or why there are none."""
        first = next(spot.batches())
        key = (name, spot.volume.recipe.digest, first.grid, first.layout, spot.condition.draws)
        if key not in self._simple:
            source, fill = self._reopened(spot.volume, f"the baseline {name!r}"), self._fill(name, spot.volume)
            source.picture(first.ids[0])
            try:
                found = self._run(spot, lambda batch: fill(batch, source.picture))
                self._simple[key] = _renamed(findings(found, self._repeated), name), []
            except InputError as error:
                self._simple[key] = [], [f"The baseline {name!r} tells nothing here: {error}."]
        return self._simple[key]

    @property
    def _repeated(self) -> Sequence[str]:
        """Scores of the task without a direction that baselines and twins repeat."""
        return getattr(self.task, "repeated", ())

    def _fill(self, name: str, volume: Volume) -> Baseline:
        """A baseline for a recipe; one that needs the model loads it once."""
        key = (name, volume.recipe.digest)
        if key not in self._fills:
            self._fills[key] = self._baselines[name](volume.recipe)
        return self._fills[key]

    def _twin_of(self, spot: Spot) -> Spot:
        """The same site and condition of the untrained model.

        Raises:
            InputError: the twin's store does not hold them.
        """
        if self._twin is None:
            raise LookupError("no twin")
        untrained = [volume for volume in self._twin.volumes if "untrained" in volume.recipe.model]
        found = Spot(self._twin, *choose(untrained or self._twin.volumes, spot.site, spot.condition))
        self.twins = [found]
        return found

    def _facts(self, volume: Volume, ids: Sequence[str]) -> Facts:
        arrays: tuple[str, ...] = getattr(self.task, "arrays", ())
        return known(parse(volume.table), ids, arrays, lambda: self._reopened(volume, ", ".join(map(repr, arrays))))

    def _pictures(self, volume: Volume) -> Pictures | None:
        try:
            return self._reopened(volume, "its pictures").picture
        except DenoscopeError:
            return None

    def _reopened(self, volume: Volume, why: str) -> Reopened:
        digest = volume.recipe.digest
        if digest not in self._opened:
            self._opened[digest] = reopened(volume, self._data, why)
        return self._opened[digest]


class Again:
    """Batches that can be gone through several times, each time read anew."""

    def __init__(self, read: Callable[[], Iterator[Activations]], change: Change | None = None) -> None:
        self._read, self._change = read, change

    def __iter__(self) -> Iterator[Activations]:
        for batch in self._read():
            yield self._change(batch) if self._change else batch


def findings(report: Report, also: Sequence[str] = ()) -> list[Score]:
    """The scores that a baseline repeats: those that say which way is good and are not compared with anything.

    Args:
        report: of the task.
        also: names of scores that say no direction, and are repeated nevertheless.
    """
    return [score for score in report.scores if score.name in also or (score.better is not None and _plain(score))]


def _plain(score: Score) -> bool:
    return " above " not in score.name and "," not in score.name


def _renamed(scores: Sequence[Score], name: str) -> list[Score]:
    return [replace(score, name=f"{score.name}, {name}", better=None) for score in scores]
