"""What one site holds of each concept: how well it is decoded, and how well choices that belong to it are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score
from denoscope.measures.decoding import Decoded
from denoscope.measures.decoding_scores import Told, correlation, mean_of, r2, shuffled_r2
from denoscope.measures.significance import false_discovery
from denoscope.measures.statistics import Estimate, bootstrap_mean, wilson
from denoscope.measures.triads import by_object, triad_mean
from denoscope.measures.triplets import CHANCE, Metric, alike, credits
from denoscope.measures.unique import unique_variance
from denoscope.tasks._minds import Belongs, Minds, belonging

__all__ = ["Found", "Seen", "ends", "explained", "found_at", "most_and_least", "scores_of", "seen_at", "table_of"]

Array = NDArray[Any]
Numbers = NDArray[np.float64]

_LEAST = 20
"""Choices that an accuracy needs."""
_OVER = "choices, clustered by object and participant"


@dataclass(frozen=True, eq=False)
class Found:
    """Every concept, decoded on objects that the map never saw.

    Attributes:
        decoded: predictions.
        fits: R^2.
        agrees: correlation.
        q: smallest false discovery rate at which each concept counts as decoded, `(concept,)`.
    """

    decoded: Decoded
    fits: Told
    agrees: Told
    q: Numbers


@dataclass(frozen=True, eq=False)
class Seen:
    """Choices of two objects that belong to each concept, by the site as it is and by what people think.

    Attributes:
        right: what the site earns of every choice, `(row,)`.
        rows: choices of each concept.
        site, people: accuracy on those; None where they are fewer than 20.
    """

    right: Numbers
    rows: list[NDArray[np.intp]]
    site: list[Estimate | None]
    people: list[Estimate | None]

    def aligned(self, number: int) -> float:
        """(accuracy - 1/3) over what people's own embedding has above 1/3; NaN where that may be chance."""
        site, people = self.site[number], self.people[number]
        if site is None or people is None or people.low <= CHANCE:
            return float("nan")
        return (site.value - CHANCE) / (people.value - CHANCE)


def found_at(decoded: Decoded) -> Found:
    """Scores of what was decoded, with the rate of false discoveries over concepts."""
    fits, agrees = r2(decoded), correlation(decoded)
    return Found(decoded, fits, agrees, false_discovery(agrees.p).q)


def seen_at(minds: Minds, metric: Metric, how: Belongs, top: int) -> Seen:
    """Zero-shot accuracy on the choices of each concept, beside that of people's own embedding."""
    choices, rows = minds.told.judgments, belonging(minds, how, top)
    right = credits(alike(minds.told.vectors, metric), choices).right
    theirs = credits(alike(minds.whole, "dot"), choices).right

    def mean(values: Numbers, some: Array) -> Estimate | None:
        return triad_mean(values[some], choices.select(some)) if len(some) >= _LEAST else None

    return Seen(right, rows, [mean(right, some) for some in rows], [mean(theirs, some) for some in rows])


def scores_of(
    minds: Minds, found: Found, seen: Seen, group: NDArray[np.bool_], label: str, metric: Metric, seed: int
) -> list[Score]:
    """The headline, its baseline, and every concept."""
    count, objects, over = len(minds.names), len(minds.told.names), f"objects; mean of {len(minds.names)} concepts"
    decoded = wilson(int((found.q <= 0.05).sum()), count)
    scores = [
        Score("R2", **found.fits.mean._asdict(), unit="share", better="higher", over=over),
        *_shuffled(found.decoded, seed),
        *_by_group(found.decoded, group, label),
        Score("concepts decoded", **decoded._asdict(), unit="share", better="higher",
              over="concepts, at a false discovery rate of 5 %"),
        Score("correlation", **found.agrees.mean._asdict(), unit="correlation", over=over),
        *_choices(minds, found.decoded, metric),
    ]  # fmt: skip
    for number, name in enumerate(minds.names):
        value, low, high = (float(part[number]) for part in ends(found.fits))
        scores.append(Score(f"R2 of {name}", value, low, high, objects, "share", "higher", "objects"))
        if (one := seen.site[number]) is not None:
            scores.append(_share(f"accuracy on {name}", one, "higher"))
    return scores


def explained(minds: Minds, folds: int, seed: int) -> list[Score]:
    """The other direction: of the variance of the site's vectors, what concepts explain together and each alone."""
    found = unique_variance(minds.embedding, minds.told.vectors, folds, seed)
    named = {"variance explained by concepts": found.whole}
    named |= {f"unique variance of {name}": one for name, one in zip(minds.names, found.unique, strict=True)}
    return [Score(name, **one._asdict(), unit="share", over="objects") for name, one in named.items()]


