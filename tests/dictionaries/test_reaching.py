"""Dictionaries that know more than the row: another target, or the noise level."""

import numpy as np
import pytest
import torch

from denoscope.core.errors import InputError
from denoscope.dictionaries._normaliser import normaliser_of, times
from denoscope.dictionaries._training.loop import Run
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.rows import Rows
from denoscope.dictionaries.temporal import Temporal
from denoscope.dictionaries.topk import TopK
from denoscope.dictionaries.transcoder import Transcoder
from denoscope.measures.sparsity import fvu, l0, mean_cosine

QUICK = {"atoms": 12, "k": 3, "cells": 2000, "batch": 100, "device": "cpu", "lr": 0.01}
GOOD = {"atoms": 64, "k": 3, "cells": 60_000, "batch": 256, "device": "cpu", "lr": 5e-3, "dead_after": 10_000}


def unit(count: int, channels: int, seed: int) -> np.ndarray:
    """Directions of length one."""
    drawn = np.random.default_rng(seed).normal(size=(count, channels))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def codes(rows: int, atoms: int = 32, k: int = 3, seed: int = 0) -> np.ndarray:
    """k of 1/2 to 3/2 in each row."""
    rng = np.random.default_rng(seed)
    made = np.zeros((rows, atoms))
    where = np.argsort(rng.random((rows, atoms)), axis=1)[:, :k]
    np.put_along_axis(made, where, rng.uniform(0.5, 1.5, (rows, k)), axis=1)
    return made


def levels(rows: int, seed: int = 0) -> Rows:
    """One code under three noise levels: each has its own mean and size, and nuisance in other channels."""
    rng = np.random.default_rng(seed)
    timesteps = rng.choice([50.0, 200.0, 800.0], size=rows)
    place = np.searchsorted([50, 200, 800], timesteps)
    x = codes(rows, seed=seed) @ unit(32, 24, 1)
    x = np.array([1, 3, 10])[place, None] * x + 5 * np.random.default_rng(9).normal(size=(3, 24))[place]
    return Rows(x.astype(np.float32), timesteps.astype(np.float32))


def pairs(rows: int, dense: float = 0.0, seed: int = 0) -> Rows:
    """The same codes in two spaces; `dense` adds a linear map of the input to the target."""
    z = codes(rows, seed=seed)
    x = z @ unit(32, 24, 1)
    y = 2 * z @ unit(32, 20, 2) + dense * x @ np.random.default_rng(3).normal(size=(24, 20)) + 7
    return Rows((3 * x - 2).astype(np.float32), targets=y.astype(np.float32))


def trained(made, rows: Rows):
    """The finished dictionary, and the coder that it was made of."""
    run = Run(made, rows, None, 10**9)
    for start in range(0, made.settings.cells, made.settings.batch):
        run.step(rows[start % len(rows) :][: made.settings.batch])
    run.finish()
    return run._trainer.coder, run._maps


def test_at_a_timestep_it_is_the_plain_dictionary():
    """Folded codes are those of the network with its modulation, times the size of that timestep; after saving too."""
    rows = levels(2000)
    made = Temporal(**QUICK)
    coder, maps = trained(made, rows)
    assert float(coder.film.detach().abs().max()) > 0.01
    with torch.no_grad():
        inner = coder.inner(maps[0](rows.values, rows.timesteps), torch.from_numpy(rows.timesteps))
        z, _ = coder.codes(inner, coder.before(inner), inner)
    truth = z.dense().numpy() * made._timed().scales[np.searchsorted(made.timesteps, rows.timesteps), None]
    found = made.encode(rows.values, rows.timesteps)
    assert (np.abs(found - truth) < 1e-3 * truth.max()).all(axis=1).mean() > 0.999  # ties may fall either way
    for timestep in made.timesteps:
        here = rows.timesteps == timestep
        plain = made.at(timestep)
        assert isinstance(plain, TopK)
        assert (plain.encode(rows.values[here]) == found[here]).all()


def test_one_set_of_atoms_serves_all_noise_levels(tmp_path):
    """It finds what was planted under every level; a plain dictionary on the same rows explains less of them."""
    rows, fresh = levels(20_000), levels(3000, seed=5)
    made = Temporal(**GOOD).fit([rows])
    plain = TopK(**GOOD).fit([rows])
    assert mean_cosine(made.atoms, unit(32, 24, 1)) > 0.97
    made.save(tmp_path)
    again = load_dictionary(tmp_path)
    for timestep in (50, 200, 800):
        x = fresh.values[fresh.timesteps == timestep]
        one = again.at(timestep)
        assert fvu(x, one.reconstruct(x)) < 0.1
        assert l0(one.encode(x)) <= 3
    x = fresh.values[fresh.timesteps == 50]
    assert fvu(x, made.at(50).reconstruct(x)) < 0.5 * fvu(x, plain.reconstruct(x))


