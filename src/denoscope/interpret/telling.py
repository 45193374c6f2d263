"""What was found of a dictionary's atoms, as scores and as a table."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score
from denoscope.interpret.acting import Acted
from denoscope.interpret.asking import Judged
from denoscope.interpret.drawing import Beside
from denoscope.interpret.found import Interpreted
from denoscope.interpret.published import Published
from denoscope.interpret.running import Run
from denoscope.measures.statistics import bootstrap_mean, wilson

__all__ = [
    "asked_scores",
    "asked_table",
    "beside_of",
    "published_scores",
    "run_scores",
    "run_table",
    "scores_of",
    "table_of",
]

_BESIDE = ", random atoms"
_CHANCE_OF = (", every image", ", captions of other images", ", mask of another image", ", chance")
"""Ends of the names of scores that need no knowledge."""
_WRONG = {"mask of another image": "elsewhere", "codes by lot": "share", "codes moved": "moved",
          "codes turned": "turned", "codes of another atom": "other"}  # fmt: skip
"""Controls of location: name to field of `Located`."""
_ACTS: dict[str, tuple[str, Literal["higher"] | None]] = {
    "acts, of a direction by chance": ("size", "higher"), "acts where it is active": ("place", "higher"),
    "acts, share inside": ("inside", None), "acts, share of cells": ("area", None),
    "acts as foretold": ("foretold", "higher"), "acts as foretold, codes moved": ("foretold_moved", None),
    "drop in pictures": ("drop", "higher"), "drop in pictures, another atom": ("drop_other", None),
    "rise in pictures": ("rise", "higher"), "rise in pictures, direction by chance": ("rise_chance", None),
}  # fmt: skip
"""What atoms do: name to field of `Acted`."""


def scores_of(found: Interpreted, beside: Interpreted | None, least: int) -> tuple[Score, ...]:
    """Means over atoms or classes, each followed by that of the random atoms.

    Args:
        found: of the dictionary.
        beside: of random atoms, where the method has such.
        least: images that an atom must be active in to count as covered.
    """
    own, other = list(_scores(found, least)), {} if beside is None else {s.name: s for s in _scores(beside, least)}
    made: list[Score] = []
    for score in own:
        made.append(score)
        if (twin := other.get(score.name)) is not None and "," not in score.name:
            made.append(
                Score(f"{score.name}{_BESIDE}", twin.value, twin.low, twin.high, twin.n, twin.unit, over=twin.over)
            )
    return tuple(made)


def beside_of(scores: Sequence[Score]) -> list[Beside]:
    """The scores that are shares of one, each beside random atoms and chance, for a figure.

    Args:
        scores: what `scores_of` gives.
    """
    known = {score.name: score for score in scores}
    made: list[Beside] = []
    for name, score in known.items():
        if score.unit == "share" and "," not in name and 0 <= score.low <= score.high <= 1:
            other = next((known[f"{name}{end}"].value for end in _CHANCE_OF if f"{name}{end}" in known), None)
            half = 0.5 if "0.5 is chance" in score.over else None
            made.append(Beside(score, known.get(f"{name}{_BESIDE}"), half if other is None else other))
    return made


def table_of(found: Interpreted, names: Sequence[str]) -> dict[str, list[Any]]:
    """A row per atom; NaN or an empty word where something cannot be said.

    Args:
        found: of the dictionary.
        names: id of each image, by number.
    """
    atlas, count = found.observed.atlas, len(found.observed.atlas.total)
    strongest = [atlas.top(atom)[:1] for atom in range(count)]
    columns: dict[str, Any] = {
        "atom": np.arange(count),
        "density": atlas.density,
        "images": atlas.active_images,
        "mean code": atlas.mean,
        "largest code": [one[0][2] if one else 0.0 for one in strongest],
        "image of it": [names[one[0][0]] if one else "" for one in strongest],
        "row": atlas.spread.row,
        "column": atlas.spread.col,
        "width": atlas.spread.width,
    }
    if (words := found.names.words) is not None:
        columns |= {"word": words.word, "q of the word": words.q, "log odds": words.log_odds,
                    "detection": words.detection, "detection, near misses": words.near}  # fmt: skip
    for name, told in found.names.factors.items():
        columns |= {name: told.label, f"F1 of {name}": told.f1, f"F1 of {name}, chance": told.chance,
                    f"bits of {name}": found.names.information[name]}  # fmt: skip
    for name, at in {"location": 0, "location, other image": 1}.items():
        columns[name] = _filled(count, {atom: place[at].mean() for atom, place in found.places.items()})
    columns["location fuzzing"] = _filled(count, {atom: place.fuzzing for atom, place in found.places.items()})
    if found.seen is not None:
        for field, name in {"intruder": "intruder", "coherence": "coherence", "z": "coherence, z",
                            "place": "place"}.items():  # fmt: skip
            columns[name] = _filled(count, dict(zip(found.looked, getattr(found.seen, field), strict=True)))
    return {name: [_plain(value) for value in column] for name, column in columns.items()}


def asked_scores(told: Judged, beside: Judged | None) -> tuple[Score, ...]:
    """What a judge said, with its controls.

    Args:
        told: of the dictionary.
        beside: of random atoms, where the method has such.
    """
    rows = {
        "judge": (told.own - told.other, "own marks less those of other atoms on their images", "higher"),
        "judge, location": (told.location, "own marks less moved, turned and another atom's on the same images", None),
        "judge, text of another atom": (told.own - told.dealt, "own text less that of another atom", None),
        "judge, own and other images": (told.published, "mean of s on own and 1 - s on other images", None),
    }
    if beside is not None:
        rows["judge, random atoms"] = (beside.own - beside.other, "as above", None)
        rows["judge, location, random atoms"] = (beside.location, "as above", None)
        rows["judge, own and other images, random atoms"] = (beside.published, "as above", None)
    return tuple(_mean(name, values, f"atoms; {how}", better) for name, (values, how, better) in rows.items())


def run_scores(told: Run) -> tuple[Score, ...]:
    """What changing atoms does to what the denoiser makes, and whether their words' heat lies where they are."""
    over = f"atoms; each the mean of its images ({min(map(_length, told.acted.values()), default=0)} or more)"
    made = [_mean(name, [_finite(getattr(one, field)) for one in told.acted.values()], over, better)
            for name, (field, better) in _ACTS.items()
            if any(np.isfinite(getattr(one, field)).any() for one in told.acted.values())]  # fmt: skip
    known = [one for one in told.worded.values() if np.isfinite(one.agreement)]
    if known:
        made.append(_mean("word map", [one.agreement for one in known], "atoms; 0.5 is chance", "higher"))
        made.append(_mean("word map, other words", [one.others for one in known], "atoms"))
    return tuple(made)


