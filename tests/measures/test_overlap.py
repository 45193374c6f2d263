"""Overlap of chosen cells: the textbook's ratio, chance where only places are shared, truth where it is planted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denoscope.core.errors import InputError
from denoscope.measures.overlap import coarser, overlap

CELLS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8)), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(CELLS, CELLS)
def test_it_is_the_jaccard_index_of_sets(first, second):
    """By brute force; the same either way round, and 1 for a set with itself."""
    found = overlap(first, second, 6, draws=20)
    a, b = set(first), set(second)
    assert found.value == pytest.approx(len(a & b) / len(a | b))
    assert (found.shared, found.first, found.second) == (len(a & b), len(a), len(b))
    assert overlap(second, first, 6, draws=20).value == pytest.approx(found.value)
    assert overlap(first, first[::-1], 6, draws=20).value == 1
    assert found.n == len({image for image, _ in a | b})


def test_the_shuffle_is_that_of_the_images():
    """Its mean is that over all orders of few images, by brute force."""
    from itertools import permutations

    rng = np.random.default_rng(0)
    a, b = (np.stack([rng.integers(0, 5, 12), rng.integers(0, 4, 12)], axis=1) for _ in range(2))
    sets = [{(order[i], place) for i, place in b.tolist()} for order in permutations(range(5))]
    mine = {tuple(row) for row in a.tolist()}
    every = [len(mine & other) / len(mine | other) for other in sets]
    found = overlap(a, b, 5, draws=4000)
    assert found.chance == pytest.approx(np.mean(every), abs=4 * np.std(every) / np.sqrt(4000))
    more = np.mean([value >= found.value - 1e-12 for value in every])
    assert found.p == pytest.approx(more, abs=0.03)


def chosen(rng: np.random.Generator, count: int, images: int = 60, places: int = 25) -> np.ndarray:
    """Cells by chance, some places much more often than others."""
    liking = rng.permutation(np.arange(1, places + 1)) ** 2.0
    liking = np.sort(liking)
    return np.stack([rng.integers(0, images, count), rng.choice(places, count, p=liking / liking.sum())], axis=1)


def test_a_liking_for_places_is_no_overlap():
    """Two sets that share nothing but their places: p is uniform, and chance lies within the interval."""
    rng = np.random.default_rng(1)
    found = [overlap(chosen(rng, 150), chosen(rng, 150), 60, draws=199, seed=k) for k in range(120)]
    p = np.array([one.p for one in found])
    assert 0.01 <= (p <= 0.1).mean() <= 0.19 and 0.4 <= p.mean() <= 0.6
    assert all(one.value > 0 for one in found), "places alone make them overlap"
    assert np.mean([one.low <= one.chance <= one.high for one in found]) > 0.85


def test_a_planted_share_is_found():
    """Half of the cells are common: J = s / (2n - s), far above chance; more common cells, more overlap."""
    rng = np.random.default_rng(2)
    values = []
    for common in (0, 40, 80, 160):
        both, one, two = chosen(rng, common), chosen(rng, 160 - common), chosen(rng, 160 - common)
        found = overlap(np.concatenate([both, one]), np.concatenate([both, two]), 60, draws=400)
        values.append(found.value)
        assert (found.p < 0.01) == (common > 0)
        assert found.low <= found.value <= found.high
    assert values == sorted(values) and values[-1] == 1


def test_cells_of_a_finer_grid_lie_in_those_of_a_coarser_one():
    """Every cell in the block that covers it; the same grid changes nothing."""
    assert coarser(np.arange(16), (4, 4), (2, 2)).reshape(4, 4).tolist() == [[0, 0, 1, 1]] * 2 + [[2, 2, 3, 3]] * 2
    assert (coarser(np.arange(15), (3, 5), (3, 5)) == np.arange(15)).all()
    for wrong, message in (((np.arange(4), (2, 2), (4, 4)), "finer grid"), (([4], (2, 2), (1, 1)), "no cell 4")):
        with pytest.raises(InputError, match=message):
            coarser(*wrong)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "at least one"),
        ([[0, 1, 2]], "rows"),
        ([[0.5, 1.0]], "whole numbers"),
        ([[9, 0]], "3 images"),
        ([[-1, 0]], "3"),
    ],
)
def test_what_are_no_cells_is_refused(rows, message):
    """In one line."""
    with pytest.raises(InputError, match=message):
        overlap(rows, [[0, 0]], 3)
