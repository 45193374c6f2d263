"""Real actors of Ray, on this machine: what `test_pool.py` holds in one process holds in several."""

import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import denoscope as ds
from denoscope.core.errors import InputError, StoreError
from denoscope.interpret import interpret
from denoscope.pool import Pool
from squares import dictionary, samples, stored

ray = pytest.importorskip("ray", reason="needs denoscope[ray]; see `make nightly`")

ASKED: dict[str, Any] = {"sites": ["mid"], "timesteps": [50], "limit": 6, "shard_size": 2, "progress": False}
POOL = Pool(workers=2)


@pytest.fixture(scope="module")
def buckets() -> Iterator[str]:
    """Address of a service that speaks S3, where `moto[server]` and `s3fs` are installed; else nothing."""
    if not all(map(find_spec, ("moto", "s3fs"))):
        yield ""
        return
    server = importlib.import_module("moto.server").ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    told = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        yield told["AWS_ENDPOINT_URL"]
    server.stop()


@pytest.fixture(scope="module", autouse=True)
def cluster(buckets: str) -> Iterator[None]:
    """One cluster for all tests; its actors learn of the classes here by value."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


class Work:
    """Squares; `marks` is a folder where deaths and tries are noted."""

    def __init__(self, marks: Path, what: str = "") -> None:
        self.marks, self.what = marks, what

    def __call__(self) -> Callable[[int], int]:
        """In an actor."""
        if self.what == "refuses":
            raise StoreError("no such thing here")
        return self.do

    def do(self, number: int) -> int:
        """One part."""
        mark = self.marks / f"{number}"
        if number == 3 and self.what == "breaks":
            raise StoreError("no space left for part 3")
        if number == 3 and self.what == "foreign":
            raise ZeroDivisionError("by nothing")
        if number % 4 == 1 and (self.what == "always dies" or (self.what == "dies once" and not mark.exists())):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number**2


def test_parts_of_actors_that_die_are_done_by_others(tmp_path: Path) -> None:
    """Two parts kill their actor the first time; every answer comes once."""
    found = list(POOL.each(Work(tmp_path, "dies once"), range(8)))
    assert sorted(found) == [(number, number**2) for number in range(8)]
    assert len(list(tmp_path.iterdir())) == 2


def test_parts_that_always_kill_their_actor_are_given_up(tmp_path: Path) -> None:
    """The others are done, then one line tells how many are left and why."""
    done = set()
    with pytest.raises(InputError, match=r"actors died 3 times over, with 1 of 3 parts left, .*(died|unavailable)"):
        for number, _ in POOL.each(Work(tmp_path, "always dies"), range(3)):
            done.add(number)
    assert done == {0, 2}


@pytest.mark.parametrize("what", ["breaks", "refuses", "foreign"])
def test_errors_come_home(tmp_path: Path, what: str) -> None:
    """Ours as they are; another's with what it said in the actor."""
    kind = ZeroDivisionError if what == "foreign" else StoreError
    with pytest.raises(kind) as told:
        list(POOL.each(Work(tmp_path, what), range(6)))
    notes = "".join(getattr(told.value, "__notes__", ()))
    assert ("In an actor" in notes and "in do" in notes) == (what == "foreign")


@pytest.mark.parametrize("data", ["spec", "samples"])
def test_a_store_behind_a_url_is_that_of_one_process(tmp_path: Path, data: str) -> None:
    """`local://` is the disk as fsspec sees it: no rename, no lock, no memory map."""
    scenes: Any = "menagerie:test" if data == "spec" else [ds.open_data("menagerie:test", 6)[i] for i in range(6)]
    one = ds.extract("toy-sd15", scenes, out=tmp_path / "one", **ASKED)
    several = ds.extract("toy-sd15", scenes, out=f"local://{tmp_path}/several", pool=POOL, **ASKED)
    assert several.complete and several.ids == one.ids and several.facts() == one.facts()
    assert [recipe.digest for recipe in several.recipes] == [recipe.digest for recipe in one.recipes]
    assert several.get("mid").numpy().tobytes() == one.get("mid").numpy().tobytes()


def test_a_store_in_a_bucket_is_that_of_one_process(tmp_path: Path, buckets: str) -> None:
    """Actors write whole objects to S3; what is missing there is made by a second call, and nothing else."""
    if not buckets:
        pytest.skip("needs moto[server] and s3fs")
    files = importlib.import_module("s3fs").S3FileSystem()
    files.mkdir("runs")
    one = ds.extract("toy-sd15", "menagerie:test", out=tmp_path / "one", **ASKED)
    ds.extract("toy-sd15", "menagerie:test", out="s3://runs/first", pool=POOL, **ASKED)
    lost, kept, _ = sorted(files.glob("runs/first/*/shards/*.safetensors"))
    files.rm(lost)
    when = files.info(kept)["LastModified"]
    several = ds.extract("toy-sd15", "menagerie:test", out="s3://runs/first", pool=POOL, **ASKED)
    files.invalidate_cache()
    assert files.exists(lost) and files.info(kept)["LastModified"] == when
    assert several.complete and several.ids == one.ids and several.facts() == one.facts()
    assert [recipe.digest for recipe in several.recipes] == [recipe.digest for recipe in one.recipes]
    assert several.get("mid").numpy().tobytes() == one.get("mid").numpy().tobytes()


def test_an_interpretation_is_that_of_one_process(tmp_path: Path) -> None:
    """Scores, table, figures and notes."""
    store = stored(tmp_path / "s", 3.0)
    alone, pooled = (
        interpret(store, dictionary(), data=samples(), looked=6, save=False, pool=pool) for pool in (None, POOL)
    )
    assert [str(score) for score in alone.scores] == [str(score) for score in pooled.scores]
    assert alone.table.keys() == pooled.table.keys() and alone.figures == pooled.figures
    for name, column in alone.table.items():
        np.testing.assert_array_equal(column, pooled.table[name], err_msg=name)
