"""What lower precision and quantised weights change: the table in docs/devices.md.

    python benchmarks/quantised.py                         # needs denoscope[quant]; some minutes on two cores
    python benchmarks/quantised.py --tiny                  # tries everything on 24 images
    python benchmarks/quantised.py --table                 # the table of what was written, in Markdown
    python benchmarks/quantised.py --model flux-dev --sites dit.s.18.img --limit 50

Reads test scenes of the menagerie with each variant of a model (`denoscope drift`) and writes
benchmarks/results/quantised.json. Without arguments: the embedded model, keypoints matched at its best site, and toys
in the shape of FLUX.1 (random weights: errors alone). Reports lie in runs/quantised.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
from pathlib import Path
from typing import Any

from denoscope.core.report import Report
from denoscope.drift import drift
from denoscope.models.quantising import QUANTISATIONS

RESULTS = Path(__file__).parent / "results" / "quantised.json"
VARIANTS = ("bf16", "fp16", "int8", "fp8", "nf4", "bf16+int8")
MEASURED = ("relative error", "cosine", "value", "change")
COLUMNS = ("variant", "site", "timestep", *(f"{name}{end}" for name in MEASURED for end in ("", " low", " high")))
COLUMNS = (*COLUMNS, "images", "score", "n")


def main() -> None:
    told = _arguments()
    if told.table:
        print(table(json.loads(RESULTS.read_text(encoding="utf-8"))))
        return
    here = tuple(name for name in VARIANTS if _here(name))
    if left := [name for name in VARIANTS if name not in here]:
        print(f"left out, since the package is not installed: {', '.join(left)}")
    asked: dict[str, Any] = {"variants": here, "device": told.device}
    done = []
    for folder, name, sites, levels, more in _cases(told):
        limit = min(told.limit, 24) if told.tiny else told.limit
        where = told.out / folder
        report = drift(name, "menagerie:test", sites, levels, limit=limit, **asked | more | {"out": where})
        done.append({"model": name, **_kept(report)})
        print(report)
    if not told.tiny:
        RESULTS.write_text(
            json.dumps({"machine": f"{platform.system()} {platform.machine()}", "runs": done}, indent=1) + "\n",
            encoding="utf-8",
        )
        print(f"wrote {RESULTS}")


def _cases(told: argparse.Namespace) -> list[tuple[str, str, list[str], list[float], dict[str, Any]]]:
    """Folder, model, sites, noise levels and what else `drift` is told."""
    if told.model:
        return [(told.model, told.model, told.sites or ["mid"], told.timesteps, {"task": told.task or None})]
    return [
        ("embedded", "embedded", ["mid", "up.1", "up.2"], told.timesteps, {}),
        ("matching", "embedded", ["up.2"], told.timesteps[:1], {"task": "correspondence"}),
        ("toy-flux-dev", "toy-flux-dev", ["dit.d.1.img", "dit.s.1.img"], told.timesteps, {}),
        ("guidance-4", "toy-flux-dev", ["dit.s.1.img"], told.timesteps, {"guidance": 4.0}),
        ("toy-flux-schnell", "toy-flux-schnell", ["dit.s.1.img"], told.timesteps, {}),
    ]


def _here(variant: str) -> bool:
    """Whether the package that quantises so is installed."""
    ways = [part for part in variant.split("+") if part in QUANTISATIONS]
    return all(importlib.util.find_spec(QUANTISATIONS[way].package) for way in ways)


def _kept(report: Report) -> dict[str, Any]:
    """What the table shows, and what it was made from."""
    columns = [name for name in COLUMNS if name in report.table]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*(report.table[name] for name in columns), strict=True)]
    scores = [
        {"name": one.name, "value": one.value, "low": one.low, "high": one.high, "n": one.n} for one in report.scores
    ]
    return {
        "parameters": dict(report.parameters),
        "versions": dict(report.origin.versions),
        "rows": rows,
        "scores": scores,
    }


def table(written: dict[str, Any]) -> str:
    """Markdown: a row per model, variant, site and level."""
    head = ("model", "variant", "site", "timestep", "relative error", "cosine", "images", "score", "change", "n")
    lines = [f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head))]
    for run in written["runs"]:
        for row in run["rows"]:
            error, cosine, value, change = (_cell(row, name) for name in MEASURED)
            cells = (run["model"], row["variant"], row["site"], f"{row['timestep']:g}", error, cosine,
                     row["images"] or "", value, change, row.get("n") or "")  # fmt: skip
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _cell(row: dict[str, Any], name: str) -> str:
    value, low, high = (row.get(f"{name}{end}") for end in ("", " low", " high"))
    if value is None:
        return ""
    if name == "change" and low == high == 0:
        return "0, none differs"
    digits = 6 if name == "cosine" else 3
    return f"{value:.{digits}g} [{low:.{digits}g}, {high:.{digits}g}]"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="24 images, nothing written to benchmarks/results")
    parser.add_argument("--table", action="store_true", help="print what was written before, as Markdown")
    parser.add_argument("--model", default="", help="one model instead")
    parser.add_argument("--sites", nargs="*", default=[])
    parser.add_argument("--task", default="", help="that is scored as well")
    parser.add_argument("--limit", type=int, default=120)
    parser.add_argument("--timesteps", type=float, nargs="*", default=[50.0, 200.0])
    parser.add_argument("--device", default=None)
    parser.add_argument("--out", type=Path, default=Path("runs/quantised"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
