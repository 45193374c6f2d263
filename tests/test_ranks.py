"""Extraction by several processes of one launcher gives the store of one process, whoever is killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import denoscope as ds
from denoscope.core.rank import Rank
from denoscope.models import precision
from denoscope.store.store import Store

ASKED: dict[str, Any] = {"sites": ["mid"], "timesteps": [50], "limit": 10, "shard_size": 2, "progress": False}
ALONE = Rank()


def read(out: Path, here: Rank = ALONE, told: Callable[[int], None] = lambda _: None) -> Store:
    """What one process of several does, told its rank by hand."""
    verb: Any = import_module("denoscope.extract")
    genuine = verb.fill

    def fill(writer: Any, made: Any, _: Rank, advance: Callable[[int], None]) -> None:
        genuine(writer, made, here, lambda count: (advance(count), told(count))[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verb, "fill", fill)
        return ds.extract("toy-sd15", "menagerie:test", out=out, **ASKED)


def values(store: Store) -> bytes:
    """All that was read."""
    return store.get("mid").numpy().tobytes()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store of one process."""
    return read(tmp_path_factory.mktemp("alone"))


def test_one_that_runs_to_the_end_makes_what_others_left(tmp_path: Path, alone: Store) -> None:
    """Rank 1 of 3 alone makes all shards, its own first, and tells every sample once, those that were there too."""
    made: list[int] = []
    store = read(tmp_path, Rank(1, 3, 1), made.append)
    order = sorted(tmp_path.rglob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
    assert [path.stem for path in order] == ["00001", "00004", "00002", "00000", "00003"]
    assert sum(made) == 10 and values(store) == values(alone) and store.ids == alone.ids
    order[0].unlink()
    again: list[int] = []
    assert values(read(tmp_path, Rank(0, 3, 0), again.append)) == values(alone)
    assert sum(again) == 10


def test_two_at_once_share_the_shards(tmp_path: Path, alone: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each shard is made once by either, both hear of every sample, and the values are those of one process."""
    from denoscope.shards import Shards

    verb: Any = import_module("denoscope.extract")
    lock, made, heard = threading.Lock(), [], {0: 0, 1: 0}
    genuine, fill = Shards.make, verb.fill

    def make(self: Shards, work: Any, advance: Any, behind: Any) -> None:
        with lock:
            made.append(int(work.name))
        genuine(self, work, advance, behind)

    def shared(writer: Any, shards: Any, _: Rank, advance: Any) -> None:
        number = int(threading.current_thread().name)

        def tell(count: int) -> None:
            heard[number] += count

        fill(writer, shards, Rank(number, 2, number), tell)

    monkeypatch.setattr(Shards, "make", make)
    monkeypatch.setattr(verb, "fill", shared)
    work = [
        threading.Thread(
            target=ds.extract, args=("toy-sd15", "menagerie:test"), kwargs={"out": tmp_path, **ASKED}, name=str(number)
        )
        for number in range(2)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(60)
    store = Store(tmp_path)
    assert sorted(made) == [0, 1, 2, 3, 4] and heard == {0: 10, 1: 10}
    assert values(store) == values(alone) and store.ids == alone.ids
    assert [one.digest for one in store.recipes] == [one.digest for one in alone.recipes]
    assert not list(tmp_path.rglob("*.claim"))


def test_each_rank_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local rank chooses among the GPUs that there are; a GPU that was named by number stays, as does a CPU."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(precision, "rank", lambda: Rank(3, 4, 3))
    assert [str(precision.choose_device(name)) for name in (None, "cuda", "cuda:0", "cpu")] == [
        "cuda:1", "cuda:1", "cuda:0", "cpu",
    ]  # fmt: skip
    monkeypatch.setattr(precision, "rank", Rank)
    assert str(precision.choose_device("cuda")) == "cuda"


def test_fewer_shards_than_processes_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With how to have more of them; once, by the first process."""
    read(tmp_path / "a", Rank(0, 9))
    assert "5 shards for 9 processes; a smaller --shard-size" in caplog.text
    caplog.clear()
    read(tmp_path / "b", Rank(8, 9))
    assert not caplog.text


@pytest.mark.skipif("DENOSCOPE_NIGHTLY" not in os.environ, reason="starts four processes; see make nightly")
def test_launched_killed_and_launched_again(tmp_path: Path, alone: Store) -> None:
    """Under torchrun: a rank that is killed ends the run, the same command goes on, and the first rank alone talks."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m",
        "denoscope", "extract", "toy-sd15", "menagerie:test", "--sites", "mid", "--timesteps", "50", "--limit", "10",
        "--shard-size", "2", "--out", str(tmp_path), "--json",
    ]  # fmt: skip
    told = os.environ | {"OMP_NUM_THREADS": "1"}
    broken = "import os, signal, runpy, sys, time; from denoscope.store.writer import Work; commit = Work.commit\n"
    broken += "def last(self, *rest):\n    commit(self, *rest)\n"
    broken += "    os.kill(os.getpid(), signal.SIGKILL) if os.environ['RANK'] == '1' else time.sleep(5)\n"
    broken += "Work.commit = last\n"  # the first rank is slow, so that the second has a shard to die with
    (tmp_path / "broken.py").write_text(
        broken + "sys.argv = sys.argv\nrunpy.run_module('denoscope', run_name='__main__')"
    )
    killed = [part for part in command if part != "denoscope"]
    killed[killed.index("-m", 3)] = str(tmp_path / "broken.py")
    first = subprocess.run(killed, env=told, capture_output=True, text=True, timeout=120, check=False)
    assert first.returncode != 0 and f"Signal {signal.SIGKILL.value}" in first.stderr
    again = subprocess.run(command, env=told, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count('"recipes"') == 1
    assert values(Store(tmp_path)) == values(alone)
