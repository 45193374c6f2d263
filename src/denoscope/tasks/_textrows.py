"""Text gains, place by place: what each prompt earns, what it adds, and how much of that the words earn alone."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score
from denoscope.measures.judgments import Judgments
from denoscope.measures.statistics import Estimate
from denoscope.measures.textgain import as_told, gain_share, mixed_in, triad_gain
from denoscope.measures.triads import triad_mean
from denoscope.measures.triplets import credits
from denoscope.tasks._said import LABEL, SHUFFLED, UNSAID

__all__ = ["OVER", "TOLD", "Earned", "Row", "TextRows", "earned"]

Floats = NDArray[np.float64]

OVER = "choices, clustered by object and participant"
TOLD = f"{SHUFFLED}, as told"
"""Objects that were shown under another one's name, scored as the one that was named."""
BESIDE = "text put beside"
"""The unconditional similarities with those of the text encoder mixed in."""


@dataclass(frozen=True)
class Row:
    """One number of the report's table."""

    part: str
    """Of what: `place`, `text encoder`, `object` or `concept`."""
    name: str
    """Of the object or concept; empty elsewhere."""
    site: str
    timestep: float | None
    condition: str
    score: Score
    p: float | None = None
    q: float | None = None

    def columns(self) -> dict[str, Any]:
        """As a row of a tidy table."""
        told = asdict(self.score)
        where = {"site": self.site, "timestep": self.timestep, "condition": self.condition}
        return {**where, "score": told.pop("name"), **told, "p": self.p, "q": self.q, "part": self.part,
                "name": self.name}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Earned:
    """What each choice earns at one place.

    Attributes:
        right: prompt to the credit of each choice, `(row,)`.
        base: prompt to that of the unconditional one which it is compared with.
        imitated: share of the variance of the similarities with the label that the mixture explains; NaN without one.
        weight: of the text in that mixture.
    """

    right: Mapping[str, Floats]
    base: Mapping[str, Floats]
    imitated: float = np.nan
    weight: float = np.nan

    @property
    def gains(self) -> dict[str, Floats]:
        """Prompt to what it adds to each choice; NaN where an object was not named."""
        return {kind: self.right[kind] - base for kind, base in self.base.items()}


def earned(
    similar: Mapping[str, Floats], judged: Judgments, carrier: NDArray[np.int64] | None, text: Floats | None
) -> Earned:
    """Every prompt at one place, scored on the same choices.

    Args:
        similar: prompt to similarities, `(object, object)`; the unconditional ones among them.
        judged: people's choices.
        carrier: for each object the one that was shown under its name, where labels were shuffled.
        text: the text encoder's similarities of the labels.
    """
    right = {kind: credits(matrix, judged).right for kind, matrix in similar.items()}
    base = {kind: right[UNSAID] for kind in right if kind != UNSAID}
    share = weight = float("nan")
    if carrier is not None and SHUFFLED in similar:
        right[TOLD], base[TOLD] = (_told(similar[kind], carrier, judged) for kind in (SHUFFLED, UNSAID))
    if text is not None and LABEL in similar:
        mixed, share, weight = mixed_in(similar[LABEL], similar[UNSAID], text)
        right[BESIDE], base[BESIDE] = credits(mixed, judged).right, right[UNSAID]
    return Earned(right, base, share, weight)


def _told(similar: Floats, carrier: NDArray[np.int64], judged: Judgments) -> Floats:
    named, rows = as_told(similar, carrier, judged)
    return np.where(rows, credits(named, judged).right, np.nan)


@dataclass
class TextRows:
    """Rows of the table on some choices.

    Attributes:
        judged: people's choices.
        seed: of resampling.
        after: what is added to names of scores, such as `, random-init twin`.
    """

    judged: Judgments
    seed: int = 0
    after: str = ""
    _some: dict[bytes, Judgments] = field(default_factory=dict[bytes, Judgments])

    def of(self, found: Earned) -> Iterator[tuple[Score, float | None]]:
        """Accuracy and gain of each prompt, then the two shares of the label's gain; p-values beside the gains."""
        for kind, right in found.right.items():
            if kind != BESIDE:
                yield self._score(f"accuracy, {kind}", self._mean(right), better="higher"), None
        for kind, base in found.base.items():
            rows, some = self._known(found.right[kind])
            test = triad_gain(found.right[kind][rows], base[rows], some)
            yield self._score(f"gain, {kind}", test.difference), test.p
        yield from ((score, None) for score in self._shares(found))

    def _shares(self, found: Earned) -> Iterator[Score]:
        gains = found.gains
        for name, kind in (("leakage", TOLD), ("gain of text put beside", BESIDE)):
            if LABEL in gains and kind in gains:
                share = gain_share(gains[kind], gains[LABEL], self.judged, self.seed)
                if share is not None:
                    yield Score(f"{name}{self.after}", *share, unit="share of the label's gain", over="objects")
        if np.isfinite(found.imitated):
            n = self.judged.objects
            for name, value in (("similarities imitated", found.imitated), ("weight of the text", found.weight)):
                yield Score(f"{name}{self.after}", value, value, value, n, "share", over="objects")

    def _mean(self, right: Floats) -> Estimate:
        rows, some = self._known(right)
        return triad_mean(right[rows], some)

    def _known(self, right: Floats) -> tuple[Any, Judgments]:
        """Rows with a number, and the choices there; the same object for the same rows."""
        known = ~np.isnan(right)
        if known.all():
            return slice(None), self.judged
        key = np.packbits(known).tobytes()
        return known, self._some.setdefault(key, self.judged.select(known))

    def _score(self, name: str, found: Estimate, better: Any = None) -> Score:
        return Score(f"{name}{self.after}", *found, unit="share", better=better, over=OVER)
