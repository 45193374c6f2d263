"""Writers killed at random moments, until the work is done all the same: nothing lost, twice or changed."""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import denoscope as ds
from denoscope.store import Store

__all__ = ["kill"]

_WRITERS = 2
_SHARD, _MORE, _MOMENT = 4, 10, 0.05
"""Samples of a shard; shards that the writers of a turn make at most; seconds after the last of them, at most."""


def kill(folder: Path, images: int, kills: int, keep: Callable[[dict[str, Any]], None]) -> None:
    """Two writers share an extraction and are killed at random moments, over and over; then the work is finished.

    Each time the store is opened and compared: what was there is there, no sample stands twice, every value is that of
    the undisturbed run. A finished store is begun anew, until there were enough kills.
    """
    torch.set_num_threads(1)
    shutil.rmtree(folder, ignore_errors=True)
    model, chance = ds.load("toy-sd15"), random.Random(0)
    whole = _content(_extract(model, folder / "whole", images))
    done, found = (
        0,
        {"while shards were made": 0, "while nothing was left but the index": 0, "before the first shard": 0},
    )
    rounds = 0
    while done < kills:
        store = folder / f"round-{rounds}"
        rounds += 1
        there: set[str] = set()
        while done < kills and (len(there) < images or chance.random() < 0.5):
            _turn(model, store, images, chance)
            done += _WRITERS
            before, there = there, _present(store, whole)
            if lost := before - there:
                sys.exit(f"{len(lost)} samples were lost in {store}")
            state = "while shards were made" if there and len(there) < images else "before the first shard"
            found["while nothing was left but the index" if len(there) == images else state] += _WRITERS
        if _content(_extract(model, store, images)) != whole:
            sys.exit(f"{store} is not what the undisturbed run made")
        if leftover := [path.name for path in store.rglob("*") if path.suffix in (".tmp", ".claim")]:
            sys.exit(f"{store} holds {', '.join(leftover)} after the work was finished")
        shutil.rmtree(store)
    told = {
        "images": images,
        "shards": -(-images // _SHARD),
        "writers at once": _WRITERS,
        "kills": done,
        "stores": rounds,
    }
    keep({**told, "killed": found, "lost": 0, "twice": 0, "equal to the undisturbed run": True})


def _extract(model: Any, folder: Path, images: int) -> Store:
    options = {
        "canvas": ds.Canvas("stretch", 32),
        "keep": ds.Keep(layout="pooled"),
        "shard_size": _SHARD,
        "progress": False,
    }
    return ds.extract(model, f"menagerie:train,count={images},size=32", ["mid", "up.1"], 50, out=folder, **options)


def _turn(model: Any, store: Path, images: int, chance: random.Random) -> None:
    """Start the writers, wait until some more shards are there and then a moment, kill them one after the other."""
    writers = [_forked(lambda: _extract(model, store, images)) for _ in range(_WRITERS)]
    for writer in writers:
        wanted = min(_shards(store) + chance.randrange(_MORE), images // _SHARD)
        while _shards(store) < wanted and not _ended(writer):
            time.sleep(0.002)
        time.sleep(_MOMENT * chance.random())
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)


def _ended(process: int) -> bool:
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _shards(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*/shards/*.safetensors"))


def _forked(work: Callable[[], object]) -> int:
    process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(0)
    return process


def _present(folder: Path, whole: dict[str, Any]) -> set[str]:
    """Samples that are in a store that a killed writer left, each checked against the undisturbed run."""
    if not folder.exists() or not Store(folder).volumes:
        return set()
    (volume,) = Store(folder).volumes
    ids = volume.table.ids
    if len(set(ids)) < len(ids):
        sys.exit(f"{folder} holds a sample twice")
    for name, shard in volume.shards.items():
        for key in shard.metadata["tensors"]:
            shard.tensor(key)  # checks its SHA-256
            if whole["tensors"][name, key] != shard.metadata["tensors"][key]["sha256"]:
                sys.exit(f"{folder} holds other values in {name}, {key}")
    return set(ids)


def _content(store: Store) -> dict[str, Any]:
    """SHA-256 of every tensor, and the rows of the index: everything but when it was written."""
    (volume,) = store.volumes
    told = {name: shard.metadata["tensors"] for name, shard in volume.shards.items()}
    tensors = {(name, key): fact["sha256"] for name, facts in told.items() for key, fact in facts.items()}
    return {
        "tensors": tensors,
        "rows": volume.table.columns(),
        "complete": store.complete,
        "indexed": volume.table.version,
    }
