"""`plan` says what `learn` costs, and neither `learn` nor `extract` fills a disk unasked."""

import math
import shutil
from collections import namedtuple
from dataclasses import replace

import numpy as np
import pytest

from denoscope.cli import asking, main
from denoscope.core.errors import InputError
from denoscope.dictionaries.base import load_dictionary
from denoscope.extract import extract
from denoscope.learn import learn, plan
from denoscope.learn.planning import _proposals
from denoscope.learn.work import prepared
from denoscope.store.room import NeedsRoom, bytes_told, check_room, free_bytes
from fakes import FakeModel, Pictures
from planted import planted_store

TOPK = {"atoms": 12, "k": 2, "cells": 4000, "batch": 200}
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def full(monkeypatch):
    """A disk with 1000 bytes left."""
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10**9, 10**9 - 1000, 1000))


def test_a_plan_counts_what_is_read_kept_and_held(tmp_path):
    """Cells, passes, bytes: by hand for a store and for a model."""
    store = planted_store(tmp_path / "store")
    found = plan(store, "topk", "mid", timestep=50, **TOPK)
    assert (found.cells, found.turns) == (4000, 4000 / (54 * 16))
    assert found.stored == 54 * 16 * 16 * 2
    assert set(found.seconds) == {"reading", "training", "measuring"} and min(found.seconds.values()) > 0
    assert found.memory["shuffle buffer"] == 54 * 16 * (16 * 4 + 4 + 16)
    assert found.memory["one step"] == 2 * 4 * 200 * 12
    assert found.free == free_bytes(tmp_path)
    kept = plan(store, "topk", "mid", timestep=50, keep=tmp_path / "keep", **TOPK)
    assert kept.disk == 9 * found.disk
    live = plan(FakeModel(), "topk", "up.1", data=Pictures(60), timesteps=[50, 200], cells_per_image=4, **TOPK)
    assert (live.images, live.turns) == (1000, 4000 / (54 * 4))
    assert live.stored == 54 * 16 * 2 * 4 * 2
    assert live.memory["shuffle buffer"] == 54 * 4 * (4 * 4 + 4 + 16)


def test_a_plan_names_the_bottleneck_and_what_would_be_cheaper():
    """Where reading leads: all cells of each forward, and a store that is read more than once; else what leads."""
    asked = {"data": Pictures(40), "timesteps": [50], "cells_per_image": 2, **TOPK}
    work = prepared(FakeModel(), "topk", "up.1", **asked)
    found = plan(FakeModel(), "topk", "up.1", **asked)
    told = {}
    for part in ("reading", "training", "measuring"):
        budget = replace(found, seconds={name: 90.0 if name == part else 1.0 for name in found.seconds})
        assert budget.bottleneck == budget.to_dict()["bottleneck"] == part
        assert f"{part} dominates" in str(budget)
        told[part] = " ".join(_proposals(budget, work))
    assert "--cells-per-image 16" in told["reading"] and "denoscope extract" in told["reading"]
    assert "half precision" in told["reading"] and "half precision" not in told["training"]
    assert "--precision bf16" in told["training"] and "--held-out" in told["measuring"]
    assert "denoscope extract" not in " ".join(_proposals(replace(found, free=1000), work))
    others = plan(FakeModel(), "pca", "up.1", data=Pictures(40), timesteps=[50], atoms=2)
    assert others.cells == 36 * 16 and others.images == 36


def test_a_plan_leaves_nothing(tmp_path):
    """No file in the store, none where the dictionary would be saved."""
    store = planted_store(tmp_path / "store")
    before = sorted(tmp_path.rglob("*"))
    plan(store, "topk", "mid", timestep=50, out=tmp_path / "a", keep=tmp_path / "b", **TOPK)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_is_not_filled_unasked(tmp_path, full):
    """One line says how much, of how much, and what takes less; a larger share goes on."""
    with pytest.raises(NeedsRoom, match=r"would take .* of the 1 KB that are free .* more than 50%.*--yes"):
        extract(FakeModel(), Pictures(60), "mid", 50, out=tmp_path / "store", progress=False)
    assert not (tmp_path / "store").exists()
    store = extract(FakeModel(), Pictures(60), "mid", 50, out=tmp_path / "store", most_disk=9, progress=False)
    assert len(store.ids) == 60
    many = {**TOPK, "atoms": 40}
    with pytest.raises(NeedsRoom, match="fewer --atoms"):
        learn(store, "topk", **many, progress=False)
    with pytest.raises(NeedsRoom, match="checkpoints"):
        learn(FakeModel(), "topk", "mid", data=Pictures(9), keep=tmp_path / "k", **TOPK, progress=False)
    check_room("memory://nowhere", 1e15, "all", "less")
    assert [bytes_told(size) for size in (0, 999, 1500, 2.5e9)] == ["0 B", "999 B", "1.5 KB", "2.5 GB"]


def test_the_command_plans_asks_and_takes_yes(tmp_path, capsys, monkeypatch):
    """`--plan` prints and keeps nothing; without a terminal it refuses, in one it asks, `--yes` goes on."""
    store = planted_store(tmp_path / "store")
    line = ["learn", "topk", str(store.place.url), "--site", "mid", "--atoms", "12", "--k", "2", "--cells", "500"]
    assert main([*line, "--plan"]) == 0
    assert "dominates" in capsys.readouterr().out and not store.reports
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10**9, 10**9 - 1000, 1000))
    out = ["--out", str(tmp_path / "d")]
    assert main([*line, *out]) == 2
    assert "--yes" in capsys.readouterr().err and not (tmp_path / "d" / "config.json").exists()
    assert main([*line, *out, "--yes"]) == 0
    assert len(load_dictionary(tmp_path / "d").atoms) == 12


def test_a_terminal_is_asked(monkeypatch):
    """Yes goes on with all of the disk; no is as a refusal; without a terminal nothing is asked."""

    def work(most: float) -> float:
        if most < 1:
            raise NeedsRoom("too much")
        return most

    assert asking.with_room(work, yes=True) == math.inf
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(NeedsRoom):
        asking.with_room(work, yes=False)
    for stream in (asking.sys.stdin, asking.sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("rich.prompt.Confirm.ask", lambda *_, **__: False)
    with pytest.raises(NeedsRoom):
        asking.with_room(work, yes=False)
    monkeypatch.setattr("rich.prompt.Confirm.ask", lambda *_, **__: True)
    assert asking.with_room(work, yes=False) == math.inf


def test_what_cannot_be_planned_is_refused_as_by_learn(tmp_path):
    """The same line for the same mistake."""
    with pytest.raises(InputError, match="at which site"):
        plan(FakeModel(), "topk", data=Pictures(9))
    assert np.isfinite(
        list(plan(planted_store(tmp_path / "s"), "itda", "mid", timestep=50, atoms=8, k=2).seconds.values())
    ).all()
