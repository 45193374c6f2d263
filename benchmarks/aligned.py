"""Alignment with simulated people at every block of the embedded model: what docs/results/alignment/ is made of.

    python benchmarks/aligned.py              everything, some 25 minutes on two cores
    python benchmarks/aligned.py --tiny       a few images, to see that it runs
    python benchmarks/aligned.py --only textgain
    python benchmarks/aligned.py --write      only the pages, from what was measured

Stores and full reports go to runs/aligned; tables and figures to docs/results/alignment.
"""

import argparse
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contenders.tables import line, value

import denoscope as ds
from denoscope.data.worded import PROMPTS

DOCS, RUNS = Path("docs/results/alignment"), Path("runs/aligned")
"""From the repository's root, where this is run."""
SITES = ("in", "down.*", "mid", "up.*", "out")
KEEP = ds.Keep(layout="pooled", dtype="fp32")


@dataclass(frozen=True)
class Reading:
    """Images that are read, and under which conditions."""

    data: str
    timesteps: tuple[float, ...]
    prompts: tuple[str, ...] = ("",)

    @property
    def conditions(self) -> list[ds.Condition]:
        """Every level with every prompt."""
        return [ds.Condition(timestep=level, prompt=prompt) for level in self.timesteps for prompt in self.prompts]


@dataclass(frozen=True)
class Part:
    """One task with its parameters, and which scores are shown as tables."""

    name: str
    task: str
    title: str
    shown: tuple[str, ...]
    reading: str = "people"
    params: Mapping[str, Any] = field(default_factory=dict)
    timesteps: tuple[float, ...] = ()
    """Some of the reading's; all unless given."""


_SAID = tuple(PROMPTS.values())
READINGS = {
    "people": Reading("people:test,objects=128,images=4,triplets=40000,places=one", (0, 50, 200, 400, 600, 800)),
    "worded": Reading("worded:@people:test,objects=96,images=4,triplets=30000,places=one", (50, 200, 500, 800), _SAID),
}
_TINY = {
    "people": Reading("people:test,objects=24,images=2,triplets=1500,places=one", (50, 400)),
    "worded": Reading("worded:@people:test,objects=24,images=1,triplets=1500,places=one", (50, 500), _SAID),
}
PARTS = (
    Part("zero-shot", "alignment", "Zero-shot odd-one-out", ("accuracy", "RSA")),
    Part("zero-shot-centred", "alignment", "Zero-shot odd-one-out, vectors less their mean", ("accuracy", "RSA"),
         params={"vectors": "centred"}),
    Part("probed", "alignability", "After an affine probe", ("accuracy", "gain over zero-shot cosine"),
         params={"maps": ("full", "diagonal")}, timesteps=(50, 400)),
    Part("concepts", "concepts", "Concepts decoded", ("R2", "decoded accuracy")),
    Part("colour", "concepts", "Where is colour?", ("R2",), params={"joint": True}),
    Part("text", "textgain", "What a prompt adds", ("accuracy, unconditional", "gain, label", "gain, caption",
         "gain, shuffled label", "gain, shuffled label, as told", "leakage"), "worded"),
)  # fmt: skip


def main() -> None:
    """Read, evaluate, write."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--tiny", action="store_true")
    asked.add_argument("--only", nargs="*", default=[])
    asked.add_argument("--write", action="store_true", help="only write the pages from what was measured")
    told = asked.parse_args()
    runs = RUNS.with_name("aligned-tiny") if told.tiny else RUNS
    if not told.write:
        measure(runs, _TINY if told.tiny else READINGS, told.only)
    write(runs, runs / "docs" if told.tiny else DOCS)


def measure(runs: Path, readings: Mapping[str, Reading], only: Sequence[str]) -> None:
    """One report per part, in `runs`."""
    models = {"trained": ds.load("embedded"), "twin": ds.load("untrained:embedded")}
    for part in (part for part in PARTS if not only or part.name in only):
        reading, started = readings[part.reading], time.perf_counter()
        trained, twin = (_stored(model, reading, runs / f"{part.reading}-{which}") for which, model in models.items())
        read, levels = time.perf_counter(), [level for level in part.timesteps if level in reading.timesteps] or "all"
        report = ds.evaluate(trained, part.task, sites="all", timesteps=levels, twin=twin, save=False, progress=True,
                             **part.params)  # fmt: skip
        report.save(runs / part.name)
        print(f"{part.name}: read {read - started:.0f} s, evaluated {time.perf_counter() - read:.0f} s", flush=True)
    if not only or "pixels" in only:
        _pixels(models["trained"], readings["people"].data, runs).save(runs / "pixels")


def _stored(model: ds.Model, reading: Reading, out: Path) -> ds.Store:
    return ds.extract(model, reading.data, SITES, conditions=reading.conditions, keep=KEEP, out=out)


def _pixels(model: ds.Model, data: str, runs: Path) -> ds.Report:
    """The same choices by the mean of the pictures' pixels, which need the cells that a pooled store has not."""
    store = ds.extract(model, data, "down.0", 50, out=runs / "pixels-store")
    return ds.evaluate(store, "alignment", baselines=("pixels", "colour", "latents"), save=False)


