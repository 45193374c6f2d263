"""Every task over every block and six noise levels of the embedded model: what docs/results/ is made of.

    python benchmarks/results.py              everything, about half an hour on two cores
    python benchmarks/results.py --tiny       a few images, to see that it runs
    python benchmarks/results.py --only depth one task; the others' numbers stay as they are

Stores and full reports go to runs/results; tables and figures to docs/results.
"""

import argparse
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contenders.tables import line, value

import denoscope as ds
from denoscope.figures.plots import heat_map
from denoscope.store.store import Store

DOCS, RUNS = Path("docs/results"), Path("runs/results")
"""From the repository's root, where this is run."""
SITES = ("in", "down.*", "mid", "up.*", "out")
TIMESTEPS = (0, 50, 100, 200, 400, 700)
FACTS = ("category", "superclass", "colour", "texture", "background")
CHANGES = ("mirror", "shift", "bgr", "texture", "blur")


@dataclass(frozen=True)
class Part:
    """One task with its parameters, and which scores are shown."""

    name: str
    task: str
    title: str
    shown: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    store: str = "scenes"
    baselines: tuple[str, ...] = ("pixels", "position")
    paired_twin: bool = True


PROBES = tuple(
    Part(f"probe-{fact}", "probe", f"Linear probe of {fact}", ("accuracy",), {"fact": fact, "estimator": "ridge"},
         store="pooled", baselines=())
    for fact in FACTS
)  # fmt: skip
PARTS = (
    *PROBES,
    Part("correspondence", "correspondence", "Semantic correspondence", ("PCK@0.1",), {"pairs": 300}),
    Part("dense", "dense", "Pictures against their changed selves",
         ("accuracy", *(f"accuracy, {change} {1 if change != 'blur' else 0.5:g}" for change in CHANGES)),
         store="changed", baselines=("pixels",)),
    Part("depth", "depth", "Linear probe of depth", ("RMSE",), {"folds": 3, "far": 29.0}, store="few"),
    Part("segmentation", "segmentation", "Linear probe of what a pixel shows", ("mIoU",), {"folds": 3}, store="few"),
)  # fmt: skip


_COUNTS = {"pooled": 960, "scenes": 160, "few": 96, "changed": 144}
"""Images of each store; a changed one counts."""
_TINY = {"pooled": 48, "scenes": 36, "few": 12, "changed": 24}


def main() -> None:
    """Read, evaluate, write."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--tiny", action="store_true")
    asked.add_argument("--only", nargs="*", default=[])
    asked.add_argument("--write", action="store_true", help="only write the pages from what was measured")
    told = asked.parse_args()
    runs = RUNS.with_name("results-tiny") if told.tiny else RUNS
    docs = runs / "docs" if told.tiny else DOCS
    if not told.write:
        measure(runs, told.tiny, told.only)
    write(runs, docs)


def measure(runs: Path, tiny: bool, only: Sequence[str]) -> None:
    """One report per part, in `runs`."""
    timesteps = TIMESTEPS[2:4] if tiny else TIMESTEPS
    counts = _TINY if tiny else _COUNTS
    changes = ",".join(f"{change}={1 if change != 'blur' else 0.5:g}" for change in CHANGES)
    specs = dict.fromkeys(counts, "menagerie:test") | {"changed": f"changed:{changes}@menagerie:test"}
    models = {"trained": ds.load("embedded"), "twin": ds.load("untrained:embedded")}
    made: dict[str, tuple[Store, Store]] = {}
    for part in (*PARTS, "layers"):
        name = part if isinstance(part, str) else part.name
        if only and name not in only:
            continue
        kind = "scenes" if isinstance(part, str) else part.store
        if kind not in made:
            keep = ds.Keep(layout="pooled" if kind == "pooled" else "grid")
            read = {which: ds.extract(model, specs[kind], SITES, timesteps, out=runs / f"{kind}-{which}",
                                      limit=counts[kind], keep=keep, progress=True)
                    for which, model in models.items()}  # fmt: skip
            made[kind] = read["trained"], read["twin"]
        started = time.perf_counter()
        report = _layers(made[kind]) if isinstance(part, str) else _evaluated(part, made[kind])
        report.save(runs / name)
        if kind == "pooled":
            _pixels(part, models["trained"], counts[kind], runs).save(runs / f"{name}-pixels")
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)


def _evaluated(part: Part, stores: tuple[Store, Store]) -> ds.Report:
    store, twin = stores
    return ds.evaluate(
        store, part.task, sites="all", timesteps="all", baselines=part.baselines, twin=twin, save=False,
        progress=True, **part.params,
    )  # fmt: skip


def _pixels(part: Part, model: ds.Model, count: int, runs: Path) -> ds.Report:
    """The same probe on the pictures' pixels, which need the cells that a pooled store has not."""
    store = ds.extract(model, "menagerie:test", "in", 50, out=runs / "pixels", limit=count, progress=True)
    return ds.evaluate(store, part.task, baselines=("pixels",), save=False, progress=True, **part.params)


