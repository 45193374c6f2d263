"""What `parts.py` (where the time goes) and `shapes.py` (denoisers against ceilings) left, as Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

__all__ = ["section"]

PARTS = """
## Where the time goes

The jobs of [`denoscope bench`](bench.md), taken apart. A share is of the whole job's seconds; parts that other threads
do (pictures are read ahead, shards are written while the next is made) stand apart, because they cost time only where
no core is free for them.
"""
SHAPES = """
## Denoisers of published shapes

One forward up to its end, hooks included, weights random. *Of matmul*: counted operations per second as a share of one
large matrix product's; *of bandwidth*: the weights' bytes, read once per forward, as a share of one large copy's.
"""
_NAMES = {"sd15": "SD 1.5", "sdxl": "SDXL", "flux-dev": "Flux"}


def section(results: Path) -> str:
    """Both parts of the page; empty where nothing was measured."""
    found: list[str] = []
    if (results / "parts.json").exists():
        found += [PARTS, *_parts(json.loads((results / "parts.json").read_text(encoding="utf-8")))]
    shapes = sorted(results.glob("shapes-*.json"))
    if shapes:
        found.append(SHAPES)
    for path in shapes:
        found += _shapes(json.loads(path.read_text(encoding="utf-8")), path.name)
    return "\n".join(found)


def _parts(told: dict[str, Any]) -> list[str]:
    jobs = told["jobs"]
    rows = [_job(name, one) for name, one in jobs.items()]
    return [
        f"{told['machine']}, {told['threads']} threads; load average when it began: {told['load']:.1f}.",
        "",
        "| job | in all | parts | beside, by other threads |",
        "|---|---|---|---|",
        *rows,
        "",
        f"Reading ahead and writing behind make extraction {_gain(told['overlap'])} than one thing after the other.",
        "",
        "Run again with `python benchmarks/parts.py --out benchmarks/results/parts.json`.",
        "",
    ]


def _gain(seconds: dict[str, list[float]]) -> str:
    ratios = [slow / fast for slow, fast in zip(seconds["serial"], seconds["threads"], strict=True)]
    return f"{median(ratios):.2f}x [{min(ratios):.2f}, {max(ratios):.2f}] faster (n={len(ratios)} pairs in turns)"


def _job(name: str, one: dict[str, Any]) -> str:
    threaded = name == "matching"  # several threads share its parts, whose seconds are not the whole's
    parts = _shares(one["parts"], sum(one["parts"].values()) if threaded else one["seconds"], not threaded)
    whole = f"{one['seconds']:.3g} s for {one['work']:,} {one['unit']}, n={one['runs']}"
    return f"| {name} | {whole} | {parts} | {_shares(one['beside'], one['seconds'])} |"


def _shares(parts: dict[str, float], whole: float, rest: bool = False) -> str:
    ordered = sorted(parts.items(), key=lambda item: -item[1])
    told = [f"{name} {100 * seconds / whole:.0f} %" for name, seconds in ordered if seconds > 0.005 * whole]
    left = 1 - sum(parts.values()) / whole
    return ", ".join([*told, f"the rest {100 * left:.0f} %"] if rest and left > 0.005 else told)


def _shapes(told: dict[str, Any], name: str) -> list[str]:
    limits = told["ceilings"]
    toys = "toys on a small canvas, which tell nothing of the originals; " if told["tiny"] else ""
    compiled = any("compiled" in line for line in told["lines"])
    head = "| shape | canvas | rows | rows/s | of matmul | of bandwidth |"
    return [
        f"{told['machine']} ({told['device']}), {limits['dtype']}, torch {told['torch']}; {toys}ceilings "
        f"{limits['matmul']['median'] / 1e12:.3g} TFLOP/s and {limits['bandwidth']['median'] / 1e9:.3g} GB/s; "
        f"Flux with {told['flux blocks']} joint and {2 * told['flux blocks']} single blocks.",
        "",
        head + (" compiled | compiling | output moves by |" if compiled else ""),
        "|---|---|---|---|---|---|" + ("---|---|---|" if compiled else ""),
        *(_line(line, compiled) for line in told["lines"]),
        "",
        f"Run again with `python benchmarks/shapes.py --out benchmarks/results/{name}` (`--help` lists more).",
        "",
    ]


def _line(line: dict[str, Any], compiled: bool) -> str:
    rate = line["rate"]
    spread = f"{rate['median']:.3g} [{rate['low']:.3g}, {rate['high']:.3g}] n={rate['n']}"
    cells = [_NAMES[line["shape"]], f"{line['side']} px", str(line["rows"]), spread]
    cells += [f"{100 * line['of matmul']:.2g} %", f"{100 * line['of bandwidth']:.2g} %"]
    if compiled and "compiled" in line:
        moved = f"{line['moved']:.1g} of its standard deviation"
        cells += [f"{line['faster by']:.2f}x", f"{line['compiling']:.0f} s", moved]
    return f"| {' | '.join(cells)} |"
