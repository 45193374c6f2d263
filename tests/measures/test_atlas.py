"""The atlas of a stream equals what one would compute with everything in memory, whatever the order and the split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import InputError
from denoscope.measures.atlas import Atlas

GRID = np.stack(np.meshgrid((np.arange(4) + 0.5) / 4, (np.arange(5) + 0.5) / 5, indexing="ij"), -1).reshape(-1, 2)


def images(seed: int, count: int = 12, atoms: int = 7) -> np.ndarray:
    """Codes (image, cell, atom), few of them positive, and with ties."""
    rng = np.random.default_rng(seed)
    return np.maximum(rng.integers(-6, 4, (count, len(GRID), atoms)), 0) * 0.5


def atlas_of(codes: np.ndarray, numbers: list[int], top: int = 3) -> Atlas:
    """Added in the order of `numbers`."""
    made = Atlas(codes.shape[2], top)
    for number in numbers:
        made.add(number, codes[number], GRID)
    return made


def test_sums_and_top_images_are_those_of_a_full_sort() -> None:
    """The oracle holds all codes at once."""
    codes = images(0)
    codes[:, :, 3] = 0
    made = atlas_of(codes, list(range(len(codes))))
    flat = codes.reshape(-1, codes.shape[2])
    np.testing.assert_array_equal(made.active_cells, (flat > 0).sum(0))
    np.testing.assert_allclose(made.total, flat.sum(0))
    np.testing.assert_allclose(made.squares, (flat**2).sum(0))
    np.testing.assert_array_equal(made.active_images, (codes.max(1) > 0).sum(0))
    assert made.top(3) == []
    for atom in (0, 1, 5):
        peak = codes[:, :, atom].max(1)
        order = sorted(range(len(codes)), key=lambda image: (-peak[image], image))[:3]
        assert [number for number, _, _ in made.top(atom)] == order
        for number, place, code in made.top(atom):
            assert codes[number, place, atom] == code == peak[number]


def test_spread_is_the_weighted_mean_and_deviation_of_positions() -> None:
    """Against weights written out, and against a uniform atom, whose width is known."""
    codes = images(1)
    codes[:, :, 0] = 1
    made = atlas_of(codes, list(range(len(codes))))
    weight = codes[:, :, 2].sum(0)
    centre = weight @ GRID / weight.sum()
    width = np.sqrt(weight @ ((GRID - centre) ** 2).sum(1) / weight.sum())
    np.testing.assert_allclose([made.spread.row[2], made.spread.col[2], made.spread.width[2]], [*centre, width])
    np.testing.assert_allclose(made.spread.width[0], np.sqrt((1 - 1 / 16) / 12 + (1 - 1 / 25) / 12))
    assert np.isnan(Atlas(2).spread.row).all()


@given(seed=st.integers(0, 99), cut=st.integers(0, 12), data=st.data())
def test_order_and_split_do_not_matter(seed: int, cut: int, data: st.DataObject) -> None:
    """Shards in any order merge into the atlas of one pass, ties included."""
    codes = images(seed)
    order = data.draw(st.permutations(range(len(codes))))
    whole = atlas_of(codes, list(range(len(codes))))
    merged = atlas_of(codes, order[:cut]).merge(atlas_of(codes, order[cut:]))
    for name in ("codes", "numbers", "active_cells", "active_images", "cells", "images"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(merged, name))
    np.testing.assert_allclose(whole.total, merged.total)
    np.testing.assert_allclose(np.stack(whole.spread), np.stack(merged.spread), atol=1e-12)


def test_coverage_counts_atoms_with_enough_images() -> None:
    """An atom that one image shows is no atom that pictures can explain."""
    made = Atlas(2)
    for number in range(5):
        made.add(number, np.tile([[1.0, float(number == 0)]], (len(GRID), 1)), GRID)
    assert made.coverage(1) == 1.0
    assert made.coverage(2) == 0.5


def test_what_does_not_fit_is_refused() -> None:
    """Wrong widths, places and numbers, each with what was expected."""
    made = Atlas(3)
    with pytest.raises(InputError, match="3 atoms"):
        made.add(0, np.ones((4, 2)), np.zeros((4, 2)))
    with pytest.raises(InputError, match="NaN"):
        made.add(0, np.full((4, 3), np.nan), np.zeros((4, 2)))
    with pytest.raises(InputError, match="merge"):
        made.merge(Atlas(4))
    with pytest.raises(InputError, match="needs an atom"):
        Atlas(0)
