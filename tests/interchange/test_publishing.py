"""There and back over the Hub's stand-in: stores, reports, cards, dictionaries and converted data sets."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import denoscope as ds
from denoscope.cli import main
from denoscope.core.errors import InputError, StoreError
from denoscope.core.hub import Address
from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score
from denoscope.dictionaries.pca import PCA
from denoscope.extract import extract
from denoscope.interchange.converting import convert
from denoscope.interchange.publishing import kind_of, pull, push
from denoscope.store import Keep, Store
from denoscope.store.writer import Plan
from fakes import FakeModel, Pictures
from hub import TOKEN, Hub, running

REPO, ADDRESS = "me/acts", "hf://datasets/me/acts"


def report() -> Report:
    """With a table, a figure, a note and the command that makes it."""
    scores = (Score("accuracy", 0.5, 0.4, 0.6, 40, "share", over="images"),)
    return Report("probe", {"site": "up.1"}, scores, {"recipe": "01"}, Origin.now(3.0), {"site": ["up.1"]},
                  {"Accuracy": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}, ("Of held-out images.",),
                  ("denoscope evaluate probe runs/x",))  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Ten pictures in three shards, and a report."""
    made = extract(FakeModel(), Pictures(10), ["*"], [0, 50], out=tmp_path_factory.mktemp("s") / "store",
                   keep=Keep(dtype="fp32"), shard_size=4, progress=False)  # fmt: skip
    made.save(report(), "probe-1")
    return made


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub that takes large files apart, where the Hub's client looks for the real one."""
    with running(large=True) as made:
        for name, value in {"HF_HUB_OFFLINE": False, "HF_HUB_DISABLE_XET": True, "ENDPOINT": made.address,
                            "HF_HUB_DISABLE_PROGRESS_BARS": True, "HF_HUB_CACHE": str(tmp_path / "cache"),
                            "HUGGINGFACE_CO_URL_TEMPLATE": made.address + "/{repo_id}/resolve/{revision}/{filename}",
                            }.items():  # fmt: skip
            monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield made


def files(hub: Hub, repo: str = "datasets/me/acts") -> dict[str, bytes]:
    """What a repository holds."""
    return hub.at(repo, "main")[1]


def test_a_store_is_read_from_the_hub_by_parts(store, hub) -> None:
    """Pushed whole with a card; opened there, only the bytes of the tensors that are asked for come over."""
    address = push(store, REPO, private=True, licence="cc-by-4.0")
    assert address.startswith(f"{hub.address}/datasets/me/acts/commit/") and hub.private["datasets/me/acts"]
    digest = store.recipes[0].digest
    folder = Path(store.place.url)
    there = files(hub)
    assert all(there[path] == (folder / path).read_bytes() for path in there if path != "README.md")
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {*there} - {
        "README.md"
    }
    far = Store(ADDRESS)
    assert far.recipes == store.recipes and far.complete and far.ids == store.ids and far.facts() == store.facts()
    hub.ranges.clear()
    found = far.get("mid", timestep=50, ids=["picture-5"])
    np.testing.assert_array_equal(found.values, store.get("mid", timestep=50, ids=["picture-5"]).values)
    assert hub.ranges and all(one.startswith(f"{digest}/shards/00001.safetensors ") for one in hub.ranges)
    asked = sum(int(one.split("-")[-1]) - int(one.split("=")[1].split("-")[0]) + 1 for one in hub.ranges)
    assert asked < 0.5 * len(there[f"{digest}/shards/00001.safetensors"])
    assert far.report("probe-1")["accuracy"].value == 0.5 and far.find(category="cat") == store.find(category="cat")


def test_what_cannot_be_written_there_is_kept_in_hand(store, hub, caplog) -> None:
    """A report on a store of the Hub is told to be kept elsewhere; values are refused with the way to go."""
    push(store, REPO)
    far = Store(ADDRESS)
    assert far.save(report()).startswith("probe-") and "is only read" in caplog.text
    with pytest.raises(StoreError, match="only read here; fill a folder, then: denoscope push FOLDER OWNER/NAME"):
        far.put([store.get("mid", timestep=50)])
    with pytest.raises(StoreError, match="where it is private: hf auth login"):
        Store("hf://datasets/me/nothing")


def test_an_interrupted_push_goes_on(store, hub, monkeypatch) -> None:
    """Commit by commit: until the last one no reader sees the recipe; nothing that is there is sent again."""
    monkeypatch.setattr("denoscope.core.hub._COMMIT_FILES", 1)
    hub.commits_allowed = 2
    with pytest.raises(InputError, match=r"me/acts cannot be written: .*Quota exceeded"):
        push(store, REPO)
    assert len(files(hub)) == 2 and not Store(ADDRESS).volumes
    sent, hub.commits_allowed = hub.puts, 1000
    push(store, REPO)
    assert (
        hub.puts - sent == 2 and Store(ADDRESS).complete
    )  # index and table; the third shard had come without a commit
    again, there = hub.commits, files(hub)
    push(store, REPO)
    assert (hub.commits, files(hub)) == (again, there)


