"""Thresholds that stand in for a choice: as many codes, hardly less explained, the same formula as JumpReLU."""

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.core.registry import dictionaries
from denoscope.dictionaries.calibrating import calibrated
from denoscope.dictionaries.formats import read_dictionary, write_dictionary
from denoscope.dictionaries.jumprelu import JumpReLU
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.temporal import Temporal
from denoscope.measures.sparsity import fvu, l0

K = 3


def rows(count: int, seed: int = 0) -> np.ndarray:
    """Sparse sums of 24 directions, channels of very different sizes, far from zero."""
    rng = np.random.default_rng(seed)
    true = np.random.default_rng(1).normal(size=(24, 16))
    true /= np.linalg.norm(true, axis=1, keepdims=True)
    z = rng.uniform(0.5, 1.5, (count, 24)) * (rng.random((count, 24)) < K / 24)
    return ((z @ true) * np.geomspace(1, 30, 16) + 40).astype(np.float32)


@pytest.fixture(scope="module", params=["topk", "batchtopk"])
def learned(request):
    """With a normaliser that gives each atom its own length."""
    told = {"atoms": 48, "k": K, "cells": 10_000, "batch": 128, "lr": 5e-3, "device": "cpu", "normaliser": "channel"}
    return dictionaries.get(request.param)(**told).fit([rows(5000)])


def test_one_threshold_gives_as_many_codes(learned):
    """Exactly, on the cells that set it; nearly, on others, of which BatchTopK loses nothing and TopK something."""
    x, fresh = rows(2000), rows(2000, seed=5)
    found = calibrated(learned, np.array_split(x, 7))
    assert isinstance(found, JumpReLU) and found.about["calibrated"]["from"] == learned.name
    assert np.count_nonzero(found.encode(x)) == np.count_nonzero(learned.encode(x))
    assert l0(found.encode(fresh)) == pytest.approx(l0(learned.encode(fresh)), rel=0.03)
    most = 2.5 if learned.name == "topk" else 1.05
    assert fvu(fresh, found.reconstruct(fresh)) < most * fvu(fresh, learned.reconstruct(fresh))
    lengths = learned.weights["lengths"]
    assert np.ptp(found.weights["threshold"] / lengths) < 1e-5 * (found.weights["threshold"] / lengths).max()


def test_a_threshold_for_each_keeps_every_frequency(learned):
    """Each atom is active in as many cells as before; one that was never active never is."""
    x = rows(2000)
    learned.weights["encoder_bias"][5] = -1e4
    found = calibrated(learned, [x], "each")
    uses = [np.count_nonzero(one.encode(x), axis=0) for one in (learned, found)]
    assert (uses[0] == uses[1]).all() and uses[0][5] == 0
    assert found.decode(found.encode(x)).shape == x.shape


def test_it_is_what_others_read_as_jumprelu(learned, tmp_path):
    """Written for SAELens and read again, codes are the same."""
    x = rows(300)
    found = calibrated(learned, [x])
    write_dictionary(found, tmp_path, "sae_lens")
    assert read_dictionary(tmp_path).encode(x) == pytest.approx(found.encode(x), abs=1e-3)


def test_other_dictionaries_are_refused():
    """In one line."""
    x = rows(200)
    with pytest.raises(InputError, match="not of pca"):
        calibrated(PCA(atoms=3).fit([x]), [x])
    with pytest.raises(InputError, match="not of temporal"):
        calibrated(Temporal(atoms=8, k=2), [x])
    made = dictionaries.get("topk")(atoms=8, k=2, cells=400, device="cpu").fit([x])
    with pytest.raises(InputError, match="there were none"):
        calibrated(made, [])
    with pytest.raises(InputError, match="'one' or 'each'"):
        calibrated(made, [x], "all")
    with pytest.raises(InputError, match="reads"):
        calibrated(made, [x[:, :5]])
