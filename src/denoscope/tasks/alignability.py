"""How well do people's choices follow from a representation, once it may be mapped affinely?"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.registry import tasks
from denoscope.core.report import Report, Score
from denoscope.core.task import Facts
from denoscope.measures.affine_family import Family
from denoscope.measures.affine_folds import Fold, nested, object_folds, published
from denoscope.measures.affine_published import Published
from denoscope.measures.triads import by_object, object_influence, triad_mean
from denoscope.measures.triplets import CHANCE, Judgments, alike, credits, log_loss
from denoscope.tasks._judged import Judged, judged
from denoscope.tasks._pooling import pooled
from denoscope.tasks._rows import digests

__all__ = ["Alignability"]

Array = NDArray[Any]

_MAPS = ("full", "diagonal", "rank-4", "published")

_NOTE = (
    "Every choice that is counted is among objects that the map never saw, and those objects did not choose its "
    "penalty. Published numbers often come from maps that were tested on objects they had seen, which is easier."
)
_STOPPED = (
    "The published protocol is the exception: its activations are scaled by all objects, and the choices that it is "
    "tested on stopped its descent."
)


@tasks("alignability")
@dataclass(frozen=True)
class Alignability:
    """Affine probe of human odd-one-out choices, at its certified optimum, tested on objects that it never saw.

    A map W, b is learned such that the pair of a triplet with the largest (W x_i + b) . (W x_j + b) is the one that
    people leave together (Muttenthaler et al. 2023). With a squared penalty the problem is convex in M = W W^T; the
    report says how far from the best possible objective the maps are, at most (`denoscope.measures.affine`).
    """

    arrays: ClassVar[tuple[str, ...]] = ("triplets", "embedding")
    paired: ClassVar[tuple[str, str]] = ("unit", "hit")

    maps: tuple[str, ...] = ("full", "diagonal", "rank-4")
    """Maps that are learned, the first one being the headline: `full`, `diagonal` (a weight per channel), `rank-N`
    (at most N output channels; no longer convex), or `published`: the full map by Adam, as it was run."""
    bias: bool = True
    """Whether full maps have a bias; it is penalised as the rest is."""
    scaling: Literal["scalar", "channel"] = "scalar"
    """Activations are scaled by one mean and standard deviation, as published, or by those of each `channel`."""
    penalties: tuple[float, ...] = (0.6, 0.3, 0.1, 0.03, 0.01)
    """Penalties to choose from, as shares of the least one at which nothing is learned."""
    folds: int = 3
    """Parts of the objects; choices within one are predicted by the map that was learned within the others."""
    inner: int = 3
    """Parts of the training objects among which the penalty is chosen."""
    pool: Literal["mean", "max"] = "mean"
    """How the cells of an image become one vector."""
    tolerance: float = 1e-6
    """Optimality gap, in nats, at which a convex map is done."""
    seed: int = 42
    """Of the parts, the starts and the shuffled choices; 42 gives the published folds of objects."""

    def __post_init__(self) -> None:
        for name, least in {"folds": 2, "inner": 2, "seed": 0}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if not self.penalties or min(self.penalties) <= 0 or not self.tolerance > 0:
            raise InputError(f"penalties and tolerance must be positive, not {self.penalties} and {self.tolerance}")
        for name, known in {"pool": ("mean", "max"), "scaling": ("scalar", "channel")}.items():
            if getattr(self, name) not in known:
                raise unknown(f"{name} of an affine probe", getattr(self, name), known,
                              "denoscope evaluate alignability --help")  # fmt: skip
        if not self.maps or len(set(self.maps)) < len(self.maps):
            raise InputError(f"maps must name each map once, not {self.maps}")
        for name in self.maps:
            self.family(name)

    def family(self, name: str) -> Family | None:
        """The maps of one name; None for the published protocol.

        Raises:
            UnknownName: there is none.
        """
        if name == "published":
            return None
        rank = int(name[5:]) if name.startswith("rank-") and name[5:].isdecimal() else None
        if rank == 0 or (rank is None and name not in ("full", "diagonal")):
            raise unknown("map", name, _MAPS, "denoscope evaluate alignability --help")
        shape = "diagonal" if name == "diagonal" else "full"
        return Family(shape, rank, self.bias, self.scaling, tuple(self.penalties), self.tolerance)

    def prepare(self, activations: Activations) -> Activations:
        """One vector per image: all that the probe needs of a batch."""
        return pooled(activations, self.pool)

    def run(self, activations: Activations, facts: Facts) -> Report:
        """Accuracy on unseen objects with its interval, baselines and certificate, and a table of objects.

        Args:
            activations: of any layout.
            facts: with `object_index`, `object` and, on the first image of an object, `triplets`.

        Raises:
            UnknownName: no row has `object_index`.
            InputError: no choices, or too few objects for the folds.
        """
        started = time.perf_counter()
        reduced = self.prepare(activations)
        told = judged(reduced, facts)
        tested = self._tested(told.judgments)
        found = {name: self._folds(told, told.judgments, name) for name in self.maps}
        right = {name: tested.right(folds) for name, folds in found.items()}
        plain = credits(alike(told.vectors), tested.judgments).right
        scores = [
            *_headline(tested, right[self.maps[0]], plain, tested.loss(found[self.maps[0]])),
            self._lucky(told),
            *(_share(f"accuracy, {name} map", right[name], tested) for name in self.maps[1:]),
            *_people(told, tested),
            *_certified(found[self.maps[0]]),
        ]
        return Report(
            task="alignability",
            parameters=asdict(self)
            | {
                "site": str(reduced.site),
                "condition": str(reduced.condition),
                "objects": len(told.names),
                "choices": len(told.judgments),
                "chosen penalties": {name: _shares(folds) for name, folds in found.items()},
                "gaps": {name: _gaps(folds) for name, folds in found.items()},
            },
            scores=tuple(scores),
            inputs=digests(reduced, facts),
            origin=Origin.now(time.perf_counter() - started),
            table=_table(told, tested.judgments, right, plain),
            notes=(_NOTE, *([_STOPPED] if "published" in self.maps else []), *told.notes),
        )

    def _folds(self, told: Judged, choices: Judgments, name: str) -> list[Fold]:
        rows = np.column_stack([choices.first, choices.second, choices.odd])
        family = self.family(name)
        if family is None:
            return published(told.vectors, rows, Published(seed=self.seed), self.folds, self.seed)
        return nested(told.vectors, rows, family, self.folds, self.inner, self.seed)

    def _tested(self, choices: Judgments) -> "_Tested":
        """Choices whose objects lie within one part, and the part of each."""
        part = np.empty(choices.objects, dtype=np.int64)
        for number, (_, test) in enumerate(object_folds(choices.objects, self.folds, self.seed)):
            part[test] = number
        parts = part[np.column_stack([choices.first, choices.second, choices.odd])]
        rows = np.flatnonzero((parts == parts[:, :1]).all(axis=1))
        if not len(rows):
            raise InputError(f"none of {len(parts)} choices lies within one of {self.folds} parts of the "
                             f"{choices.objects} objects; give more triplets or fewer folds")  # fmt: skip
        return _Tested(choices.select(rows), parts[rows, 0])

    def _lucky(self, told: Judged) -> Score:
        """The headline's maps, learned and tested on choices whose odd one was drawn by lot."""
        rng, rows = np.random.default_rng(self.seed), told.judgments
        turn = (np.arange(3) + rng.integers(3, size=(len(rows), 1))) % 3
        dealt = np.take_along_axis(np.column_stack([rows.first, rows.second, rows.odd]), turn, axis=1)
        choices = Judgments.of(dealt, rows.objects, rows.participant)
        tested = self._tested(choices)
        return _share("accuracy, shuffled choices", tested.right(self._folds(told, choices, self.maps[0])), tested)


