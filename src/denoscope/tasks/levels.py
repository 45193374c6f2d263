"""Does a site find odd what people do between classes, within one and at its border, and is it unsure as they are?"""

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
from denoscope.figures.plots import Band, bars, curves
from denoscope.measures.ceilings import ceilings, votes
from denoscope.measures.judgments import Judgments
from denoscope.measures.statistics import Estimate, bootstrap_mean
from denoscope.measures.triadic import slowness, triad_correlation
from denoscope.measures.triads import by_object, object_influence, triad_mean
from denoscope.measures.triplets import CHANCE, entropy
from denoscope.tasks._leveltrials import Told, told_of
from denoscope.tasks._pooling import LeaveOut, Pool, check_pooling, vectors_of
from denoscope.tasks._rows import digests
from denoscope.tasks._seen import Seen, seen

__all__ = ["Levels"]

Array = NDArray[Any]

_CHOICES = {"metric": ("cosine", "dot", "euclidean"), "vectors": ("raw", "centred", "standard")}
_OVER = "choices, clustered by object and participant"
_FEWEST = 30
"""Choices, or triplets, that a correlation needs."""
_VOTES = 3
"""On a triplet, from which people's entropy is told."""
_PARTS = 5
"""Of the choices by how unsure the site is, in the figure."""
_NOTE = (
    "Correlations are Spearman's, within levels where they are over all; response times are logarithms less the "
    "participant's mean. A site's entropy is that of its chances at the temperature that other triplets chose. "
    "People's entropy is that of the votes on a triplet; few votes tell it roughly, which makes correlations smaller."
)


@tasks("levels")
@dataclass(frozen=True)
class Levels:
    """Odd-one-out accuracy by level of abstraction, and whether a site is unsure where people are slow or disagree.

    After AligNet (Muttenthaler et al. 2025): choices between classes, within one, and at the border of one. Nothing is
    fitted but one temperature. Chance is 1/3.
    """

    arrays: ClassVar[tuple[str, ...]] = ("triplets", "trials")
    paired: ClassVar[tuple[str, ...]] = ("unit", "share")

    metric: Literal["cosine", "dot", "euclidean"] = "cosine"
    """How alike two objects are: cosine, inner product, or minus the Euclidean distance."""
    pool: Pool = "mean"
    """How the cells of an image become one vector: `mean`, `max`, `attention`, `flatten`, `cells` or `gram`."""
    leave_out: LeaveOut = "nothing"
    """Cells that do not count: `anomalies` (unusually long ones), `corners`, or the whole `border`."""
    focus: float = 10.0
    """`attention`: weights are exp(focus cosine); 0 is the mean."""
    vectors: Literal["raw", "centred", "standard"] = "raw"
    """Vectors as they are, less their mean over objects, or with each channel in units of its spread as well."""
    shuffles: int = 5
    """How often vectors are dealt to other objects, for the baseline that has nothing to find."""
    seed: int = 0
    """Of the shuffles, and of the halves of the calibration."""

    def __post_init__(self) -> None:
        check_pooling(self.pool, self.leave_out, self.focus, "levels")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known, "denoscope evaluate levels --help")
        if self.shuffles < 2 or self.seed < 0:
            raise InputError(f"shuffles must be at least 2 and seed at least 0, not {self.shuffles} and {self.seed}")

    def prepare(self, activations: Activations) -> Activations:
        """One vector per image."""
        return vectors_of(activations, self.pool, self.leave_out, self.focus)

    def run(self, activations: Activations, facts: Facts) -> Report:
        """Accuracy over all and by level, with ceilings, and correlations with people's times and disagreement.

        Args:
            activations: of any layout; one vector per image is taken as it is, for what `prepare` made of it.
            facts: `object_index`, `triplets` and `trials`; `level_names` on some image.

        Raises:
            UnknownName: no image has an object.
            InputError: choices without levels, or none about objects that are here.
        """
        started = time.perf_counter()
        reduced = activations if activations.layout == "pooled" else self.prepare(activations)
        inputs, told = digests(reduced, facts), told_of(reduced, facts)
        choices = told.people.judgments
        found = seen(told.people.vectors, choices, self.vectors)
        right, _ = found.right(self.metric)
        unsure = np.full(len(choices), np.nan)
        sure = found.sure(self.metric, self.seed)
        unsure[sure.rows] = entropy(sure.chances)
        return Report(
            task="levels",
            parameters=asdict(self) | {"site": str(reduced.site), "condition": str(reduced.condition),
                                       "objects": len(told.people.names), "levels": list(told.names)},
            scores=(*self._accuracy(told, found, right), *_by_level(told, right, self.seed), *_unsure(told, unsure)),
            inputs=inputs,
            origin=Origin.now(time.perf_counter() - started),
            table=_table(told, right, unsure),
            notes=(_NOTE, *told.people.notes),
        )  # fmt: skip

    def draw(self, report: Report, pictures: Pictures | None) -> Mapping[str, bytes]:
        """Accuracy by level, and response times by how unsure a site is; nothing for a report on several sites."""
        return _drawn(report) if "kind" in report.table else {}

    def _accuracy(self, told: Told, found: Seen, right: Array) -> list[Score]:
        rng, n = np.random.default_rng((self.seed, 1)), len(right)
        dealt = [found.dealt(rng).right(self.metric)[0].mean() for _ in range(self.shuffles)]
        null = bootstrap_mean(dealt, seed=self.seed)
        return [
            Score("accuracy", **triad_mean(right, told.people.judgments)._asdict(), unit="share", better="higher",
                  over=_OVER),
            Score("chance", CHANCE, CHANCE, CHANCE, n, "share", over="choices"),
            Score("accuracy, shuffled objects", **null._asdict(), unit="share", over="shuffles"),
        ]  # fmt: skip


