"""What reports say of a dictionary's atoms, as columns of their panel."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.report import Report
from denoscope.dictionaries.base import Learned
from denoscope.explorer.bundle.atoms import Column
from denoscope.store.store import Store

__all__ = ["OWN", "Told", "report_of", "told_of"]

OWN = (
    Column("density", "active cells", "share of the gallery's cells in which the code is above zero, mean over images"),
    Column("images", "images", "images of the gallery with a code above zero"),
    Column("largest", "largest code", "in the gallery"),
    Column("mean", "mean code", "where it is above zero, in the gallery"),
)
"""Columns that the gallery itself gives."""

_SAME = ("atom", "density", "images", "mean code", "largest code", "image of it", "row", "column", "width")
"""Columns of a report that the panel tells in its own way."""

_SAYS = {
    "q of the word": "false discovery rate at which the word stands",
    "log odds": "how much more frequent the word is among the strongest images",
    "detection": "area under the ROC curve of the atom's strength for its word, on the other half; 0.5 is chance",
    "location": "average precision of the codes for the word's mask",
    "location, other image": "the same with the mask of another image",
    "intruder": "how often the patch of another atom was found among its own; 0.2 is chance",
    "coherence": "mean cosine of its patches",
    "coherence, z": "coherence against patches of atoms that are active about as often, in standard deviations",
}

_SCORES = 24
"""Scores of a report that a panel carries at most."""


class Told:
    """Columns, numbers and texts by atom, scores and notes.

    Args:
        count: atoms.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.columns: list[Column] = []
        self.numbers: dict[str, NDArray[np.float32]] = {}
        self.texts: dict[str, tuple[str, ...]] = {}
        self.scores: list[Mapping[str, Any]] = []
        self.notes: list[str] = []

    def read(self, report: Report, source: str) -> None:
        """Take a report's scores, and its table where that has a row per atom."""
        for score in report.scores[:_SCORES]:
            known = {name: value for name, value in asdict(score).items() if _finite(value)}
            self.scores.append({**known, "report": source})
        over = f"{report.parameters['images']} images" if "images" in report.parameters else "the report's images"
        for name, column in report.table.items():
            if name not in _SAME and len(column) == self.count:
                self._column(name, column, over)

    def _column(self, name: str, column: Sequence[Any], over: str) -> None:
        if all(isinstance(value, str) for value in column):
            self.texts[name] = tuple(column)
        elif all(isinstance(value, (int, float)) or value is None for value in column):
            values = np.array([np.nan if value is None else value for value in column], dtype=np.float32)
            if np.isfinite(values).any() and name not in self.numbers:
                self.numbers[name] = values
                self.columns.append(Column(name, name, f"{_says(name)}; over {over}"))


def told_of(made: Learned, report: Report | None, kept: str) -> Told:
    """What the reports on a dictionary say.

    Args:
        made: the dictionary, whose own report says how much it explains.
        report: of `interpret`, where there is one.
        kept: a line on what is missing where there is none.
    """
    told = Told(len(made.atoms))
    if made.report is not None:
        told.read(replace(made.report, table={}), "learn")
    if report is None:
        told.notes.append(kept)
    else:
        told.read(report, "interpret")
    return told


def report_of(store: Store, made: Learned, digest: str, site: str) -> Report | None:
    """The report of `interpret` on a dictionary that lies in a store; None where there is none."""
    for name in store.reports:
        if name.startswith(f"interpret-{made.name}"):
            found = store.report(name)
            same = found.inputs.get("dictionary", digest) == digest
            if same and (found.parameters.get("site"), found.parameters.get("atoms")) == (site, len(made.atoms)):
                return found
    return None


def _says(name: str) -> str:
    if name in _SAYS:
        return _SAYS[name]
    head, _, fact = name.partition(" of ")
    if head == "F1":
        chance = ", chance" in name
        return f"F1 of {'every image as the class' if chance else 'the class that it detects best'}, {fact}"
    return f"mutual information with {fact}, in bits" if head == "bits" else name


def _finite(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not np.isfinite(value))
