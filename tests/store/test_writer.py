"""Writing under interruption, company and want of space."""

import errno
import json
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from denoscope.core.condition import Condition
from denoscope.core.errors import StoreError
from denoscope.core.recipe import Recipe
from denoscope.extract import extract
from denoscope.store import Keep, Store, writer
from denoscope.store.claims import Claims
from denoscope.store.place import Place
from fakes import FakeModel, Pictures

COUNT = 40
fork = multiprocessing.get_context("fork") if hasattr(os, "fork") else None
needs_fork = pytest.mark.skipif(fork is None, reason="processes are forked")


def run(folder: Path, model: FakeModel | None = None, **options) -> Store:
    """Extract forty pictures of two sizes."""
    options = {"keep": Keep(dtype="fp32"), "shard_size": 4, "progress": False} | options
    return extract(model or FakeModel(), Pictures(COUNT, ((16, 16), (9, 24))), "*", [0, 50], out=folder, **options)


def shards(folder: Path) -> list[Path]:
    """Finished shards."""
    return sorted(folder.glob("*/shards/*.safetensors"))


def content(store: Store) -> dict[str, object]:
    """SHA-256 of every tensor, and the rows: everything but when and where it was written."""
    volume = store.volumes[0]
    tensors = {
        (name, key): fact["sha256"] for name, s in volume.shards.items() for key, fact in s.metadata["tensors"].items()
    }
    return {"tensors": tensors, "rows": volume.table.columns(), "recipe": volume.recipe.digest}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, object]:
    """What an undisturbed run makes."""
    return content(run(tmp_path_factory.mktemp("whole")))


def wait_for(condition, seconds: float = 120.0) -> None:
    """Look every 10 ms until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.01)


@needs_fork
@pytest.mark.parametrize("finished", [0, 1, 4])
def test_kill_9_loses_only_the_shard_in_flight(tmp_path, whole, finished):
    """Killed at any moment, a store is valid with what was finished; run again, it ends as if never interrupted."""
    process = fork.Process(target=run, args=(tmp_path, FakeModel(delay=0.03)))
    process.start()
    wait_for(lambda: len(shards(tmp_path)) >= finished and list(tmp_path.glob("*/shards")))
    time.sleep(0.02 * finished)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    done = len(shards(tmp_path))
    assert not done or not Store(tmp_path).complete
    assert finished <= done < COUNT // 4
    if done:
        for batch in Store(tmp_path).batches("up.1", timestep=50, size=100):
            assert np.isfinite(batch.values).all()
    model = FakeModel()
    resumed = run(tmp_path, model)
    assert content(resumed) == whole and resumed.complete
    assert len(model.seen) == COUNT - 4 * done, "finished shards are not made again"
    assert not list(tmp_path.glob("*/shards/*.claim")) and not list(tmp_path.rglob("*.tmp"))


@needs_fork
def test_two_writers_share_the_work(tmp_path, whole):
    """Two processes on one store do each shard once between them, and both come back with the whole."""
    queue = fork.Queue()

    def work() -> None:
        model = FakeModel(delay=0.02)
        queue.put((content(run(tmp_path, model)) == whole, len(model.seen)))

    processes = [fork.Process(target=work) for _ in range(2)]
    for process in processes:
        process.start()
    (first_whole, first), (second_whole, second) = queue.get(timeout=120), queue.get(timeout=120)
    for process in processes:
        process.join()
    assert first_whole and second_whole
    assert first + second == COUNT and min(first, second) > 0


def test_two_writers_of_one_shard_do_no_harm(tmp_path, whole):
    """Where claims fail, as on remote stores, the same work is done twice and the first file stays."""
    store = Store(tmp_path, create=True)
    recipe = Recipe({}, {"name": "x"}, {}, ("mid",), (Condition(timestep=50).to_dict(),), Keep().to_dict())
    model, data = FakeModel(), [Pictures(4)[i] for i in range(4)]
    batches = list(model.stream(data, model.select("mid"), [Condition(timestep=50)], canvas=model.canvas()))
    works = [writer.Work(store.writer(recipe, writer.Plan(4, 4)), "00000", range(4)) for _ in range(2)]
    for work in works:
        for batch in batches:
            work.add(batch)
    works[0].commit(data, {})
    before = shards(tmp_path)[0].read_bytes()
    works[1].commit(data, {})
    assert shards(tmp_path)[0].read_bytes() == before


def test_no_space_leaves_a_valid_store(tmp_path, whole, monkeypatch):
    """A full disk ends the run with one line; finished shards are readable, and with space the run goes on."""
    calls = []

    def full(file, tensors, metadata):
        calls.append(1)
        if len(calls) > 3:
            file.write(b"half a shard")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written(file, tensors, metadata)

    written = writer.shard.write
    with monkeypatch.context() as patch:
        patch.setattr(writer.shard, "write", full)
        with pytest.raises(StoreError, match="No space left on device; what was finished before is kept") as caught:
            run(tmp_path)
    assert "\n" not in str(caught.value)
    assert len(shards(tmp_path)) == 3 and not list(tmp_path.rglob("*.tmp")) and not list(tmp_path.rglob("*.claim"))
    assert len(Store(tmp_path).ids) == 12
    assert content(run(tmp_path)) == whole


def test_the_kernel_refuses_to_write(tmp_path):
    """The same with a true refusal of the operating system (a limit on file size) instead of a staged one."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, old[1]))
    try:
        with pytest.raises(StoreError, match="File too large"):
            run(tmp_path, shard_size=8)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert not shards(tmp_path) and not list(tmp_path.rglob("*.tmp"))
    assert len(run(tmp_path, shard_size=8).ids) == COUNT


