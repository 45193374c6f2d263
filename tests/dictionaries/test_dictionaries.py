"""Dictionaries find what was planted, are exact where they claim to be, and survive being saved."""

import numpy as np
import pytest
import torch

from denoscope.core.dictionary import Dictionary
from denoscope.core.errors import InputError, StoreError, UnknownName
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.rows import Rows, rebatched
from denoscope.dictionaries.topk import TopK
from denoscope.measures.sparsity import fvu, l0, mean_cosine


def sparse_world(rows: int, atoms: int = 48, channels: int = 32, k: int = 3, seed: int = 0):
    """Rows that are k of some unit atoms each, times 10, around a centre that is not zero."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(atoms, channels))
    true /= np.linalg.norm(true, axis=1, keepdims=True)
    which = np.argsort(rng.random((rows, atoms)), axis=1)[:, :k]
    codes = np.zeros((rows, atoms))
    np.put_along_axis(codes, which, rng.uniform(0.5, 2, (rows, k)), axis=1)
    return (10 * (codes @ true + rng.normal(size=channels))).astype(np.float32), true


@pytest.fixture(scope="module")
def world():
    """Sparse rows and the atoms that made them."""
    return sparse_world(20_000)


@pytest.fixture(scope="module")
def learned(world):
    """A TopK dictionary of a few more atoms than there are."""
    return TopK(atoms=64, k=3, cells=100_000, batch=256, dead_after=20_000).fit([world[0]])


def test_pca_is_the_svd(world):
    """Components, mean, variances and reconstruction are those of the singular value decomposition, also streamed."""
    x = world[0][:3000]
    found = PCA(atoms=7).fit(iter(np.array_split(x, 11)))
    centred = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    assert np.abs((found.atoms @ axes[:7].T) ** 2 - np.eye(7)).max() < 1e-4
    assert found.weights["variances"] == pytest.approx(values**2 / len(x), rel=1e-3)
    assert found.decode(found.encode(x)) == pytest.approx(centred @ axes[:7].T @ axes[:7] + x.mean(axis=0), abs=1e-3)


def test_pca_loses_nothing_to_a_large_mean():
    """Values of 10,000 with a spread of 1 keep their components."""
    x = np.random.default_rng(0).normal(size=(2000, 4)) * [4, 3, 2, 1] + 1e4
    found = PCA(atoms=4).fit([x.astype(np.float32)])
    assert found.weights["variances"] == pytest.approx([16, 9, 4, 1], rel=0.1)


def test_topk_recovers_the_planted_dictionary(world, learned):
    """The true atoms come back, and explain the rows with as many codes as made them."""
    x, true = world
    assert mean_cosine(learned.atoms, true) > 0.9
    codes = learned.encode(x[:4000])
    assert l0(codes) <= 3
    assert fvu(x[:4000], learned.decode(codes)) < 0.15
    assert mean_cosine(learned.random(x.mean(axis=0)).atoms, true) < 0.6


def test_topk_is_its_formula(world, learned):
    """x_hat = W_dec TopK(W_enc (x - b) + c) + b with atoms of length one, codes never negative, and no more."""
    x = world[0][:50]
    before = (x - learned.bias) @ learned.weights["encoder"].T + learned.weights["encoder_bias"]
    kept = np.where(before >= np.sort(before, axis=1)[:, [-3]], np.maximum(before, 0), 0)
    codes = learned.encode(x)
    assert codes == pytest.approx(kept, abs=1e-3)
    assert np.linalg.norm(learned.atoms, axis=1) == pytest.approx(np.ones(64), abs=1e-5)
    assert learned.decode(codes) == pytest.approx(codes @ learned.atoms + learned.bias, abs=1e-4)


def test_units_are_those_of_the_activations(world):
    """Rows a thousand times as large give the same atoms, and codes a thousand times as large."""
    x = world[0][:2000]
    small, large = (TopK(atoms=16, k=2, cells=4000, batch=500).fit([x * scale]) for scale in (1.0, 1000.0))
    assert small.atoms == pytest.approx(large.atoms, abs=1e-3)
    assert small.encode(x).sum() == pytest.approx(large.encode(x * 1000).sum() / 1000, rel=1e-2)


def test_equal_seeds_give_equal_weights_and_leave_the_generators_alone(world):
    """Learning is a function of rows and settings; no global generator is read or moved."""
    state = torch.get_rng_state()
    twins = [TopK(atoms=16, k=2, cells=2000, batch=250, seed=4).fit([world[0][:1000]]) for _ in range(2)]
    assert (twins[0].atoms == twins[1].atoms).all()
    assert (torch.get_rng_state() == state).all()


def test_batches_are_cut_to_size_and_read_again():
    """Whatever the batches, training sees `cells` rows in the order in which they come."""
    rows = [np.arange(start, start + 7, dtype=np.float32)[:, None] for start in range(0, 49, 7)]
    cut = list(rebatched(map(Rows, rows), 45, 10))
    assert [len(part) for part in cut] == [10, 10, 10, 10, 5]
    assert (np.concatenate([part.values for part in cut])[:, 0] == np.arange(45)).all()


@pytest.mark.parametrize("made", ["pca", "topk"])
def test_saved_and_loaded_is_equal(tmp_path, world, learned, made):
    """Weights, settings and origin survive; tensors go the same way as arrays."""
    found = learned if made == "topk" else PCA(atoms=5).fit([world[0][:500]])
    found.about = {"site": "up.1"}
    found.save(tmp_path)
    again = load_dictionary(tmp_path)
    x = world[0][:20]
    assert isinstance(again, Dictionary)
    assert again.settings == found.settings
    assert str(again.site) == "up.1"
    assert (again.encode(x) == found.encode(x)).all()
    assert again.encode(torch.from_numpy(x)).numpy() == pytest.approx(found.encode(x), abs=1e-4)


def test_bad_input_is_refused_in_one_line(tmp_path, world, learned):
    """Each error says what was wrong."""
    x = world[0][:64]
    with pytest.raises(InputError, match="k must lie in"):
        TopK(atoms=8, k=9)
    with pytest.raises(InputError, match="whole numbers"):
        TopK(atoms=8, k=2.5)
    with pytest.raises(InputError, match="targets are for a transcoder"):
        TopK(atoms=8, k=2).fit([Rows(x, targets=x)])
    with pytest.raises(InputError, match=r"must be \(sample, 32\)"):
        TopK(atoms=8, k=2).fit([x, x[:, :9]])
    with pytest.raises(UnknownName, match="atoms"):
        TopK(atom=8)
    with pytest.raises(InputError, match="NaN"):
        TopK(atoms=8, k=2).fit([np.full((4, 3), np.nan)])
    with pytest.raises(InputError, match="do not vary"):
        TopK(atoms=8, k=2, cells=10).fit([np.ones((4, 3))])
    with pytest.raises(InputError, match="there were none"):
        TopK(atoms=8, k=2).fit([])
    with pytest.raises(InputError, match=r"reads \(sample, 32\)"):
        learned.encode(x[:, :9])
    with pytest.raises(InputError, match="nothing yet"):
        TopK().encode(x)
    with pytest.raises(InputError, match="32 components"):
        PCA(atoms=33).fit([x])
    with pytest.raises(StoreError, match="no dictionary"):
        load_dictionary(tmp_path)
    PCA(atoms=2).fit([x]).save(tmp_path)
    with pytest.raises(StoreError, match="holds a 'pca'"):
        TopK.load(tmp_path)