def write(runs: Path, docs: Path) -> None:
    """A page per part, and one table of the best places."""
    shutil.rmtree(docs / "figures", ignore_errors=True)
    (docs / "figures").mkdir(parents=True)
    found = [(part, ds.Report.load(runs / part.name)) for part in PARTS if (runs / part.name).exists()]
    for part, report in found:
        (docs / f"{part.name}.md").write_text(_page(part, report, docs))
    lines = ["# The best places", "", line(["", "score", "best at", "value", "random-init twin there"]),
             line(["---"] * 5)]  # fmt: skip
    lines += [_best(part, report) for part, report in found if _rows(report, part.shown[0])]
    if (runs / "pixels").exists():
        lines += ["", *_simpler(ds.Report.load(runs / "pixels"))]
    (docs / "tables.md").write_text("\n".join([*lines, ""]))
    print(f"written to {docs}")


def _rows(report: ds.Report, score: str) -> list[dict[str, Any]]:
    if "score" not in report.table:
        return []
    every = (dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True))
    return [row for row in every if row["score"] == score and row["value"] is not None and row.get("site")]


def _best(part: Part, report: ds.Report) -> str:
    score = part.shown[0]
    best = max(_rows(report, score), key=lambda row: row["value"])
    twins = {_place(row): row for row in _rows(report, f"{score}, random-init twin")}
    twin = twins.get(_place(best))
    return line([f"[{part.title}]({part.name}.md)", score, f"`{best['site']}`, t = {_level(best)}", value(best),
                  value(twin) if twin else ""])  # fmt: skip


def _simpler(report: ds.Report) -> list[str]:
    """Chance, ceiling and simpler vectors on the same choices."""
    names = ("chance", "accuracy, ceiling", "accuracy, people's embedding", "accuracy, shuffled objects",
             "accuracy, pixels", "accuracy, colour", "accuracy, latents")  # fmt: skip
    known = {score.name: score for score in report.scores}
    return ["On the same choices:", "", *(f"- {known[name]}" for name in names if name in known)]


def _page(part: Part, report: ds.Report, docs: Path) -> str:
    """One task: figures, and a table per shown score."""
    lines = [f"# {part.title}", "", *(f"- {note}" for note in report.notes[:8]), ""]
    drawn = {title: picture for title, picture in report.figures.items() if "random-init twin by site" not in title}
    for number, (title, picture) in enumerate(drawn.items()):
        kind = "svg" if picture.lstrip().startswith(b"<") else "png"
        name = f"{part.name}-{number}.{kind}"
        (docs / "figures" / name).write_bytes(picture)
        lines += [f"![{title}](figures/{name})", ""]
    for score in part.shown:
        lines += [f"## {score}", "", *_table(report, score), ""] if _rows(report, score) else []
    lines += ["## Made by", "", "```bash", "# not run: as long as the whole page took", *report.again, "```", ""]
    return "\n".join(lines)


def _table(report: ds.Report, score: str) -> list[str]:
    """Sites down, noise levels across, and the twin."""
    rows, twins = _rows(report, score), _rows(report, f"{score}, random-init twin")
    levels, sites = ([*dict.fromkeys(row[part] for row in rows)] for part in ("timestep", "site"))
    found = {(row["site"], row["timestep"]): row for row in rows}
    beside = {(row["site"], row["timestep"]): row for row in twins}
    first = 50 if 50 in levels else levels[0]
    extra = [f"random-init twin (t = {first:g})"] if twins else []
    head = ["site", *(f"t = {level:g}" for level in levels), *extra]
    lines = [line(head), line(["---"] * len(head))]
    for site in sites:
        cells = [value(found[site, level]) if (site, level) in found else "" for level in levels]
        twin = beside.get((site, first))
        lines.append(line([f"`{site}`", *cells, *([value(twin) if twin else ""] if twins else [])]))
    return [*lines, "", f"n = {rows[0]['n']} {rows[0].get('over', '')}; 95 % intervals in brackets."]


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["site"], row["timestep"]


def _level(row: Mapping[str, Any]) -> str:
    return f"{row['timestep']:g}"


if __name__ == "__main__":
    main()
