"""A store of a million samples: how long it takes to open, and to find something in it."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.frame import Frame
from denoscope.core.recipe import Recipe
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.store import Keep, Store
from denoscope.store.writer import Plan

__all__ = ["fill", "open_store"]

_SHARD, _CHANNELS = 512, 64
_CATEGORIES = ("cat", "dog", "cup", "fish", "house", "tree", "car", "boat", "star", "bird", "flower", "mushroom")
_FRAME = Frame.of([64.0, 64.0, 64.0, 64.0, 1.0, 1.0, 0.0, 0.0])
_CONDITION = Condition(timestep=50)


def fill(folder: Path, samples: int) -> float:
    """Random pooled vectors with facts, written as `extract` writes them; seconds that this run took."""
    started = time.perf_counter()
    store = Store(folder, create=True)
    writer = store.writer(_recipe(samples), Plan(samples, _SHARD, None, (1.0,)))
    if not writer.left() and store.refresh().volumes[0].table.version:
        return 0.0
    for work in writer.work():
        chance = np.random.default_rng(work.indices.start)
        values = chance.standard_normal((len(work.indices), _CHANNELS), dtype=np.float32)
        drawn = [Sample(f"scene-{i:07d}", _NOTHING, _facts(i)) for i in work.indices]
        ids, frames = tuple(sample.id for sample in drawn), (_FRAME,) * len(drawn)
        work.add([Activations(Site("mid"), _CONDITION, values, ids, "pooled", frames)])
        work.commit(drawn, {})
    writer.finish()
    return time.perf_counter() - started


_NOTHING = np.zeros((1, 1, 3), dtype=np.uint8)


def _facts(number: int) -> dict[str, Any]:
    chance = random.Random(number)
    category = chance.choice(_CATEGORIES)
    return {
        "category": category, "colour": chance.choice(("red", "green", "blue")), "mirror": chance.random() < 0.5,
        "size": round(chance.random(), 6), "caption": f"a drawing of a {category}, number {number}",
        "box": [chance.randrange(64) for _ in range(4)],
    }  # fmt: skip


def _recipe(samples: int) -> Recipe:
    data = {"name": "samples", "fingerprint": "soak", "count": samples}
    conditions, keep = (_CONDITION.to_dict(),), Keep(layout="pooled").to_dict()
    return Recipe({"name": "soak"}, data, {"policy": "native"}, ("mid",), conditions, keep)


def open_store(folder: Path, samples: int, repeats: int, keep: Callable[[dict[str, Any]], None]) -> None:
    """Fill a store, then use it in fresh processes: the medians of what each step takes."""
    filled = fill(folder, samples)
    runs = [_fresh(folder) for _ in range(repeats)]
    steps = {name: sorted(run[name] for run in runs) for name in runs[0]}
    middle = {name: [round(found[len(found) // 2], 4), round(found[0], 4), round(found[-1], 4)]
              for name, found in steps.items()}  # fmt: skip
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    index = sum(path.stat().st_size for path in folder.glob("*/index.parquet"))
    told = {"median, least, most": middle, "runs": repeats, "seconds to fill, in this run": round(filled, 1)}
    keep({"samples": samples, "GB": round(size / 1e9, 3), "index MB": round(index / 1e6, 1), **told})


def _fresh(folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "soaking.opening", str(folder.resolve())]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return json.loads(done.stdout)


def _used(folder: str) -> dict[str, float]:
    """Seconds of each step in this process, one after the other, and its memory at the end."""
    found: dict[str, float] = {}

    def step(name: str, act: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = act()
        found[name] = time.perf_counter() - started
        return result

    def opened() -> Store:
        store = Store(folder)
        assert store.complete and store.sites and store.conditions and len(store.volumes[0].table)
        return store

    store = step("open: recipes, sites, levels, number of samples, whether it is complete, s", opened)
    count = len(store.volumes[0].table)
    wanted = [f"scene-{i:07d}" for i in random.Random(0).sample(range(count), 64)]
    step("first sample by its id, s", lambda: store.get("mid", ids=wanted[:1]))
    step("one more sample, s", lambda: store.get("mid", ids=wanted[1:2]))
    step("64 samples from all over, s", lambda: store.get("mid", ids=wanted))
    cats = step("find(category='cat', mirror=True), s", lambda: store.find(category="cat", mirror=True))
    assert cats and abs(24 * len(cats) / count - 1) < 0.5
    step("all ids, s", lambda: store.ids)
    step("first shuffled batch of 4096, s", lambda: next(iter(store.batches("mid", size=4096, shuffle_seed=0))))
    status = Path("/proc/self/status").read_text()
    found["most memory, MB"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_used(sys.argv[1])))
