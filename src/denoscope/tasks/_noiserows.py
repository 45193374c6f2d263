"""Rows of a report on noise: peaks of sites between noise levels, and models at equal noise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.condition import Condition
from denoscope.core.report import Score
from denoscope.measures.judgments import Judgments
from denoscope.measures.noisedraws import drawn_difference, drawn_mean
from denoscope.measures.peaks import peak_estimate, redrawn
from denoscope.measures.statistics import Estimate
from denoscope.measures.triads import object_influence
from denoscope.tasks._chances import KINDS, NONE, Spot, amount

__all__ = ["OVER", "Row", "estimated", "models_at", "peaks"]

Floats = NDArray[np.float64]
Places = Sequence[tuple[Spot, Mapping[str, Floats]]]

OVER = "choices, clustered by object and participant"
_DRAWS = 2000
_LEAST = 3
"""Noise levels between which a peak can lie."""


@dataclass(frozen=True)
class Row:
    """One number of the report's table."""

    part: str
    """Of what: `place`, `peak` or `models`."""
    model: str
    site: str
    level: Condition | None
    score: Score
    p: float | None = None
    q: float | None = None

    def columns(self) -> dict[str, Any]:
        """As a row of a tidy table."""
        told = asdict(self.score)
        level = self.level
        where = {"site": self.site, "timestep": level.timestep if level else None,
                 "condition": str(level) if level else "all"}  # fmt: skip
        return {**where, "score": told.pop("name"), **told, "p": self.p, "q": self.q, "part": self.part,
                "model": self.model}  # fmt: skip


def estimated(
    name: str, found: Estimate, unit: str = "share", better: Literal["higher"] | None = None, over: str = OVER
) -> Score:
    """A score of an estimate."""
    return Score(name, **found._asdict(), unit=unit, better=better, over=over)


def peaks(places: Places, judged: Judgments, seed: int) -> Iterator[Row]:
    """The noise level at which each site is best, between levels, under each kind of chance.

    The vertex of the parabola through the best level and its neighbours (an end stays the end), on the axis of the
    levels' order, told as a timestep or log-SNR between them. The interval draws objects anew and, where there are
    several seeds, moves every level by the error of its mean over them.
    """
    sites = list(dict.fromkeys((spot.model, spot.site) for spot, _ in places))
    for model, site in sites:
        mine = [(spot, rights) for spot, rights in places if (spot.model, spot.site) == (model, site)]
        for kind in dict.fromkeys(kind for _, rights in mine for kind in rights if kind != NONE):
            found = [(spot.level, rights[kind]) for spot, rights in mine if kind in rights]
            if len(found) >= _LEAST and len({_axis(level) for level, _ in found}) == 1:
                yield Row("peak", model, site, None, _peak(kind, found, judged, seed))


def _peak(kind: str, found: Sequence[tuple[Condition, Floats]], judged: Judgments, seed: int) -> Score:
    curve = np.array([rights.mean() for _, rights in found])
    influence = np.stack([object_influence(rights.mean(axis=0), judged) for _, rights in found], axis=1)
    draws = redrawn(curve, (influence - curve) / len(influence), _DRAWS, seed)
    errors = np.array([rights.mean(axis=1).std(ddof=1) / len(rights) ** 0.5 if len(rights) > 1 else 0.0
                       for _, rights in found])  # fmt: skip
    draws = draws + np.random.default_rng((seed, 1)).normal(size=draws.shape) * errors
    place = peak_estimate(curve, draws, int((judged.asked > 0).sum()))
    axis = _axis(found[0][0])
    values = [getattr(level, axis) for level, _ in found]
    ends = np.interp([place.value, place.low, place.high], np.arange(len(values)), values)
    value, (low, high) = float(ends[0]), sorted(ends[1:].tolist())
    return Score(f"best {axis}, {kind}", value, low, high, place.n, axis, over="objects")


def _axis(level: Condition) -> str:
    return next(name for name in ("timestep", "logsnr", "sigma", "clean") if getattr(level, name) not in (None, False))


def models_at(places: Places, judged: Judgments, seed: int) -> Iterator[Row]:
    """Models at one noise level, each at its best site: chosen by one half of the choices, scored on the other."""
    models = list(dict.fromkeys(spot.model for spot, _ in places))
    levels = list(dict.fromkeys(spot.level for spot, _ in sorted(places, key=lambda place: amount(place[0].level))))
    half = np.random.default_rng((seed, 2)).random(len(judged)) < 0.5
    for level in levels if len(models) > 1 else ():
        here = {model: [rights for spot, rights in places if (spot.model, spot.level) == (model, level)]
                for model in models}  # fmt: skip
        kinds = [kind for kind in KINDS if all(any(kind in one for one in each) for each in here.values())]
        for kind in kinds[:1]:
            best = {model: _best([one[kind] for one in here[model] if kind in one], half) for model in models}
            for model in models:
                yield Row("models", model, "best", level, estimated(f"accuracy at the best site, {kind}",
                          drawn_mean(best[model], judged), better="higher"))  # fmt: skip
            for model in models[1:]:
                gain = drawn_difference(best[model], best[models[0]], judged)
                name = f"accuracy less that of {models[0]}, {kind}"
                yield Row("models", model, "best", level, estimated(name, gain.difference), gain.p)


def _best(sites: Sequence[Floats], half: NDArray[np.bool_]) -> Floats:
    """What each choice earns at the site that was best on the other half, `(seed, row)`."""
    count = min(map(len, sites))
    means = [rights[:count] for rights in sites]
    made = np.empty_like(means[0])
    for part in (half, ~half):
        if part.any():
            chosen = int(np.argmax([rights[:, ~part].mean() if (~part).any() else 0.0 for rights in means]))
            made[:, part] = means[chosen][:, part]
    return made
