"""Tables and figures of what dictionaries were measured at."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from contenders.atoms import FACTS, looked_at
from contenders.atomscores import FIRST, LABELS, Found, Row, gaps_of, rows_of, stable
from contenders.tables import line, value
from denoscope.figures.plots import Band, curves, heat_map
from denoscope.measures.statistics import bootstrap_mean

__all__ = ["write"]


def write(runs: Path, docs: Path, sites: Sequence[str], methods: Sequence[str]) -> None:
    """Tables, a page per site, figures and all scores."""
    found = Found(runs, tuple(sites), tuple(methods))
    measured = [site for site in sites if found.at(site)]
    shutil.rmtree(docs / "figures", ignore_errors=True)
    (docs / "figures").mkdir(parents=True)
    rows: list[Row] = [row for site in measured for row in rows_of(found, site)]
    gaps = gaps_of(found, measured)
    alike = {site: stable(found, site) for site in measured}
    every = {"scores": rows, "gaps": gaps, "stability": [row for some in alike.values() for row in some]}
    told = ",\n".join(f' "{name}": {_columns(some)}' for name, some in every.items())
    (docs / "summary.json").write_text(f"{{\n{told}\n}}\n")
    (docs / "tables.md").write_text("\n".join(_tables(found, measured, rows, gaps, alike)) + "\n")
    for site in measured:
        (docs / f"{site}.md").write_text("\n".join(_page(found, site, rows, docs)) + "\n")
    print(f"written to {docs}")


def _columns(rows: Sequence[Row]) -> str:
    """A table by columns as JSON, one on a line, numbers to four digits."""
    lines: list[str] = []
    for name in dict.fromkeys(name for row in rows for name in row):
        column = [row.get(name) for row in rows]
        kept = [round(cell, 4) if isinstance(cell, float) else cell for cell in column]
        lines.append(f"  {json.dumps(name)}: {json.dumps(kept)}")
    return "{\n" + ",\n".join(lines) + "\n }"


def _tables(
    found: Found, sites: Sequence[str], rows: Sequence[Row], gaps: Sequence[Row], alike: Mapping[str, Sequence[Row]]
) -> list[str]:
    """The table of the first noise level, differences, and what stability there is."""
    lines = [f"# All dictionaries, timestep {FIRST}", ""]
    scores = ("FVU", "L0", "dead", "coverage", "F1 of background", "F1 of category", "F1 of colour", "mIoU")
    head = ["dictionary", *scores, "same atoms, two seeds (chance)"]
    for site in sites:
        lines += [f"## `{site}`", "", line(head), line(["---"] * len(head))]
        for name in (name for name in LABELS if "again" not in name):
            cells = [_cell(rows, "trained", site, name, FIRST, score) for score in scores]
            if any(cells):
                lines.append(line([LABELS[name], *cells, _two(alike[site], name)]))
        for name in ("topk", "itda", "topk-random", "random"):
            cells = [_cell(rows, "twin", site, name, FIRST, score) for score in scores]
            if any(cells):
                lines.append(line([f"{LABELS[name]}, untrained network", *cells, ""]))
        lines += [""]
    lines += ["## Differences on the same images", "", *_gap_lines(gaps, sites), ""]
    lines += ["## Two trainings", "", *_stable_lines(alike), "", *_steer_lines(found, sites)]
    return lines


def _steer_lines(found: Found, sites: Sequence[str]) -> list[str]:
    """How often pictures came to show what was meant, where that was measured."""
    scores = ("target reached", "target reached, control", "target reached, without", "target reached, prompt",
              "target reached beyond control", "other facts as asked", "other facts as asked, without",
              "distance")  # fmt: skip
    head = ["site", "edit", *scores]
    lines = ["## Steering", "", line(head), line(["---"] * len(head))]
    for site in sites:
        for name in ("contrast", *LABELS):
            place = found.runs / "steered" / f"{site}-{name}.json"
            if place.exists():
                told = json.loads(place.read_text())["scores"]
                cells = [value(dict(zip(("value", "low", "high"), told[score][:3], strict=True))) for score in scores]
                lines.append(line([f"`{site}`", LABELS.get(name, "difference of class means"), *cells]))
    return lines if len(lines) > 4 else []


def _cell(rows: Sequence[Row], which: str, site: str, name: str, level: str, score: str) -> str:
    for row in rows:
        if (row["model"], row["site"], row["dictionary"], row["timestep"], row["score"]) == (
            which, site, name, float(level), score):  # fmt: skip
            return f"{row['value']:.1f}" if score == "L0" else value(row)
    return ""


def _two(rows: Sequence[Row], name: str) -> str:
    told = {row["against"]: row["value"] for row in rows if row["method"] == name}
    if "two seeds" not in told:
        return ""
    return f"{told['two seeds']:.2f} ({told.get('cells by chance', told['random directions']):.2f})"


def _gap_lines(gaps: Sequence[Row], sites: Sequence[str]) -> list[str]:
    shown = ("FVU", "F1 of background", "F1 of category", "F1 of colour", "mIoU")
    head = ["site", "first", "less", *shown]
    lines = [line(head), line(["---"] * len(head))]
    for site in sites:
        here = [row for row in gaps if row["site"] == site and row["timestep"] == float(FIRST)]
        for one, other in dict.fromkeys((row["first"], row["second"]) for row in here):
            told = {row["score"]: row for row in here if (row["first"], row["second"]) == (one, other)}
            named = LABELS.get(other, f"{LABELS[one]} on the untrained network")
            lines.append(line([f"`{site}`", LABELS[one], named, *(_signed(told.get(score)) for score in shown)]))
    return [*lines, "", "Bold: q < 0.05 over all differences of F1 at all sites and noise levels; for FVU and mIoU an "
            "interval without 0."]  # fmt: skip


def _signed(row: Row | None) -> str:
    if row is None:
        return ""
    told = f"{row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
    sure = row["q"] < 0.05 if row.get("q") is not None else row["low"] > 0 or row["high"] < 0
    return f"**{told}**" if sure else told


def _stable_lines(alike: Mapping[str, Sequence[Row]]) -> list[str]:
    names = ("two seeds", "two halves of the images", "cells by chance", "random directions")
    head = ["site", "dictionary", *names, "MMCS, two seeds"]
    lines = [line(head), line(["---"] * len(head))]
    for site, rows in alike.items():
        for method in dict.fromkeys(row["method"] for row in rows):
            told = {row["against"]: row for row in rows if row["method"] == method}
            cells = [value(told[name]) if name in told else "" for name in names]
            seeds = f"{told['two seeds']['MMCS']:.3f}" if "two seeds" in told else ""
            lines.append(line([f"`{site}`", LABELS[method], *cells, seeds]))
    return lines


def _page(found: Found, site: str, rows: Sequence[Row], docs: Path) -> list[str]:
    """A site: figures, and every score at every noise level."""
    units = found.at(site)
    lines = [f"# Dictionaries at `{site}`", ""]
    for name, picture in _figures(found, site, rows).items():
        (docs / "figures" / f"{site}-{name}.svg").write_bytes(picture)
        lines += [f"![{name} at {site}](figures/{site}-{name}.svg)", ""]
    levels = sorted({level for unit in units.values() for level in unit.told}, key=float)
    scores = ("FVU", "L0", "dead", "coverage", "evenness", *(f"F1 of {fact}" for fact in FACTS), "mIoU", "mIoU, any",
              "mIoU, elsewhere", "mIoU, named otherwise")  # fmt: skip
    for score in scores:
        table = [[LABELS[name], *_across(rows, "trained", site, name, levels, score)] for name in units]
        table += [[f"{LABELS[name]}, untrained network", *_across(rows, "twin", site, name, levels, score)]
                  for name in found.at(site, "twin")]  # fmt: skip
        table += [[f"{LABELS[name]}, shuffled facts",
                   *_across(rows, "trained", site, name, levels, f"{score}, shuffled facts")]
                  for name in ("topk", "itda", "neurons") if score.startswith("F1")]  # fmt: skip
        table = [row for row in table if any(row[1:])]
        if score.startswith("F1"):
            share = found.known["truth"][:, slice(*found.known[f"classes {score[6:]}"].tolist())].mean(axis=0)
            table.append(
                ["every image called by the class", *[f"{(2 * share / (1 + share)).mean():.3f}"] * len(levels)]
            )
        if score == "mIoU":
            masks, half = found.known["masks"], found.known["half"]
            beside = {name: value(bootstrap_mean(each)._asdict()) for name, each in looked_at(masks, half).items()}
            table += [[name, *[told if any(row[1 + k] for row in table) else "" for k in range(len(levels))]]
                      for name, told in beside.items()]  # fmt: skip
        head = ["", *(f"t = {level}" for level in levels)]
        lines += [f"## {score}", "", line(head), line(["---"] * len(head)), *map(line, table), ""]
    return lines


def _across(rows: Sequence[Row], which: str, site: str, name: str, levels: Sequence[str], score: str) -> list[str]:
    return [_cell(rows, which, site, name, level, score) for level in levels]


def _figures(found: Found, site: str, rows: Sequence[Row]) -> dict[str, bytes]:
    """FVU over noise levels, and F1 of all facts at the first level."""
    units = {name: unit for name, unit in found.at(site).items() if "again" not in name}
    here = {(row["dictionary"], f"{row['timestep']:g}", row["score"]): row for row in rows
            if row["site"] == site and row["model"] == "trained"}  # fmt: skip
    levels = sorted({level for unit in units.values() for level in unit.told}, key=float)
    lines = {}
    for name in (name for name in units if (name, levels[-1], "FVU") in here):
        told = [here[name, level, "FVU"] for level in levels]
        lines[LABELS[name]] = Band(*([row[part] for row in told] for part in ("value", "low", "high")))
    compared = [LABELS[name] for name in LABELS if name not in (*found.methods, "topk-pursued")]
    dashed = [name for name in lines if name in compared]
    chance = {}
    for fact in FACTS:
        share = found.known["truth"][:, slice(*found.known[f"classes {fact}"].tolist())].mean(axis=0)
        chance[fact] = f"{fact} ({(2 * share / (1 + share)).mean():.2f})"
    values = [[here[name, FIRST, f"F1 of {fact}"]["value"] for fact in FACTS] for name in units]
    return {
        "FVU": curves([float(level) for level in levels], lines, f"Unexplained at {site}", "timestep", "FVU", dashed),
        "F1": heat_map(values, [LABELS[name] for name in units], [chance[fact] for fact in FACTS],
                       f"F1 of facts at {site}, t = {FIRST} (in brackets: every image called)",
                       limits=(0, 1), better=None),
    }  # fmt: skip
