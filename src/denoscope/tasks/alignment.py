"""Does a site find the same object the odd one of three as people do?"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.registry import tasks
from denoscope.core.report import Report, Score
from denoscope.core.task import Facts, Pictures
from denoscope.measures.ceilings import Ceilings, ceilings, normalised
from denoscope.measures.comparison import Correlation, Distance
from denoscope.measures.judgments import Judgments
from denoscope.measures.matrices import matrix_rsa
from denoscope.measures.statistics import Estimate, bootstrap_mean
from denoscope.measures.triads import triad_mean
from denoscope.measures.triplets import CHANCE, alike, credits, entropy
from denoscope.tasks._humanmisses import agreed, gallery, shown_by, worst
from denoscope.tasks._humanrsa import people_see
from denoscope.tasks._humantable import drawn, table_of
from denoscope.tasks._judged import Judged, judged
from denoscope.tasks._pooling import LeaveOut, Pool, check_pooling, vectors_of
from denoscope.tasks._rows import digests
from denoscope.tasks._seen import Seen, Sure, seen

__all__ = ["Alignment"]

Array = NDArray[Any]

_OVER = "choices, clustered by object and participant"
_NOTE = (
    "Intervals are over the objects and the participants that were sampled. The temperature of a choice was chosen by "
    "other triplets.",
)
_TIES = {
    "strict": "Pairs that tie for the most alike each count 1 / k, whichever people kept.",
    "published": "Ties are counted as published: of two pairs that tie for the most alike the one that people kept is "
    "taken, and three that tie are wrong. Strict scores give 1 / k.",
}
_APART = "Principal components are those of objects that are not tested, in 20 parts that share out all choices."


@tasks("alignment")
@dataclass(frozen=True)
class Alignment:
    """Odd-one-out accuracy against people, zero-shot, beside what people reach themselves; and RSA.

    Of three objects the two that are most alike are kept together (Hebart et al. 2020, Muttenthaler et al. 2023);
    nothing is fitted. Chance is 1/3. The ceiling is what the best deterministic model could reach, estimated from
    triplets that several people judged.
    """

    arrays: ClassVar[tuple[str, ...]] = ("triplets", "embedding")
    paired: ClassVar[tuple[str, ...]] = ("unit", "share")

    metric: Literal["cosine", "dot", "euclidean"] = "cosine"
    """How alike two objects are: cosine, inner product, or minus the Euclidean distance."""
    pool: Pool = "mean"
    """How the cells of an image become one vector: `mean`, `max`, `attention` (weights by cosine to the mean),
    `flatten` (one cell after the other), `cells` (the same, of unit length each), `gram` (second moments). Images of
    one object are averaged."""
    leave_out: LeaveOut = "nothing"
    """Cells that do not count: `anomalies` (unusually long ones), `corners`, or the whole `border`."""
    focus: float = 10.0
    """`attention`: weights are exp(focus cosine); 0 is the mean."""
    components: int = 0
    """Principal components that are kept of the vectors, learned from objects that are not tested; 0 for all of it."""
    vectors: Literal["raw", "centred", "standard"] = "raw"
    """Vectors as they are, less their mean over objects, or with each channel in units of its spread as well. A mean
    that all objects share makes every cosine near 1; nothing is learned from people either way."""
    ties: Literal["strict", "published"] = "strict"
    """`strict`: k pairs that tie for the most alike earn 1 / k each; `published`: two that tie count as people's."""
    distance: Literal["correlation", "cosine", "euclidean"] = "correlation"
    """RSA: how unlike two objects are at the site."""
    correlation: Literal["spearman", "pearson", "kendall"] = "spearman"
    """RSA: of the two lists of pairs; `kendall` is tau-a where no two pairs tie, and slow for hundreds of objects."""
    ceiling: float = 0.0
    """A known ceiling of the accuracy, such as 0.6767 of THINGS; estimated from repeated triplets unless given."""
    shuffles: int = 5
    """How often vectors are dealt to other objects, for the baseline that has nothing to find."""
    seed: int = 0
    """Of the shuffles, the halves of the calibration, and the bootstrap."""

    def __post_init__(self) -> None:
        check_pooling(self.pool, self.leave_out, self.focus, "alignment")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known, "denoscope evaluate alignment --help")
        for name, least in (("shuffles", 2), ("seed", 0), ("components", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if self.ceiling and not CHANCE < self.ceiling <= 1:
            raise InputError(f"a ceiling lies above chance, 0.333 ... 1, not at {self.ceiling:g}")

    def prepare(self, activations: Activations) -> Activations:
        """One vector per image."""
        return vectors_of(activations, self.pool, self.leave_out, self.focus)

    def run(self, activations: Activations, facts: Facts) -> Report:
        """Accuracy with its interval, ceilings and baselines; a table row per object, and of the worst misses.

        Args:
            activations: of any layout; one vector per image is taken as it is, for what `prepare` made of it.
            facts: `object_index` and `triplets`, and `object` and `embedding` where known.

        Raises:
            UnknownName: no image has an object.
            InputError: no choice is about objects that are here, an odd one is none of its three, or there are too few
                objects for `components`.
        """
        started = time.perf_counter()
        reduced = activations if activations.layout == "pooled" else self.prepare(activations)
        inputs = digests(reduced, facts)
        told = judged(reduced, facts)
        found = seen(told.vectors, told.judgments, self.vectors, self.components, self.seed)
        right, ties = found.right(self.metric, self.ties)
        sure, limits = found.sure(self.metric, self.seed), _ceilings(told.judgments, self.seed)
        where = {"site": str(reduced.site), "condition": str(reduced.condition), "objects": len(told.names)}
        misses = worst(told, right, sure, shown_by(reduced.ids, facts))
        return Report(
            task="alignment",
            parameters=asdict(self) | where | {"participants": _participants(told.judgments)},
            scores=(
                *self._accuracy(told, found, right, limits),
                *agreed(told.judgments, right),
                *_sureness(sure, told.judgments),
                *self._audit(found, right, ties),
                *self._rsa(told, found),
            ),
            inputs=inputs,
            origin=Origin.now(time.perf_counter() - started),
            table=table_of(told, right, misses),
            notes=(_TIES[self.ties], *_NOTE, *([_APART] if self.components else []), *told.notes,
                   *_said(limits, self.ceiling)),
        )  # fmt: skip

    def draw(self, report: Report, pictures: Pictures | None) -> Mapping[str, bytes]:
        """The objects that a site sees most and least as people do, accuracy by how sure people are, and misses."""
        return drawn(report) | (gallery(report, pictures) if pictures is not None else {})

    def _accuracy(self, told: Judged, found: Seen, right: Array, limits: Ceilings | None) -> list[Score]:
        mean = triad_mean(right, told.judgments)
        scores = [_share("accuracy", mean, "higher"), _constant("chance", CHANCE, mean.n), self._shuffled(found)]
        if told.embedding is not None:
            people = credits(alike(told.embedding, "dot"), told.judgments)
            scores.append(_share("accuracy, people's embedding", triad_mean(people.right, told.judgments)))
        if self.ceiling:
            scores.append(_constant("accuracy, ceiling", self.ceiling, mean.n))
        if limits is not None:
            scores += self._limits(limits)
        if (top := _top(limits, self.ceiling)) > CHANCE:
            value, low, high = normalised([mean.value, mean.low, mean.high], top).tolist()
            scores.append(_share("share of the ceiling", Estimate(value, low, high, mean.n), "higher"))
        return scores

    def _limits(self, limits: Ceilings) -> list[Score]:
        over = f"triplets that were judged {limits.votes / limits.triplets:.3g} times, clustered by object"
        named = {"majority": limits.majority, "leave-one-out": limits.leave_one_out, "agreement": limits.agreement}
        scores = [] if self.ceiling else [_share("accuracy, ceiling", limits.best[1], over=over)]
        return scores + [_share(f"ceiling, {name}", estimate, over=over) for name, estimate in named.items()]

    def _shuffled(self, found: Seen) -> Score:
        """The accuracy of vectors that were dealt to other objects."""
        rng = np.random.default_rng((self.seed, 1))
        shares = [found.dealt(rng).right(self.metric, self.ties)[0].mean() for _ in range(self.shuffles)]
        return _share("accuracy, shuffled objects", bootstrap_mean(shares, seed=self.seed), over="shuffles")

    def _audit(self, found: Seen, right: Array, ties: tuple[int, int]) -> list[Score]:
        """How many choices hang on ties or on the last digits."""
        n, scores = len(found.judgments), list[Score]()
        if any(ties):
            other = "strict" if self.ties == "published" else "published"
            scores.append(_share(f"accuracy, {other} ties", triad_mean(found.right(self.metric, other)[0],
                                                                       found.judgments)))  # fmt: skip
        return [
            *scores,
            _constant("ties", sum(ties) / n, n),
            _constant("ties, three-way", ties[1] / n, n),
            _share("choices that half precision flips", triad_mean(found.flips(self.metric), found.judgments)),
        ]

    def _rsa(self, told: Judged, found: Seen) -> list[Score]:
        people = people_see(told)
        distance: Distance = self.distance
        correlation: Correlation = self.correlation
        if people is None or (unlike := found.unlike(distance)) is None:
            return []
        deal = np.random.default_rng((self.seed, 3)).permutation(len(unlike))
        like = matrix_rsa(unlike, people[0], correlation, seed=self.seed)
        null = matrix_rsa(unlike[np.ix_(deal, deal)], people[0], correlation, seed=self.seed)
        over = f"objects; {people[1]}, {correlation}"
        return [
            Score("RSA", **like._asdict(), unit="correlation", better="higher", over=over),
            Score("RSA, shuffled objects", **null._asdict(), unit="correlation", over=over),
        ]


_CHOICES = {
    "metric": ("cosine", "dot", "euclidean"),
    "vectors": ("raw", "centred", "standard"),
    "ties": ("strict", "published"),
    "distance": ("correlation", "cosine", "euclidean"),
    "correlation": ("spearman", "pearson", "kendall"),
}


def _sureness(sure: Sure, choices: Judgments) -> list[Score]:
    """How surprising people's choices are at the best temperature."""
    some = choices if len(sure.rows) == len(choices) else choices.select(sure.rows)
    loss = triad_mean(sure.loss, some, share=False)
    spread = triad_mean(entropy(sure.chances), some, share=False)
    return [
        Score("log loss", **loss._asdict(), unit="nats", better="lower", over=_OVER),
        _constant("log loss, chance", float(np.log(3)), len(some), "nats"),
        Score("entropy of its choices", **spread._asdict(), unit="nats", over=_OVER),
        _constant("temperature", sure.temperature, len(some), ""),
    ]


@lru_cache(maxsize=4)
def _ceilings(choices: Judgments, seed: int) -> Ceilings | None:
    """The same for all sites and noise levels of a grid, which share their choices."""
    return ceilings(choices, seed)


def _top(limits: Ceilings | None, given: float) -> float:
    """The ceiling to divide by; 0 where there is none that is surely above chance."""
    if given or limits is None:
        return given
    found = limits.best[1]
    return found.value if found.low > CHANCE else 0.0


def _share(name: str, found: Estimate, better: Literal["higher"] | None = None, over: str = _OVER) -> Score:
    return Score(name, **found._asdict(), unit="share", better=better, over=over)


def _constant(name: str, value: float, n: int, unit: str = "share") -> Score:
    return Score(name, value, value, value, n, unit, over="choices")


def _participants(choices: Judgments) -> int:
    return len(np.unique(choices.participant[choices.participant >= 0]))


def _said(limits: Ceilings | None, given: float) -> list[str]:
    """What the ceiling is, in words."""
    if given:
        return [f"The ceiling of {given:.4g} was given."]
    if limits is None:
        return ["No triplet was judged twice, so that the ceiling cannot be estimated; give one with ceiling=."]
    if not _top(limits, given):
        return ["People hardly agree on triplets that several judged: the ceiling cannot be told from chance."]
    return [
        f"The ceiling ({limits.best[0]}) is that of {limits.triplets} triplets with {limits.votes} votes; whatever the "
        f"distribution of people's chances, it lies between {limits.low:.3f} and {limits.high:.3f} up to sampling. The "
        "share of the ceiling is (accuracy - 1/3) / (ceiling - 1/3), never below 0, its interval that of the accuracy."
    ]
