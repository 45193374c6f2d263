"""What affine maps of choices earn on objects that they never saw, and what other maps earn on the same choices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.core.report import Score
from denoscope.measures.affine_folds import Fold, object_folds
from denoscope.measures.affine_published import published_right
from denoscope.measures.affine_transforms import Transform, duplicates
from denoscope.measures.judgments import Judgments
from denoscope.measures.triads import by_object, object_influence, triad_mean
from denoscope.measures.triplets import CHANCE, alike, credits, gathered, log_loss
from denoscope.tasks._judged import Judged

__all__ = ["Tested", "certified", "headline", "saved", "share_of", "table_of", "tested"]

Array = NDArray[Any]

_OVER = "choices, clustered by object"


@dataclass(frozen=True, eq=False)
class Tested:
    """The choices that are reported on, and the part of the objects that each is within."""

    judgments: Judgments
    part: Array

    def right(self, folds: Sequence[Fold]) -> Array:
        """What each earns under the map of its part."""
        return self._each(folds, lambda likeness, choices: credits(likeness, choices).right)

    def right_as_published(self, folds: Sequence[Fold]) -> Array:
        """The same by the published rule for ties."""
        return self._each(folds, lambda likeness, choices: published_right(gathered(likeness, choices)))

    def loss(self, folds: Sequence[Fold]) -> Array:
        """Its cross-entropy under that map, in nats."""
        return self._each(folds, log_loss)

    def _each(self, folds: Sequence[Fold], score: Callable[[Array, Judgments], Array]) -> Array:
        found = np.empty(len(self.judgments))
        for number, fold in enumerate(folds):
            mine = self.part == number
            if mine.any():
                found[mine] = score(fold.likeness, self.judgments.select(mine))
        return found


def tested(choices: Judgments, folds: int, seed: int) -> Tested:
    """Choices whose objects lie within one part, and the part of each.

    Raises:
        InputError: there is none, or too few objects for the parts.
    """
    part = np.empty(choices.objects, dtype=np.int64)
    for number, (_, test) in enumerate(object_folds(choices.objects, folds, seed)):
        part[test] = number
    parts = part[np.column_stack([choices.first, choices.second, choices.odd])]
    rows = np.flatnonzero((parts == parts[:, :1]).all(axis=1))
    if not len(rows):
        raise InputError(f"none of {len(parts)} choices lies within one of {folds} parts of the {choices.objects} "
                         "objects; give more triplets or fewer folds")  # fmt: skip
    return Tested(choices.select(rows), parts[rows, 0])


def share_of(
    name: str, right: Array, told: Tested, better: Literal["higher"] | None = None, learned: bool = True
) -> Score:
    """Mean of what choices earn; with the interval of maps that were `learned` from other objects, or of fixed ones."""
    return Score(name, **triad_mean(right, told.judgments, learned=learned)._asdict(), unit="share", better=better,
                 over=_OVER)  # fmt: skip


def headline(told: Tested, right: Array, plain: Array, loss: Array) -> tuple[Score, ...]:
    """Accuracy, chance, zero-shot accuracy on the same choices, the paired gain, cross-entropy."""
    gain = triad_mean(right - plain, told.judgments, share=False, learned=True)
    surprise = triad_mean(loss, told.judgments, share=False, learned=True)
    return (
        share_of("accuracy", right, told, "higher"),
        Score("chance", CHANCE, CHANCE, CHANCE, len(right), "share", over="choices"),
        share_of("accuracy, zero-shot cosine", plain, told, learned=False),
        Score("accuracy above zero-shot cosine", **gain._asdict(), unit="share", better="higher", over=_OVER),
        Score("cross-entropy", **surprise._asdict(), unit="nats", better="lower", over=_OVER),
    )


def certified(folds: Sequence[Fold]) -> tuple[Score, ...]:
    """How good the fits are, and how many directions they use."""
    solutions = [fold.solution for fold in folds if fold.solution]
    if not solutions:
        return ()
    gap = max(solution.certificate.gap for solution in solutions)
    slack = min(solution.certificate.slack / solution.penalty for solution in solutions)
    mean = float(np.mean([solution.effective_rank for solution in solutions]))
    return (
        Score("optimality gap", gap, gap, gap, len(folds), "nats", over="fits, the largest"),
        Score("KKT slack", slack, slack, slack, len(folds), "penalties", over="fits, the least"),
        Score("effective rank", mean, mean, mean, len(folds), "directions", over="fits"),
    )


def saved(files: Sequence[str], told: Judged, shown: Tested) -> tuple[list[Score], dict[str, str], list[str]]:
    """What saved maps earn on the same choices, their digests, and what has to be said about them.

    Args:
        files: `.npy` or `.npz`.
        told: objects and their vectors.
        shown: the choices.

    Raises:
        InputError: a file that is no map; none that fits is no error, as a site has its own width.
    """
    maps = {_name(file, files): Transform.load(file) for file in files}
    scores, notes = list[Score](), list[str]()
    for name, made in maps.items():
        width = len(made.weights)
        if width != told.vectors.shape[1]:
            notes.append(f"The saved map {name} is for {width} channels, not {told.vectors.shape[1]}: left out.")
            continue
        right = credits(alike(made(told.vectors), "dot"), shown.judgments).right
        scores.append(share_of(f"accuracy, saved map {name}", right, shown, learned=False))
    if scores:
        notes.append("Saved maps may have been learned from the objects that they are tested on here.")
    notes += [f"Saved maps {', '.join(same)} are one and the same: of at most one is the name right."
              for same in duplicates(maps)]  # fmt: skip
    return scores, {name: made.digest for name, made in maps.items()}, notes


def table_of(told: Judged, choices: Judgments, right: Mapping[str, Array], plain: Array) -> dict[str, list[Any]]:
    """One row per object that is in a tested choice."""
    first = next(iter(right.values()))
    seen = np.flatnonzero(choices.asked)
    return {
        "unit": [told.names[i] for i in seen],
        "hit": object_influence(first, choices, learned=True)[seen].tolist(),
        "choices": choices.asked[seen].tolist(),
        **{f"accuracy, {name} map": by_object(values, choices)[0][seen].tolist() for name, values in right.items()},
        "accuracy, zero-shot cosine": by_object(plain, choices)[0][seen].tolist(),
    }


def _name(file: str, files: Sequence[str]) -> str:
    """The file's name, with its folders where two have the same."""
    alone = [Path(other).name for other in files].count(Path(file).name) == 1
    return Path(file).name if alone else file
