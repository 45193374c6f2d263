"""Older stores: read as they are, brought up to date without loss, and refused where they are newer than we are."""

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from denoscope.core.errors import StoreError
from denoscope.extract import extract
from denoscope.store import Keep, Store
from denoscope.store import migrate as migrating
from denoscope.store.place import Place
from fakes import FakeModel, Pictures

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "format1.json").read_text())
"""What the denoscope that wrote the store of version 1 read from it: SHA-256 of values, frames, facts, skipped."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the store that an earlier denoscope wrote: pooled bf16, int8 grids, and one put by hand."""
    return Path(shutil.copytree(HERE / "format1", tmp_path / "old"))


def content(folder: Path) -> dict[str, object]:
    """All that an earlier denoscope told of its store."""
    store, values = Store(folder), {}
    for volume in store.volumes:
        for number, condition in enumerate(volume.conditions):
            found = store.get("mid", condition, recipe=volume.recipe)
            values[f"{volume.recipe.digest}|{number}"] = {
                "ids": list(found.ids),
                "sha256": sha256(found.values.tobytes()).hexdigest(),
                "frames": [list(frame.values) for frame in found.frames],
            }
    return {"values": values, "skipped": store.skipped, "facts": store.facts()}


def files(folder: Path) -> dict[str, bytes]:
    """Every file by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_store_of_version_1_is_read_as_it_was(old: Path) -> None:
    """Values, frames, facts and what was skipped are what the denoscope that wrote it read."""
    assert Store(old).version == 1 and content(old) == EXPECTED
    assert Store(old).report("norms-old")["norm"].value == 1.5


def test_migration_changes_no_value_and_no_address(old: Path) -> None:
    """Shards, recipes and reports stay byte for byte; indexes and plans gain what version 2 tells."""
    before = files(old)
    steps = Store(old).migrate()
    after, store = files(old), Store(old)
    assert {step.file for step in steps} == {name for name in after if after[name] != before.get(name)}
    assert all("shards" not in step.file and "recipe" not in step.file for step in steps)
    assert store.version == 2 and content(old) == EXPECTED and not store.migrate()
    levels = {volume.recipe.digest: volume.plan.logsnrs for volume in store.volumes if volume.plan}
    assert levels == {"46e3a8ccdfa09f9b": (), "a3151a2f867710f1": (None, 0.5)}
    pooled = store.volume("46e3")
    assert pooled.table.skipped == {"photo-3": "cut short"}
    assert pooled.table.fact("category") is not None and pooled.table.fact("size") is not None
    assert pooled.table.fact("mixed") is None and pooled.table.fact("box") is None


def test_dry_run_writes_nothing(old: Path) -> None:
    """It names the files that a migration then writes."""
    before = files(old)
    steps = Store(old).migrate(dry_run=True)
    assert files(old) == before and len(steps) == 6
    assert [step.file for step in Store(old).migrate()] == [step.file for step in steps]


def test_a_model_tells_the_levels_of_an_old_plan(old: Path) -> None:
    """Log-SNRs of timesteps need the model; what the conditions name is kept."""
    Store(old).migrate()
    store = Store(old)
    told = store.migrate(levels=lambda volume: (2.0, 1.0) if len(volume.conditions) == 2 else ())
    assert [step.file for step in told] == ["46e3a8ccdfa09f9b/plan.json"]
    assert store.volume("46e3").plan.logsnrs == (2.0, 1.0)
    assert store.volume("a315").plan.logsnrs == (None, 0.5)


@pytest.mark.parametrize("count", range(6))
def test_killed_at_any_step(old: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """After any number of files the store reads as before, and the same call does the rest."""
    wanted = Path(shutil.copytree(old, old.with_name("whole")))
    Store(wanted).migrate()
    written = iter(range(count))
    put = Place.write

    def dying(self: Place, name: str, *rest: object, **more: object) -> bool:
        if next(written, None) is None:
            raise KeyboardInterrupt
        return put(self, name, *rest, **more)  # pyright: ignore[reportArgumentType]

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Place, "write", dying)
        Store(old).migrate()
    assert content(old) == EXPECTED
    Store(old).migrate()
    assert files(old) == files(wanted)


def test_damage_is_not_migrated(old: Path) -> None:
    """A shard that is lost or was changed is told, and nothing is written, as the old index is what knows of it."""
    shard = old / "46e3a8ccdfa09f9b" / "shards" / "00001.safetensors"
    raw = shard.read_bytes()
    shard.write_bytes(raw.replace(b"photo-5", b"photo-6"))
    before = files(old)
    with pytest.raises(StoreError, match="not the one that the index tells of"):
        Store(old).migrate()
    shard.unlink()
    with pytest.raises(StoreError, match="lacks shards that it had: 00001"):
        Store(old).migrate()
    assert {**before, str(shard.relative_to(old)): b""} == {**files(old), str(shard.relative_to(old)): b""}


def test_an_old_store_is_added_to(tmp_path: Path, old: Path) -> None:
    """What is read into it now lies beside the old, and both are migrated together."""
    options = {"timesteps": [50], "keep": Keep(dtype="fp32"), "progress": False}
    store = extract(FakeModel(), Pictures(3), "mid", out=old, **options)
    assert store.version == 1 and len(store.recipes) == 4 and not (old / "store.json").exists()
    store.migrate()
    assert store.version == 2 and len(store.refresh().recipes) == 4
    assert extract(FakeModel(), Pictures(3), "mid", out=tmp_path / "new", **options).version == 2


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("store.json", '{"version": 3}'),
        ("46e3a8ccdfa09f9b/plan.json", '{"samples": 6, "shard_size": 4, "format": 3}'),
    ],
)
def test_newer_versions_are_refused(old: Path, file: str, text: str) -> None:
    """In one line, with the version, what is read here, and what to do."""
    (old / file).write_text(text)
    with pytest.raises(
        StoreError, match=r"format version 3; this denoscope reads versions 1 to 2: pip install"
    ) as told:
        _ = Store(old).complete
    assert "\n" not in str(told.value) and os.fspath(old) in str(told.value)


def test_a_newer_index_is_refused(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for a damaged one."""
    monkeypatch.setattr("denoscope.store.index.FORMAT", 3)
    Store(old).migrate()
    monkeypatch.undo()
    (old / "store.json").unlink()
    with pytest.raises(StoreError, match="format version 3"):
        Store(old).find()


@pytest.mark.parametrize("text", ["", "[]", '{"version": "two"}', '{"version": 0}'])
def test_a_damaged_version_is_one_line(old: Path, text: str) -> None:
    """It says what to do."""
    (old / "store.json").write_text(text)
    with pytest.raises(StoreError, match="denoscope migrate"):
        Store(old)


def test_levels_by_name() -> None:
    """Only where every condition names its own or has no noise."""
    store = Store(HERE / "format1")
    assert migrating._named(store.volume("a315")) == (None, 0.5) and migrating._named(store.volume("46e3")) == ()
