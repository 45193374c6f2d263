"""The page of measured speed, from the files that runs left."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

from contenders import evaluating, explorer, speed, training

__all__ = ["table", "write_page"]

TITLES = {
    "one": "one picture, `up.1`, one timestep",
    "many": "one picture, `mid` `up.0` `up.1`, 11 timesteps",
    "default": "as the first, each in its own default precision",
    "hooks": "U-Net up to `up.1`: hooks and early stop against sub-modules called by hand",
}
TARGETS = {"one": 1.2, "many": 3.0, "default": 4.0}
HEAD = """# Performance

Reading activations of Stable Diffusion 1.5 at full size (random weights, which cost as much as trained ones), against
[sdhelper](https://github.com/JonasLoos/sdhelper) 1.0.0 and a plain diffusers loop that encodes picture and text once,
hooks the blocks and runs the whole U-Net. The contenders take turns in one process; nothing that denoscope caches
outlives a timed run. Medians, and in brackets the least and the most.

What makes the difference: the U-Net stops after the last wanted site, latents are encoded once for all timesteps,
text once per prompt, convolutions run in channels-last order, and on hardware with bf16 it is the default.

On a CPU the rows of one pass are counted so that Stable Diffusion 1.5 at 512 px runs three rows at a time and smaller
models more (on the two cores below a row took 2.9 s alone and 2.4 s with two or three together); this was not tuned
elsewhere, and `batch_size=` overrides it.
"""


def table(record: dict[str, Any]) -> str:
    """One run as Markdown."""
    settings = record["settings"]
    lines = [
        f"\n## {settings['machine']}\n",
        f"{settings['size']} px, {settings['dtype']}, {settings['device']}, {settings['threads']} threads.\n",
        "| case | contender | seconds | denoscope is faster by |",
        "|---|---|---|---|",
    ]
    for case, times in record["seconds"].items():
        lines += _rows(case, times)
    facts = [f"- {name}: {_spell(value)}" for name, value in record["facts"].items()]
    return "\n".join([*lines, "", *facts, ""])


def _rows(case: str, times: dict[str, list[float]]) -> list[str]:
    if not all(times.values()):
        return []
    ours = median(times["denoscope"])
    rows: list[str] = []
    for name, values in times.items():
        middle = median(values)
        spread = f"{middle:.3g} [{min(values):.3g}, {max(values):.3g}] n={len(values)}"
        rows.append(f"| {TITLES[case]} | {name} | {spread} | {_gain(case, name, middle / ours)} |")
    return rows


def _gain(case: str, name: str, ratio: float) -> str:
    if name == "denoscope":
        return ""
    if case == "hooks":
        return f"overhead {100 * (1 / ratio - 1):+.1f} % (asked: at most 3 %)"
    target = f" (asked: {TARGETS[case]:g}x)" if name == "sdhelper" else ""
    return f"{ratio:.2f}x{target}"


def _spell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {number:.0f}" for key, number in value.items())
    return str(value)


def write_page(results: Path, page: Path) -> None:
    """All results of a folder, the largest pictures first."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("extraction-*.json"))]
    records.sort(key=lambda record: -record["settings"]["size"])
    note = "Run again with `python benchmarks/extraction.py` (`--help` lists sizes, precisions and devices).\n"
    further = (part.section(results) for part in (speed, explorer, evaluating, training))
    parts = [HEAD, *map(table, records), note, *further]
    page.write_text("\n".join(filter(None, parts)), encoding="utf-8")
