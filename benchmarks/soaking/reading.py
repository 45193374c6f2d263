"""A hundred thousand generated scenes read into one store, and the memory that it takes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from soaking.resident import thirds, watch

__all__ = ["command", "read"]

SITES = ("mid", "up.1")
_SHARD = 512
"""Samples of a shard; what `extract` chooses for pooled values."""


def command(folder: Path, images: int, size: int, sites: Sequence[str] = SITES) -> list[str]:
    """The extraction as a user would start it: pooled sites of the embedded model, one noise level."""
    spec = f"menagerie:train,count={images},size={size}"
    return [
        sys.executable, "-m", "denoscope", "extract", "embedded", spec, "--sites", *sites, "--timesteps", "50",
        "--out", str(folder), "--keep.layout", "pooled", "--canvas.policy", "stretch", "--canvas.size", str(size),
        "--no-progress",
    ]  # fmt: skip


def read(folder: Path, images: int, size: int, every: float, keep: Callable[[dict[str, Any]], None]) -> None:
    """Extract in a process of its own and watch it; what an earlier run finished is not done again."""
    folder.mkdir(parents=True, exist_ok=True)
    there = _shards(folder)
    started = time.time()
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(command(folder / "store", images, size), stdout=log, stderr=log)
        samples = watch(process.pid, lambda: process.poll() is None, every, lambda: _SHARD * _shards(folder))
    seconds = time.time() - started
    if process.returncode:
        sys.exit(f"the extraction ended with status {process.returncode}; see {folder / 'log.txt'}")
    (folder / f"samples-{int(started)}.json").write_text(json.dumps(samples))
    made = images - min(images, _SHARD * there)
    keep(
        {
            "images": images, "size": size, "sites": list(SITES), "images of this run": made,
            "seconds": round(seconds), "images/s": round(made / seconds, 1),
            "resident MB": thirds(samples), "own MB": thirds(samples, "own"), "samples": len(samples),
        }
    )  # fmt: skip


def _shards(folder: Path) -> int:
    return sum(1 for _ in (folder / "store").glob("*/shards/*.safetensors"))