def table_of(minds: Minds, found: Found, seen: Seen, group: NDArray[np.bool_]) -> dict[str, list[Any]]:
    """A row per object, whose `share` averages to the mean R^2 and has its spread; then a row per concept."""
    shares = mean_of(found.fits, np.flatnonzero(np.isfinite(found.fits.value)))
    each, count = by_object(seen.right, minds.told.judgments)
    objects = [_object(*values) for values in zip(minds.told.names, shares, each, count, strict=True)]
    concepts = [_concept(number, minds, found, seen, group) for number in range(len(minds.names))]
    names = list(concepts[0])
    return {name: [row.get(name) for row in [*objects, *concepts]] for name in names}


def ends(told: Told) -> tuple[Numbers, Numbers, Numbers]:
    """Value and both ends of the interval."""
    return told.value, told.low, told.high


def _object(name: str, share: float, accuracy: float, choices: int) -> dict[str, Any]:
    told = float(accuracy) if choices else None
    return {"kind": "object", "unit": name, "share": float(share), "accuracy": told, "choices": int(choices)}


def _concept(number: int, minds: Minds, found: Found, seen: Seen, group: NDArray[np.bool_]) -> dict[str, Any]:
    column = minds.embedding[:, number]
    fits, agrees = ([float(part[number]) for part in ends(told)] for told in (found.fits, found.agrees))
    site, people = seen.site[number], seen.people[number]
    penalties = [float(part.penalty[number]) for part in found.decoded.parts]
    return {
        "kind": "concept", "unit": minds.names[number], "share": float("nan"), "asked for": bool(group[number]),
        "objects": int((column > column.min()).sum()),
        "R2": fits[0], "R2, low": fits[1], "R2, high": fits[2],
        "correlation": agrees[0], "correlation, low": agrees[1], "correlation, high": agrees[2],
        "p": float(found.agrees.p[number]), "q": float(found.q[number]), "penalty": float(np.median(penalties)),
        "choices": len(seen.rows[number]),
        "accuracy": site.value if site else None, "accuracy, low": site.low if site else None,
        "accuracy, high": site.high if site else None, "accuracy, people's embedding": people.value if people else None,
        "aligned": seen.aligned(number),
    }  # fmt: skip


def _shuffled(decoded: Decoded, seed: int) -> list[Score]:
    null = bootstrap_mean(shuffled_r2(decoded), seed=seed)
    return [Score("R2, shuffled objects", **null._asdict(), unit="share", over="shuffles")]


def _by_group(decoded: Decoded, group: NDArray[np.bool_], label: str) -> list[Score]:
    """The concepts that were asked for, and all others, where there are both."""
    if group.all() or not group.any():
        return []
    made: list[Score] = []
    for name, some in ((f"R2, {label} concepts", group), ("R2, other concepts", ~group)):
        mean = r2(decoded.select(some)).mean
        made.append(Score(name, **mean._asdict(), unit="share", over=f"objects; mean of {some.sum()} concepts"))
    return made


def _choices(minds: Minds, decoded: Decoded, metric: Metric) -> list[Score]:
    """Choices among objects of one part, by the predictions of maps that saw none of the three."""
    choices, part = minds.told.judgments, decoded.part
    inside = (part[choices.first] == part[choices.second]) & (part[choices.first] == part[choices.odd])
    if inside.sum() < _LEAST:
        return []
    some = choices.select(inside)

    def score(name: str, values: Numbers, how: Metric, better: Literal["higher"] | None = None) -> Score:
        return _share(name, triad_mean(credits(alike(values, how), some).right, some), better)

    return [
        score("decoded accuracy", decoded.predicted, metric, "higher"),
        Score("decoded accuracy, chance", CHANCE, CHANCE, CHANCE, len(some), "share", over="choices"),
        score(f"decoded accuracy, zero-shot {metric}", minds.told.vectors, metric),
        score("decoded accuracy, people's embedding", minds.whole, "dot"),
    ]


def _share(name: str, found: Estimate, better: Literal["higher"] | None = None) -> Score:
    return Score(name, **found._asdict(), unit="share", better=better, over=_OVER)


def most_and_least(names: Sequence[str], seen: Seen, count: int = 3) -> dict[str, list[str]]:
    """The concepts on whose choices the site is most and least as people are, by `Seen.aligned`."""
    told = [(seen.aligned(number), name) for number, name in enumerate(names)]
    order = sorted((pair for pair in told if np.isfinite(pair[0])), reverse=True)
    words = [f"{name} ({value:.2f})" for value, name in order]
    return {"most as people": words[:count], "least as people": words[::-1][:count]} if len(order) >= 2 * count else {}