def test_a_pulled_store_is_the_same(store, hub, tmp_path, capsys) -> None:
    """All of it or one recipe, at a revision, into a folder of its own; again it fetches nothing."""
    other = Store(tmp_path / "two", create=True)
    for one in (store, extract(FakeModel(), Pictures(3), "mid", 7, out=tmp_path / "b", progress=False)):
        for volume in one.volumes:
            other.put([one.get(site, condition) for site in volume.sites for condition in volume.conditions],
                      samples=[Pictures(10)[i] for i in range(10)])  # fmt: skip
    push(other, REPO)
    assert main(["pull", ADDRESS, str(tmp_path / "here")]) == 0
    assert capsys.readouterr().out == f"store  {tmp_path / 'here'}\n"
    near = Store(tmp_path / "here")
    assert {recipe.digest for recipe in near.recipes} == {recipe.digest for recipe in other.recipes}
    np.testing.assert_array_equal(near.get("mid", timestep=50).values, other.get("mid", timestep=50).values)
    assert pull(f"{ADDRESS}@{hub.heads['datasets/me/acts']['main']}", tmp_path / "here") == tmp_path / "here"
    digest = other.volumes[1].recipe.digest
    assert [recipe.digest for recipe in Store(pull(ADDRESS, recipe=digest[:6])).recipes] == [digest]
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").touch()
    for address, out, words in (
        (ADDRESS, tmp_path / "used", "holds something else"),
        ("me/acts", None, "hf://datasets/"),
        ("hf://datasets/me/nothing", tmp_path / "n", "cannot be had: .*--repo-type dataset"),
    ):
        with pytest.raises(InputError, match=words):
            pull(address, out)


def test_a_card_tells_what_lies_there(store, hub) -> None:
    """Recipe, model, sites, noise, facts, scores; how to read it with and without denoscope: and that code runs."""
    push(store, REPO, licence="cc-by-4.0")
    card = files(hub)["README.md"].decode()
    for words in ("license: cc-by-4.0", f"data_files: {store.recipes[0].digest}/index.parquet", "10 samples", "`up.1`",
                  "timestep=50", "| facts | `category`, `size` |", '"noise": "per_image"',
                  "| `probe-1` | accuracy 0.5 [0.4, 0.6] share | 40 images |",
                  'ds.Store("hf://datasets/me/acts")'):  # fmt: skip
        assert words in card
    assert str(Path.home()) not in card and "license:" not in _card_without_licence(store)
    session: dict[str, Any] = {}
    for code in [part.split("```")[0] for part in card.split("```python\n")[1:]]:
        exec(compile(code, "card", "exec"), session)
    np.testing.assert_array_equal(session["acts"].values, store.get("up.3", timestep=0).values)
    np.testing.assert_array_equal(
        session["values"], store.get("up.3", timestep=0, ids=[session["row"]["id"]]).values[0]
    )


def _card_without_licence(store: Store) -> str:
    from denoscope.store.hub import files_to_send

    return files_to_send(store.place, store.volumes)[-1].open().decode()  # pyright: ignore[reportAttributeAccessIssue]


def test_neither_token_nor_folders_of_this_machine_go_out(store, hub, monkeypatch, tmp_path) -> None:
    """The plan names a data set by its name, never by its folder; the token is in no file and no address."""
    monkeypatch.delenv("HF_TOKEN")
    volume = store.volumes[0]
    plan = json.loads((Path(volume.place.url) / "plan.json").read_text())
    for spec, told in (
        ("menagerie:test", "menagerie:test"),
        (f"folder:{tmp_path}", None),
        ("changed:x of folder:/a", None),
    ):
        (Path(volume.place.url) / "plan.json").write_text(json.dumps({**plan, "data": spec}))
        address = push(Store(store.place.url), REPO, token=TOKEN)
        assert json.loads(files(hub)[f"{volume.recipe.digest}/plan.json"])["data"] == told
    assert TOKEN not in address and not [path for path, data in files(hub).items() if TOKEN.encode() in data]
    (Path(volume.place.url) / "plan.json").write_text(json.dumps(plan))
    hub.closed.add("datasets/me/acts")
    with pytest.raises(InputError, match="cannot be had"):
        pull(ADDRESS, tmp_path / "closed")
    assert Store(pull(ADDRESS, tmp_path / "open", token=TOKEN)).complete


