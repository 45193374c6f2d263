"""The receipt that every verb returns: scores with intervals, and what they were made from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

from denoscope.core.errors import InputError, StoreError, unknown
from denoscope.core.optional import require
from denoscope.core.page import kind, page
from denoscope.core.picture import Picture
from denoscope.core.recipe import Origin

__all__ = ["Report", "Score", "Table"]

Table = Mapping[str, Sequence[Any]]
FORMAT = 1
"""Version of a report's folder; one that does not say is of the first."""
_SHOWN = 12
"""Scores that a notebook shows of a report."""
_ROUNDING = 1e-9
"""Width of an interval, as a share of its ends, that is none."""


@dataclass(frozen=True)
class Score:
    """One number that can be trusted as far as it says.

    Attributes:
        name: what is measured, and of what (`"accuracy"`, `"accuracy, random-init twin"`).
        value: the estimate.
        low, high: its 95 % interval; equal to `value` where there is none: of a constant, of a p-value, of one unit.
        n: over how many units it averages.
        unit: of `value` (`"share"`, `"dB"`, `"s"`).
        better: which way is good; None for a quantity that only describes.
        over: what the n units are (`"images"`, `"keypoint pairs, clustered by image"`).
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    unit: str = ""
    better: Literal["higher", "lower"] | None = None
    over: str = "samples"

    def __post_init__(self) -> None:
        if self.n < 1:
            raise InputError(f"score {self.name!r} averages over nothing (n = {self.n})")
        if not self.low <= self.value <= self.high:
            interval = f"[{self.low:g}, {self.high:g}]"
            raise InputError(f"score {self.name!r}: interval {interval} misses its value {self.value:g}")

    def __str__(self) -> str:
        without = ", no interval" if self.bare and self.unit != "p-value" else ""
        return f"{self.name}: {self.told} (n = {self.n} {self.over}{without})"

    @property
    def told(self) -> str:
        """Value, interval and unit, as they are written."""
        interval = "" if self.bare else f" [{self.low:.4g}, {self.high:.4g}]"
        return f"{self.value:.4g}{interval}" + (f" {self.unit}" if self.unit else "")

    @property
    def bare(self) -> bool:
        """Whether no interval stands around it: it is a constant, or no two of its units differ."""
        return self.high - self.low <= _ROUNDING * max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class Report:
    """What was found, with everything needed to find it again.

    Attributes:
        task: what was done.
        parameters: with which settings, defaulted ones too.
        scores: the findings.
        inputs: name to digest of what went in; never empty.
        origin: what ran.
        table: tidy columns behind the scores.
        figures: title to picture, SVG or PNG bytes.
        notes: sentences a reader needs to read the numbers rightly.
        again: commands that make it again, in order.
        recipes: digest to what was asked of the model, for each recipe that was read.
        beside: score's name to the values that it is to be read beside (`{"majority class": 0.35}`), where those are
            no scores of their own.
    """

    task: str
    parameters: Mapping[str, Any]
    scores: tuple[Score, ...]
    inputs: Mapping[str, str]
    origin: Origin
    table: Table = field(default_factory=dict[str, Sequence[Any]])
    figures: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    notes: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    recipes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    beside: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])

    def __post_init__(self) -> None:
        if not self.inputs or not all(self.inputs.values()):
            raise InputError(f"a report on {self.task!r} needs the digests of its inputs")
        if len({len(column) for column in self.table.values()}) > 1:
            sizes = {name: len(column) for name, column in self.table.items()}
            raise InputError(f"columns of a report's table differ in length: {sizes}")

    def __getitem__(self, name: str) -> Score:
        """The score of that name."""
        for score in self.scores:
            if score.name == name:
                return score
        raise unknown("score", name, [score.name for score in self.scores], "report.scores")

    def figure(self, title: str) -> Picture:
        """The figure of that title, which notebooks show."""
        if title not in self.figures:
            raise unknown("figure", title, self.figures, "report.figures")
        return Picture(title, self.figures[title])

    def to_dict(self) -> dict[str, Any]:
        """Everything but table and figures, ready for JSON."""
        return {
            "task": self.task,
            "parameters": dict(self.parameters),
            "scores": [asdict(score) for score in self.scores],
            "inputs": dict(self.inputs),
            "origin": asdict(self.origin),
            "notes": list(self.notes),
            "again": list(self.again),
            "recipes": dict(self.recipes),
            "beside": {name: dict(told) for name, told in self.beside.items()},
        }

    def save(self, folder: str | Path) -> Path:
        """Write `report.json`, `table.parquet` and the self-contained `report.html`; the folder is returned."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        files = _files(self.figures)
        text = json.dumps({"format": FORMAT, **self.to_dict(), "figures": files}, indent=1, default=str)
        (folder / "report.json").write_text(text, encoding="utf-8")
        (folder / "report.html").write_text(self.to_html(), encoding="utf-8")
        for title, picture in self.figures.items():
            (folder / files[title]).write_bytes(picture)
        if self.table:
            arrow = require("pyarrow", "write a report's table")
            columns = arrow.table({name: list(column) for name, column in self.table.items()})
            require("pyarrow.parquet", "write a report's table").write_table(columns, folder / "table.parquet")
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> "Report":
        """Read what `save` wrote.

        Raises:
            StoreError: there is no report in the folder, one of a newer format, or one whose figures lie elsewhere.
        """
        folder = Path(folder)
        if not (folder / "report.json").exists():
            raise StoreError(f"no report in {folder}; a report is a folder with report.json in it")
        values = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        if (version := values.pop("format", 1)) != FORMAT:
            raise StoreError(
                f"the report in {folder} has format version {version}; this denoscope reads version {FORMAT}: "
                "pip install --upgrade denoscope"
            )
        table: Table = {}
        if (folder / "table.parquet").exists():
            parquet = require("pyarrow.parquet", "read a report's table")
            table = parquet.read_table(folder / "table.parquet", use_threads=False, pre_buffer=False).to_pydict()
        files = values.pop("figures", {})
        if strange := [file for file in files.values() if Path(file).name != file or file == ".."]:
            raise StoreError(f"the report in {folder} names a figure outside of its folder: {strange[0]}")
        figures = {title: (folder / file).read_bytes() for title, file in files.items()}
        return cls(
            **values
            | {
                "scores": tuple(Score(**score) for score in values["scores"]),
                "origin": Origin(**values["origin"]),
                "notes": tuple(values["notes"]),
                "again": tuple(values.get("again", ())),
                "table": table,
                "figures": figures,
            }
        )

    def to_html(self) -> str:
        """One page that needs no other file."""
        return page(self)

    def __str__(self) -> str:
        return "\n".join([f"{self.task}:", *(f"  {score}{self._beside(score)}" for score in self.scores)])

    def _repr_markdown_(self) -> str:
        """What notebooks show: a row per score, the first of many."""
        rows = [("score", "value, 95 % interval", "n", "beside it"), ("---",) * 4]
        for score in self.scores[:_SHOWN]:
            beside = self._beside(score).removeprefix("; beside it ")
            rows.append((score.name, score.told, f"{score.n} {score.over}", beside))
        more = len(self.scores) - _SHOWN
        rest = f"\n\nand {more} more, in `report.scores`" if more > 0 else ""
        lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows)
        return f"**{self.task}**\n\n" + "\n".join(f"| {line} |" for line in lines) + rest

    def _beside(self, score: Score) -> str:
        """What the score is to be read beside, as the rest of its line."""
        told = self.beside.get(score.name, {})
        return "; beside it " + ", ".join(f"{name} {value:.4g}" for name, value in told.items()) if told else ""


def _files(figures: Mapping[str, bytes]) -> dict[str, str]:
    """Title to file name; titles that would share a name are numbered."""
    files: dict[str, str] = {}
    for title, picture in figures.items():
        slug = "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")[:60] or "figure"
        names = (f"{slug}{f'-{n}' if n > 1 else ''}.{kind(picture)[0]}" for n in count(1))
        files[title] = next(name for name in names if name not in files.values())
    return files
