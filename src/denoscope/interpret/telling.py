"""What was found of a dictionary's atoms, as scores and as a table."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Score
from denoscope.interpret.asking import Judged
from denoscope.interpret.found import Interpreted
from denoscope.measures.statistics import bootstrap_mean, wilson

__all__ = ["asked_scores", "asked_table", "scores_of", "table_of"]

_BESIDE = ", random atoms"


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
                    "detection": words.detection}  # fmt: skip
    for name, told in found.names.factors.items():
        columns |= {name: told.label, f"F1 of {name}": told.f1, f"F1 of {name}, chance": told.chance,
                    f"bits of {name}": found.names.information[name]}  # fmt: skip
    for name, at in {"location": 0, "location, other image": 1}.items():
        columns[name] = _filled(count, {atom: place[at].mean() for atom, place in found.places.items()})
    if found.seen is not None:
        for name in ("intruder", "coherence", "z"):
            values = dict(zip(found.looked, getattr(found.seen, name), strict=True))
            columns[name if name != "z" else "coherence, z"] = _filled(count, values)
    return {name: [_plain(value) for value in column] for name, column in columns.items()}


def asked_scores(told: Judged, beside: Judged | None) -> tuple[Score, ...]:
    """What a judge said, with its controls.

    Args:
        told: of the dictionary.
        beside: of random atoms, where the method has such.
    """
    rows = {
        "judge": (told.own - told.other, "own marks less those of other atoms on their images", "higher"),
        "judge, content": (told.own - told.moved, "own marks less the same ones moved by half the grid", None),
        "judge, text of another atom": (told.own - told.dealt, "own text less that of another atom", None),
        "judge, published score": (told.published, "mean of s on own and 1 - s on other images", None),
    }
    if beside is not None:
        rows["judge, random atoms"] = (beside.own - beside.other, "as above", None)
        rows["judge, published score, random atoms"] = (beside.published, "as above", None)
    return tuple(_mean(name, values, f"atoms; {how}", better) for name, (values, how, better) in rows.items())


def asked_table(atoms: Sequence[int], told: Judged, count: int) -> dict[str, list[Any]]:
    """Columns for the table: text and scores of the atoms that a judge was asked about."""
    texts = dict(zip(atoms, told.text, strict=True))
    made: dict[str, list[Any]] = {"judge's words": [texts.get(atom, "") for atom in range(count)]}
    for name in ("own", "other", "moved", "dealt"):
        made[f"judge, {name}"] = _filled(count, dict(zip(atoms, getattr(told, name), strict=True))).tolist()
    return made


def _scores(found: Interpreted, least: int) -> Iterator[Score]:
    """Means of one dictionary."""
    atlas = found.observed.atlas
    covered = int((atlas.active_images >= least).sum())
    yield Score("covered atoms", **wilson(covered, len(atlas.total))._asdict(), unit="share", better="higher",
                over=f"atoms; active in {least} images or more")  # fmt: skip
    for name, told in found.names.classes.items():
        over = f"classes, {len(np.unique(told.atom))} different atoms"
        yield _mean(f"F1 of {name}", told.f1, over, "higher")
        yield _mean(f"F1 of {name}, every image", told.chance, over)
    if (words := found.names.words) is not None:
        count = len(words.word)
        named = sum(map(bool, words.word))
        yield Score("atoms with a word", **wilson(named, count)._asdict(), unit="share", better="higher", over="atoms")
        null = found.shuffled
        yield Score("atoms with a word, captions of other images", null, null, null, count, "share", over="atoms")
        if np.isfinite(words.detection).any():
            yield _mean("detection", words.detection, "atoms with a word", "higher")
    if found.places:
        for name, at in {"location": 0, "location, mask of another image": 1, "location, codes by lot": 2}.items():
            means = [place[at].mean() for place in found.places.values() if len(place[at])]
            if means:
                yield _mean(name, means, "atoms whose word names a segment", None if at else "higher")
    if found.seen is not None:
        over = "atoms that are active in the most images"
        yield _mean("intruder found", found.seen.intruder, over, "higher")
        yield Score("intruder found, chance", 0.2, 0.2, 0.2, len(found.looked), "share", over=over)
        yield _mean("coherence", found.seen.coherence - found.seen.null, over + ", less their null", "higher", "cosine")


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
