"""What does a prompt add to how far a site sees as people do, and is it the picture that it helps to see?"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.registry import tasks
from denoscope.core.report import Report, Score
from denoscope.core.task import Facts, Pictures
from denoscope.measures.judgments import Judgments
from denoscope.measures.textgain import triad_gain
from denoscope.measures.triads import triad_mean
from denoscope.measures.triplets import CHANCE, alike, credits
from denoscope.tasks._discovery import discovered
from denoscope.tasks._judged import Judged, judged, objects_of
from denoscope.tasks._rows import column, digests, no_nan
from denoscope.tasks._said import LABEL, SHUFFLED, TEXT, Place, Said, carriers, said
from denoscope.tasks._textparts import concept_rows, object_rows
from denoscope.tasks._textrows import BESIDE, OVER, TOLD, Earned, Row, TextRows, earned

__all__ = ["TextGain"]

Floats = NDArray[np.float64]
_TWIN = ", random-init twin"
_ENCODER = "text encoder"


@tasks("textgain")
@dataclass(frozen=True)
class TextGain:
    """What a prompt adds to agreement with people, site by site and noise level by noise level, and how much leaks.

    Gain: odd-one-out accuracy with a prompt less that without one, on the same choices, pictures and noise. Controls
    say something else: a wrong label, the label of another object, words of no meaning. Leakage, of a shuffled label:

        L = (A_told - A_told0) / (A_label - A_0)

    where objects are scored as what they were called rather than as what was shown (A_told; A_told0 the same without
    words, which is chance), A_label has the right label and A_0 none. 1: the words alone earn as much; 0: they help
    only where they are true of the picture. Linhardt et al. 2024 measured the gain; the controls are ours.
    """

    arrays: ClassVar[tuple[str, ...]] = ("triplets", "embedding", "embedding_names")
    texts: ClassVar[bool] = True

    metric: Literal["cosine", "dot", "euclidean"] = "cosine"
    """How alike two objects are: cosine, inner product, or minus the Euclidean distance."""
    vectors: Literal["raw", "centred"] = "raw"
    """Vectors as they are, or less their mean over objects."""
    pool: Literal["mean", "max"] = "mean"
    """How the cells of an image become one vector; images of one object are averaged."""
    text: Literal["last", "mean", "pooled"] = "last"
    """The text encoder's vector of a prompt: of its last token, the mean over its tokens, or the model's pooled one."""
    seed: int = 0
    """Of the bootstrap."""

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known, "denoscope evaluate textgain --help")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, not {self.seed}")

    def prepare(self, activations: Activations) -> Activations:
        """One vector per image."""
        return activations.pool(self.pool)

    def run(self, activations: Activations, facts: Facts) -> Report:
        """One site under one condition: its accuracy, and no gain; see `run_joint`."""
        return self.run_joint([activations], facts)

    def run_joint(self, blocks: Sequence[Activations], facts: Facts) -> Report:
        """Accuracies, gains and leakage at every place and over all; gains by object and by concept.

        Args:
            blocks: the same images in the same order, at several sites and noise levels, each with and without words;
                the text encoder's vectors of what was said stand at the sites `text.last`, `text.mean`, `text.pooled`.
            facts: `object_index` and `triplets`, `shuffled_object` where labels were shuffled, `object` and
                `embedding` where known.

        Raises:
            UnknownName: no image has an object.
            InputError: no choice is about objects that are here, or a place was not read without words.
        """
        started = time.perf_counter()
        pooled = [self.prepare(block) for block in blocks]
        inputs = _inputs(pooled, facts)
        order = said(_finite(pooled), self.text)
        first = next(iter(order.places[0].blocks.values()))
        told = judged(first, facts)
        found = _Found(self, told, order, facts)
        rows = [row.columns() for row in discovered(list(found.rows()))]
        return Report(
            task="textgain",
            parameters=asdict(self) | {"objects": len(told.names), "prompts": dict(order.prompts)},
            scores=tuple(found.scores()),
            inputs=inputs,
            origin=Origin.now(time.perf_counter() - started),
            table={name: [row[name] for row in rows] for name in rows[0]},
            notes=(*_NOTES, *told.notes, *found.notes()),
        )

    def draw(self, report: Report, pictures: Pictures | None) -> Mapping[str, bytes]:
        """Maps of gain and leakage, accuracy over noise by prompt, and which concepts and objects gain."""
        from denoscope.tasks._textfigures import drawn

        return drawn(report)

    def similar(self, block: Activations, facts: Facts) -> Floats:
        """How alike objects are, `(object, object)`."""
        vectors = objects_of(block, facts).vectors
        return alike(vectors - vectors.mean(axis=0) if self.vectors == "centred" else vectors, self.metric)


class _Found:
    """Rows of the table, and means over places as they are gone through."""

    def __init__(self, task: TextGain, told: Judged, order: Said, facts: Facts) -> None:
        self.task, self.told, self.order, self.facts = task, told, order, facts
        self.plain = TextRows(told.judgments, task.seed)
        self.twin = TextRows(told.judgments, task.seed, _TWIN)
        self.over: dict[bool, _Mean] = {False: _Mean(), True: _Mean()}
        self.texts = {kind: task.similar(block, facts) for kind, block in order.texts.items()}
        self.carrier = self._carrier()

    def rows(self) -> Iterator[Row]:
        """Place by place; then the text encoder, concepts by noise level and objects."""
        levels = list(dict.fromkeys(place.level for place in self.order.places))
        by_level: dict[Condition, _Mean] = {level: _Mean() for level in levels}
        for place in self.order.places:
            found = self._earned(place)
            self.over[place.twin].add(found)
            if not place.twin:
                by_level[place.level].add(found)
            for score, p in (self.twin if place.twin else self.plain).of(found):
                yield Row("place", "", place.site, place.level.timestep, str(place.level), score, p)
        for kind, score in self._alone().items():
            yield Row(_ENCODER, kind, TEXT + self.task.text, None, "", score)
        names = self._names()
        for level, mean in by_level.items():
            if (gain := mean.gain) is not None and self.told.embedding is not None:
                for name, score, p in concept_rows(gain[1], self.told, names, gain[0]):
                    yield Row("concept", name, "all", level.timestep, str(level), score, p)
        if (gain := self.over[False].gain) is not None:
            for name, score, p in object_rows(gain[1], self.told, gain[0]):
                yield Row("object", name, "all", None, "all", score, p)

    def scores(self) -> Iterator[Score]:
        """The same over all places: gains first, then shares, accuracies and what they are to be read beside."""
        plain = [score for score, _ in self.plain.of(self.over[False].earned)]
        accuracies = [score for score in plain if score.name.startswith("accuracy")]
        yield from (score for score in plain if score not in accuracies)
        yield from accuracies
        n = len(self.told.judgments)
        yield Score("accuracy, chance", CHANCE, CHANCE, CHANCE, n, "share", over="choices")
        yield from self._alone().values()
        if self.told.embedding is not None:
            people = credits(alike(self.told.embedding, "dot"), self.told.judgments).right
            yield _accuracy("people's embedding", people, self.told.judgments)
        if self.over[True].count:
            yield from (score for score, _ in self.twin.of(self.over[True].earned))
            yield from self._above_twin()

    def notes(self) -> Iterator[str]:
        """What could not be told, and why."""
        kinds = self.order.prompts
        if len(kinds) < 2:
            yield "Nothing was said to the model: a gain needs a prompt beside the empty one (--prompt)."
        elif LABEL not in kinds or SHUFFLED not in kinds:
            yield 'Leakage needs both "{label}" and "{shuffled_label}" in prompts, of worded: data.'
        if len(kinds) > 1 and not self.texts:
            yield "The text encoder's own vectors were not at hand: what words are worth alone is not told."

    def _earned(self, place: Place) -> Earned:
        similar = {kind: self.task.similar(block, self.facts) for kind, block in place.blocks.items()}
        return earned(similar, self.told.judgments, self.carrier, None if place.twin else self.texts.get(LABEL))

    def _alone(self) -> dict[str, Score]:
        """What the text encoder's vectors of each prompt earn."""
        found: dict[str, Score] = {}
        for kind, similar in self.texts.items():
            right = credits(similar, self.told.judgments).right
            found[kind] = _accuracy(f"{_ENCODER}, {kind}", right, self.told.judgments)
        return found

    def _above_twin(self) -> Iterator[Score]:
        """What training added to the gain, choice by choice."""
        ours, untrained = self.over[False].gain, self.over[True].gain
        if ours is not None and untrained is not None and ours[0] == untrained[0]:
            above = triad_gain(ours[1], untrained[1], self.told.judgments).difference
            yield Score(f"gain above the random-init twin, {ours[0]}", *above, unit="share", over=OVER)

    def _carrier(self) -> NDArray[np.int64] | None:
        if SHUFFLED not in self.order.prompts:
            return None
        column(self.facts, "shuffled_object")
        first = next(iter(self.order.places[0].blocks.values()))
        shown = objects_of(first, self.facts)
        return carriers(self.facts, shown.index, shown.objects, shown.names)

    def _names(self) -> list[str]:
        """Of the embedding's dimensions, numbers where they have none."""
        told = next((list(names) for row in self.facts if (names := row.get("embedding_names")) is not None), [])
        wide = 0 if self.told.embedding is None else self.told.embedding.shape[1]
        return [str(name) for name in told] if len(told) == wide else [f"dimension {i}" for i in range(wide)]