def test_reports_cards_dictionaries_and_converted_stores(store, hub, tmp_path, capsys) -> None:
    """Each with a page of its own, in a repository of its kind, told by its files; back it is what it was."""
    made = report()
    assert main(["push", str(made.save(tmp_path / "report")), "me/report", "--licence", "mit"]) == 0
    assert capsys.readouterr().out.startswith(hub.address)
    page = files(hub, "datasets/me/report")["README.md"].decode()
    for words in (
        "license: mit",
        "| accuracy | 0.5 [0.4, 0.6] share | 40 images |",
        "- Of held-out images.",
        "table.parquet",
    ):
        assert words in page
    again = Report.load(ds.pull("hf://datasets/me/report"))
    assert again.scores == made.scores and again.table == made.table and again.figures == made.figures
    card = tmp_path / "card"
    card.mkdir()
    for name, text in {
        "card.json": '{"model": "embedded"}',
        "card.md": "# Card",
        "card.html": "<p>",
        "work": "",
    }.items():
        (card / name).write_text(text)
    push(card, "me/card")
    assert sorted(files(hub, "datasets/me/card")) == ["README.md", "card.html", "card.json", "card.md"]
    assert "# Card" in files(hub, "datasets/me/card")["README.md"].decode()
    learned = PCA(atoms=4).fit([np.random.default_rng(0).normal(size=(300, 6))])
    learned.save(tmp_path / "pca")
    push(tmp_path / "pca", "me/pca")
    push(learned, "me/pca2")
    assert "me/pca" in hub.repos and kind_of(pull("hf://me/pca", tmp_path / "back")) == "dictionary"
    rows = convert(store, tmp_path / "rows", "datasets", sites="mid", progress=False)
    push(rows, "me/rows", licence="mit")
    page = files(hub, "datasets/me/rows")["README.md"].decode()
    assert 'load_dataset("me/rows"' in page and "license: mit" in page and "OWNER/NAME" not in page
    assert kind_of(pull("hf://datasets/me/rows", tmp_path / "rows2")) == "dataset"
    assert [kind_of(folder) for folder in (card, tmp_path / "report", store.place.url, tmp_path)] == [
        "card", "report", "store", None]  # fmt: skip


def test_commands_work_on_a_store_of_the_hub(hub, tmp_path, monkeypatch, capsys) -> None:
    """Evaluated where it lies, the report kept here; nothing is learned that would be lost; out of reach is told so."""
    monkeypatch.chdir(tmp_path)
    data = Pictures(24)
    made = extract(FakeModel(), data, "mid", 50, out="store", progress=False)
    push(made, REPO)
    asked = ["evaluate", "probe", ADDRESS, "--fact", "category", "--folds", "2", "--json"]
    assert main(asked) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    (kept,) = Path("runs/reports").iterdir()
    assert [score.name for score in Report.load(kept).scores] == [score["name"] for score in scores]
    assert main(["learn", "topk", ADDRESS, "--atoms", "4", "--k", "1"]) == 2
    assert "keeps no dictionaries; say where to save this one: --out" in capsys.readouterr().err
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert main(asked) == 2
    assert "cannot reach hf://datasets/me/acts: " in capsys.readouterr().err


def test_what_cannot_be_pushed_is_told(store, tmp_path) -> None:
    """No repository, no folder, nothing of ours, an unfinished store, something that is on the Hub already."""
    (tmp_path / "other").mkdir()
    for what, repo, words in (
        (store, "acts", "OWNER/NAME, not 'acts'"),
        (tmp_path / "none", REPO, "nothing lies at"),
        (tmp_path / "other", REPO, "holds no store, dictionary"),
        (ADDRESS, REPO, "on the Hub already"),
    ):
        with pytest.raises(InputError, match=words):
            push(what, repo)
    with pytest.raises(InputError, match="a licence is one word"):
        push(store, REPO, licence="cc by 4.0")
    begun = Store(tmp_path / "begun", create=True)
    begun.writer(replace(store.recipes[0], sites=("mid",)), Plan(10, 4))
    with pytest.raises(StoreError, match="has 0 of 3 shards; run the same extraction again, then push"):
        push(begun.refresh(), REPO)


def test_addresses() -> None:
    """What is an address, and of what; it is spelled as it was read."""
    for text in ("hf://me/x", "hf://datasets/me/x", "hf://datasets/me/x@refs/pr/1", "hf://me/x.y-z@v1.0"):
        assert str(Address.parse(text)) == text
    assert Address.parse("hf:/datasets/me/x/") == Address("me/x", "dataset")
    for text in ("hf://x", "me/x", "hf://datasets/x", "hf://spaces/me/x/y", "s3://me/x", "hf://me/x@"):
        assert Address.parse(text) is None
