"""Which of the concepts that people think in does a site hold, and where in a model is each of them?"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.registry import tasks
from denoscope.core.report import Report
from denoscope.core.task import Facts, Pictures
from denoscope.measures.decoding import PENALTIES, decode
from denoscope.tasks._conceptfigures import drawn
from denoscope.tasks._conceptlines import Cell, lines_of
from denoscope.tasks._conceptpeaks import peak_scores, peaks_said, tensor
from denoscope.tasks._conceptscores import explained, found_at, most_and_least, scores_of, seen_at, table_of
from denoscope.tasks._judged import objects_of
from denoscope.tasks._minds import Belongs, Minds, grouped, minds_of
from denoscope.tasks._pooling import LeaveOut, Pool, check_pooling, vectors_of
from denoscope.tasks._rows import digests, no_nan

__all__ = ["Concepts"]

_NOTE = (
    "Every object is predicted by a map that never saw it and whose penalty it did not choose. R^2 is 1 less the "
    "squared error over that of the training objects' mean: 0 is knowing nothing but how common a concept is, and less "
    "is worse than that. Intervals count every object as a test and as a lesson, and penalties as fixed."
)
_PEAKS = (
    "A peak is the vertex of the parabola through the best place and its neighbours, counted from 0 in the order of "
    "the places. Objects are drawn anew in all curves at once. A curve that nowhere is above 0 has no peak worth the "
    "name."
)


@tasks("concepts")
@dataclass(frozen=True)
class Concepts:
    """Ridge decoding of every dimension of what people think of objects, and the choices that belong to each.

    Muttenthaler et al. 2023 for both. With `joint`, all sites and noise levels that are read make one tensor of concept
    x site x level, and the question is whether some concepts, such as colours, peak elsewhere than the others.
    """

    arrays: ClassVar[tuple[str, ...]] = ("triplets", "embedding", "embedding_names")
    paired: ClassVar[tuple[str, ...]] = ("unit", "share")

    of: tuple[str, ...] = ("colour",)
    """Concepts that are compared with all others, by name or pattern; `colour` stands for those named by a colour."""
    joint: bool = False
    """Look at all sites and noise levels together: where does each concept peak?"""
    along: Literal["site", "noise"] = "site"
    """Joint: what peaks are looked for along."""
    folds: int = 5
    """Parts of the objects; each is predicted by the map that was learned on the others."""
    penalties: tuple[float, ...] = PENALTIES
    """Candidates, as shares of the number of training objects for standardised channels; each concept has its own."""
    metric: Literal["cosine", "dot", "euclidean"] = "cosine"
    """How alike two objects are, by their vectors or by what was decoded; people's own embedding goes by `dot`."""
    belongs: Belongs = "mean"
    """A choice belongs to the concept that is largest in the `mean` of the two objects that were kept together, or in
    what they share (the smaller of their two values)."""
    top: int = 1
    """So many concepts of a choice count."""
    unique: bool = False
    """Tell as well how much of the variance of the site's vectors all concepts explain, and each one alone of them."""
    pool: Pool = "mean"
    """How the cells of an image become one vector; images of one object are averaged."""
    leave_out: LeaveOut = "nothing"
    """Cells that do not count."""
    focus: float = 10.0
    """Of attention pooling."""
    shuffles: int = 5
    """How often what people think is dealt to other objects, for the baseline that has nothing to find."""
    seed: int = 42
    """Of the parts, the shuffles and the bootstrap."""

    def __post_init__(self) -> None:
        check_pooling(self.pool, self.leave_out, self.focus, "concepts")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known, "denoscope evaluate concepts --help")
        for name, least in {"folds": 2, "top": 1, "shuffles": 2, "seed": 0}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if not self.penalties or min(self.penalties) <= 0:
            raise InputError(f"penalties needs positive numbers, not {self.penalties}")

    def prepare(self, activations: Activations) -> Activations:
        """One vector per image."""
        return vectors_of(activations, self.pool, self.leave_out, self.focus)

    def run(self, activations: Activations, facts: Facts) -> Report:
        """One site: R^2 of every concept, accuracy on its choices, and a table of objects and concepts.

        Args:
            activations: of any layout.
            facts: `object_index`, `triplets` and `embedding`, and `object` and `embedding_names` where known.

        Raises:
            UnknownName: no image has an object, or a concept that was asked for does not exist.
            InputError: no choices, no embedding of all objects, or fewer objects than folds need.
        """
        started = time.perf_counter()
        reduced = self._reduced(activations)
        minds = minds_of(reduced, facts)
        group = grouped(minds.names, self.of)
        vectors = minds.told.vectors
        found = found_at(decode(vectors, minds.embedding, self.folds, self.penalties, self.seed, self.shuffles))
        seen = seen_at(minds, self.metric, self.belongs, self.top)
        where = {"site": str(reduced.site), "condition": str(reduced.condition)}
        scores = scores_of(minds, found, seen, group, self._label, self.metric, self.seed)
        scores += explained(minds, self.folds, self.seed) if self.unique else []
        return Report(
            task="concepts",
            parameters=asdict(self) | where | _counts(minds) | most_and_least(minds.names, seen),
            scores=tuple(scores),
            inputs=digests(reduced, facts),
            origin=Origin.now(time.perf_counter() - started),
            table=table_of(minds, found, seen, group),
            notes=(_NOTE, *minds.notes),
        )

    def run_joint(self, blocks: Sequence[Activations], facts: Facts) -> Report:
        """Concept by site by level, and whether the concepts `of` peak where the others do.

        Args:
            blocks: the same images in the same order; those of an untrained model make a tensor of their own.
            facts: as for `run`.

        Raises:
            UnknownName: as `run`.
            InputError: as `run`; fewer than two places; or all concepts or none are those that were asked for.
        """
        started = time.perf_counter()
        reduced = _alike([self._reduced(block) for block in blocks])
        minds = minds_of(reduced[0], facts)
        group = grouped(minds.names, self.of)
        if group.all() or not group.any():
            raise InputError(f"{int(group.sum())} of {len(group)} concepts are {self._label}, so that there is nothing "
                             f"to compare; name some with of=, such as {minds.names[0]!r}")  # fmt: skip
        cells = [Cell.of(block, found_at(self._decoded(block, facts, minds))) for block in reduced]
        lines = lines_of(cells, self.along)
        asked = [name for name, one in zip(minds.names, group, strict=True) if one]
        values = [digests(block, facts)["values"] for block in reduced]
        return Report(
            task="concepts",
            parameters=asdict(self) | {"site": "all", "condition": "all", "asked for": asked} | _counts(minds),
            scores=tuple(peak_scores(lines, group, self._label, self.seed)),
            inputs={**digests(reduced[0], facts), "values": sha256("".join(values).encode()).hexdigest()[:16]},
            origin=Origin.now(time.perf_counter() - started),
            table=tensor(cells, lines, minds.names, group, self._label, self.seed),
            notes=(*peaks_said(lines, group, self._label), _NOTE, _PEAKS, *minds.notes),
        )

    def draw(self, report: Report, pictures: Pictures | None) -> Mapping[str, bytes]:
        """Concepts from best to worst; of a joint report the tensor, its curves and the peaks."""
        return drawn(report, self._label)

    @property
    def _label(self) -> str:
        return " + ".join(self.of)

    def _reduced(self, activations: Activations) -> Activations:
        return activations if activations.layout == "pooled" else self.prepare(activations)

    def _decoded(self, block: Activations, facts: Facts, minds: Minds) -> Any:
        vectors = objects_of(block, facts).vectors
        return decode(vectors, minds.embedding, self.folds, self.penalties, self.seed)


_CHOICES = {
    "along": ("site", "noise"),
    "metric": ("cosine", "dot", "euclidean"),
    "belongs": ("mean", "shared"),
}


def _counts(minds: Minds) -> dict[str, Any]:
    return {"objects": len(minds.told.names), "concepts": len(minds.names), "choices": len(minds.told.judgments)}


def _alike(blocks: Sequence[Activations]) -> list[Activations]:
    """Images with NaN or infinite values in one block are left out of all, so that objects are the same."""
    finite: NDArray[np.bool_] = np.all([no_nan(block.numpy()) for block in blocks], axis=0)
    if finite.all():
        return list(blocks)
    return [replace(block, values=np.where(finite[:, None], block.numpy(), np.nan)) for block in blocks]
