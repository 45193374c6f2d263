"""The page of steering results, from the reports that `steered.py` left."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contenders.tables import line
from denoscope.core.report import Report, Score
from denoscope.features.successscores import success_scores
from denoscope.figures.plots import Band, bars

__all__ = ["kept_reports", "slug", "write_steered"]

_COLUMNS = {
    "reached": "target reached", "without": "target reached, without", "control": "target reached, control",
    "prompt": "target reached, prompt", "others as asked": "other facts as asked",
    "without the edit": "other facts as asked, without", "of the prompt": "other facts as asked, prompt",
    "both": "target reached, all else as asked", "both, prompt": "target reached, all else as asked, prompt",
}  # fmt: skip
_PICTURES = "text-one-block", "word-a-map", "atoms-of-a-TopK-SAE"

Reports = Mapping[str, Mapping[str, Report]]


def kept_reports(folder: Path, names: Sequence[str]) -> dict[str, dict[str, Report]]:
    """Family to target to report, in the order of the names; what is not there is left out."""
    found: dict[str, dict[str, Report]] = {}
    for name in names:
        for place in sorted(folder.glob(f"*/{slug(name)}/report.json")):
            found.setdefault(name, {})[place.parent.parent.name] = Report.load(place.parent)
    return found


def slug(name: str) -> str:
    """A family's folder."""
    return name.replace(", ", "-").replace(" ", "-")


def write_steered(folder: Path, names: Sequence[str], docs: Path) -> None:
    """Tables, a figure for each, sheets of pictures, and all numbers as JSON."""
    reports = kept_reports(folder, names)
    (docs / "figures").mkdir(parents=True, exist_ok=True)
    numbers: dict[str, dict[str, dict[str, list[float]]]] = {}
    parts: list[str] = []
    for title, chosen in _groups(reports):
        scores = {name: _merged(some) for name, some in chosen.items()}
        numbers[title] = {name: {one: [score.value, score.low, score.high, score.n] for one, score in told.items()}
                          for name, told in scores.items()}  # fmt: skip
        figure = f"figures/{title.replace('=', '-').replace(' ', '-')}.svg"
        (docs / figure).write_bytes(_figure(title, scores))
        told = {name: {str(report.parameters["chosen"][target]) for target, report in some.items()}
                for name, some in chosen.items()}  # fmt: skip
        parts += [
            "",
            f"## {title[0].upper()}{title[1:]}",
            "",
            *_table(scores, told),
            "",
            f"![Target reached]({figure})",
        ]
    (docs / "tables.md").write_text("\n".join(["# Steering: the numbers", *parts, ""]))
    (docs / "summary.json").write_text(json.dumps(numbers, indent=1) + "\n")
    _sheets(folder, docs / "figures")


def _groups(reports: Reports) -> Iterator[tuple[str, Reports]]:
    """All targets, of the families that were tried on all of them; then the targets one by one."""
    known = {target for some in reports.values() for target in some}
    whole = {name: some for name, some in reports.items() if set(some) == known}
    if len(known) > 1 and whole:
        yield f"{len(known)} targets", whole
    for target in sorted(known):
        yield target, {name: {target: some[target]} for name, some in reports.items() if target in some}


def _merged(some: Mapping[str, Report]) -> dict[str, Score]:
    """Scores over the pictures of several reports."""
    tables = [report.table for report in some.values()]
    table = {name: [value for one in tables for value in one[name]] for name in tables[0]}
    return {score.name: score for score in success_scores(table, {}) if ": " not in score.name}


def _table(scores: Mapping[str, Mapping[str, Score]], told: Mapping[str, set[str]]) -> Iterator[str]:
    yield line(["edit", "chosen", *_COLUMNS])
    yield line(["---"] * (len(_COLUMNS) + 2))
    for name, found in scores.items():
        yield line([name, "; ".join(sorted(told[name])), *[_cell(found[column]) for column in _COLUMNS.values()]])


def _cell(score: Score) -> str:
    return f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]"


def _figure(title: str, scores: Mapping[str, Mapping[str, Score]]) -> bytes:
    found = [told["target reached"] for told in scores.values()]
    first: Any = next(iter(scores.values()))
    band = Band([one.value for one in found], [one.low for one in found], [one.high for one in found])
    lines = {name: first[f"target reached, {name}"].value for name in ("without", "prompt")}
    return bars(list(scores), band, f"Target reached: {title}", "share of pictures", lines)


def _shown(folder: Path, target: str) -> Iterator[str]:
    """Links to a target's sheets."""
    for family in _PICTURES:
        if any(folder.glob(f"{target}/{family}/*.png")):
            told = f"Without, with, control and in words: {target}, {family.replace('-', ' ')}"
            yield from ("", f"![{told}](figures/{target.replace('=', '-')}-{family}.webp)")


def _sheets(folder: Path, out: Path) -> None:
    """Pictures of the best families, as they stand in the reports."""
    from PIL import Image

    for family in _PICTURES:
        for place in sorted(folder.glob(f"*/{family}/*.png")):
            name = f"{place.parent.parent.name.replace('=', '-')}-{family}.webp"
            Image.open(place).convert("RGB").save(out / name, quality=80)
