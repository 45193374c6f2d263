"""Local SGD on the cores of one machine: independent workers whose weights are averaged every few seconds.

Each worker takes its own optimiser steps; at each meeting the vectors are replaced by their average, weighted by the
steps that each worker managed since the last one (Stich, "Local SGD converges fast and communicates little", 2019).
Meetings are set by the clock, so a worker slowed down by other programs never holds the others up for long.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch import multiprocessing as mp

__all__ = ["Meeting", "run_workers"]


@dataclass
class _Shared:
    vectors: Tensor
    steps: Tensor
    stop: Tensor
    barrier: Any
    parent: int


class Meeting:
    """One worker's end of the exchange; `rank` 0 leads: it alone decides when to stop."""

    def __init__(self, shared: _Shared, rank: int, every: float) -> None:
        self.rank, self.every = rank, every
        self._shared, self._due, self._since = shared, time.monotonic() + every, 0
        self.workers = len(shared.steps)

    def count(self) -> bool:
        """Record one step; true when it is time to meet."""
        self._since += 1
        return time.monotonic() >= self._due

    def in_turn(self, warm: Callable[[], object]) -> None:
        """The leader compiles first; the others then find its work in the compiler's cache."""
        if self.rank == 0:
            warm()
        self._shared.barrier.wait()
        if self.rank > 0:
            warm()
        self._shared.barrier.wait()
        self._since, self._due = 0, time.monotonic() + self.every

    def average(self, state: list[Tensor], stop: bool) -> tuple[int, bool]:
        """Replace the vectors by their weighted average; returns the steps taken by all and whether to stop."""
        shared = self._shared
        if os.getppid() != shared.parent:
            os._exit(3)
        for slot, vector in zip(shared.vectors[self.rank], state, strict=True):
            slot.copy_(vector)
        shared.steps[self.rank] = self._since
        if self.rank == 0:
            shared.stop.fill_(int(stop))
        shared.barrier.wait()
        total = int(shared.steps.sum())
        weights = shared.steps.float() / max(total, 1)
        for i, vector in enumerate(state):
            torch.mul(shared.vectors[0, i], float(weights[0]), out=vector)
            for other in range(1, self.workers):
                vector.add_(shared.vectors[other, i], alpha=float(weights[other]))
        stopping = bool(shared.stop.item())
        shared.barrier.wait()
        self._since, self._due = 0, time.monotonic() + self.every
        return total, stopping


def _exit_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(2.0)
    os._exit(3)


def _entry(rank: int, shared: _Shared, every: float, target: Callable[..., None], args: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    threading.Thread(target=_exit_with_parent, args=(shared.parent,), daemon=True).start()
    target(Meeting(shared, rank, every), *args)


def run_workers(count: int, vectors: int, length: int, every: float, target: Callable[..., None], *args: Any) -> None:
    """Run `target(meeting, *args)` in `count` single-threaded processes that average `vectors` vectors of `length`.

    A single worker runs in this process.

    Raises:
        ProcessException: a worker failed; the others are stopped.
    """
    barrier: Any = mp.get_context("spawn").Barrier(count, timeout=900.0) if count > 1 else threading.Barrier(1)
    parent = os.getpid() if count > 1 else os.getppid()
    vectors_of_all = torch.zeros(count, vectors, length).share_memory_()
    counters = torch.zeros(count, dtype=torch.long).share_memory_(), torch.zeros(1, dtype=torch.long).share_memory_()
    shared = _Shared(vectors_of_all, *counters, barrier, parent)
    if count == 1:
        target(Meeting(shared, 0, every), *args)
    else:
        mp.start_processes(_entry, (shared, every, target, args), nprocs=count, start_method="spawn")