def _layers(stores: tuple[Store, Store]) -> ds.Report:
    store, twin = stores
    return ds.evaluate(store, "layers", sites="all", timesteps=50, twin=twin, facts=FACTS, save=False)


def write(runs: Path, docs: Path) -> None:
    """Tables and figures of whatever was measured."""
    found = [(part, ds.Report(**_loaded(runs / part.name))) for part in PARTS if (runs / part.name).exists()]
    pixels = {part.name: ds.Report.load(runs / f"{part.name}-pixels")[f"{part.shown[0]}, pixels"]
              for part, _ in found if part.store == "pooled"}  # fmt: skip
    shutil.rmtree(docs / "figures", ignore_errors=True)
    (docs / "figures").mkdir(parents=True)
    for part, report in found:
        (docs / f"{part.name}.md").write_text(_page(part, report, docs, pixels.get(part.name)))
    summary = {part.name: _best(part, report, pixels.get(part.name)) for part, report in found}
    (docs / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    (docs / "tables.md").write_text(_tables([(part, summary[part.name]) for part, _ in found]))
    if (runs / "layers").exists():
        layers = ds.Report.load(runs / "layers")
        (docs / "layers.md").write_text(_layers_page(layers, docs))
    print(f"written to {docs}")


def _loaded(folder: Path) -> dict[str, Any]:
    report = ds.Report.load(folder)
    return {name: getattr(report, name) for name in report.__dataclass_fields__}


def _rows(report: ds.Report) -> list[dict[str, Any]]:
    return [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]


def _best(part: Part, report: ds.Report, pixels: ds.Score | None) -> dict[str, Any]:
    """The best place for the headline, and what it is compared with there."""
    rows = _rows(report)
    head = [row for row in rows if row["score"] == part.shown[0]]
    sign = -1 if head[0]["better"] == "lower" else 1
    best = max(head, key=lambda row: sign * row["value"])
    there = [row for row in rows if (row["site"], row["timestep"]) == (best["site"], best["timestep"])]
    named = {row["score"]: row["value"] for row in there}
    beside = {name: named[f"{part.shown[0]}, {name}"] for name in _BESIDE if f"{part.shown[0]}, {name}" in named}
    if pixels is not None:
        beside["pixels"] = pixels.value
    alike = [f"{row['site']} at {row['timestep']:g}" for row in head
             if row is not best and (row.get("q against best") or 0) > 0.05]  # fmt: skip
    kept = ("site", "timestep", "value", "low", "high", "n", "over", "better")
    return {name: best[name] for name in kept} | {"score": part.shown[0], "beside": beside, "as good": alike}


_BESIDE = (
    "random-init twin",
    "pixels",
    "position",
    "position only",
    "same position",
    "random",
    "ceiling",
    "mean depth",
    "majority class",
    "most frequent class",
    "shuffled facts",
)


def _page(part: Part, report: ds.Report, docs: Path, pixels: ds.Score | None) -> str:
    """One task: figures, and a table per shown score."""
    notes = list(report.notes[:6])
    if pixels is not None:
        notes.append(f"The same probe on the mean of all 4 x 4 patches of pixels: {pixels}.")
    lines = [f"# {part.title}", "", *(_wrapped(note) for note in notes), ""]
    for number, (title, picture) in enumerate(report.figures.items()):
        name = f"{part.name}-{number}.svg"
        (docs / "figures" / name).write_bytes(picture)
        lines += [f"![{title}](figures/{name})", ""]
    for score in part.shown:
        lines += [f"## {score}", "", *_table(report, score), ""]
    lines += ["## Made by", "", "```bash", "# not run: as long as the whole page took", *report.again, "```", ""]
    return "\n".join(lines)


def _wrapped(text: str) -> str:
    return f"- {text}"


def _table(report: ds.Report, score: str) -> list[str]:
    """Sites down, noise levels across, and what the score is compared with at timestep 50."""
    rows = [row for row in _rows(report) if row["score"] == score]
    levels = list(dict.fromkeys(row["timestep"] for row in rows))
    sites = list(dict.fromkeys(row["site"] for row in rows))
    found = {(row["site"], row["timestep"]): row for row in rows}
    beside = {(row["site"], row["score"]): row for row in _rows(report) if row["timestep"] == 50}
    extra = [name for name in _BESIDE if (sites[0], f"{score}, {name}") in beside]
    head = ["site", *(f"t = {level:g}" for level in levels), *(f"{name} (t = 50)" for name in extra)]
    lines = [line(head), line(["---"] * len(head))]
    for site in sites:
        cells = [value(found[site, level]) for level in levels if (site, level) in found]
        lines.append(line([f"`{site}`", *cells, *(value(beside[site, f"{score}, {name}"]) for name in extra)]))
    n = rows[0]["n"]
    return [*lines, "", f"n = {n} {rows[0]['over']}; 95 % intervals in brackets."]


def _tables(found: Sequence[tuple[Part, dict[str, Any]]]) -> str:
    """The best place of every task beside its baselines."""
    head = ["task", "score", "best at", "value", "as good", "random-init twin", "other baselines there"]
    lines = ["# All tasks, the best places", "", line(head), line(["---"] * len(head))]
    for part, best in found:
        twin = best["beside"].get("random-init twin")
        rest = {name: value for name, value in best["beside"].items() if name != "random-init twin"}
        others = ", ".join(f"{name} {value:.3f}" for name, value in rest.items())
        alike = f"{len(best['as good'])} further places" if best["as good"] else ""
        place, page = f"`{best['site']}`, t = {best['timestep']:g}", f"[{part.title}]({part.name}.md)"
        told = "" if twin is None else f"{twin:.3f}"
        lines.append(line([page, best["score"], place, value(best), alike, told, others]))
    return "\n".join([*lines, ""])


def _layers_page(report: ds.Report, docs: Path) -> str:
    """Sites compared: means of pairs, the matrix, and every site with every fact."""
    lines = ["# Sites compared", "", *(_wrapped(note) for note in report.notes), ""]
    for number, (title, picture) in enumerate(report.figures.items()):
        (docs / "figures" / f"layers-{number}.svg").write_bytes(picture)
        lines += [f"![{title}](figures/layers-{number}.svg)", ""]
    lines += [line(["score", "value"]), line(["---"] * 2)]
    lines += [line([score.name, f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"]) for score in report.scores]
    pairs = {frozenset((row["first"], row["second"])): row for row in _rows(report)}
    names = list(dict.fromkeys([*report.table["first"], *report.table["second"]]))
    sites = [name for name in names if ", " in name]
    lines += ["", "## Every site with every fact", "", line(["site", *FACTS]), line(["---"] * (len(FACTS) + 1))]
    for site in sites:
        told = [pairs.get(frozenset((site, fact))) for fact in FACTS]
        lines.append(line([site, *("" if row is None else value(row) for row in told)]))
    matrix = [[pairs[frozenset((site, fact))]["value"] for fact in FACTS] for site in sites]
    (docs / "figures" / "layers-facts.svg").write_bytes(heat_map(matrix, sites, FACTS, "CKA of sites with facts"))
    lines += ["", "![CKA of sites with facts](figures/layers-facts.svg)", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
