"""Does a site find the same pictures alike as people who arranged or rated them?"""

import time
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
from denoscope.measures.comparison import Correlation, Distance, dissimilarities
from denoscope.measures.matrices import matrix_rsa
from denoscope.measures.statistics import bootstrap_mean
from denoscope.tasks._judged import Objects, objects_of
from denoscope.tasks._pooling import LeaveOut, Pool, check_pooling, vectors_of
from denoscope.tasks._rows import digests

__all__ = ["Likeness"]

Array = NDArray[np.float64]

_CHOICES = {
    "distance": ("correlation", "cosine", "euclidean"),
    "correlation": ("spearman", "pearson", "kendall"),
}
_FEWEST = 6
"""Objects that a correlation of pairs needs."""


@tasks("likeness")
@dataclass(frozen=True)
class Likeness:
    """Representational similarity to people: correlation of how unlike a site and people find all pairs of pictures.

    Kriegeskorte, Mur and Bandettini 2008. Nothing is fitted. Where every person's own arrangement is known, so is how
    far people agree: one person with all others (a lower ceiling), and with all, that person included (an upper one;
    Nili et al. 2014).
    """

    arrays: ClassVar[tuple[str, ...]] = ("dissimilarity", "dissimilarities")

    pool: Pool = "mean"
    """How the cells of an image become one vector: `mean`, `max`, `attention`, `flatten`, `cells` or `gram`; images of
    one object are averaged."""
    leave_out: LeaveOut = "nothing"
    """Cells that do not count: `anomalies` (unusually long ones), `corners`, or the whole `border`."""
    focus: float = 10.0
    """`attention`: weights are exp(focus cosine); 0 is the mean."""
    distance: Literal["correlation", "cosine", "euclidean"] = "correlation"
    """How unlike two objects are at the site."""
    correlation: Literal["spearman", "pearson", "kendall"] = "spearman"
    """Of the two lists of pairs; `kendall` is tau-a where no two pairs tie, and slow for hundreds of objects."""
    seed: int = 0
    """Of the shuffle and the groups of the jackknife."""

    def __post_init__(self) -> None:
        check_pooling(self.pool, self.leave_out, self.focus, "likeness")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known, "denoscope evaluate likeness --help")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, not {self.seed}")

    def prepare(self, activations: Activations) -> Activations:
        """One vector per image."""
        return vectors_of(activations, self.pool, self.leave_out, self.focus)

    def run(self, activations: Activations, facts: Facts) -> Report:
        """The correlation with its interval, shuffled objects and ceilings; a table row per object.

        Args:
            activations: of any layout.
            facts: `object_index` and `dissimilarity`, and `dissimilarities` where known.

        Raises:
            UnknownName: no image has an object.
            InputError: fewer than 6 objects, or nobody said how unlike they are.
        """
        started = time.perf_counter()
        reduced = activations if activations.layout == "pooled" else self.prepare(activations)
        inputs = digests(reduced, facts)
        shown = objects_of(reduced, facts)
        people, each = _people(shown, facts)
        distance: Distance = self.distance
        unlike = dissimilarities(shown.vectors, distance)
        where = {"site": str(reduced.site), "condition": str(reduced.condition), "objects": len(shown.names)}
        return Report(
            task="likeness",
            parameters=asdict(self) | where | {"participants": 0 if each is None else len(each)},
            scores=(*self._whole(unlike, people), *(self._single(unlike, each) if each is not None else ())),
            inputs=inputs,
            origin=Origin.now(time.perf_counter() - started),
            table=self._table(shown, unlike, people),
            notes=("Intervals are over objects (jackknife), those of single people over people.", *shown.notes),
        )

    def _whole(self, unlike: Array, people: Array) -> list[Score]:
        deal = np.random.default_rng((self.seed, 1)).permutation(len(unlike))
        how: Correlation = self.correlation
        found = matrix_rsa(unlike, people, how, seed=self.seed)
        null = matrix_rsa(unlike[np.ix_(deal, deal)], people, how, seed=self.seed)
        return [
            Score("RSA", **found._asdict(), unit="correlation", better="higher", over="objects"),
            Score("RSA, shuffled objects", **null._asdict(), unit="correlation", over="objects"),
        ]

    def _single(self, unlike: Array, each: Array) -> list[Score]:
        """The mean over people of the correlation with one person, and both ceilings of it."""
        how: Correlation = self.correlation
        rest = [_mean(np.delete(each, i, axis=0)) for i in range(len(each))]
        against = {
            "RSA to one person": [unlike] * len(each),
            "RSA to one person, lower ceiling": rest,
            "RSA to one person, ceiling": [_mean(each)] * len(each),
        }
        told = {name: [matrix_rsa(one, own, how, groups=2).value for one, own in zip(others, each, strict=True)]
                for name, others in against.items()}  # fmt: skip
        return [Score(name, **bootstrap_mean(values, seed=self.seed)._asdict(), unit="correlation",
                      better=None if "," in name else "higher", over="people")
                for name, values in told.items()]  # fmt: skip

    def _table(self, shown: Objects, unlike: Array, people: Array) -> dict[str, list[Any]]:
        """A row per object: how its distances to all others correlate, where it has three or more."""
        rows: list[float] = []
        for i in range(len(unlike)):
            known = np.isfinite(people[i]) & (np.arange(len(unlike)) != i)
            a, b = unlike[i][known], people[i][known]
            varies = known.sum() > 2 and np.ptp(a) > 0 and np.ptp(b) > 0
            rows.append(float(np.corrcoef(a, b)[0, 1]) if varies else float("nan"))
        return {"object": list(shown.names), "Pearson correlation of its distances": rows}


def _mean(each: Array) -> Array:
    """Over people, those left out who did not judge a pair; NaN where nobody did."""
    known = np.isfinite(each)
    count = known.sum(axis=0)
    return np.divide(np.where(known, each, 0).sum(axis=0), count, out=np.full(count.shape, np.nan), where=count > 0)


def _people(shown: Objects, facts: Facts) -> tuple[Array, Array | None]:
    """How unlike people find the objects `(object, object)`, and each person `(person, object, object)` where known.

    Raises:
        InputError: too few objects, or nobody was asked.
    """
    if len(shown.objects) < _FEWEST:
        raise InputError(f"a correlation of pairs needs {_FEWEST} objects; there are {len(shown.objects)}")
    whole, own = _rows(shown, facts, "dissimilarity"), _rows(shown, facts, "dissimilarities")
    if any(row is None for row in whole):
        raise InputError(
            "these images come without people's arrangements (the fact 'dissimilarity'); data sets that have them are "
            "cichy, king and peterson; odd-one-out choices are scored by: alignment"
        )
    people = np.stack([np.asarray(row, dtype=np.float64)[shown.objects] for row in whole])
    if any(row is None for row in own):
        return people, None
    each = np.stack([np.asarray(row, dtype=np.float64)[:, shown.objects] for row in own], axis=1)
    return people, each if len(each) > 1 else None


def _rows(shown: Objects, facts: Facts, name: str) -> list[Any]:
    """One fact of each object, from the first of its images that has it."""
    found: dict[int, Any] = {}
    for number, row in zip(shown.index.tolist(), facts, strict=True):
        if number >= 0 and number not in found and (told := row.get(name)) is not None:
            found[number] = told
    return [found.get(number) for number in shown.objects.tolist()]
