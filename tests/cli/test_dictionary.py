"""`denoscope dictionary`: every action once, and one line where something is wrong."""

import json
from typing import Any

import pytest

from denoscope.cli import main
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.formats import format_of
from squares import dictionary, samples, stored


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Any:
    """A planted dictionary, and a store of planted squares."""
    place = tmp_path_factory.mktemp("planted")
    stored(place / "store", 3.0)
    dictionary().save(place / "made")
    return place


def said(capsys, *words: Any) -> str:
    """What a command that succeeds prints."""
    assert main(["dictionary", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_info_and_convert_there_and_back(folder, tmp_path, capsys) -> None:
    """Through SAELens' files and back, with where it was learned."""
    assert "topk  12 atoms of 12 channels  (denoscope)" in said(capsys, "info", folder / "made")
    assert "denoscope -> sae_lens" in said(capsys, "convert", folder / "made", tmp_path / "lens", "--to", "sae_lens")
    assert format_of(tmp_path / "lens") == "sae_lens"
    told = json.loads(said(capsys, "info", tmp_path / "lens", "--json"))
    assert told["format"] == "sae_lens" and told["site"] == "mid" and told["condition"]["timestep"] == 50
    said(capsys, "convert", tmp_path / "lens", tmp_path / "back", "--site", "up.1")
    assert str(load_dictionary(tmp_path / "back").site) == "up.1"
    assert "| atoms | 12 directions" in said(capsys, "card", folder / "made")


def test_push_says_where_it_went(folder, capsys, monkeypatch) -> None:
    """With what was asked for."""
    asked: dict[str, Any] = {}

    def put(made: Any, repo: str, **options: Any) -> str:
        asked.update(options, repo=repo, atoms=len(made.atoms))
        return "http://there/me/topk"

    monkeypatch.setattr("denoscope.dictionaries.hub.push", put)
    assert "http://there/me/topk" in said(capsys, "push", folder / "made", "me/topk", "--private", "--licence", "mit")
    assert asked == {"repo": "me/topk", "atoms": 12, "private": True, "licence": "mit", "revision": None}


def test_codes_and_exports(folder, tmp_path, capsys) -> None:
    """Kept codes serve the export."""
    made, store = folder / "made", folder / "store"
    assert "150 images" in said(capsys, "codes", made, store, tmp_path / "codes", "--no-progress")
    there = said(
        capsys, "export", made, store, tmp_path, "--to", "delphi", "--codes", tmp_path / "codes", "--no-progress"
    )
    assert there.startswith("delphi") and (tmp_path / "mid" / "config.json").exists()
    said(capsys, "export", made, store, tmp_path, "--no-pictures", "--examples", "2", "--no-progress")
    assert (tmp_path / "planted" / "0-topk" / "features" / "batch-0.jsonl.gz").exists()
    assert len(samples()) == 150


@pytest.mark.parametrize(
    ("words", "complaint"),
    [(["inf", "x"], "no action 'inf'; did you mean info"), (["info", "nowhere"], "as it does not exist"),
     (["convert", "x", "y", "--to", "saelens"], "did you mean sae_lens"), (["card", "hf://topk"], "hf://OWNER/NAME")],
)  # fmt: skip
def test_one_line_where_something_is_wrong(words, complaint, capsys) -> None:
    """And status 2."""
    assert main(["dictionary", *words]) == 2
    told = capsys.readouterr().err
    assert complaint in told and told.count("\n") == 1
