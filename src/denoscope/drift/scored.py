"""What drift does to a task: the same images, scored with each variant's activations, compared unit by unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.core.report import Report, Score
from denoscope.core.task import Task
from denoscope.measures.dyadic import dyadic_mean
from denoscope.measures.statistics import Estimate, bootstrap_difference

__all__ = ["Scored", "change", "scored"]


@dataclass(frozen=True)
class Scored:
    """One task at one site, level and variant.

    Attributes:
        headline: the task's first score.
        values: numbers whose mean is the headline.
        units: what each belongs to; two of them for pairs.
    """

    headline: Score
    values: NDArray[np.float64]
    units: tuple[tuple[Any, ...], ...]


def scored(task: Task, report: Report) -> Scored:
    """What of a report is compared.

    Raises:
        InputError: a task that tells no number per unit.
    """
    columns: Sequence[str] | None = getattr(task, "paired", None)
    if not columns or any(name not in report.table for name in columns):
        raise InputError(f"{report.task} tells no number per image, so that two runs of it cannot be compared")
    unit, share, *other = columns
    units = tuple(tuple(report.table[name]) for name in (unit, *other))
    return Scored(report.scores[0], np.asarray(report.table[share], dtype=np.float64), units)


def change(found: Scored, wanted: Scored) -> Estimate:
    """By how much a score is another, over the same units, with its 95 % interval.

    Raises:
        InputError: the two were measured on different units.
    """
    if found.units != wanted.units:
        raise InputError("two runs of a task are of different images or pairs, and cannot be compared one by one")
    if len(found.units) == 1:
        return bootstrap_difference(found.values, wanted.values, groups=found.units[0])
    return dyadic_mean(found.values - wanted.values, *found.units, share=False)
