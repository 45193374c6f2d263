"""Actors of a pool do the parts of some work, in this process; Ray itself is met in `test_pool_ray.py`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import denoscope as ds
from denoscope import filling, pool
from denoscope.core.errors import InputError, MissingPackage
from denoscope.models.loading import wrap
from denoscope.models.toys import toy
from denoscope.pool import Pool
from inlined import inlined

ASKED: dict[str, Any] = {"sites": ["mid"], "timesteps": [50], "limit": 5, "shard_size": 2, "progress": False}


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Actors in this process; numbers of what they were asked for."""
    return inlined(monkeypatch)


@pytest.mark.parametrize("data", ["spec", "samples"])
def test_shards_are_those_of_one_process(tmp_path: Path, inline: list[int], data: str) -> None:
    """The same recipe, the same rows and the same values to the bit; what is there is not made again."""
    scenes: Any = "menagerie:test" if data == "spec" else [ds.open_data("menagerie:test", 5)[i] for i in range(5)]
    one = ds.extract("toy-sd15", scenes, out=tmp_path / "one", **ASKED)
    several = ds.extract("toy-sd15", scenes, out=tmp_path / "several", pool=Pool(workers=2), **ASKED)
    assert inline == [0, 1, 2]
    assert [recipe.digest for recipe in several.recipes] == [recipe.digest for recipe in one.recipes]
    assert several.ids == one.ids
    assert several.get("mid").numpy().tobytes() == one.get("mid").numpy().tobytes()
    shard = next((tmp_path / "several").rglob("00001.safetensors"))
    shard.unlink()
    ds.extract("toy-sd15", scenes, out=tmp_path / "several", pool=Pool(workers=2), **ASKED)
    assert inline == [0, 1, 2, 1] and shard.exists()


def test_the_store_may_be_a_url(tmp_path: Path, inline: list[int]) -> None:
    """A store behind fsspec that actors find by its URL holds what a folder holds."""
    one = ds.extract("toy-sd15", "menagerie:test", out=tmp_path, **ASKED)
    remote = ds.extract("toy-sd15", "menagerie:test", out="memory://pool/store", pool=Pool(workers=2), **ASKED)
    assert inline == [0, 1, 2] and remote.complete
    assert [recipe.digest for recipe in remote.recipes] == [recipe.digest for recipe in one.recipes]
    assert remote.ids == one.ids and remote.facts() == one.facts()
    assert remote.get("mid").numpy().tobytes() == one.get("mid").numpy().tobytes()


def test_a_node_that_holds_something_else_is_refused(tmp_path: Path, inline: list[int], monkeypatch) -> None:
    """Another model under the same name, other samples under the same spec, and no store, end the work at once."""
    from denoscope.models import loading

    genuine = loading.load
    with monkeypatch.context() as patch:
        patch.setattr(filling, "open_data", lambda spec, limit: ds.open_data("menagerie:train", limit))
        with pytest.raises(InputError, match="sees other samples of menagerie:test"):
            ds.extract("toy-sd15", "menagerie:test", out=tmp_path / "a", pool=Pool(workers=1), **ASKED)
    with monkeypatch.context() as patch:
        patch.setattr(filling.Place, "exists", lambda self, name="": False)
        patch.setattr(filling.Writer, "left", lambda self: [0])
        with pytest.raises(InputError, match=r"does not see .*give a folder that all nodes share"):
            ds.extract("toy-sd15", "menagerie:test", out=tmp_path / "c", pool=Pool(workers=1), **ASKED)
    model = ds.load("toy-sd15")
    monkeypatch.setattr(loading, "load", lambda **asked: genuine("toy-sd21"))
    with pytest.raises(InputError, match="another toy-sd15"):
        ds.extract(model, "menagerie:test", out=tmp_path / "b", pool=Pool(workers=1), **ASKED)


def test_parts_of_ones_own_are_refused(tmp_path: Path, inline: list[int]) -> None:
    """Actors load the model by its name."""
    with pytest.raises(InputError, match="load"):
        ds.extract(wrap(toy("toy-sd15")), "menagerie:test", out=tmp_path, pool=Pool(), **ASKED)


@pytest.mark.parametrize("held", [0, 2, 32])
def test_answers_in_order(inline: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, held: int) -> None:
    """Parts that are finished early wait for their turn, in memory or on disk, where nothing is left."""
    monkeypatch.setattr(pool, "_HELD", held)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert list(Pool(workers=3).ordered(_Squares(), 7)) == [n**2 for n in range(7)]
    assert not list(tmp_path.iterdir())


class _Squares:
    """Some work."""

    def __call__(self) -> Callable[[int], int]:
        return _square


def _square(number: int) -> int:
    return number**2


def test_faults_of_a_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No actors, fewer at most than at least, negative shares, and Ray that is not there."""
    for wrong in ({"workers": 0}, {"workers": 4, "most": 2}, {"gpus": -1.0}):
        with pytest.raises(InputError):
            Pool(**wrong)
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingPackage, match=r"denoscope\[ray\]"):
        ds.extract("toy-sd15", "menagerie:test", out=tmp_path, pool=Pool(), **ASKED)