class _Mean:
    """Mean of what choices earn over several places."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: dict[str, dict[str, Floats]] = {"right": {}, "base": {}}
        self._times: dict[str, int] = {}
        self._mixed: list[tuple[float, float]] = []

    def add(self, found: Earned) -> None:
        """One place more; a prompt counts where it was given."""
        self.count += 1
        for part, sums in self._sums.items():
            for kind, values in getattr(found, part).items():
                sums[kind] = sums[kind] + values if kind in sums else values
        for kind in found.right:
            self._times[kind] = self._times.get(kind, 0) + 1
        if np.isfinite(found.imitated):
            self._mixed.append((found.imitated, found.weight))

    @property
    def earned(self) -> Earned:
        """The mean as if it were of one place."""
        right, base = ({kind: values / self._times[kind] for kind, values in self._sums[part].items()}
                       for part in ("right", "base"))  # fmt: skip
        mixed = np.mean(self._mixed, axis=0).tolist() if self._mixed else (float("nan"), float("nan"))
        return Earned(right, base, *mixed)

    @property
    def gain(self) -> tuple[str, Floats] | None:
        """The prompt whose gain is told by object and concept, the label unless there is none; and the gain."""
        gains = self.earned.gains
        kinds = [kind for kind in gains if kind not in (TOLD, BESIDE)]
        kind = LABEL if LABEL in kinds else next(iter(kinds), None)
        return None if kind is None else (kind, gains[kind])


_CHOICES = {
    "metric": ("cosine", "dot", "euclidean"),
    "vectors": ("raw", "centred"),
    "pool": ("mean", "max"),
    "text": ("last", "mean", "pooled"),
}
_NOTES = (
    "Gains are paired: the same choices, pictures and noise with a prompt and without one. q-values hold the false "
    "discovery rate over all places, concepts or objects of one score. A share of a gain is only told where the gain "
    "is more than twice its margin. Scores without a place are means over all of them.",
)


def _accuracy(what: str, right: Floats, choices: Judgments) -> Score:
    return Score(f"accuracy, {what}", *triad_mean(right, choices), unit="share", over=OVER)


def _finite(pooled: Sequence[Activations]) -> list[Activations]:
    """Images that are not finite in one block count in none, so that all blocks are of the same objects."""
    good = np.logical_and.reduce([no_nan(block.numpy()) for block in pooled])
    if good.all():
        return list(pooled)
    blank = np.where(good, 0.0, np.nan)[:, None]
    return [replace(block, values=block.numpy().astype(np.float64) + blank) for block in pooled]


def _inputs(pooled: Sequence[Activations], facts: Facts) -> dict[str, str]:
    first = digests(pooled[0], facts)
    every = "".join(digests(block, facts)["values"] for block in pooled)
    return {**first, "values": sha256(every.encode()).hexdigest()[:16] if len(pooled) > 1 else first["values"]}