@dataclass(frozen=True, eq=False)
class _Tested:
    """The choices that are reported on, and the part of the objects that each is within."""

    judgments: Judgments
    part: Array

    def right(self, folds: list[Fold]) -> Array:
        """What each earns under the map of its part."""
        return self._each(folds, lambda likeness, choices: credits(likeness, choices).right)

    def loss(self, folds: list[Fold]) -> Array:
        """Its cross-entropy under that map, in nats."""
        return self._each(folds, log_loss)

    def _each(self, folds: list[Fold], score: Callable[[Array, Judgments], Array]) -> Array:
        found = np.empty(len(self.judgments))
        for number, fold in enumerate(folds):
            mine = self.part == number
            if mine.any():
                found[mine] = score(fold.likeness, self.judgments.select(mine))
        return found


_OVER = "choices, clustered by object"


def _headline(tested: _Tested, right: Array, plain: Array, loss: Array) -> tuple[Score, ...]:
    gain = triad_mean(right - plain, tested.judgments, share=False)
    surprise = triad_mean(loss, tested.judgments, share=False)
    return (
        _share("accuracy", right, tested, "higher"),
        Score("chance", CHANCE, CHANCE, CHANCE, len(right), "share", over="choices"),
        _share("accuracy, zero-shot cosine", plain, tested),
        Score("accuracy above zero-shot cosine", **gain._asdict(), unit="share", better="higher", over=_OVER),
        Score("cross-entropy", **surprise._asdict(), unit="nats", better="lower", over=_OVER),
    )


def _share(name: str, right: Array, tested: _Tested, better: Literal["higher"] | None = None) -> Score:
    return Score(name, **triad_mean(right, tested.judgments)._asdict(), unit="share", better=better, over=_OVER)


def _people(told: Judged, tested: _Tested) -> tuple[Score, ...]:
    """What people's own embedding earns on the same choices, where it is known."""
    if told.embedding is None:
        return ()
    right = credits(alike(told.embedding, "dot"), tested.judgments).right
    return (_share("accuracy, people's embedding", right, tested),)


def _gaps(folds: list[Fold]) -> list[float]:
    return [fold.solution.certificate.gap for fold in folds if fold.solution]


def _shares(folds: list[Fold]) -> list[float]:
    return [fold.share for fold in folds if fold.solution]


def _certified(folds: list[Fold]) -> tuple[Score, ...]:
    """How good the fits are, and how many directions they use."""
    solutions = [fold.solution for fold in folds if fold.solution]
    if not solutions:
        return ()
    gap = max(_gaps(folds))
    slack = min(solution.certificate.slack / solution.penalty for solution in solutions)
    ranks = [solution.effective_rank for solution in solutions]
    mean = float(np.mean(ranks))
    return (
        Score("optimality gap", gap, gap, gap, len(folds), "nats", over="fits, the largest"),
        Score("KKT slack", slack, slack, slack, len(folds), "penalties", over="fits, the least"),
        Score("effective rank", mean, mean, mean, len(folds), "directions", over="fits"),
    )


def _table(told: Judged, choices: Judgments, right: dict[str, Array], plain: Array) -> dict[str, list[Any]]:
    """One row per object that is in a tested choice."""
    first = next(iter(right.values()))
    seen = np.flatnonzero(choices.asked)
    return {
        "unit": [told.names[i] for i in seen],
        "hit": object_influence(first, choices)[seen].tolist(),
        "choices": choices.asked[seen].tolist(),
        **{f"accuracy, {name} map": by_object(values, choices)[0][seen].tolist() for name, values in right.items()},
        "accuracy, zero-shot cosine": by_object(plain, choices)[0][seen].tolist(),
    }