def test_claims_of_the_dead_are_void(tmp_path):
    """A claim holds while its owner lives and shows it; a dead or silent owner's shard is taken over."""
    folder = tmp_path / "shards"
    folder.mkdir()
    claims = Claims(Place(tmp_path), "shards", stale=30)
    claim = folder / "00000.claim"
    mine = {"host": socket.gethostname(), "pid": os.getpid()}
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for owner, held in [(mine, True), ({**mine, "pid": dead.pid}, False), ({"host": "elsewhere", "pid": 1}, True)]:
        claim.write_text(json.dumps(owner))
        assert claims.take("00000") != held
        if not held:
            claims.give("00000")
    claim.write_text(json.dumps(mine))
    os.utime(claim, (time.time() - 60,) * 2)
    assert claims.take("00000")
    os.utime(claim, (time.time() - 60,) * 2)
    claims.beat("00000")
    assert not Claims(Place(tmp_path), "shards", stale=30).take("00000")
    claims.give("00000")
    assert not claim.exists()


def test_an_error_gives_the_claim_back(tmp_path, whole):
    """When a run dies of an exception its claim goes with it, so that a resumed run need not wait."""

    class Failing(FakeModel):
        def values(self, batch, frames, site, condition):
            if batch[0].id == "picture-12":
                raise KeyboardInterrupt
            return super().values(batch, frames, site, condition)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Failing())
    assert len(shards(tmp_path)) == 3 and not list(tmp_path.rglob("*.claim"))
    assert content(run(tmp_path)) == whole


def test_the_first_plan_holds(tmp_path, whole):
    """A resumed run deals the samples out as the first did, whatever shard size it would choose itself."""
    run(tmp_path)
    shards(tmp_path)[-1].unlink()
    assert content(run(tmp_path, shard_size=7)) == whole


def test_halves_of_killed_writers_are_swept(tmp_path):
    """Of shards and of the index alike, once everything is there; whoever was writing the same is not disturbed."""
    store = run(tmp_path)
    place = store.volumes[0].place
    folder = tmp_path / store.recipes[0].digest
    for half in (folder / ".index.parquet.0123abcd.tmp", folder / "shards" / ".00000.safetensors.0123abcd.tmp"):
        half.write_bytes(b"half")
    store.writer(store.recipes[0], store.plan(store.recipes[0])).finish()
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".tmp", ".claim")]

    def fill(file):
        file.write(b"the same")
        for path in folder.glob(".*.tmp"):
            path.unlink()

    before = (folder / "index.parquet").read_bytes()
    assert place.write("index.parquet", fill) is False and (folder / "index.parquet").read_bytes() == before
