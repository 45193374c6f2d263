"""A dictionary's folder: complete or refused, told apart from others', and the same after a way over the Hub."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denoscope.core.errors import InputError, StoreError
from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.card import card_of
from denoscope.dictionaries.formats import write_dictionary
from denoscope.dictionaries.hub import fetched, push
from denoscope.dictionaries.itda import ITDA
from denoscope.dictionaries.topk import TopK
from hub import running

X = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32)


def learned() -> TopK:
    """With a report and a record of where it was learned."""
    made = TopK(atoms=8, k=2, cells=600, batch=100, device="cpu").fit([X])
    made.about = {"site": "up.1", "condition": {"timestep": 50}, "recipe": "0123456789abcdef",
                  "model": {"name": "sd15", "repo": "some/model", "revision": "abc"}}  # fmt: skip
    scores = (
        Score("FVU", 0.25, 0.2, 0.3, 40, over="images"),
        Score("dead atoms", 0.1, 0.1, 0.1, 8, "share", over="atoms"),
    )
    made.report = Report("learn-topk", {}, scores, {"recipe": "01"}, Origin.now(3.0), notes=("Of held-out images.",))
    return made


def test_a_folder_tells_what_it_was_made_of(tmp_path) -> None:
    """`origin.json`: what ran, the base model, and the shape of each weight."""
    made = learned()
    made.save(tmp_path)
    told = json.loads((tmp_path / "origin.json").read_text())
    assert told["base"]["repo"] == "some/model" and told["weights"]["encoder"] == [8, 6]
    assert told["origin"]["seconds"] == 3.0 and told["origin"]["versions"]["denoscope"]
    modes = {(tmp_path / name).stat().st_mode for name in ("config.json", "dictionary.safetensors")}
    assert len(modes) == 1  # whoever may read the one may read the other
    again = load_dictionary(tmp_path)
    assert again.about == made.about and again.report is not None and again.report["FVU"].n == 40
    np.testing.assert_array_equal(again.encode(X), made.encode(X))


def test_damaged_and_half_written_folders_are_refused(tmp_path) -> None:
    """A weight that is cut off, lacks or has another shape, another format's version, and a save that was stopped."""
    made = learned()
    made.save(tmp_path)
    weights = (tmp_path / "dictionary.safetensors").read_bytes()
    (tmp_path / "dictionary.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(StoreError, match=r"is damaged or half written .*; learn or copy it again"):
        load_dictionary(tmp_path)
    for change, words in (({"encoder": None}, r"encoder \(8, 6\) is missing"),
                          ({"atoms": made.atoms[:4]}, r"atoms \(8, 6\) has shape \(4, 6\)")):  # fmt: skip
        other = TopK(atoms=8, k=2)
        other.weights = {name: array for name, array in {**made.weights, **change}.items() if array is not None}
        origin = (tmp_path / "origin.json").read_text()
        other.save(tmp_path)
        (tmp_path / "origin.json").write_text(origin)
        with pytest.raises(StoreError, match=words):
            load_dictionary(tmp_path)
    made.save(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(StoreError, match="no dictionary in"):
        load_dictionary(tmp_path)
    made.save(tmp_path)
    told = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(told | {"format": 99}))
    with pytest.raises(StoreError, match="format version 99; this denoscope reads version 1"):
        load_dictionary(tmp_path)


def test_what_lies_there_instead_is_told(tmp_path) -> None:
    """Another package's files, a folder that holds dictionaries, and a name that might be meant for the Hub."""
    made = learned()
    with pytest.raises(StoreError, match=r"in the format of sae_lens; read it with: denoscope dictionary convert"):
        load_dictionary(write_dictionary(made, tmp_path / "theirs", "sae_lens"))
    made.save(tmp_path / "store" / "dictionaries" / "abc")
    with pytest.raises(StoreError, match=r"did you mean .*dictionaries/abc\?"):
        load_dictionary(tmp_path / "store")
    with pytest.raises(StoreError, match=r"does not exist; one of the Hub is written hf://someone/topk"):
        load_dictionary("someone/topk")


def test_there_and_back_over_the_hub(tmp_path, monkeypatch) -> None:
    """Pushed with a card and fetched again, at a branch as well; cells keep their birthplaces."""
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # the suite runs offline; this Hub is here
    made = learned()
    cells = ITDA(atoms=8, k=2, cells=300, device="cpu").fit([X])
    with running() as hub:
        where: dict[str, Any] = {"endpoint": hub.address, "token": "secret"}
        address = push(made, "me/topk", licence="apache-2.0", private=True, **where)
        assert address.startswith(f"{hub.address}/me/topk/commit/") and hub.private["me/topk"]
        card = hub.at("me/topk", "main")[1]["README.md"].decode()
        assert card == card_of(made, "me/topk", "apache-2.0")
        push(cells, "me/cells", **where)
        push(cells, "me/cells", **where)  # a second time nothing is in the way
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
        again = load_dictionary(fetched("hf://me/topk", endpoint=hub.address))
        commit = hub.heads["me/topk"]["main"]
        assert fetched(f"hf://me/topk@{commit}", endpoint=hub.address).name == commit
        assert not (fetched("hf://me/topk", endpoint=hub.address) / "README.md").exists()
        found = load_dictionary(fetched("hf:/me/cells", endpoint=hub.address))
        with pytest.raises(
            InputError, match=r"hf://me/nothing cannot be had: .*; fetch it with: hf download me/nothing"
        ):
            fetched("hf://me/nothing", endpoint=hub.address)
        with pytest.raises(InputError, match=r"me/topk cannot be written: .*; log in with: hf auth login"):
            push(made, "me/topk", endpoint=hub.address, token="wrong")
    np.testing.assert_array_equal(again.encode(X), made.encode(X))
    assert again.report is not None and again.about == made.about
    assert isinstance(found, ITDA) and getattr(found, "births", None) == getattr(cells, "births", 0)
    assert fetched("hf://me/topk", local_only=True, endpoint=hub.address).exists()
    for wrong in ("hf://topk", "hf://a/b/c"):
        with pytest.raises(InputError, match="hf://OWNER/NAME"):
            load_dictionary(wrong)
    with pytest.raises(InputError, match="OWNER/NAME"):
        push(made, "topk")


def test_a_card_says_what_is_known_and_no_more() -> None:
    """Base model, site, scores with intervals and n, how to load it; without a report it says so."""
    made = learned()
    card = card_of(made, "me/topk")
    for words in ("base_model: some/model", "| site | `up.1` |", "| FVU | 0.25 [0.2, 0.3] | 40 images |", "timestep 50",
                  'load_dictionary("hf://me/topk")', "| k | 2 |", "Of held-out images."):  # fmt: skip
        assert words in card
    assert "license" not in card and "license: mit" in card_of(made, "me/topk", "mit")
    made.report, made.about = None, {}
    bare = card_of(made, "me/topk")
    assert "Not measured" in bare and "| site | not told |" in bare and "base_model" not in bare
    assert str(Path.home()) not in card
