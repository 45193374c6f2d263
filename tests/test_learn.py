"""`learn` streams a site's cells, measures on images that it held out, and keeps what it made."""

from hashlib import sha256

import numpy as np
import pytest

from denoscope.cli import main
from denoscope.core.errors import InputError, UnknownName
from denoscope.dictionaries.base import load_dictionary
from denoscope.learn import learn
from denoscope.store.store import Store
from planted import atoms, planted_store

QUICK = {"cells": 4000, "batch": 200, "progress": False}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """A code at `mid` under timestep 50, noise elsewhere."""
    return planted_store(tmp_path_factory.mktemp("store") / "planted")


def test_a_topk_dictionary_is_learned_measured_and_kept(store):
    """It explains held-out cells better than chance atoms, knows its site, and lies in the store."""
    found = learn(store, "topk", site="mid", atoms=12, k=2, lr=0.01, **QUICK)
    report = found.report
    assert str(found.site) == "mid"
    assert found.about["condition"]["timestep"] == 50
    assert report["FVU"].high < report["FVU, random atoms"].value
    assert report["FVU"].value < 0.6
    assert report["FVU, mean"].value == pytest.approx(1.0, abs=0.2)
    assert report["FVU"].n == 6
    assert report["L0"].value <= 2
    assert report.inputs == {"recipe": store.recipes[0].digest}
    assert len(report.table["atom"]) == 12
    kept = [name for name in store.reports if name.startswith("learn-topk")]
    again = load_dictionary(store.place.path(f"dictionaries/{kept[0]}"))
    assert (again.atoms == found.atoms).all()
    assert again.report is not None and again.report.scores == report.scores


def test_components_span_the_planted_code(store, tmp_path):
    """The two largest components hold the differences of the three category directions."""
    found = learn(store, "pca", site="mid", atoms=2, out=tmp_path / "d", progress=False)
    differences = atoms()[1:3] - atoms()[:1]
    kept = np.linalg.norm(differences @ found.atoms.T, axis=1) / np.linalg.norm(differences, axis=1)
    assert kept.min() > 0.98
    assert found.report["FVU"].low < 0.6
    assert (tmp_path / "d" / "config.json").exists()


def test_fvu_is_its_formula(store):
    """Against numpy on all cells of the held-out images at once."""
    found = learn(store, "pca", site="up.1", atoms=4, held_out=0.5, progress=False)
    ids = sorted(store.ids, key=lambda name: sha256(name.encode()).digest())[:30]
    x = store.get("up.1", timestep=50, ids=ids).tokens().numpy().reshape(-1, 16).astype(np.float64)
    error = np.square(x - found.decode(found.encode(x.astype(np.float32)))).sum()
    assert found.report["FVU"].value == pytest.approx(error / np.square(x - x.mean(axis=0)).sum(), rel=1e-5)


def test_one_held_out_image_is_said_to_give_no_interval(store, caplog):
    """With how to hold more out."""
    for share, said in ((0.01, 1), (0.5, 0)):
        caplog.clear()
        learn(store, "pca", site="mid", held_out=share, atoms=2, progress=False)
        assert sum("--held-out 0.3" in record.message for record in caplog.records) == said


def test_bad_input_is_refused_with_the_nearest_name(store):
    """Unknown dictionary, setting and site; shares that hold out nothing or everything."""
    for asked, words in (
        ({"dictionary": "topq", "site": "mid"}, "did you mean topk"),
        ({"dictionary": "topk", "site": "mid", "atom": 3}, "did you mean atoms"),
        ({"dictionary": "topk", "site": "up.11"}, "did you mean up.1"),
    ):
        with pytest.raises(UnknownName, match=words):
            learn(store, **asked)
    for share in (0.0, 1.0):
        with pytest.raises(InputError, match="held_out"):
            learn(store, "pca", site="mid", held_out=share)
    with pytest.raises(InputError, match="device 'tpu'"):
        learn(store, "topk", site="mid", atoms=8, k=2, device="tpu", progress=False)
    with pytest.raises(InputError, match="give a folder"):
        learn(store, "pca", site="mid", out=__file__, progress=False)


def test_several_noise_levels_are_learned_from_and_told_apart(store, tmp_path):
    """One dictionary for the levels that are stored, scored at each; a temporal one is scored as what it is there."""
    stored = sorted(condition.timestep for condition in store.volumes[0].conditions)
    assert len(stored) > 1
    for name in ("topk", "temporal"):
        found = learn(store, name, site="mid", timesteps="all", atoms=12, k=2, lr=0.01, out=tmp_path / name, **QUICK)
        assert found.about["timesteps"] == stored
        for level in stored:
            assert found.report[f"FVU at {level:g}"].n == 6
            assert f"frequency at {level:g}" in found.report.table
    with pytest.raises(InputError, match="say at which timestep"):
        load_dictionary(tmp_path / "temporal").encode(np.zeros((3, 16), np.float32))
    again = load_dictionary(tmp_path / "temporal").at(stored[0])
    assert again.encode(np.zeros((3, 16), np.float32)).shape == (3, 12)
    with pytest.raises(InputError, match="the one word 'all'"):
        learn(store, "topk", site="mid", timesteps="every", **QUICK)
    with pytest.raises(InputError, match="not 'loud'"):
        learn(store, "topk", site="mid", timesteps=["50", "loud"], **QUICK)
    words = ["learn", "topk", str(store.place.url), "--site", "mid", "--atoms", "8", "--k", "2", "--cells", "500"]
    assert main([*words, "--timesteps", *(f"{level:g}" for level in stored), "--out", str(tmp_path / "cli")]) == 0
    assert load_dictionary(tmp_path / "cli").about["timesteps"] == stored


def test_a_folder_keeps_log_and_checkpoint(store, tmp_path):
    """From which the same call goes on; methods that are not trained step by step say so."""
    first = learn(store, "topk", site="mid", atoms=12, k=2, keep=tmp_path, **QUICK)
    again = learn(store, "topk", site="mid", atoms=12, k=2, keep=tmp_path, **QUICK)
    assert (again.atoms == first.atoms).all()
    assert len((tmp_path / "training.jsonl").read_text().splitlines()) == 20
    with pytest.raises(InputError, match="nothing to keep"):
        learn(store, "pca", site="mid", atoms=2, keep=tmp_path, progress=False)


def test_stability_is_told_on_request(store):
    """A second training with the next seed; a method that draws nothing is refused before anything is kept."""
    found = learn(store, "topk", site="mid", atoms=12, k=2, lr=0.01, stability=True, **QUICK)
    assert found.report is not None
    assert found.report["stability"].n == 12
    assert 0 < found.report["stability, random directions"].value < found.report["stability"].value <= 1
    with pytest.raises(InputError, match="draws nothing"):
        learn(store, "pca", site="mid", atoms=2, stability=True, progress=False)
