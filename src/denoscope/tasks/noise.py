"""How far does a score hang on the noise that was drawn, at which noise is it best, and which model is best there?"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.registry import tasks
from denoscope.core.report import Report, Score
from denoscope.core.task import Facts, Pictures
from denoscope.measures.noisedraws import drawn_difference, drawn_mean, spread
from denoscope.measures.triplets import CHANCE, alike, credits
from denoscope.tasks._chances import KINDS, Spot, kind_of, spots_of
from denoscope.tasks._discovery import discovered
from denoscope.tasks._judged import Judged, judged, objects_of
from denoscope.tasks._noiserows import Row, estimated, models_at, peaks
from denoscope.tasks._rows import digests, no_nan

__all__ = ["Noise"]

Floats = NDArray[np.float64]
Rights = Mapping[str, Floats]
"""Kind of chance to what each choice earns under each seed, `(seed, row)`."""

_NOTES = (
    "Every number is of the same choices about the same objects. Intervals are over objects, participants and, where "
    "there are several, seeds of the noise; seeds of one kind are averaged.",
    "Spread over draws is the standard deviation of an accuracy that is measured once, over seeds; spread over objects "
    "that over samples of objects, participants and choices. Its share is of the variance of both together.",
)


@tasks("noise")
@dataclass(frozen=True)
class Noise:
    """How agreement with people depends on noise: how much, whose, and which draw of it.

    At each site and noise level the odd-one-out accuracy under each image's own noise, one noise for all images, the
    average of several draws and none, over as many seeds as were read; the variance of an accuracy divided into the
    draw of the noise and the sampling of objects; the noise level at which each site is best, between levels, with its
    interval; and, with several models, their best sites compared at equal noise.
    """

    arrays: ClassVar[tuple[str, ...]] = ("triplets", "embedding")

    metric: Literal["cosine", "dot", "euclidean"] = "cosine"
    """How alike two objects are: cosine, inner product, or minus the Euclidean distance."""
    vectors: Literal["raw", "centred"] = "raw"
    """Vectors as they are, or less their mean over objects."""
    pool: Literal["mean", "max"] = "mean"
    """How the cells of an image become one vector; images of one object are averaged."""
    seed: int = 0
    """Of the bootstrap, and of the halves in which sites are chosen."""

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known, "denoscope evaluate noise --help")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, not {self.seed}")

    def prepare(self, activations: Activations) -> Activations:
        """One vector per image."""
        return activations.pool(self.pool)

    def run(self, activations: Activations, facts: Facts) -> Report:
        """One site under one condition: its accuracy, and nothing to compare; see `run_joint`."""
        return self.run_joint([activations], facts)

    def run_joint(self, blocks: Sequence[Activations], facts: Facts) -> Report:
        """Accuracies, spreads and differences at every place and over all; peaks by site; models at equal noise.

        Args:
            blocks: the same images in the same order, at several sites, noise levels, seeds and kinds of chance.
            facts: `object_index` and `triplets`, and `object` where known.

        Raises:
            UnknownName: no image has an object.
            InputError: no choice is about objects that are here, or one place was read twice under one seed.
        """
        started = time.perf_counter()
        pooled, notes = _finite([self.prepare(block) for block in blocks])
        told = judged(pooled[0], facts)
        places = [(spot, self._rights(spot, told, facts)) for spot in spots_of(pooled)]
        rows = [row for spot, rights in places for row in _place(spot, rights, told)]
        rows += peaks(places, told.judgments, self.seed)
        rows += models_at(places, told.judgments, self.seed)
        seeds = sorted({block.condition.seed for block in pooled})
        return Report(
            task="noise",
            parameters=asdict(self) | {"objects": len(told.names), "seeds": seeds, "places": len(places)},
            scores=tuple(_over_all(places, told)),
            inputs=_inputs(pooled, facts),
            origin=Origin.now(time.perf_counter() - started),
            table=_table(discovered(rows)),
            notes=(*_NOTES, *told.notes, *notes, *_missing(pooled)),
        )

    def draw(self, report: Report, pictures: Pictures | None) -> Mapping[str, bytes]:
        """Accuracy over noise by kind of chance, maps of spread and difference, peaks, and models at equal noise."""
        from denoscope.tasks._noisefigures import drawn

        return drawn(report)

    def _rights(self, spot: Spot, told: Judged, facts: Facts) -> Rights:
        return {kind: np.stack([self._right(block, told, facts) for block in blocks])
                for kind, blocks in spot.draws.items()}  # fmt: skip

    def _right(self, block: Activations, told: Judged, facts: Facts) -> Floats:
        """What each choice earns."""
        vectors = objects_of(block, facts).vectors
        return credits(alike(vectors - vectors.mean(axis=0) if self.vectors == "centred" else vectors, self.metric),
                       told.judgments).right  # fmt: skip


_CHOICES = {"metric": ("cosine", "dot", "euclidean"), "vectors": ("raw", "centred"), "pool": ("mean", "max")}


def _place(spot: Spot, rights: Rights, told: Judged) -> Iterator[Row]:
    """All that is told of one place."""
    for score, p in _scores(rights, told):
        yield Row("place", spot.model, spot.site, spot.level, score, p)


def _scores(rights: Rights, told: Judged) -> Iterator[tuple[Score, float | None]]:
    """Accuracy of each kind, its spreads where there are seeds, and what other kinds have more than the first."""
    first, *others = rights
    for kind, right in rights.items():
        yield estimated(f"accuracy, {kind}", drawn_mean(right, told.judgments), better="higher"), None
    for kind, right in rights.items():
        if len(right) > 1:
            found = spread(right, told.judgments)
            yield estimated(f"spread over draws, {kind}", found.draws, over="seeds"), None
            yield estimated(f"spread over objects, {kind}", found.objects), None
            yield estimated(f"share of the draw, {kind}", found.share, over="seeds"), None
    for kind in others:
        gain = drawn_difference(rights[kind], rights[first], told.judgments)
        yield estimated(f"{kind} less {first}", gain.difference), gain.p


def _over_all(places: Sequence[tuple[Spot, Rights]], told: Judged) -> Iterator[Score]:
    """The same over the places of the first model that were read with every kind of chance, seed by seed."""
    model = places[0][0].model
    mine = [rights for spot, rights in places if spot.model == model]
    known = {kind for rights in mine for kind in rights}
    everywhere = [rights for rights in mine if known <= rights.keys()]
    kinds = [kind for kind in KINDS if kind in known] if everywhere else [next(iter(mine[0]))]
    mean: dict[str, Floats] = {}
    for kind in kinds:
        found = [rights[kind] for rights in everywhere or mine if kind in rights]
        count = min(map(len, found))
        mean[kind] = np.mean([one[:count] for one in found], axis=0)
    yield from (score for score, _ in _scores(mean, told))
    yield Score("accuracy, chance", CHANCE, CHANCE, CHANCE, len(told.judgments), "share", over="choices")


def _finite(pooled: Sequence[Activations]) -> tuple[list[Activations], list[str]]:
    """The images that hold finite values everywhere, so that all places have the same objects."""
    known = np.all([no_nan(block.numpy()) for block in pooled], axis=0)
    if known.all():
        return list(pooled), []
    if not known.any():
        raise InputError(f"none of {len(known)} images holds finite values at every place")
    blank = [_blank(block, known) for block in pooled]
    return blank, [f"{(~known).sum()} of {len(known)} images hold NaN or infinite values somewhere: left out."]


def _blank(block: Activations, known: NDArray[np.bool_]) -> Activations:
    values = block.numpy().copy()
    values[~known] = np.nan
    return replace(block, values=values)


def _missing(pooled: Sequence[Activations]) -> Iterator[str]:
    """What the stored conditions do not tell."""
    seeds: dict[str, set[int]] = {}
    for block in pooled:
        seeds.setdefault(kind_of(block.condition), set()).add(block.condition.seed)
    if all(len(each) < 2 for each in seeds.values()):
        yield "One seed of the noise was read: how far accuracies hang on it takes several (--seed)."
    if len(seeds) < 2:
        yield f"All was read with {next(iter(seeds))}; read other kinds beside it to compare (--noise, --draws)."


def _inputs(pooled: Sequence[Activations], facts: Facts) -> dict[str, str]:
    every = [digests(block, facts) for block in pooled]
    together = "".join(one["values"] for one in every)
    return every[0] | {"values": sha256(together.encode()).hexdigest()[:16]}


def _table(rows: Sequence[Row]) -> dict[str, list[object]]:
    columns = [row.columns() for row in rows]
    return {name: [row[name] for row in columns] for name in columns[0]}