def run_table(told: Run, count: int) -> dict[str, list[Any]]:
    """Columns for the table: what changing atoms did, and the word whose heat they lie under."""
    made: dict[str, list[Any]] = {
        name: _filled(count, {a: _finite(getattr(one, field)) for a, one in told.acted.items()}).tolist()
        for name, (field, _) in _ACTS.items()
    }
    if told.worded:
        made["word of heat"] = [told.worded[a].word if a in told.worded else "" for a in range(count)]
        made["word map"] = _filled(count, {a: one.agreement for a, one in told.worded.items()}).tolist()
        made["word map, other words"] = _filled(count, {a: one.others for a, one in told.worded.items()}).tolist()
    return made


def _length(told: Acted) -> int:
    return len(told.images)


def _finite(values: NDArray[np.float64]) -> float:
    """Mean of what is known."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def published_scores(images: NDArray[Any], told: Published, beside: Published | None) -> tuple[Score, ...]:
    """The published score, with its controls.

    Args:
        images: that each atom is active enough in, `(atom,)`.
        told: of the dictionary.
        beside: of random atoms, where the method has such.
    """
    none = int((images == 0).sum())
    rows = {"published score": told.score, "published score, text of another atom": told.dealt}
    if beside is not None:
        rows |= {"published score, random atoms": beside.score}
    return (
        Score("published score, atoms without an image", **wilson(none, len(images))._asdict(), unit="share",
              over="atoms"),
        *(_mean(name, values, "atoms; 0.5 is a judge that always says the same") for name, values in rows.items()),
    )  # fmt: skip


def asked_table(atoms: Sequence[int], told: Judged, count: int) -> dict[str, list[Any]]:
    """Columns for the table: text and scores of the atoms that a judge was asked about."""
    texts = dict(zip(atoms, told.text, strict=True))
    made: dict[str, list[Any]] = {"judge's words": [texts.get(atom, "") for atom in range(count)]}
    for name in ("own", "other", "moved", "turned", "swapped", "dealt"):
        made[f"judge, {name}"] = _filled(count, dict(zip(atoms, getattr(told, name), strict=True))).tolist()
    return made


def _scores(found: Interpreted, least: int) -> Iterator[Score]:
    """Means of one dictionary."""
    atlas = found.observed.atlas
    count = len(atlas.total)
    for name, some, over in (
        ("used atoms", atlas.active_images > 0, "atoms; active at all"),
        ("covered atoms", atlas.active_images >= least, f"atoms; active in {least} images or more"),
    ):
        yield Score(name, **wilson(int(some.sum()), count)._asdict(), unit="share", better="higher", over=over)
    yield from _factors(found)
    yield from _words(found)
    yield from _places(found)
    if found.seen is not None:
        over = "atoms that are active in the most images"
        yield _mean("intruder found", found.seen.intruder, over, "higher")
        yield Score("intruder found, chance", 0.2, 0.2, 0.2, len(found.looked), "share", over=over)
        yield _mean("coherence", found.seen.coherence - found.seen.null, over + ", less their null", "higher", "cosine")
        yield _mean("coherence in z", found.seen.z, over, "higher", "standard deviations of the null")
        if np.isfinite(found.seen.place).any():
            yield _mean("place found", found.seen.place, over + "; 0.5 is chance", "higher")


def _factors(found: Interpreted) -> Iterator[Score]:
    """Classes that atoms detect, and bits that they hold."""
    for name, told in found.names.classes.items():
        over = f"classes, {len(np.unique(told.atom))} different atoms"
        yield _mean(f"F1 of {name}", told.f1, over, "higher")
        yield _mean(f"F1 of {name}, every image", told.chance, over)
    for name, bits in found.names.information.items():
        gain = bits - found.names.shuffled[name]
        yield _mean(f"bits of {name}", gain, "atoms; less those with shuffled classes", "higher", "bits")


def _words(found: Interpreted) -> Iterator[Score]:
    """Words of captions, and whether a strong atom means them."""
    words = found.names.words
    if words is None:
        return
    count = len(words.word)
    named = sum(map(bool, words.word))
    yield Score("atoms with a word", **wilson(named, count)._asdict(), unit="share", better="higher", over="atoms")
    null = found.shuffled
    yield Score("atoms with a word, captions of other images", null, null, null, count, "share", over="atoms")
    if np.isfinite(words.detection).any():
        yield _mean("detection", words.detection, "atoms with a word; 0.5 is chance", "higher")
    if np.isfinite(words.near).any():
        yield _mean("detection among near misses", words.near, "atoms with a word; 0.5 is chance", "higher")


def _places(found: Interpreted) -> Iterator[Score]:
    """Where atoms are active whose word names a segment, beside what is wrong in one way."""
    places = [place for place in found.places.values() if len(place.images)]
    if not places:
        return
    over = "atoms whose word names a segment"
    yield _mean("location", [place.precision.mean() for place in places], over, "higher")
    for name, wrong in _WRONG.items():
        yield _mean(f"location, {name}", [getattr(place, wrong).mean() for place in places], over)
    yield _mean("location fuzzing", [place.fuzzing for place in places], over + "; 0.5 is chance", "higher")


def _mean(name: str, values: Any, over: str, better: Literal["higher"] | None = None, unit: str = "share") -> Score:
    known = np.asarray(values, dtype=np.float64)
    return Score(name, **bootstrap_mean(known[np.isfinite(known)])._asdict(), unit=unit, better=better, over=over)


def _filled(count: int, values: dict[int, Any]) -> NDArray[np.float64]:
    column = np.full(count, np.nan)
    for atom, value in values.items():
        column[atom] = value
    return column


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
