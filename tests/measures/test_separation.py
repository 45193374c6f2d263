"""Separation, cell coverage and bootstrap: each against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.measures.geometry import centres_in_cells, coverage
from denoscope.measures.separation import separation
from denoscope.measures.similarity import dot, l2
from denoscope.measures.statistics import bootstrap_mean


@given(seed=st.integers(0, 10_000))
def test_separation_counts_triples_at_equal_distance(seed: int) -> None:
    """Equal to the share of triples counted one by one, ties one half."""
    rng = np.random.default_rng(seed)
    grid = Grid(4, 5, 1.0)
    tokens = rng.integers(-1, 2, size=(20, 3)).astype(np.float64)
    label = rng.integers(0, 3, size=20)
    mine, others = np.flatnonzero(label == 1), np.flatnonzero(label == 2)
    alike, places = dot(tokens, tokens), centres_in_cells(grid)

    def far(a: int, b: int) -> float:
        return float(np.square(places[a] - places[b]).sum())

    def share(i: int, j: int) -> float:
        rivals = [alike[i, k] for k in others if far(i, k) == far(i, j)]
        return float(np.mean([(np.sign(alike[i, j] - rival) + 1) / 2 for rival in rivals] or [np.nan]))

    per_anchor = [[share(i, j) for j in mine if j != i] for i in mine]
    means = [np.nanmean(row) for row in per_anchor if row and not np.isnan(row).all()]
    found = separation(tokens, label == 1, label == 2, grid, dot)
    assert found == pytest.approx(np.mean(means)) if means else np.isnan(found)


def test_separation_knows_the_perfect_and_the_blind() -> None:
    """1 for two tight clusters; one half for noise and for what only varies smoothly; NaN for a single cell."""
    grid = Grid(16, 16, 1.0)
    y, x = np.mgrid[0:16, 0:16]
    label = (np.hypot(x - 8, y - 8) < 4).ravel()
    clusters = np.where(label[:, None], [1.0, 0.0], [0.0, 1.0])
    assert separation(clusters, label, ~label, grid) == 1.0
    noise = np.random.default_rng(0).normal(size=(256, 64))
    assert separation(noise, label, ~label, grid) == pytest.approx(0.5, abs=0.03)
    places = centres_in_cells(grid)
    assert separation(places, label, ~label, grid, lambda a, b: -l2(a, b)) == 0.5
    assert np.isnan(separation(noise, np.arange(256) == 0, ~label, grid))


@pytest.mark.parametrize("mirrored", [False, True])
def test_coverage_of_a_half_covered_image(mirrored: bool) -> None:
    """A mask over the left half covers the left cells; a mirrored frame puts them on the right; padding is empty."""
    mask = np.zeros((20, 40), dtype=bool)
    mask[:, :20] = True
    scale, offset = (-1.0, 40.0) if mirrored else (1.0, 0.0)
    frame = Frame(40, 20, 40, 40, scale_x=scale, offset_x=offset, offset_y=10)
    found = coverage(mask, frame, Grid(4, 4, 10.0))
    expected = np.zeros((4, 4))
    expected[1:3, 2:] = 1.0
    np.testing.assert_array_equal(found, expected if mirrored else expected[:, ::-1])


def test_coverage_is_a_share() -> None:
    """A quarter of a cell is a quarter."""
    mask = np.zeros((16, 16), dtype=bool)
    mask[:4, :4] = True
    assert coverage(mask, Frame(16, 16, 16, 16), Grid(2, 2, 8.0))[0, 0] == 0.25


def test_centres_are_in_reading_order() -> None:
    """x varies fastest."""
    np.testing.assert_array_equal(
        centres_in_cells(Grid(2, 3, 1.0))[:4], [[0.5, 0.5], [1.5, 0.5], [2.5, 0.5], [0.5, 1.5]]
    )


def test_bootstrap_interval_covers_the_mean_in_about_95_of_100_worlds() -> None:
    """Between 90 % and 99 % of 300 samples of 40 have the true mean in their interval."""
    rng = np.random.default_rng(0)
    worlds = [bootstrap_mean(rng.normal(size=40), draws=400, seed=i) for i in range(300)]
    covered = np.mean([world.low <= 0 <= world.high for world in worlds])
    assert 0.90 <= covered <= 0.99


def test_bootstrap_leaves_out_units_without_a_number() -> None:
    """n counts the rest; an empty rest is an error; equal units give an exact interval."""
    assert bootstrap_mean([1.0, np.nan, 1.0]) == (1.0, 1.0, 1.0, 2)
    with pytest.raises(InputError, match="no unit"):
        bootstrap_mean([np.nan])
