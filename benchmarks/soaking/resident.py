"""How much memory a process holds while it works."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

__all__ = ["thirds", "watch"]

_FIELDS = {"VmRSS": "resident", "RssAnon": "own"}


def watch(process: int, running: Callable[[], bool], every: float, count: Callable[[], int]) -> list[dict[str, float]]:
    """Memory of a process in MB and how far its work is, sampled every so many seconds while it runs."""
    found: list[dict[str, float]] = []
    started = time.monotonic()
    while running():
        if told := _status(process):
            found.append({"seconds": round(time.monotonic() - started, 1), "done": count(), **told})
        time.sleep(every)
    return found


def _status(process: int) -> dict[str, float]:
    """Resident memory, and the part of it that no file backs; nothing when the process has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    return {name: round(int(told[field].split()[0]) / 1024, 1) for field, name in _FIELDS.items() if field in told}


def thirds(samples: Sequence[dict[str, float]], what: str = "resident") -> dict[str, float]:
    """Mean memory in the second and the last third of the work, and the most ever.

    The first third is warming up: imports, the model, the allocator's pools.
    """
    total = samples[-1]["done"]
    second = [one[what] for one in samples if total / 3 <= one["done"] < 2 * total / 3]
    last = [one[what] for one in samples if one["done"] >= 2 * total / 3]
    found = {"second third": fmean(second), "last third": fmean(last), "most": max(one[what] for one in samples)}
    return {name: round(value, 1) for name, value in found.items()}
