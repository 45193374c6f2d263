"""Dictionaries that others are held against: each is exactly what its name says."""

import numpy as np
import pytest
from scipy.optimize import nnls
from sklearn.cluster import MiniBatchKMeans

from denoscope.core.errors import InputError
from denoscope.dictionaries.kmeans import KMeans
from denoscope.dictionaries.neurons import Neurons
from denoscope.dictionaries.nmf import NMF
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.random import RandomAtoms
from denoscope.measures.sparsity import fvu, l0


@pytest.fixture(scope="module")
def x():
    """Rows of unequal channels around a centre that is not zero."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(800, 12)) * np.linspace(3, 0.5, 12) + np.arange(12)).astype(np.float32)


def test_kmeans_gives_the_nearest_centre(x):
    """One code, and the reconstruction is the centre that scikit-learn predicts."""
    found = KMeans(atoms=9, batch=800, cells=800, seed=3).fit([x])
    other = MiniBatchKMeans(9, init="k-means++", n_init=1, random_state=3).partial_fit(x)
    made = found.decode(found.encode(x))
    assert made == pytest.approx(other.cluster_centers_[other.predict(x)], abs=1e-4)
    assert l0(found.encode(x)) == 1
    with pytest.raises(InputError, match="as many rows"):
        KMeans(atoms=801, cells=800).fit([x])


def test_kmeans_finds_clusters_that_are_there():
    """Centres of four clouds far apart, from batches smaller than their number."""
    rng = np.random.default_rng(1)
    centres = 20 * np.eye(4, 6)
    rows = (centres[rng.integers(4, size=1200)] + rng.normal(size=(1200, 6))).astype(np.float32)
    found = KMeans(atoms=4, batch=3, cells=1200).fit([rows])
    made = found.decode(np.diag(found.weights["lengths"]))
    assert np.abs(made[:, None] - centres).max(axis=2).min(axis=0).max() < 2


def test_codes_of_parts_are_their_non_negative_least_squares(x):
    """Against scipy's active set, row by row; parts and codes are not negative."""
    found = NMF(atoms=5, cells=800).fit([x])
    codes = found.encode(x[:40])
    expected = [nnls(found.atoms.T.astype(float), row)[0] for row in x[:40].astype(float) - found.bias]
    assert codes == pytest.approx(np.array(expected), abs=1e-3)
    assert found.atoms.min() >= 0 and codes.min() >= 0
    assert fvu(x, found.decode(found.encode(x))) < fvu(x, found.random(x.mean(axis=0)).reconstruct(x))


def test_no_channels_beat_as_many_components(x):
    """The k largest deviations of each row, exactly; all of them leave nothing; the largest variances are kept."""
    found = Neurons(k=3).fit(np.array_split(x, 7))
    away = x - x.mean(axis=0)
    left = np.sort(np.square(away), axis=1)[:, :-3].sum() / np.square(away).sum()
    assert fvu(x, found.decode(found.encode(x))) == pytest.approx(left, rel=1e-4)
    assert fvu(x, Neurons(k=12).fit([x]).reconstruct(x)) < 1e-9
    kept = Neurons(atoms=4).fit([x])
    assert kept.atoms.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert fvu(x, kept.reconstruct(x)) >= fvu(x, PCA(atoms=4).fit([x]).reconstruct(x))
    with pytest.raises(InputError, match="12 channels"):
        Neurons(atoms=13).fit([x])


def test_random_atoms_are_uniform_and_learn_only_the_mean(x):
    """Their mean and covariance are those of the sphere; the bias is the mean; seeds differ."""
    found = RandomAtoms(atoms=4000, k=2).fit(np.array_split(x, 5))
    assert found.bias == pytest.approx(x.mean(axis=0), abs=1e-4)
    assert np.abs(found.atoms.mean(axis=0)).max() < 0.02
    assert found.atoms.T @ found.atoms / 4000 == pytest.approx(np.eye(12) / 12, abs=0.012)
    assert not np.allclose(found.atoms, RandomAtoms(atoms=4000, k=2, seed=1).fit([x]).atoms)
    with pytest.raises(InputError, match="there were none"):
        RandomAtoms().fit([])
