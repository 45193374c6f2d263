"""An explorer of two hundred pictures: how long an export takes and how large it is, and how the page behaves."""

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["explore"]

_WEB = Path(__file__).parents[2] / "web"


def explore(folder: Path, images: int, hovers: int, keep: Callable[[dict[str, Any]], None]) -> None:
    """Read, export, and open the page in Chromium with all pictures at once; needs `npm ci` in `web/`.

    The page is timed over packs of noise of two sizes: from the mouse event to the last of all maps drawn.
    """
    scope = [sys.executable, "-m", "denoscope"]
    store, site = folder / "store", folder / "site"
    asked = ["--sites", "mid", "up.1", "--timesteps", "50", "--out", str(store), "--no-progress"]
    _run([*scope, "extract", "embedded", f"menagerie:test,count={images}", *asked])
    shutil.rmtree(site, ignore_errors=True)
    started = time.perf_counter()
    _run([*scope, "export", str(store), str(site), "--images", str(images)])
    told = {
        "images": images,
        "export, s": round(time.perf_counter() - started, 1),
        "export, MB": round(sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6, 1),
        "most memory of a child process, MB": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }
    keep({**told, "page": _page(folder, images, hovers)})


def _page(folder: Path, images: int, hovers: int) -> list[dict[str, Any]]:
    for sides, channels in (("16", "256"), ("32", "320")):
        command = ["node", "bench/run.mjs", "--page", "--images", str(images), "--sides", sides, "--channels", channels]
        part = folder / f"page-{sides}.json"
        _run([*command, "--hovers", str(hovers), "--out", str(part.resolve())], _WEB)
    parts = [json.loads(path.read_text()) for path in sorted(folder.glob("page-*.json"))]
    found = [one | {"browser": part["browser"]} for part in parts for one in part["page"]]
    return [
        {
            "pack": "{images} x {side} x {side} x {channels}".format(**one["shape"]), "moves": one["moves"],
            "answered": one["answered"], "median, ms": round(one["p50"], 1),
            "95th percentile, ms": round(one["p95"], 1), "all maps after opening, s": round(one["ready"] / 1000, 2),
            "JavaScript heap, MB": round(one["heap"] / 1e6, 1),
            "all processes of the browser, MB": round(one["resident"] / 1e6), "browser": one["browser"],
        }
        for one in found
    ]  # fmt: skip


def _run(command: list[str], home: Path | None = None) -> None:
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
