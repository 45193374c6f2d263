"""Several processes that learn from a model run each forward once between them, and read what one process reads."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import denoscope as ds
from denoscope.core.rank import Rank
from denoscope.learn import verb as learning
from denoscope.learn.reading import Reading, source_of


class Thread:
    """A share of the work of two threads that hand one another what they made."""

    def __init__(self, rank: int, wall: threading.Barrier, desk: dict[tuple[int, int], Any]) -> None:
        self.rank, self._wall, self._desk, self._turn, self.made = rank, wall, desk, 0, 0

    def dealt(self, pieces: Any) -> Iterator[Any]:
        """As `Share.dealt` of processes."""
        for start in range(0, len(pieces), 2):
            turn = pieces[start : start + 2]
            if self.rank < len(turn):
                self._desk[self._turn, self.rank] = turn[self.rank]()
                self.made += 1
            self._wall.wait(60)
            yield from (self._desk[self._turn, owner] for owner in range(len(turn)))
            self._turn += 1


def heap(source: Any) -> np.ndarray[Any, Any]:
    """All that one pass gives, in order."""
    return np.concatenate([rows.values for rows in source.blocks(0)])


@pytest.mark.parametrize("reading", [Reading(batch_size=3), Reading("generation", steps=2, batch_size=6)])
def test_each_forward_is_run_once(reading: Reading) -> None:
    """Two threads read the stream of one, bit for bit, and each runs half of the forwards."""
    options: dict[str, Any] = {"site": "mid", "condition": None, "timestep": None, "held_out": 0.2, "goal": 0}
    levels = [50, 200] if reading.source == "noised" else None
    data = "menagerie:test"
    reading = replace(reading, limit=14)
    wall, desk = threading.Barrier(2), dict[tuple[int, int], Any]()
    shares = [Thread(number, wall, desk) for number in range(2)]
    alone = heap(source_of(ds.load("toy-sd15"), data, reading, timesteps=levels, **options))
    found: dict[int, Any] = {}

    def work(share: Thread) -> None:
        source = source_of(ds.load("toy-sd15"), data, reading, timesteps=levels, **options)
        found[share.rank] = heap(replace(source, share=share, together=3))

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert np.array_equal(found[0], alone) and np.array_equal(found[1], alone)
    assert abs(shares[0].made - shares[1].made) <= 2 and shares[1].made >= 2


def test_the_first_process_alone_measures_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one has the same dictionary, without a report, and leaves nothing behind."""
    store = ds.extract("toy-sd15", "menagerie:test", "up.1", 50, limit=8, out=tmp_path / "store", progress=False)
    asked: dict[str, Any] = {"atoms": 12, "k": 2, "cells": 400, "batch": 64, "progress": False}
    monkeypatch.setattr(learning, "rank", lambda: Rank(1, 2, 1))
    second = ds.learn(store, "topk", **asked)
    assert second.report is None and second.folder is None and not store.reports
    monkeypatch.setattr(learning, "rank", Rank)
    first = ds.learn(store, "topk", **asked)
    assert np.array_equal(first.atoms, second.atoms)
    assert first.report is not None and len(store.reports) == 1


@pytest.mark.skipif("DENOSCOPE_NIGHTLY" not in os.environ, reason="starts three processes; see make nightly")
def test_launched(tmp_path: Path) -> None:
    """torchrun with two processes: the atoms of one process, to the order of additions; one report, told once."""
    words = "learn topk toy-sd15 --data menagerie:test --site mid --atoms 16 --k 2 --cells 2000 --batch 200 --limit 24"
    words += " --timesteps 50 200 --baselines random"
    told = os.environ | {"OMP_NUM_THREADS": "1"}
    atoms = []
    for count in (1, 2):
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count), "--standalone"]
        command += ["-m", "denoscope", *words.split(), "--out", str(tmp_path / str(count))]
        run = subprocess.run(command, env=told, capture_output=True, text=True, timeout=300, check=False)
        assert run.returncode == 0, run.stderr
        assert run.stdout.count("dictionary  ") == 1
        atoms.append(ds.load_dictionary(tmp_path / str(count)).atoms)
    assert atoms[1] == pytest.approx(atoms[0], abs=1e-3)