def _levels(told: Told) -> list[tuple[str, Array]]:
    """Names of the levels that there are, and their rows."""
    rows = [(name, np.flatnonzero(told.level == number)) for number, name in enumerate(told.names)]
    return [(name, some) for name, some in rows if len(some)]


def _by_level(told: Told, right: Array, seed: int) -> list[Score]:
    scores: list[Score] = []
    for name, rows in _levels(told):
        some = told.people.judgments.select(rows)
        scores.append(Score(f"accuracy, {name}", **triad_mean(right[rows], some)._asdict(), unit="share", over=_OVER))
        if (limits := _limits(told.people.judgments, rows.tobytes(), seed)) is not None:
            kind, best = limits
            over = f"triplets that were judged twice or more, clustered by object; {kind}"
            scores.append(Score(f"accuracy, {name}, ceiling", **best._asdict(), unit="share", over=over))
    return scores


@lru_cache(maxsize=16)
def _limits(choices: Judgments, rows: bytes, seed: int) -> tuple[str, Estimate] | None:
    """The same for all sites and noise levels of a grid."""
    found = ceilings(choices.select(np.frombuffer(rows, dtype=np.int64)), seed)
    return None if found is None else found.best


def _unsure(told: Told, unsure: Array) -> list[Score]:
    """Correlations of a site's entropy with response times, and with the entropy of people's votes."""
    slow, timed = _slow(told), np.isfinite(told.seconds) & np.isfinite(unsure)
    scores = _correlated("entropy and response time", unsure, slow, told.people.judgments, told, timed)
    units, rows, people = _voted(told)
    if units is not None:
        mine = _mean_of(told.people.judgments, unsure)[rows]
        level = Told(told.people, told.level[_first(told.people.judgments)[rows]], told.seconds, told.names)
        scores += _correlated("entropy and people's entropy", mine, people, units, level, np.isfinite(mine))
    return scores


def _slow(told: Told) -> Array:
    """Slowness of each choice, NaN where its time is not known."""
    known = np.isfinite(told.seconds)
    found = np.full(len(known), np.nan)
    if known.any():
        found[known] = slowness(told.seconds[known], told.people.judgments.participant[known])
    return found


