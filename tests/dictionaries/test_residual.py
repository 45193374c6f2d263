"""What a noise level adds: linear predictions are found, atoms are trajectories, decoding is exact algebra."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from denoscope.core.errors import InputError
from denoscope.dictionaries._chained import chained_of
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.residual import Residual
from denoscope.dictionaries.topk import TopK
from denoscope.measures.sparsity import fvu, mean_cosine

C, LEVELS, TRUE = 16, 3, 24
QUICK = {"atoms": 12, "k": 3, "cells": 2000, "batch": 100, "device": "cpu", "levels": (800, 400, 50)}
GOOD = {"atoms": 48, "k": 2, "cells": 16_000, "batch": 128, "lr": 8e-3, "dead_after": 5000, "device": "cpu"}


def directions() -> np.ndarray:
    """Of length one."""
    drawn = np.random.default_rng(1).normal(size=(TRUE, C))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def steps() -> np.ndarray:
    """How each level follows from the one before: a turn, and a loss of a fifth."""
    rng = np.random.default_rng(2)
    return np.stack([0.8 * np.linalg.qr(rng.normal(size=(C, C)))[0] for _ in range(LEVELS - 1)])


def trajectories(rows: int, seed: int = 0, growth: float = 2.0) -> np.ndarray:
    """Two codes are new at each level, everything before goes on; each level has its own mean."""
    rng = np.random.default_rng(seed)
    x, made = np.zeros((rows, C)), []
    for level in range(LEVELS):
        z = np.zeros((rows, TRUE))
        where = np.argsort(rng.random((rows, TRUE)), axis=1)[:, :2]
        np.put_along_axis(z, where, rng.uniform(0.5, 1.5, (rows, 2)), axis=1)
        x = (x @ steps()[level - 1] if level else x) + growth**level * z @ directions()
        made.append(x + 10 * level)
    return np.hstack(made).astype(np.float32)


@pytest.fixture(scope="module")
def learned() -> Residual:
    """At twice the width."""
    return Residual(**GOOD, levels=(800, 400, 50)).fit([trajectories(10_000)])


def test_it_finds_what_is_new_and_what_goes_on(learned):
    """The same directions at every level, and the turns between levels."""
    assert mean_cosine(learned.weights["directions"], directions()) > 0.94
    assert np.abs(learned.weights["maps"] - steps()).mean() < 0.04
    left = learned.weights["unpredicted"]
    assert left[0] == pytest.approx(1) and (left[1:] < 0.95).all()


def test_atoms_are_trajectories(learned):
    """One that begins late is zero before; one that begins early goes on as the predictions say."""
    atoms = learned.atoms.reshape(LEVELS, 48, LEVELS, C)
    assert learned.atoms.shape == (LEVELS * 48, LEVELS * C)
    assert np.linalg.norm(learned.atoms, axis=1) == pytest.approx(np.ones(LEVELS * 48), abs=1e-5)
    for level in range(LEVELS):
        assert not atoms[level, :, :level].any() and atoms[level, :, level:].any()
    turned = atoms[0, :, 0] @ learned.weights["maps"][0]
    assert atoms[0, :, 1] == pytest.approx(turned, abs=1e-5)
    assert learned.lasting.sum(axis=1) == pytest.approx(np.ones(LEVELS * 48), abs=1e-4)
    told = learned.told()
    assert told["begins at"][::48] == [800, 400, 50] and told["length left at the end"][-1] == pytest.approx(1)
    assert told["length left at the end"][0] == pytest.approx(0.64, abs=0.1)


def test_it_beats_one_dictionary_of_whole_trajectories(learned):
    """Codes decode to all levels of fresh rows; as many codes of plain TopK on whole rows explain less."""
    fresh = trajectories(2000, seed=7)
    codes = learned.encode(fresh)
    assert (codes > 0).sum(axis=1).max() <= 2 * LEVELS
    left = fvu(fresh, learned.decode(codes))
    plain = TopK(**{**GOOD, "atoms": 144, "k": 6}).fit([trajectories(10_000)])
    assert left < 0.5 * fvu(fresh, plain.reconstruct(fresh))
    twin = learned.random(fresh.mean(axis=0))
    assert fvu(fresh, twin.reconstruct(fresh)) > 3 * left


def test_codes_times_atoms_is_the_recursion(learned, tmp_path):
    """x_hat_j = m_j + (x_hat_(j-1) - m_(j-1)) A_j + s_j (z D + b), written out; also after saving, and of tensors."""
    x, w = trajectories(50, seed=3), learned.weights
    chain = learned._chain
    around = x.reshape(50, LEVELS, C) - chain.means
    codes = learned.encode(x)
    lengths = learned._trajectories[1].reshape(LEVELS, 48)
    made = np.zeros((50, LEVELS, C))
    for level in range(LEVELS):
        z = codes.reshape(50, LEVELS, 48)[:, level] / lengths[level]
        carried = made[:, level - 1] @ chain.maps[level - 1] if level else 0
        before = ((around[:, level] - carried) / chain.scales[level] - w["raw_bias"]) @ w["raw_encoder"].T
        before = before + w["raw_encoder_bias"]
        assert z.max(axis=1) == pytest.approx(np.maximum(before.max(axis=1), 0), abs=1e-3)
        made[:, level] = carried + chain.scales[level] * (z @ w["directions"] + w["raw_bias"])
    assert learned.decode(codes) == pytest.approx((made + chain.means).reshape(50, -1), abs=1e-3)
    learned.save(tmp_path)
    again = load_dictionary(tmp_path)
    assert (again.encode(x) == codes).all() and (again.atoms == learned.atoms).all()
    assert again.encode(torch.from_numpy(x)).numpy() == pytest.approx(codes, abs=1e-4)


def test_errors_are_made_good_or_add_up(learned):
    """Codes of what the reconstruction leaves explain later levels better than those of what the truth leaves."""
    x = trajectories(1000, seed=4)
    published = Residual(replace(learned.settings, closed=False))
    published.weights = learned.weights
    chain, r = learned._chain, learned._chain.map(x)
    codes = published.encode(x)
    z = codes.reshape(-1, LEVELS, 48) / learned._trajectories[1].reshape(LEVELS, 48)
    before = (r - learned.weights["raw_bias"]) @ learned.weights["raw_encoder"].T + learned.weights["raw_encoder_bias"]
    assert z.reshape(-1, 48).max(axis=1) == pytest.approx(np.maximum(before.max(axis=1), 0), abs=1e-3)
    last = slice(-C, None)
    left = []
    falling = trajectories(3000, seed=4, growth=0.3)
    few = Residual(**{**GOOD, "k": 1, "cells": 6000}, levels=(800, 400, 50)).fit([falling])
    for closed in (True, False):  # with one code of two, and less new at each level, there is much to make good
        one = Residual(replace(few.settings, closed=closed))
        one.weights = few.weights
        left.append(fvu(falling[:, last], one.reconstruct(falling)[:, last]))
    assert left[0] < 0.9 * left[1] and len(chain.maps) == LEVELS - 1


def test_training_goes_on_where_it_stopped(tmp_path):
    """A checkpoint half-way, of trajectories, gives the weights of a run that did not stop."""
    x = trajectories(1000)
    whole = Residual(**QUICK).fit([x])

    class Stop(Exception):
        """The power went."""

    def until():
        yield x
        raise Stop

    with pytest.raises(Stop):
        Residual(**QUICK).fit(until(), tmp_path, every=300)
    again = Residual(**QUICK).fit([x], tmp_path, every=300)
    assert all((again.weights[part] == whole.weights[part]).all() for part in whole.weights)


def test_one_level_needs_no_prediction():
    """Then it is TopK, up to rounding."""
    x = trajectories(500)[:, :C]
    told = {"atoms": 12, "k": 3, "cells": 2000, "batch": 100, "device": "cpu"}
    one, other = Residual(**told).fit([x]), TopK(**told).fit([x])
    assert fvu(other.reconstruct(x), one.reconstruct(x)) < 0.01


def test_bad_levels_are_refused():
    """Each in one line."""
    with pytest.raises(InputError, match="3 noise levels"):
        Residual(**QUICK).fit([trajectories(200)[:, :-1]])
    with pytest.raises(InputError, match="do not vary at a noise level"):
        chained_of(np.hstack([trajectories(20)[:, :C], np.ones((20, C), np.float32)]), 2, 0.1)
    with pytest.raises(InputError, match="normalised by its length"):
        Residual(normaliser="whiten")
