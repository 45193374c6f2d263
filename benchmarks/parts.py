"""Where the time goes: reading, matching, probing and learning taken apart into their parts.

Run `python benchmarks/parts.py --out benchmarks/results/parts.json` on a quiet machine (a minute; `--tiny` tries it).
The jobs are those of `denoscope bench`. The functions that do a part's work are timed from inside, each without what it
calls of other parts, `--runs` times after one that does not count. Parts that other threads do stand apart: their
seconds lie beside those of the main thread where there are cores for both. For learning, whose parts are single
operations of torch, its own profiler counts seconds per operation instead. `overlap`: seconds of extraction as it is,
and with pictures read and shards written by the main thread, in turns.
"""

import argparse
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import torch

from denoscope.bench.cases import CASES
from denoscope.bench.record import machine_of

PARTS: dict[str, dict[str, Sequence[str]]] = {
    "extraction": {
        "pictures drawn": ["denoscope.data.base._try"],
        "VAE": ["denoscope.models.family.Family.encode"],
        "denoiser": ["denoscope.models.running.Runner.__call__"],
        "pooled and rounded": ["denoscope.store.block.Block.add"],
        "written": ["denoscope.store.writer.write_shard", "denoscope.store.index.save"],
        "a shard's size tried": ["denoscope.extract._shard_size"],
    },
    "matching": {
        "cells gathered and normalised": [
            "denoscope.measures.matching.gathered", "denoscope.measures.matching._blocks"
        ],
        "similarities": ["denoscope.measures.matching._answer"],
        "best cell, ties, entropy": ["denoscope.measures.matching._judge"],
    },
    "probe": {
        "moments and their decomposition": ["denoscope.tasks._classifiers.primal"],
        "penalties tried, predictions": ["denoscope.tasks.probe.ridge_folded"],
        "shuffled facts, intervals": [
            f"denoscope.tasks.probe.{name}" for name in ("luck", "bootstrap_mean", "bootstrap_difference", "wilson")
        ],
    },
}  # fmt: skip
OPERATIONS = 6


class Clock:
    """Seconds by part, each without the parts called from it, and by whether the main thread spent them."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, bool], float] = defaultdict(float)
        self._open = threading.local()

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its seconds counted."""

        def timing(*args: Any, **kwargs: Any) -> Any:
            begun, outer = time.perf_counter(), getattr(self._open, "inner", 0.0)
            self._open.inner = 0.0
            try:
                return work(*args, **kwargs)
            finally:
                whole = time.perf_counter() - begun
                here = threading.current_thread() is threading.main_thread()
                self.spent[part, here] += whole - self._open.inner
                self._open.inner = outer + whole

        return timing

    @contextmanager
    def running(self, parts: dict[str, Sequence[str]]) -> Generator[None]:
        """The functions replaced by timed ones."""
        with ExitStack() as stack:
            for part, names in parts.items():
                for name in names:
                    owner, attribute = _owner(name)
                    stack.enter_context(patch.object(owner, attribute, self.timed(part, getattr(owner, attribute))))
            yield


def _owner(name: str) -> tuple[Any, str]:
    """The module or class that holds a function, and its name there."""
    path, _, attribute = name.rpartition(".")
    try:
        return import_module(path), attribute
    except ModuleNotFoundError:
        module, _, kind = path.rpartition(".")
        return getattr(import_module(module), kind), attribute


def taken_apart(name: str, runs: int, tiny: bool) -> dict[str, Any]:
    """Median seconds of the whole and of each part."""
    with CASES[name](torch.device("cpu"), tiny) as case:
        case.job()
        whole: list[float] = []
        clocks = [Clock() for _ in range(runs)]
        for clock in clocks:
            with clock.running(PARTS[name]):
                begun = time.perf_counter()
                case.job()
                whole.append(time.perf_counter() - begun)
    keys = sorted({key for clock in clocks for key in clock.spent})
    seconds = {key: median(clock.spent[key] for clock in clocks) for key in keys}
    main = {part: value for (part, here), value in seconds.items() if here}
    beside = {part: value for (part, here), value in seconds.items() if not here}
    told = {"seconds": median(whole), "runs": runs, "work": case.work, "unit": case.unit}
    if name == "matching":  # its threads do all the work while the main one waits
        both = {part: main.get(part, 0.0) + beside.get(part, 0.0) for part in {**main, **beside}}
        return {**told, "parts": both, "beside": {}}
    return {**told, "parts": main, "beside": beside}


def overlapped(runs: int, tiny: bool) -> dict[str, Any]:
    """Seconds of extraction as it is, and one thing after the other as it would be without threads, in turns."""
    from denoscope.data.base import read
    from denoscope.store.behind import Behind

    def serial(samples: Any, indices: Any, broken: dict[str, str]) -> Generator[Any]:
        good, lost = read(samples, indices)
        broken.update(lost)
        yield from good

    def at_once(self: Behind, work: Any, *told: Any) -> None:
        work.commit(*told)

    found: dict[str, list[float]] = {"threads": [], "serial": []}
    with CASES["extraction"](torch.device("cpu"), tiny) as case:
        case.job()
        for _ in range(runs):
            found["threads"].append(_seconds(case.job))
            with patch("denoscope.shards.ahead", serial), patch.object(Behind, "commit", at_once):
                found["serial"].append(_seconds(case.job))
    return found


def _seconds(job: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


def operations(name: str, tiny: bool) -> dict[str, Any]:
    """Seconds per operation of torch, the longest first."""
    from torch.profiler import profile

    with CASES[name](torch.device("cpu"), tiny) as case:
        case.job()
        begun = time.perf_counter()
        with profile() as found:
            case.job()
        whole = time.perf_counter() - begun
    taken = sorted(((one.self_cpu_time_total / 1e6, one.key) for one in found.key_averages()), reverse=True)
    parts = {f"`{key}`": seconds for seconds, key in taken[:OPERATIONS]}
    return {"seconds": whole, "runs": 1, "work": case.work, "unit": case.unit, "parts": parts, "beside": {}}


def main() -> None:
    """Print the figures as JSON; keep them with `--out`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="sizes that take no time and say little")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="benchmarks/results/parts.json, from which the page is made")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    found = {name: taken_apart(name, asked.runs, asked.tiny) for name in PARTS}
    found["learning"] = operations("learning", asked.tiny)
    about = {"machine": machine_of(torch.device("cpu")), "threads": torch.get_num_threads(), "tiny": asked.tiny}
    about["load"] = load
    told = json.dumps({**about, "jobs": found, "overlap": overlapped(asked.runs, asked.tiny)}, indent=1)
    print(told)
    if asked.out:
        asked.out.write_text(told + "\n")


if __name__ == "__main__":
    main()
