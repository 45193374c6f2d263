"""Long work and large stores: memory that stays flat, stores that open at once, writers that are killed.

    python benchmarks/soak.py                everything, about an hour and a half on one core
    python benchmarks/soak.py --tiny         a little of everything, to see that it runs (about a minute)
    python benchmarks/soak.py read           only one part: read, open, kills or explore

Folders go to runs/soak, figures to benchmarks/results/soak.json. A part that was interrupted goes on when it is run
again.
"""

import argparse
import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from soaking.exploring import explore
from soaking.kills import kill
from soaking.opening import open_store
from soaking.page import page
from soaking.reading import read

RESULT = Path(__file__).parent / "results" / "soak.json"
PAGE = Path(__file__).parents[1] / "docs" / "soak.md"


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    images: int = 100_000
    every: float = 5.0
    """Seconds between two looks at the memory."""
    samples: int = 1_000_000
    repeats: int = 5
    kills: int = 50
    pictures: int = 200
    hovers: int = 100


TINY = Sizes(images=2_048, every=0.2, samples=5_000, repeats=2, kills=6, pictures=12, hovers=10)


def main() -> None:
    """Run the parts that were asked for, and keep what they find."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("parts", nargs="*", help="read, open, kills, explore; all unless given")
    asked.add_argument("--tiny", action="store_true")
    asked.add_argument("--runs", type=Path, default=Path("runs/soak"))
    asked.add_argument("--out", type=Path, default=None, help="JSON; benchmarks/results/soak.json unless tiny")
    told = asked.parse_args()
    sizes = TINY if told.tiny else Sizes()
    runs = told.runs / "tiny" if told.tiny else told.runs
    out = told.out or (runs / "soak.json" if told.tiny else RESULT)
    parts: dict[str, Callable[[Callable[[dict[str, Any]], None]], None]] = {
        "read": partial(read, runs / "read", sizes.images, 32, sizes.every),
        "open": partial(open_store, runs / f"open-{sizes.samples}", sizes.samples, sizes.repeats),
        "kills": partial(kill, runs / "kills", 256, sizes.kills),
        "explore": partial(explore, runs / f"explore-{sizes.pictures}", sizes.pictures, sizes.hovers),
    }
    for name in told.parts or parts:
        if name not in parts:
            asked.error(f"no part {name!r}; there are {', '.join(parts)}")
        parts[name](partial(_keep, out, name))


def _keep(out: Path, part: str, found: dict[str, Any]) -> None:
    """Write what a part found beside what the others did."""
    out.parent.mkdir(parents=True, exist_ok=True)
    record = json.loads(out.read_text()) if out.exists() else {}
    record |= {"machine": _machine(), part: found}
    draft = out.with_suffix(".part")
    draft.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draft.replace(out)
    if out == RESULT:
        PAGE.write_text(page(record), encoding="utf-8")
    print(json.dumps({part: found}, indent=1), flush=True)


def _machine() -> str:
    """Processor and cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
