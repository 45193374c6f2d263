"""Peaks lie where parabolas have them, groups are told apart when they peak apart, and not otherwise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import InputError
from denoscope.measures.peaks import apart, by_labels, peak, peak_estimate, redrawn

HUMP = np.array([0.2, 0.4, 0.7, 1.0, 0.7, 0.4, 0.2])
LATE = np.array([0.2, 0.2, 0.3, 0.4, 0.7, 1.0, 0.6])
TWO = np.array([0.2, 0.99, 0.3, 0.2, 0.3, 0.5, 1.0])


@given(st.floats(0.51, 5.49), st.floats(0.1, 10), st.floats(-5, 5))
def test_the_vertex_of_a_parabola_is_found(vertex: float, bend: float, height: float) -> None:
    """From whole places, wherever between them it lies."""
    assert peak(height - bend * (np.arange(7) - vertex) ** 2) == pytest.approx(vertex, abs=1e-6)


def test_ends_and_flat_tops_stay_where_they_are() -> None:
    """A maximum at an end is the end; of equal ones the first; many curves at once."""
    curves = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [0.0, 2.0, 2.0]])
    assert peak(curves).tolist() == [0, 2, 0, 1.5]
    assert peak(np.array([[7.0]])).tolist() == [0]
    with pytest.raises(InputError, match="without places"):
        peak(np.empty((3, 0)))


def test_drawn_curves_vary_as_their_rows_do() -> None:
    """A mean over rows: draws have its value and its variance, and the same rows move all curves."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    x[:, 2] = x[:, 0]
    draws = redrawn(x.mean(axis=0), (x - x.mean(axis=0)) / 80, 6000)
    assert np.allclose(draws.mean(axis=0), x.mean(axis=0), atol=0.01)
    assert np.allclose(draws.std(axis=0), x.std(axis=0) / np.sqrt(80), rtol=0.05)
    assert np.allclose(draws[:, 0], draws[:, 2])
    assert np.array_equal(draws[:5], redrawn(x.mean(axis=0), (x - x.mean(axis=0)) / 80, 6000)[:5])


def noisy(curve: np.ndarray, seed: int, rows: int = 60, noise: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """A curve as a mean over rows that differ from it, and its draws."""
    x = curve + noise * np.random.default_rng(seed).normal(size=(rows, len(curve)))
    return x.mean(axis=0), redrawn(x.mean(axis=0), (x - x.mean(axis=0)) / rows, 800, seed)


def test_two_humps_apart_are_told_apart() -> None:
    """Two places behind, with an interval that says so; and the peak itself with its own."""
    (late, its), (hump, theirs) = noisy(LATE, 1), noisy(HUMP, 2)
    found = apart(late, hump, its, theirs, 60)
    assert found.gap.low > 0.5 and found.gap.low < 2 < found.gap.high + 0.3 and found.p < 0.01
    assert found.p_either < 0.02 and found.first == peak_estimate(late, its, 60)
    assert found.first.low < 5 < found.first.high + 0.2


def test_a_curve_with_two_humps_has_no_best_place_in_common_with_one_in_between() -> None:
    """The gap jumps from one side to the other, but nowhere are both at their best."""
    (two, its), (hump, theirs) = noisy(TWO, 3), noisy(HUMP, 4)
    its, two = its + TWO - two, TWO
    found = apart(two, hump, its, theirs, 60)
    assert found.gap.low < 0 < found.gap.high and found.p > 0.05
    assert found.p_common < 0.01


@pytest.mark.parametrize("curve", [HUMP, HUMP / 2, np.full(7, 0.5)])
def test_curves_of_one_peak_are_not_told_apart(curve: np.ndarray) -> None:
    """Of other heights too, and flat ones: at 5 %, seldom more than that."""
    told = [apart(*_pair(curve, seed), 60) for seed in range(40)]
    assert np.mean([one.p < 0.05 for one in told]) <= 0.12
    assert np.mean([one.p_common < 0.05 for one in told]) <= 0.07
    assert np.mean([one.p_either < 0.05 for one in told]) <= 0.1
    assert np.mean([one.gap.low <= 0 <= one.gap.high for one in told]) >= 0.88


def _pair(curve: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    (one, its), (other, theirs) = noisy(HUMP if curve.std() else curve, seed), noisy(curve, seed + 1000)
    return one, other, its, theirs


def test_labels_dealt_anew_tell_a_group_from_some_of_its_kind() -> None:
    """Eight late curves among twenty-four early ones; and none among equals, where p-values are spread evenly."""
    rng, group = np.random.default_rng(0), np.arange(32) < 8
    curves = np.where(group[:, None], LATE, HUMP) + 0.3 * rng.normal(size=(32, 7))
    assert by_labels(curves, group, 999) < 0.01
    null = [by_labels(HUMP + 0.3 * rng.normal(size=(32, 7)), group, 199, seed) for seed in range(100)]
    assert 0.35 < np.mean(null) < 0.65 and np.mean(np.array(null) < 0.05) <= 0.1
    with pytest.raises(InputError, match="0 of 32 are in it"):
        by_labels(curves, np.zeros(32, bool))
