"""Word maps as arrays: joined over grids, cut, held against masks; against independent or brute-force answers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.measures.heat import best_threshold, blob, box_around, cut, joined, overlap, pointed, scaled


def test_joining_is_the_mean_of_bilinear_maps() -> None:
    """Over grids of different fineness, on a canvas that is not square; the oracle is torch's interpolation."""
    rng, frame = np.random.default_rng(0), Frame(96, 64, 96, 64)
    grids = [Grid(8, 12, 8.0), Grid(4, 6, 16.0), Grid(8, 12, 8.0)]
    maps = [rng.random((grid.rows, grid.cols)) for grid in grids]
    large = [
        torch.nn.functional.interpolate(torch.tensor(one)[None, None], (64, 96), mode="bilinear", align_corners=False)
        for one in maps
    ]
    assert np.allclose(joined(list(zip(maps, grids, strict=True)), frame), torch.cat(large).mean(0)[0], atol=1e-12)
    with pytest.raises(InputError, match="no map to join"):
        joined([], frame)


def test_a_map_lands_where_it_was() -> None:
    """The hot cell at the top right of a wide grid is at the top right of the picture; rows are not columns."""
    hot = np.zeros((2, 3))
    hot[0, 2] = 1
    found = joined([(hot, Grid(2, 3, 30.0))], Frame(90, 60, 90, 60))
    assert found.shape == (60, 90) and np.argwhere(cut(found, 0.9)).min(axis=0).tolist()[1] > 60
    assert box_around(cut(found, 0.5)) == (60, 0, 90, 30)


def test_padding_is_left_out() -> None:
    """A wide image that was padded to a square: cells above and below it reach no pixel."""
    values = np.array([[9.0, 9.0], [1.0, 2.0], [1.0, 2.0], [9.0, 9.0]]).repeat(2, axis=1)
    found = joined([(values, Grid(4, 4, 8.0))], Frame(64, 32, 32, 32, 0.5, 0.5, 0.0, 8.0))
    assert found.shape == (32, 64) and found.max() <= 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-5, 5))
def test_a_mask_does_not_depend_on_the_scale(seed: int, factor: float, shift: float) -> None:
    """Maps are cut between their own lowest and highest value; stretching and shifting change no pixel."""
    values = np.random.default_rng(seed).random((5, 7))
    assert (cut(values, 0.4) == cut(values * factor + shift, 0.4)).mean() == 1
    assert scaled(values).min() == 0 and scaled(values).max() == 1


def test_a_map_without_relief_is_no_mask_and_no_nan() -> None:
    """All cells alike: nothing stands out, and nothing divides by zero."""
    assert not scaled(np.full((3, 4), 0.2)).any() and not cut(np.full((3, 4), 0.2), 0.4).any()
    with pytest.raises(InputError, match="threshold lies in 0"):
        cut(np.ones((2, 2)), 1.5)


def test_overlap_is_counted_pixel_by_pixel() -> None:
    """Intersection over union of a stack of masks; nothing at all has none."""
    rng = np.random.default_rng(1)
    found, truth = rng.random((4, 6, 5)) > 0.4, rng.random((4, 6, 5)) > 0.6
    found[3] = truth[3] = False
    for one, a, b in zip(overlap(found, truth)[:3], found, truth, strict=False):
        places = [(x, y) for x in range(6) for y in range(5)]
        both, either = sum(a[p] and b[p] for p in places), sum(a[p] or b[p] for p in places)
        assert one == pytest.approx(both / either)
    assert np.isnan(overlap(found, truth)[3])


def test_pointing_shares_ties() -> None:
    """The highest place counts; where all are alike, the share of the picture does."""
    truth = np.zeros((4, 5), bool)
    truth[1, :2] = True
    assert pointed(np.arange(20).reshape(4, 5), truth) == 0 and pointed(truth * 3.0, truth) == 1
    assert pointed(np.zeros((4, 5)), truth) == pytest.approx(0.1)


def test_the_best_threshold_is_the_best_of_all() -> None:
    """Histograms give what cutting at every threshold gives, also where an image shows nothing."""
    rng = np.random.default_rng(2)
    truths = [rng.random((9, 8)) > 0.7 for _ in range(5)]
    maps = [truth * rng.uniform(0.2, 0.8) + rng.random(truth.shape) * 0.5 for truth in truths]
    tried = [
        np.mean([overlap(cut(a, level), b) for a, b in zip(maps, truths, strict=True)]) for level in np.arange(20) / 20
    ]
    assert best_threshold(maps, truths) == pytest.approx(np.argmax(tried) / 20)


def test_the_blob_is_round_and_in_the_middle() -> None:
    """Highest at the centre, alike in all four corners, whatever the shape."""
    found = blob(40, 60)
    assert np.allclose(found, found[::-1]) and np.allclose(found, found[:, ::-1])
    assert np.unravel_index(found.argmax(), found.shape) == (19, 29) and 0 < found.min() < 0.05


def test_the_box_is_around_the_largest_part() -> None:
    """Specks elsewhere do not stretch it, and an empty mask has none."""
    mask = np.zeros((10, 12), bool)
    mask[2:5, 3:9] = mask[8, 11] = True
    assert box_around(mask) == (3, 2, 9, 5) and box_around(np.zeros((3, 3), bool)) is None
