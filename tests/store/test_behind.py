"""Shards that another thread writes: one behind, claimed until they are there, their errors told."""

import threading

import pytest

from denoscope.core.errors import StoreError
from denoscope.extract import extract
from denoscope.store import Keep, Store
from denoscope.store.behind import Behind
from denoscope.store.writer import Work
from fakes import FakeModel, Pictures

OPTIONS = {"sites": "*", "timesteps": 50, "shard_size": 4, "keep": Keep(dtype="fp32"), "progress": False}


def test_the_next_shard_is_made_while_one_is_written(tmp_path, monkeypatch):
    """The writer is held up until the model has begun the second shard; a claim lies there all the while."""
    begun, genuine, claims = threading.Event(), Work.commit, []

    def commit(self, *arguments):
        if self.name == "00000":
            assert begun.wait(60)
            claims.extend(path.name for path in tmp_path.rglob("*.claim"))
        genuine(self, *arguments)

    class Telling(FakeModel):
        def values(self, batch, frames, site, condition):
            if batch[0].id == "picture-4":
                begun.set()
            return super().values(batch, frames, site, condition)

    monkeypatch.setattr(Work, "commit", commit)
    store = extract(Telling(), Pictures(12), out=tmp_path, **OPTIONS)
    assert sorted(claims) == ["00000.claim", "00001.claim"] and not list(tmp_path.rglob("*.claim"))
    assert store.ids == tuple(f"picture-{i}" for i in range(12))


def test_an_error_of_the_thread_is_told(tmp_path, monkeypatch):
    """Of a shard in the middle and of the very last one; what was finished stays, no claim is left."""
    genuine = Work.commit
    for broken in ("00001", "00002"):

        def commit(self, *arguments, broken=broken):
            if self.name == broken:
                raise StoreError("no space left")
            genuine(self, *arguments)

        monkeypatch.setattr(Work, "commit", commit)
        with pytest.raises(StoreError, match="no space left"):
            extract(FakeModel(), Pictures(12), out=tmp_path / broken, **OPTIONS)
        assert not list((tmp_path / broken).rglob("*.claim"))
        monkeypatch.setattr(Work, "commit", genuine)
        assert len(extract(FakeModel(), Pictures(12), out=tmp_path / broken, **OPTIONS).ids) == 12


def test_the_first_error_is_the_one_that_is_told(tmp_path, monkeypatch, caplog):
    """When the model fails while a write fails too, the model's error comes out and the other is logged."""

    class Failing(FakeModel):
        def values(self, batch, frames, site, condition):
            if batch[0].id == "picture-4":
                raise KeyboardInterrupt
            return super().values(batch, frames, site, condition)

    def commit(self, *arguments):
        raise StoreError("no space left")

    monkeypatch.setattr(Work, "commit", commit)
    with pytest.raises(KeyboardInterrupt):
        extract(Failing(), Pictures(12), out=tmp_path, **OPTIONS)
    assert "a shard was lost as well: no space left" in caplog.text


def test_at_most_one_waits():
    """A third shard is not taken before the first is written, so that memory holds two."""
    inside, most = [], []

    class Slow:
        def __init__(self, name: str) -> None:
            self.name = name

        def hand_over(self) -> None:
            inside.append(self.name)
            most.append(len(inside))

        def commit(self, *arguments) -> None:
            threading.Event().wait(0.02)
            inside.remove(self.name)

        def release(self) -> None:
            assert self.name not in inside

    with Behind() as behind:
        for number in range(5):
            behind.commit(Slow(str(number)), [], {}, "cpu")
    assert most == [1] * 5 and not inside


def test_pictures_are_read_ahead(tmp_path):
    """While the model works on a batch, the next pictures are read; those it never takes are not waited for."""
    read, seen = threading.Event(), []

    class Watched(Pictures):
        def __getitem__(self, index):
            if index == 7:
                read.set()
            return super().__getitem__(index)

    class Patient(FakeModel):
        def values(self, batch, frames, site, condition):
            seen.append(read.wait(60))
            return super().values(batch, frames, site, condition)

    extract(Patient(), Watched(8), out=tmp_path, **{**OPTIONS, "shard_size": 8}, batch_size=2)
    assert all(seen) and len(Store(tmp_path).ids) == 8