def _correlated(name: str, x: Array, y: Array, units: Judgments, told: Told, kept: Array) -> list[Score]:
    """Over all, and of each level that has enough."""
    scores: list[Score] = []
    parts = [(name, kept), *((f"{name}, {level}", kept & (told.level == number))
                             for number, level in enumerate(told.names))]  # fmt: skip
    for label, some in parts:
        rows = np.flatnonzero(some)
        if len(rows) < _FEWEST or np.ptp(x[rows]) == 0 or np.ptp(y[rows]) == 0:
            continue
        found = triad_correlation(x[rows], y[rows], units.select(rows), told.level[rows])
        better = "higher" if label == name else None
        over = "choices" if len(x) == len(told.seconds) else f"triplets with {_VOTES} votes or more"
        scores.append(Score(label, **found._asdict(), unit="correlation", better=better,
                            over=f"{over}, clustered by object"))  # fmt: skip
    return scores


def _voted(told: Told) -> tuple[Judgments | None, Array, Array]:
    """Triplets with votes enough as units, their places among all triplets, and the entropy of their votes."""
    counts, triples = votes(told.people.judgments)
    rows = np.flatnonzero(counts.sum(axis=1) >= _VOTES)
    if not len(rows):
        return None, rows, np.empty(0)
    shares = counts[rows] / counts[rows].sum(axis=1, keepdims=True)
    return Judgments.of(triples[rows], told.people.judgments.objects), rows, entropy(shares)


def _first(choices: Judgments) -> Array:
    """A choice about each triplet, `(triplet,)`."""
    return np.unique(choices.triples[1], return_index=True)[1]


def _mean_of(choices: Judgments, values: Array) -> Array:
    """Mean of the choices about each triplet, `(triplet,)`."""
    code = choices.triples[1]
    return np.bincount(code, values) / np.bincount(code)


def _table(told: Told, right: Array, unsure: Array) -> dict[str, list[Any]]:
    """A row per object, and one per fifth of the choices with a time by how unsure the site is."""
    choices = told.people.judgments
    shares, count = by_object(right, choices)
    influence = object_influence(right, choices)
    rows = [{"kind": "object", "unit": told.people.names[i], "choices": int(count[i]), "accuracy": float(shares[i]),
             "share": float(influence[i])} | dict.fromkeys(("slowness", "low", "high"), float("nan"))
            for i in np.flatnonzero(count > 0)]  # fmt: skip
    slow = _slow(told)
    timed = np.flatnonzero(np.isfinite(slow) & np.isfinite(unsure))
    if len(timed) >= _FEWEST:
        for some in np.array_split(timed[np.argsort(unsure[timed], kind="stable")], _PARTS):
            mean = triad_mean(slow[some], choices.select(some), share=False)
            rows.append({"kind": "entropy", "unit": f"{unsure[some].mean():.4g}", "choices": len(some),
                         "accuracy": float(right[some].mean()), "share": float("nan"), "slowness": mean.value,
                         "low": mean.low, "high": mean.high})  # fmt: skip
    return {name: [row[name] for row in rows] for name in rows[0]}


def _drawn(report: Report) -> dict[str, bytes]:
    known = {score.name: score for score in report.scores}
    names = [name for name in report.parameters["levels"] if f"accuracy, {name}" in known]
    wanted = {f"{name}{more}": known[f"accuracy, {name}{more}"] for name in names for more in ("", ", ceiling")
              if f"accuracy, {name}{more}" in known}  # fmt: skip
    band = Band(*([getattr(score, part) for score in wanted.values()] for part in ("value", "low", "high")))
    made = {"Accuracy by level": bars(list(wanted), band, "Accuracy by level", "share of choices",
                                      {"chance": CHANCE, "all": known["accuracy"].value})}  # fmt: skip
    table = report.table
    rows = [row for row, kind in enumerate(table["kind"]) if kind == "entropy"]
    if rows:
        line = Band(*([table[name][row] for row in rows] for name in ("slowness", "low", "high")))
        title = "Response times by how unsure the site is"
        made[title] = curves([float(table["unit"][row]) for row in rows], {"people": line}, title,
                             "mean entropy of the site's chances (nats), fifths of the choices",
                             "log of seconds, less the person's mean")  # fmt: skip
    return made
