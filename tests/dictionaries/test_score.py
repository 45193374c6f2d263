"""The numbers that a dictionary's report shows, against all held-out cells at once."""

import numpy as np
import pytest

from denoscope.dictionaries import score
from denoscope.dictionaries.itda import ITDA
from denoscope.dictionaries.neurons import Neurons
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.score import Explained
from denoscope.measures.reconstruction import unexplained


@pytest.fixture(scope="module")
def world():
    """Twelve images of 20 cells around a large mean, and a dictionary of most channels."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(240, 8)) * np.linspace(2, 0.3, 8) + 50).astype(np.float32)
    return x, Neurons(k=2).fit([x])


def explained(x, found, baselines=None):
    """Image by image."""
    told = Explained(found, baselines or {}, x.mean(axis=0))
    for image, cells in enumerate(x.reshape(12, 20, 8)):
        told.add(f"image-{image}", cells)
    return told


@pytest.mark.parametrize("groups", [200, 5])
def test_variants_are_those_of_all_cells(world, groups, monkeypatch):
    """Each inside its interval; more images than groups change no value."""
    monkeypatch.setattr(score, "_GROUPS", groups)
    x, found = world
    told = {one.name: one for one in explained(x, found).scores()}
    for name, value in unexplained(x, found.reconstruct(x)).items():
        assert told[name].value == pytest.approx(value, rel=1e-5)
        assert told[name].low < value < told[name].high
    assert told["FVU per channel"].n == min(12, groups) and told["FVU"].n == 12
    assert told["FVU per channel"].over == ("images" if groups == 200 else "groups of images")


def test_cosine_and_length_are_around_the_mean(world):
    """Not of vectors that the mean makes all alike."""
    x, found = world
    told = {one.name: one for one in explained(x, found).scores()}
    away, made = x - x.mean(axis=0), found.reconstruct(x) - x.mean(axis=0)
    lengths = np.linalg.norm(away, axis=1), np.linalg.norm(made, axis=1)
    assert told["cosine"].value == pytest.approx(((away * made).sum(axis=1) / lengths[0] / lengths[1]).mean(), rel=1e-5)
    assert told["length"].value == pytest.approx(lengths[1].sum() / lengths[0].sum(), rel=1e-5)
    assert told["cosine"].value < 0.97


def test_use_of_atoms_is_counted(world):
    """Dead, dense, covered, even; and the same per atom in the table."""
    x, found = world
    counted = explained(x, found)
    told, codes = {one.name: one.value for one in counted.scores()}, found.encode(x)
    on = codes != 0
    assert told["dead atoms"] == (~on.any(axis=0)).mean()
    assert told["dense atoms"] == (on.mean(axis=0) > 0.1).mean()
    images = on.reshape(12, 20, 8).any(axis=1).sum(axis=0)
    assert told["coverage"] == (images >= 2).mean() and counted.table()["images"] == images.tolist()
    shares = on.sum(axis=0)[on.any(axis=0)] / on.sum()
    assert told["evenness"] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()) / 8)
    assert told["nearest atom"] == 0 and told["nearest atom, random atoms"] > 0.3


def test_births_stand_in_the_table(world):
    """Of atoms that are cells; a single atom has no nearest one."""
    x, _ = world
    counted = explained(x, ITDA(atoms=5, k=2, cells=240, device="cpu").fit([x]))
    assert len(counted.table()["loss then"]) == 5 and counted.table()["born in"] == [None] * 5
    assert not any(one.name == "nearest atom" for one in explained(x, PCA(atoms=1).fit([x])).scores())
