"""What the benchmarks of evaluation (`evaluate_matching.py`, `evaluate_probe.py`, `alignment.py`) left, as Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["section"]

HEAD = "\n## Evaluation\n"


def section(results: Path) -> str:
    """Evaluation's part of the page; empty where nothing was measured."""
    parts = {"evaluate-matching.json": _matching, "evaluate-probe.json": _probing, "alignment.json": _choices}
    found = [write(json.loads((results / name).read_text(encoding="utf-8"))) for name, write in parts.items()
             if (results / name).exists()]  # fmt: skip
    return "\n".join([HEAD, *found]) if found else ""


def _matching(told: dict[str, Any]) -> str:
    """Keypoints against all cells of their target."""
    shape = f"{told['cells']} x {told['cells']} cells of {told['channels']} channels"
    return "\n".join([
        f"**Matching** of {told['keypoints']:,} keypoints (as many as SPair-71k's test split has) with {shape}: "
        f"{told['seconds']:g} s, {told['loop']:.0f}x faster than a loop over keypoints (asked: 20x), at "
        f"{100 * told['rate, same shapes']:.0f} % of this machine's rate in matrix products of the same shapes and "
        f"{100 * told['rate']:.0f} % of its rate in one large product (asked: 60 %). Working memory "
        f"{told['memory MiB']:g} MiB within a budget of {told['budget MiB']}.",
        "",
        "Run again with `python benchmarks/evaluate_matching.py --out benchmarks/results/evaluate-matching.json`.",
        "",
    ])  # fmt: skip


def _probing(told: dict[str, Any]) -> str:
    """The closed form against the seeds' protocol, all sites."""
    lines = [
        f"**Probing** every block: ridge in closed form (standardised, fifteen penalties tried) against the Adam "
        f"protocol of sdhelper's thesis (80 epochs) on tensors in memory and, in brackets, through a data loader; "
        f"{told['threads']} threads.",
        "",
        "| case | sites | training images | ridge | Adam | faster by (asked: 50x) | accuracy of both | difference |",
        "|---|---|---|---|---|---|---|---|",
        *map(_case, told["cases"]),
        "",
        "Run again with `python benchmarks/evaluate_probe.py`.",
        "",
    ]
    return "\n".join(lines)


def _case(line: dict[str, Any]) -> str:
    fast, slow = line["ridge_seconds"], line["adam_seconds"]
    loaded = (slow + line["loader_seconds"]) / fast
    return (
        f"| {line['case']} | {line['sites']} | {line['train']:,} | {fast:.3g} s | {slow:.3g} s | {line['ratio']:.0f}x "
        f"({loaded:.0f}x) | {line['ridge_accuracy']:.3f}, {line['adam_accuracy']:.3f} | "
        f"[{line['gain_low']:+.3f}, {line['gain_high']:+.3f}] |"
    )


def _choices(told: dict[str, Any]) -> str:
    """Odd-one-out choices against loops over triplets."""
    first = told["lines"][0]
    lines = [
        f"**Odd-one-out choices** of {first['objects']:,} objects, {first['triplets'] / 1e6:g} million triplets per "
        f"site: one matrix of similarities against a loop over triplets as published code has it (choices and chances; "
        f"in brackets a lean loop, choices alone), on {told['cores']} cores.",
        "",
        "| channels | choices (asked: 1.5 s) | chances | faster by (asked: 500x) |",
        "|---|---|---|---|",
        *(f"| {line['channels']} | {line['score_seconds']:.2f} s | {line['chance_seconds']:.2f} s | "
          f"{line['published_ratio']:.0f}x ({line['lean_ratio']:.0f}x) |" for line in told["lines"]),
        "",
        "Run again with `python benchmarks/alignment.py`.",
        "",
    ]  # fmt: skip
    return "\n".join(lines)
