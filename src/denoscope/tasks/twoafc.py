"""Of two pictures, does a site find the same one more like a third as people do?"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.registry import tasks
from denoscope.core.report import Report, Score
from denoscope.core.task import Facts, Pictures
from denoscope.measures.ceilings import normalised
from denoscope.measures.statistics import Estimate, bootstrap_mean
from denoscope.measures.twoafc import agreement, leave_one_out, majority, scored, share_mean, taken
from denoscope.tasks._pooling import LeaveOut, Pool, check_pooling, vectors_of
from denoscope.tasks._rows import digests
from denoscope.tasks._trialfigures import drawn
from denoscope.tasks._trials import Trials, distances, trials_of

__all__ = ["TwoAFC"]

Array = NDArray[Any]

_METRICS = ("cosine", "euclidean", "dot")
_OVER = "trials, clustered by the picture in question"
_NOTE = (
    "A site earns the share of the votes that are for the picture it takes, half where both are equally far. The "
    "ceiling is the mean share of the majority, more than which cannot be had on these votes."
)
_UNKNOWN = (
    "How many votes are behind a share is not known, so that 'score, one person' is too high: a vote agrees with "
    "itself. Say votes=."
)


@tasks("twoafc")
@dataclass(frozen=True)
class TwoAFC:
    """Two-alternative forced choice against people: which of two pictures is nearer to a third (NIGHTS, BAPPS).

    The score of Zhang et al. 2018: with p the share of people who take the second picture, a site earns p where that
    one is nearer, 1 - p where the first one is, and 1/2 where both are equally far. Nothing is fitted. Chance is 1/2.
    """

    paired: ClassVar[tuple[str, ...]] = ("unit", "score")

    metric: Literal["cosine", "euclidean", "dot"] = "cosine"
    """How far two pictures are: 1 - cosine, the Euclidean distance, or minus the inner product."""
    pool: Pool = "mean"
    """How the cells of an image become one vector: `mean`, `max`, `attention`, `flatten`, `gram`, or `cells` (with
    cosine: the mean cosine of cells at the same place, LPIPS with equal weights)."""
    leave_out: LeaveOut = "nothing"
    """Cells that do not count: `anomalies` (unusually long ones), `corners`, or the whole `border`."""
    focus: float = 10.0
    """`attention`: weights are exp(focus cosine); 0 is the mean."""
    votes: int = 0
    """Votes behind each share where the data set does not say (BAPPS: 5 in val, 2 in train); 0 for unknown."""
    shuffles: int = 5
    """How often vectors are dealt to other pictures, for the baseline that has nothing to find."""
    seed: int = 0
    """Of the shuffles."""

    def __post_init__(self) -> None:
        check_pooling(self.pool, self.leave_out, self.focus, "twoafc")
        if self.metric not in _METRICS:
            raise unknown("metric", self.metric, _METRICS, "denoscope evaluate twoafc --help")
        for name, least in (("shuffles", 2), ("seed", 0), ("votes", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, not {getattr(self, name)}")

    def prepare(self, activations: Activations) -> Activations:
        """One vector per image."""
        return vectors_of(activations, self.pool, self.leave_out, self.focus)

    def run(self, activations: Activations, facts: Facts) -> Report:
        """The score with its interval, ceiling and baseline, by kind where there are several; a table row per trial.

        Args:
            activations: of any layout; one vector per image is taken as it is, for what `prepare` made of it.
            facts: of pictures in question `choices`; `category`, where it tells the kind of trial.

        Raises:
            InputError: no image has trials, or none of them can be used.
        """
        started = time.perf_counter()
        reduced = activations if activations.layout == "pooled" else self.prepare(activations)
        inputs = digests(reduced, facts)
        told, values = trials_of(reduced, facts, self.votes), reduced.numpy()
        first, second = distances(values, told.rows, self.metric)
        choice = taken(first, second)
        score = scored(choice, told.share)
        return Report(
            task="twoafc",
            parameters=asdict(self) | {"site": str(reduced.site), "condition": str(reduced.condition),
                                       "trials": len(score)},
            scores=(*self._headline(told, score), self._shuffled(values, told), *self._ceilings(told),
                    *self._kinds(told, score), *self._audit(values, told, choice)),
            inputs=inputs,
            origin=Origin.now(time.perf_counter() - started),
            table=_table(told, reduced.ids, score, first, second),
            notes=(_NOTE, *([_UNKNOWN] if told.votes is None else []), *told.notes),
        )  # fmt: skip

    def draw(self, report: Report, pictures: Pictures | None) -> Mapping[str, bytes]:
        """Scores by kind, and the trials that a site decides most clearly against people."""
        return drawn(report, pictures)

    def _headline(self, told: Trials, score: Array) -> list[Score]:
        mean, best = _mean(score, told), majority(told.share)
        scores = [
            Score("score", **mean._asdict(), unit="share", better="higher", over=_OVER),
            Score("score, chance", 0.5, 0.5, 0.5, len(score), "share", over="trials"),
        ]
        if best.mean() > 0.5:
            value, low, high = normalised([mean.value, mean.low, mean.high], float(best.mean()), 0.5).tolist()
            scores.append(Score("share of the ceiling", value, low, high, mean.n, "share", "higher", _OVER))
        clear = told.share != 0.5
        if clear.any():
            hit = np.where(score == 0.5, 0.5, score > 0.5)[clear]
            found = share_mean(hit, told.rows[clear, 0])
            scores.append(Score("choices of the majority", **found._asdict(), unit="share", over=_OVER))
        return scores

    def _shuffled(self, values: Array, told: Trials) -> Score:
        """The score of vectors that were dealt to other pictures."""
        rng = np.random.default_rng((self.seed, 1))
        some = np.unique(told.rows)
        shares: list[float] = []
        for _ in range(self.shuffles):
            dealt = np.asarray(values, dtype=np.float64).copy()
            dealt[some] = dealt[rng.permutation(some)]
            shares.append(float(scored(taken(*distances(dealt, told.rows, self.metric)), told.share).mean()))
        found = bootstrap_mean(shares, seed=self.seed)
        return Score("score, shuffled pictures", **found._asdict(), unit="share", over="shuffles")

    def _ceilings(self, told: Trials) -> list[Score]:
        """The best that can be had, and what people earn on one another."""
        made = {"score, ceiling": majority(told.share), "score, one person": agreement(told.share, told.votes)}
        if told.votes is not None:
            made["score, leave-one-out"] = leave_one_out(told.share, told.votes)
        return [Score(name, **_mean(values, told)._asdict(), unit="share", over=_OVER)
                for name, values in made.items()]  # fmt: skip

    def _kinds(self, told: Trials, score: Array) -> list[Score]:
        kinds = np.array(told.kinds)
        names = sorted(set(told.kinds))
        if len(names) < 2:
            return []
        return [Score(f"score, kind {name or 'not told'}", **share_mean(score[kinds == name],
                      told.rows[kinds == name, 0])._asdict(), unit="share", over=_OVER) for name in names]  # fmt: skip

    def _audit(self, values: Array, told: Trials, choice: Array) -> list[Score]:
        """Trials that hang on ties or on the last digits."""
        most, tied, n = float(np.finfo(np.float16).max), float((choice < 0).mean()), len(choice)
        rough = np.asarray(values, dtype=np.float64).clip(-most, most).astype(np.float16)
        flipped = taken(*distances(rough, told.rows, self.metric)) != choice
        found = _mean(flipped.astype(float), told)
        return [
            Score("ties", tied, tied, tied, n, "share", over="trials"),
            Score("trials that half precision flips", **found._asdict(), unit="share", over=_OVER),
        ]


def _mean(values: Array, told: Trials) -> Estimate:
    return share_mean(values, told.rows[:, 0])


def _table(told: Trials, ids: tuple[str, ...], score: Array, first: Array, second: Array) -> dict[str, list[Any]]:
    """A row per trial: the picture in question (`unit`) and the two, by id."""
    names = [[ids[row] for row in column] for column in told.rows.T]
    return {
        "unit": names[0], "first": names[1], "second": names[2], "kind of trial": list(told.kinds),
        "share": told.share.tolist(), "votes": [0] * len(score) if told.votes is None else told.votes.tolist(),
        "score": score.tolist(), "distance to the first": first.tolist(), "distance to the second": second.tolist(),
    }  # fmt: skip
