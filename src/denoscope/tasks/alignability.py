"""How well do people's choices follow from a representation, once it may be mapped affinely?"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.registry import tasks
from denoscope.core.report import Report, Score
from denoscope.core.task import Facts, Pictures
from denoscope.measures.affine_certificate import Shape
from denoscope.measures.affine_family import Family
from denoscope.measures.affine_folds import Fold, nested, published
from denoscope.measures.affine_published import Published
from denoscope.measures.judgments import Judgments
from denoscope.measures.pooling import principal
from denoscope.measures.triplets import alike, credits
from denoscope.tasks._flexibility import flexibility
from denoscope.tasks._judged import Judged, judged
from denoscope.tasks._pooling import LeaveOut, Pool, check_pooling, vectors_of
from denoscope.tasks._probed import Tested, certified, headline, saved, share_of, table_of, tested
from denoscope.tasks._rows import digests

__all__ = ["Alignability"]

Array = NDArray[Any]

_MAPS = ("full", "diagonal", "rank-4", "shrunk", "glocal", "published")

_NOTE = (
    "Every choice that is counted is among objects that the map never saw, and those objects did not choose its "
    "penalty. Published numbers often come from maps that were tested on objects they had seen, which is easier."
)
_STOPPED = (
    "The published protocol is the exception: its activations are scaled by all objects, and the choices that it is "
    "tested on stopped its descent. By the published rule for ties a choice is wrong where two of its chances are "
    "equal, or all three when rounded to two digits."
)


_SHAPES: dict[str, Shape] = {"diagonal": "diagonal", "shrunk": "shrunk", "glocal": "shrunk"}


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
    (at most N output channels; no longer convex), `shrunk` (towards a multiple of the identity), `glocal` (the same,
    keeping who is near whom), or `published`: the full map by Adam, as it was run."""
    bias: bool = True
    """Whether full maps have a bias; it is penalised as the rest is. Other shapes have none."""
    scaling: Literal["scalar", "channel"] = "scalar"
    """Activations are scaled by one mean and standard deviation, as published, or by those of each `channel`."""
    penalties: tuple[float, ...] = (0.6, 0.3, 0.1, 0.03, 0.01)
    """Penalties to choose from, as shares of the least one at which nothing is learned (ten times that for `shrunk`
    and `glocal`, at which little more than the inner product is left)."""
    alpha: float = 0.1
    """Weight of who is near whom in `glocal` maps, 0 to 1."""
    temperature: float = 1.0
    """Of the softmax over cosines by which `glocal` tells who is near whom."""
    folds: int = 3
    """Parts of the objects; choices within one are predicted by the map that was learned within the others."""
    inner: int = 3
    """Parts of the training objects among which the penalty is chosen."""
    pool: Pool = "mean"
    """How the cells of an image become one vector: `mean`, `max`, `attention` (weights by cosine to the mean),
    `flatten` (one cell after the other), `cells` (the same, of unit length each), `gram` (second moments)."""
    leave_out: LeaveOut = "nothing"
    """Cells that do not count: `anomalies` (unusually long ones), `corners`, or the whole `border`."""
    focus: float = 10.0
    """`attention`: weights are exp(focus cosine); 0 is the mean."""
    components: int = 0
    """Principal components that are kept of the vectors, learned from the objects that a map is learned from (of all
    objects for `published`, as was published); 0 for all channels."""
    known: tuple[str, ...] = ()
    """Saved maps (.npy of [W | b], gLocal's .npz, as `align` writes them) to score on the same choices."""
    tolerance: float = 1e-6
    """Optimality gap, in nats, at which a convex map is done."""
    seed: int = 42
    """Of the parts, the starts and the shuffled choices; 42 gives the published folds of objects."""

    def __post_init__(self) -> None:
        for name, least in {"folds": 2, "inner": 2, "seed": 0, "components": 0}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if not self.penalties or min(self.penalties) <= 0 or not self.tolerance > 0:
            raise InputError(f"penalties and tolerance must be positive, not {self.penalties} and {self.tolerance}")
        check_pooling(self.pool, self.leave_out, self.focus, "alignability")
        if self.scaling not in ("scalar", "channel"):
            raise unknown("scaling of an affine probe", self.scaling, ("scalar", "channel"),
                          "denoscope evaluate alignability --help")  # fmt: skip
        if not 0 < self.alpha < 1 or not self.temperature > 0:
            raise InputError(f"alpha lies between 0 and 1 and the temperature is positive, not {self.alpha:g} and "
                             f"{self.temperature:g}")  # fmt: skip
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
        if rank == 0 or (rank is None and name not in _MAPS):
            raise unknown("map", name, _MAPS, "denoscope evaluate alignability --help")
        shape = _SHAPES.get(name, "full")
        family = Family(shape, rank, self.bias, self.scaling, tuple(self.penalties), self.tolerance,
                        components=self.components)  # fmt: skip
        return replace(family, alpha=self.alpha, temperature=self.temperature) if name == "glocal" else family

    def prepare(self, activations: Activations) -> Activations:
        """One vector per image: all that the probe needs of a batch."""
        return vectors_of(activations, self.pool, self.leave_out, self.focus)

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
        reduced = activations if activations.layout == "pooled" else self.prepare(activations)
        told = judged(reduced, facts)
        shown = tested(told.judgments, self.folds, self.seed)
        known, digest, said = saved(self.known, told, shown)
        found = {name: self._folds(told, told.judgments, name) for name in self.maps}
        right = {name: shown.right(folds) for name, folds in found.items()}
        plain = credits(alike(told.vectors), shown.judgments).right
        scores = [
            *headline(shown, right[self.maps[0]], plain, shown.loss(found[self.maps[0]])),
            self._lucky(told),
            *(share_of(f"accuracy, {name} map", right[name], shown) for name in self.maps[1:]),
            *_as_published(shown, found),
            *known,
            *_people(told, shown),
            *certified(found[self.maps[0]]),
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
                "effective ranks": {name: _ranks(folds) for name, folds in found.items()},
                "saved maps": digest,
            },
            scores=tuple(scores),
            inputs=digests(reduced, facts),
            origin=Origin.now(time.perf_counter() - started),
            table=table_of(told, shown.judgments, right, plain),
            notes=(_NOTE, *([_STOPPED] if "published" in self.maps else []), *said, *told.notes),
        )

    def _folds(self, told: Judged, choices: Judgments, name: str) -> list[Fold]:
        rows = np.column_stack([choices.first, choices.second, choices.odd])
        family = self.family(name)
        if family is None:
            x = told.vectors
            values = principal(x, self.components).of(x) if self.components else x
            return published(values, rows, Published(seed=self.seed), self.folds, self.seed)
        return nested(told.vectors, rows, family, self.folds, self.inner, self.seed)

    def draw(self, report: Report, pictures: Pictures | None) -> Mapping[str, bytes]:
        """Accuracy against flexibility, where two or more maps were learned."""
        return flexibility(report)

    def _lucky(self, told: Judged) -> Score:
        """The headline's maps, learned and tested on choices whose odd one was drawn by lot."""
        rng, rows = np.random.default_rng(self.seed), told.judgments
        turn = (np.arange(3) + rng.integers(3, size=(len(rows), 1))) % 3
        dealt = np.take_along_axis(np.column_stack([rows.first, rows.second, rows.odd]), turn, axis=1)
        choices = Judgments.of(dealt, rows.objects, rows.participant)
        shown = tested(choices, self.folds, self.seed)
        return share_of("accuracy, shuffled choices", shown.right(self._folds(told, choices, self.maps[0])), shown)


def _as_published(shown: Tested, found: Mapping[str, list[Fold]]) -> tuple[Score, ...]:
    """The published map by the published rule for ties."""
    if "published" not in found:
        return ()
    return (share_of("accuracy, published map, published ties", shown.right_as_published(found["published"]), shown),)


def _people(told: Judged, shown: Tested) -> tuple[Score, ...]:
    """What people's own embedding earns on the same choices, where it is known."""
    if told.embedding is None:
        return ()
    right = credits(alike(told.embedding, "dot"), shown.judgments).right
    return (share_of("accuracy, people's embedding", right, shown, learned=False),)


def _gaps(folds: list[Fold]) -> list[float]:
    return [fold.solution.certificate.gap for fold in folds if fold.solution]


def _shares(folds: list[Fold]) -> list[float]:
    return [fold.share for fold in folds if fold.solution]


def _ranks(folds: list[Fold]) -> list[float]:
    return [fold.solution.effective_rank for fold in folds if fold.solution]
