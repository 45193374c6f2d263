"""Two-sample tests hold their level where nothing differs, see what differs, and equal their formulas."""

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.measures.twosample import energy_distance, told_apart, two_sample


def test_the_energy_distance_is_its_formula():
    """Against sums over pairs, without a row's distance to itself; equal up to scale, shift and rotation."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 3)), rng.normal(size=(7, 3)) + 0.7

    def mean(a, b, same):
        return np.mean(
            [np.linalg.norm(p - q) for i, p in enumerate(a) for j, q in enumerate(b) if not (same and i == j)]
        )

    between = 2 * mean(x, y, False)
    expected = (between - mean(x, x, True) - mean(y, y, True)) / between
    found, _ = energy_distance(x, y, draws=9)
    assert found.value == pytest.approx(expected)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert energy_distance(3 * x @ turn + 5, 3 * y @ turn + 5, draws=9)[0].value == pytest.approx(expected)
    points = energy_distance(np.zeros((5, 2)), np.ones((5, 2)), draws=9)[0]
    assert points.value == 1.0


def test_the_jackknife_leaves_out_each_unit():
    """Its interval is that of 16 computations without one row each."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(9, 3)), rng.normal(size=(7, 3))
    left = [energy_distance(np.delete(x, i, 0), y, draws=1)[0].value for i in range(9)]
    right = [energy_distance(x, np.delete(y, i, 0), draws=1)[0].value for i in range(7)]
    error = np.sqrt(8 / 9 * 9 * np.var(left) + 6 / 7 * 7 * np.var(right))
    found = energy_distance(x, y, draws=1)[0]
    assert found.high - found.value == pytest.approx(1.959964 * error, rel=1e-6)


def test_nothing_is_found_where_nothing_differs():
    """Over 200 pairs of skewed, correlated samples: 5 % of p-values below 0.05, and intervals that hold the null."""
    mixing, low, covered = np.random.default_rng(2).normal(size=(12, 12)), np.zeros(2), np.zeros(2)
    for seed in range(200):
        rng = np.random.default_rng((3, seed))
        x, y = (np.exp(0.5 * rng.normal(size=(24, 12)) @ mixing / 3) for _ in range(2))
        found = two_sample(x, y, draws=99, seed=seed)
        low += (found.p <= 0.05, found.accuracy_p <= 0.05)
        covered += (found.energy.low <= 0 <= found.energy.high, found.accuracy.low <= 0.5 <= found.accuracy.high)
    assert (low <= 20).all()  # 10 expected, 20 has a chance of 0.002
    assert (covered >= 180).all()


@pytest.mark.parametrize("difference", ["mean", "variance", "correlation"])
def test_what_differs_is_found(difference):
    """A shifted mean, a larger variance; of correlations alone the classifier of channels and squares knows nothing."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 80, 10))
    if difference == "mean":
        y[:, 0] += 2.5
    elif difference == "variance":
        y *= 1.5
    else:
        y[:, 1:] = y[:, :1]
    found = two_sample(x, y, draws=199)
    assert found.p == 1 / 200
    assert found.energy.low > 0
    if difference != "correlation":
        assert found.accuracy_p == 1 / 200
        assert found.accuracy.low > 0.6
    assert told_apart(x, y, draws=9)[0].n == 160


def test_bad_input_is_refused():
    """Widths, sizes and numbers."""
    good = np.random.default_rng(0).normal(size=(6, 3))
    for other, words in ((good[:, :2], "one width"), (good[:3], "4 units each"), (np.full((6, 3), np.nan), "NaN")):
        with pytest.raises(InputError, match=words):
            two_sample(good, other)
