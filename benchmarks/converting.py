"""Stores in other formats: memory held, and size on disk.

    python benchmarks/converting.py           stores of 128 and 512 MB, about a minute and a half on one core
    python benchmarks/converting.py --tiny    of 16 and 64 MB, a few seconds each

`memory` converts random values in bf16 (nothing compresses worse) in a process of its own and looks at its anonymous
memory; `sizes` converts what the embedded model gives at `up.1`. Figures go to benchmarks/results/converting.json.
"""

import argparse
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.frame import Frame, Grid
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.store.keep import Keep
from denoscope.store.store import Store

RESULT = Path(__file__).parent / "results" / "converting.json"
FORMATS = ("zarr", "datasets", "npy")
SHAPE = (64, 64, 32, 32)
"""Of a shard: 8 MB in bf16."""


def main() -> None:
    """All formats on stores of two sizes, then on what a model gives."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--tiny", action="store_true")
    asked.add_argument("--one", nargs=3, metavar=("STORE", "OUT", "FORMAT"), help=argparse.SUPPRESS)
    told = asked.parse_args()
    if told.one:
        print(json.dumps(convert_one(*told.one)))
        return
    megabytes, images = ((16, 64), 16) if told.tiny else ((128, 512), 200)
    with TemporaryDirectory() as folder:
        found = {"memory": list(_memory(Path(folder), megabytes)), "sizes": list(_sizes(Path(folder), images))}
    if not told.tiny:
        RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def convert_one(store: str, out: str, to: Any) -> dict[str, float]:
    """Convert in this process; by how much it grew, in MB."""
    from denoscope.interchange.converting import convert

    for module in ("zarr", "datasets", "pyarrow.parquet"):
        __import__(module)
    opened = Store(store)
    with _watched() as grown:
        convert(opened, out, to, most_disk=1.0, progress=False)
    return {"grown_mb": round(grown[0] / 1e6, 1)}


def _memory(folder: Path, megabytes: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    for size in megabytes:
        store = _random(folder / f"random-{size}", size)
        for to in FORMATS:
            with TemporaryDirectory(dir=folder) as out:
                command = [sys.executable, __file__, "--one", store, f"{out}/made", to]
                told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                yield {"store_mb": round(_bytes(Path(store)) / 1e6), "to": to, **told,
                       "size": round(_bytes(Path(out)) / _bytes(Path(store)), 3)}  # fmt: skip


def _sizes(folder: Path, images: int) -> Iterator[dict[str, Any]]:
    """Size of each format over that of the store, for what a model gives."""
    import denoscope as ds

    for dtype in ("bf16", "fp32", "int8"):
        name = folder / f"embedded-{dtype}"
        store = ds.extract("embedded", "menagerie:test", "up.1", 50, out=name, limit=images,
                           keep=ds.Keep(dtype=dtype), progress=False)  # fmt: skip
        for to in FORMATS:
            out = ds.convert(store, folder / f"embedded-{dtype}-{to}", to, progress=False)
            yield {"images": images, "dtype": dtype, "to": to, "store_mb": round(_bytes(name) / 1e6, 2),
                   "size": round(_bytes(out) / _bytes(name), 3)}  # fmt: skip


def _random(folder: Path, megabytes: int) -> str:
    """A store of normal values."""
    chance, keep = np.random.default_rng(0), Keep()
    recipe = Recipe({"name": "random"}, {"name": "noise", "fingerprint": ""}, {}, ("up.1",), (), keep.to_dict())
    store, frame = Store(folder, create=True), Frame(256, 256, 256, 256)
    for shard in range(megabytes * 2**20 // (2 * int(np.prod(SHAPE)))):
        ids = tuple(f"{shard:05d}-{row:03d}" for row in range(SHAPE[0]))
        values = chance.standard_normal(SHAPE, dtype=np.float32)
        acts = Activations(
            Site("up.1"), Condition(timestep=50), values, ids, "grid", (frame,) * len(ids), Grid(32, 32, 8.0)
        )
        store.put([acts], recipe=recipe)
    return str(folder)


@contextmanager
def _watched() -> Iterator[list[int]]:
    """By how many bytes the process's anonymous memory grows meanwhile, at most."""
    before, most, done = _anonymous(), [0], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], _anonymous() - before)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()


def _anonymous() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