def test_without_its_network_only_mean_and_scale_know_the_level():
    """One encoder for all, in the units of each level."""
    rows = levels(2000)
    made = Temporal(**QUICK, film=False).fit([rows])
    assert not made.weights["film"].any() and not made.weights["film_bias"].any()
    timed = made._timed()
    assert made.timesteps == [50, 200, 800]
    encoders = [made.at(t).weights["encoder"] for t in made.timesteps]
    assert encoders[1] == pytest.approx(encoders[0], rel=1e-4, abs=1e-6)
    x = rows.values[rows.timesteps == 200]
    inside = (x - timed.means[1]) / timed.scales[1]
    before = (inside - made.weights["raw_bias"]) @ made.weights["raw_encoder"].T + made.weights["raw_encoder_bias"]
    expected = np.where(before >= np.sort(before, axis=1)[:, [-3]], np.maximum(before, 0), 0) * timed.scales[1]
    assert made.at(200).encode(x) == pytest.approx(expected, abs=1e-3 * expected.max())


def test_the_noise_level_must_be_said():
    """Where there were several; between them it is interpolated, beyond them it stays."""
    made = Temporal(**QUICK).fit([levels(500)])
    with pytest.raises(InputError, match=r"at\(50\).*50, 200, 800"):
        made.encode(levels(5).values)
    ends = [made._timed().at(t).mean for t in (50, 200, 125, -10)]
    assert ends[2] == pytest.approx((ends[0] + ends[1]) / 2)
    assert (ends[3] == ends[0]).all()
    with pytest.raises(InputError, match="not whiten"):
        Temporal(normaliser="whiten")
    with pytest.raises(InputError, match="either all batches have timesteps or none"):
        TopK(**QUICK).fit([levels(50), levels(50).values])


@pytest.mark.parametrize("normaliser", ["none", "scalar", "channel", "whiten"])
def test_a_transcoder_is_folded_back_exactly(normaliser):
    """Targets in their own units are those of the coder in normalised ones, mapped back, linear part and all."""
    rows = pairs(2000, dense=0.5)
    made = Transcoder(**QUICK, normaliser=normaliser, skip=True)
    coder, maps = trained(made, rows)
    with torch.no_grad():
        x = coder.inner(maps[0](rows.values, None), None)
        z, _ = coder.codes(x, coder.before(x), x)
        inside = (z.dense() @ coder.atoms + coder.bias + x @ coder.skip).double().numpy()
    after = normaliser_of(normaliser, rows.targets)
    truth = times(inside, after.back) + after.mean
    close = np.abs(made.reconstruct(rows.values) - truth).max(axis=1) < 1e-3 * np.abs(truth).max()
    assert close.mean() > 0.999
    assert made.reconstruct(torch.from_numpy(rows.values)).numpy() == pytest.approx(
        made.reconstruct(rows.values), abs=1e-3
    )


def test_a_transcoder_finds_what_comes_out():
    """Atoms of the target space, from codes of the input; a skip takes the dense linear part."""
    rows, fresh = pairs(20_000), pairs(2000, seed=5)
    made = Transcoder(**GOOD).fit([rows])
    assert made.width == 24 and made.atoms.shape == (64, 20)
    assert mean_cosine(made.atoms, unit(32, 20, 2)) > 0.95
    assert fvu(fresh.targets, made.reconstruct(fresh.values)) < 0.1
    dense, unseen = pairs(20_000, dense=0.3), pairs(2000, dense=0.3, seed=5)
    left = [
        fvu(unseen.targets, Transcoder(**{**GOOD, "cells": 20_000}, skip=skip).fit([dense]).reconstruct(unseen.values))
        for skip in (False, True)
    ]
    assert left[1] < 0.8 * left[0]
    with pytest.raises(InputError, match=r"reads \(sample, 24\)"):
        made.encode(fresh.targets)


def test_a_transcoder_without_targets_explains_its_input():
    """And survives being saved as any other."""
    x = levels(2000).values
    made = Transcoder(**QUICK).fit([x])
    assert fvu(x, made.reconstruct(x)) < 1
