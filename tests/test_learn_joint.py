"""Sites and noise levels of the same cells, learned together from a store."""

import json

import numpy as np
import pytest

from denoscope.cli import main
from denoscope.core.errors import InputError, UnknownName
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.crosscoder import Crosscoder
from denoscope.dictionaries.residual import Residual
from denoscope.learn import learn
from denoscope.learn.joint import learn_joint
from planted import CHANNELS, SIDE, planted_store

TOLD = {"atoms": 12, "k": 2, "cells": 2000, "batch": 100, "device": "cpu", "progress": False, "baselines": []}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Sites mid and up.1 at three noise levels."""
    return planted_store(tmp_path_factory.mktemp("store"), 40)


def test_two_sites_share_codes(store, tmp_path):
    """The report tells of each site, and the folder holds what is read again; each stream knows where it is from."""
    found = learn_joint(store, "crosscoder", ["mid", "up.1"], [50], keep=tmp_path / "kept", **TOLD)
    assert isinstance(found, Crosscoder) and found.settings.widths == (CHANNELS, CHANNELS)
    assert found.names == ("mid", "up.1") and found.width == 2 * CHANNELS
    assert found.report is not None and found.folder is not None
    scores = {score.name: score for score in found.report.scores}
    assert 0 < scores["FVU of mid"].value < scores["FVU of up.1"].value  # codes are planted at mid alone
    assert scores["FVU of mid"].n == 4 and scores["FVU, 2 principal components, of mid"].value < 1
    assert found.report.parameters["parts"] == "mid, up.1" and "lives in" in found.report.table
    assert str(found.of("up.1").site) == "up.1" and found.site is None
    assert isinstance(load_dictionary(found.folder), Crosscoder)
    assert (tmp_path / "kept" / "checkpoint.pt").exists()


def test_a_trajectory_follows_generation(store):
    """From noisy to clean, whatever the order in which levels were named; rows are the cells of the same images."""
    found = learn_joint(store, "residual", ["mid"], [0, 200, 50], **TOLD)
    assert isinstance(found, Residual) and found.settings.levels == (200, 50, 0)
    assert found.report is not None
    names = [score.name for score in found.report.scores]
    assert {"FVU of 200", "FVU of 50", "FVU of 0", "FVU, 6 principal components, of 0"} <= set(names)
    rows = found.weights["bias"].reshape(3, CHANNELS)
    kept = [store.get("mid", timestep=level).values for level in (200, 50, 0)]
    for level, values in zip(rows, kept, strict=True):
        assert np.abs(level - values.mean(axis=(0, 2, 3))).max() < 1.5
    assert found.report.parameters["learned from"] == 36 and SIDE == 4


def test_the_same_from_the_shell(store, capsys):
    """Sites and levels as flags, and the report as JSON."""
    quick = ["--atoms", "8", "--k", "2", "--cells", "500", "--batch", "100", "--device", "cpu", "--json"]
    where = [store.place.url, "--sites", "mid", "--timesteps", "200", "50"]
    assert main(["learn", "residual", *where, *quick]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["task"] == "learn-residual" and told["parameters"]["parts"] == "200, 50"
    assert main(["learn", "residual", *where, "--no-such-flag"]) == 2


def test_what_cannot_be_learned_together(store):
    """Each in one line."""
    with pytest.raises(InputError, match="crosscoder or residual, not by topk"):
        learn_joint(store, "topk", ["mid", "up.1"], [50], **TOLD)
    with pytest.raises(InputError, match="follows one site"):
        learn_joint(store, "residual", ["mid", "up.1"], [50], **TOLD)
    with pytest.raises(InputError, match="this residual 2 parts: learn_joint"):
        learn(store, "residual", "mid", timestep=50, levels=(200, 50), **TOLD)
    with pytest.raises(InputError, match="named twice"):
        learn_joint(store, "crosscoder", ["mid", "mid"], [50], **TOLD)
    with pytest.raises(UnknownName, match=r"up\.1"):
        learn_joint(store, "crosscoder", ["mid", "up.2"], [50], **TOLD)
