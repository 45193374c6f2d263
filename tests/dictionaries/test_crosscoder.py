"""Codes that streams share: atoms live where they were planted, in both streams or in one."""

import numpy as np
import pytest

import denoscope as ds
from denoscope.core.activations import Activations, Layout
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.crosscoder import Crosscoder
from denoscope.dictionaries.joint import attended, joint_rows
from denoscope.dictionaries.topk import TopK
from denoscope.measures.sparsity import fvu, mean_cosine

WIDTHS = (24, 20)
GOOD = {"atoms": 72, "k": 4, "cells": 60_000, "batch": 256, "device": "cpu", "lr": 5e-3, "dead_after": 10_000}
SHARED, FIRST, SECOND = 16, 10, 10


def unit(count: int, channels: int, seed: int) -> np.ndarray:
    """Directions of length one."""
    drawn = np.random.default_rng(seed).normal(size=(count, channels))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def planted(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two shared codes and one of each stream alone; the second stream is thirty times as large, and far from zero."""
    rng = np.random.default_rng(seed)
    first, second = unit(SHARED + FIRST, WIDTHS[0], 1), unit(SHARED + SECOND, WIDTHS[1], 2)
    z = np.zeros((rows, SHARED + FIRST + SECOND))
    for low, count, k in ((0, SHARED, 2), (SHARED, FIRST, 1), (SHARED + FIRST, SECOND, 1)):
        where = low + np.argsort(rng.random((rows, count)), axis=1)[:, :k]
        np.put_along_axis(z, where, rng.uniform(0.5, 1.5, (rows, k)), axis=1)
    both = z[:, :SHARED]
    x = np.hstack([both, z[:, SHARED : SHARED + FIRST]]) @ first
    y = 30 * np.hstack([both, z[:, SHARED + FIRST :]]) @ second + 100
    return np.hstack([x, y]).astype(np.float32), first, second


@pytest.fixture(scope="module")
def learned() -> Crosscoder:
    """At twice the width."""
    return Crosscoder(**GOOD, widths=WIDTHS, names=("image", "text")).fit([planted(20_000)[0]])


def test_atoms_live_where_they_were_planted(learned):
    """Shared ones in both streams with both directions right, others in their own stream alone."""
    _, first, second = planted(1)
    image, text = learned.slices
    kinds = np.array(learned.kinds())
    assert mean_cosine(learned.atoms[:, image], first) > 0.94
    assert mean_cosine(learned.atoms[:, text], second) > 0.94
    found = [learned.of("image").atoms @ first.T, learned.of("text").atoms @ second.T]
    for atom in range(SHARED):
        best = int((found[0][:, atom] + found[1][:, atom]).argmax())
        assert kinds[best] == "shared" and found[0][best, atom] > 0.9 and found[1][best, atom] > 0.9
    for place, name in enumerate(("image", "text")):
        for atom in range(SHARED, SHARED + FIRST):
            best = int((found[place][:, atom] * (learned.shares[:, place] > 0.5)).argmax())
            assert found[place][best, atom] > 0.9 and learned.shares[best, place] > 0.8
        assert (kinds == name).sum() >= 8
    assert set(learned.told()) == {"lives in", "share of image", "share of text"}


def test_both_streams_are_explained(learned, tmp_path):
    """Of rows that it did not see, neither better; random atoms live in both alike; saving is exact."""
    fresh = planted(3000, seed=9)[0]
    left = learned.unexplained(fresh)
    assert max(left.values()) < 0.1 and 0.3 < left["image"] / left["text"] < 3
    twin = learned.random(fresh.mean(axis=0))
    assert set(twin.kinds()) == {"shared"} and min(twin.unexplained(fresh).values()) > 0.3
    learned.save(tmp_path)
    again = load_dictionary(tmp_path)
    assert isinstance(again, Crosscoder) and again.settings == learned.settings
    assert (again.encode(fresh) == learned.encode(fresh)).all()


def test_one_stream_can_be_read_alone(learned):
    """With its atoms, of length one, and exactly the codes of both where the other one is at its bias."""
    fresh = planted(3000, seed=9)[0]
    one = learned.of("text")
    assert isinstance(one, TopK) and one.width == WIDTHS[1]
    y = fresh[:, learned.slices[1]]
    assert fvu(y, one.reconstruct(y)) < 0.5
    blind = np.broadcast_to(learned.bias, fresh.shape).copy()
    blind[:, learned.slices[1]] = y
    lengths = np.linalg.norm(learned.atoms[:, learned.slices[1]], axis=1)
    assert one.encode(y) == pytest.approx(learned.encode(blind) * lengths, abs=1e-2)
    assert np.linalg.norm(one.atoms, axis=1) == pytest.approx(np.ones(72), abs=1e-5)
    with pytest.raises(UnknownName, match="text"):
        learned.of("txt")


def test_a_single_stream_is_topk():
    """Bit by bit."""
    x = planted(600)[0]
    told = {"atoms": 12, "k": 3, "cells": 2000, "batch": 100, "device": "cpu"}
    one, other = Crosscoder(**told).fit([x]), TopK(**told).fit([x])
    assert one.encode(x) == pytest.approx(other.encode(x), rel=1e-3, abs=1e-3)


def test_bad_streams_are_refused():
    """Each in one line."""
    x = planted(50)[0]
    with pytest.raises(InputError, match="do not make rows of 44"):
        Crosscoder(atoms=8, k=2, widths=(24, 21)).fit([x])
    with pytest.raises(InputError, match="cannot be named"):
        Crosscoder(widths=(24, 20), names=("one",))
    with pytest.raises(InputError, match="names that differ"):
        Crosscoder(widths=(24, 20), names=("one", "one"))
    with pytest.raises(InputError, match="one size"):
        Crosscoder(normaliser="whiten")


def made(values: np.ndarray, grid: Grid | None, layout: Layout = "tokens") -> Activations:
    """Activations of two images, the second one half padding."""
    frames = (Frame(32, 32, 32, 32), Frame(32, 16, 32, 32, offset_y=8.0))
    return Activations(Site("mid"), Condition(timestep=50), values, ("a", "b"), layout, frames, grid)


def test_rows_are_joined_by_place():
    """Coarse cells belong to the fine ones in them, text to every cell of its image, padding to none."""
    fine = np.arange(2 * 16 * 1, dtype=np.float32).reshape(2, 16, 1)
    coarse = 100 + np.arange(2 * 4, dtype=np.float32).reshape(2, 4, 1)
    text = np.array([[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]], dtype=np.float32)
    parts = [made(fine, Grid(4, 4, 8.0)), made(coarse, Grid(2, 2, 16.0)), made(text, None)]
    rows = joint_rows(parts)
    mask = parts[0].mask.reshape(2, 16)
    assert 16 < len(rows) < 32 and len(rows) == mask.sum()
    assert (rows.values[:, 0] == fine[..., 0][mask]).all()
    assert rows.values[:16, 1].tolist() == [100, 100, 101, 101] * 2 + [102, 102, 103, 103] * 2
    assert (rows.values[:16, 2:] == [2, 3]).all() and (rows.values[16:, 2:] == [6, 7]).all()
    assert rows.places is not None and set(rows.places["sample"]) == {"a", "b"}
    with pytest.raises(InputError, match="same images"):
        joint_rows([parts[0], parts[1].select([1, 0])])
    with pytest.raises(InputError, match="none"):
        joint_rows([])


def test_text_that_a_cell_attends_to():
    """The mean of its tokens by how much of the attention each has; heads alike."""
    p = np.zeros((2, 2, 4, 2), dtype=np.float32)
    p[..., 0], p[..., 1] = 0.1, 0.3
    text = made(np.array([[[0.0], [4]], [[4], [8]]], dtype=np.float32), None)
    found = attended(text, made(p, Grid(2, 2, 16.0), "map"))
    assert found.numpy()[:, :, 0] == pytest.approx(np.array([[3.0] * 4, [7.0] * 4]))
    assert joint_rows([found]).values.shape == (8, 1)
    with pytest.raises(InputError, match="does not say"):
        attended(text, text)


@pytest.mark.parametrize("name", ["toy-sd3", "toy-flux-dev"])
def test_text_and_image_streams_of_a_joint_model(name):
    """Both streams of a joint block, and the text that each cell attends to, go into one dictionary."""
    model = ds.load(name)
    images = ds.open_data("menagerie:test", 2)
    sites = ["dit.d.0.img", "dit.d.0.txt", "dit.d.0.map.it"]
    told = model.read(images, sites, ds.Condition(timestep=500, prompt="a photo of a {category}"))
    image, text, maps = (told[site] for site in sites)
    rows = joint_rows([image, attended(text, maps)])
    widths = (image.shape[1] if image.layout == "grid" else image.shape[-1], text.shape[-1])
    found = Crosscoder(atoms=16, k=4, cells=600, batch=100, widths=widths, names=("image", "text")).fit([rows])
    assert max(found.unexplained(rows.values).values()) < 1
    assert found.of("image").width == widths[0]
