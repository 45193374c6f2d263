"""What the benchmark of dictionary training (`dictionaries.py`) left, as Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

__all__ = ["lines", "section"]

OURS = "denoscope topk"
ASKED = {"sae_lens package": 2.0, "dictionary_learning package": 2.0, "sparsify package": 1.5}
HEAD = """
## Training dictionaries

One step of training an autoencoder, forward, backward and optimiser, by the packages themselves: the same rows, numbers
of atoms and codes, and dtype, in turns in one process; each with the optimiser that it comes with. Ratios are of
steps in the same round: median, and in brackets the least and the most. *Of the floor*: the time of the product with
the encoder alone, which no exact method can go without, as a share of the step.
"""


def section(results: Path) -> str:
    """Training's part of the page; empty where nothing was measured."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("dictionaries-*.json"))]
    note = (
        'Run again, after `pip install -e ".[oracles]"`, with `python benchmarks/dictionaries.py --methods all --out '
        "benchmarks/results/dictionaries-cpu.json`.\n"
    )
    return "\n".join([HEAD, *("\n".join([*lines(told), ""]) for told in found), note]) if found else ""


def lines(told: dict[str, Any]) -> list[str]:
    """One run as a table."""
    size, seconds = told["size"], told["seconds"]
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items() if number != "not installed")
    return [
        f"{size['channels']:,} channels, {size['atoms']:,} atoms, k = {size['k']}, {size['batch']:,} rows a step; "
        f"{told['device']}; {versions}; {size['rounds']} rounds.",
        "",
        "| contender | seconds a step | rows/s | denoscope is faster by | of the floor |",
        "|---|---|---|---|---|",
        *(_row(name, taken, seconds, size["batch"]) for name, taken in seconds.items()),
    ]


def _row(name: str, taken: list[float], seconds: dict[str, list[float]], batch: int) -> str:
    middle = median(taken)
    gain = ""
    if OURS in seconds and not name.startswith(("denoscope", "floor")):
        asked = f" (asked: {ASKED[name]:g}x)" if name in ASKED else ""
        gain = f"{_ratio(taken, seconds[OURS])}x{asked}"
    floor = seconds.get("floor bf16" if name.endswith("bf16") else "floor")
    share = _ratio(floor, taken, 100) + " %" if floor and not name.startswith("floor") else ""
    return f"| {name} | {middle:.3g} [{min(taken):.3g}, {max(taken):.3g}] | {batch / middle:,.0f} | {gain} | {share} |"


def _ratio(first: list[float], second: list[float], times: float = 1) -> str:
    """Of steps in the same round."""
    found = [times * one / other for one, other in zip(first, second, strict=True)]
    return f"{median(found):.3g} [{min(found):.3g}, {max(found):.3g}]"
