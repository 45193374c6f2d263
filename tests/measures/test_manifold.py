"""Usual cells are near 1, unusual ones are as far as they are."""

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.measures.manifold import usual

RNG = np.random.default_rng(0)
MIX = RNG.normal(size=(6, 6)) * np.array([4, 3, 2, 1, 0.7, 0.5])


def cells(n: int) -> np.ndarray:
    """Correlated normal numbers around 3."""
    return 3 + RNG.normal(size=(n, 6)) @ MIX.T


def test_fresh_cells_are_near_one_and_moved_ones_are_not() -> None:
    """With many cells the distance is the textbook's, of the true covariance."""
    known = usual(cells(20_000))
    fresh = cells(4000)
    assert known.distance(fresh).mean() == pytest.approx(1, abs=0.05)
    exact = np.einsum("nc,cd,nd->n", fresh - 3, np.linalg.inv(MIX @ MIX.T), fresh - 3) / 6
    assert np.corrcoef(known.distance(fresh), exact)[0, 1] > 0.99
    variances, axes = np.linalg.eigh(MIX @ MIX.T)
    for variance, way in zip(variances, axes.T, strict=True):
        told = known.distance(fresh + 2 * way).mean() - known.distance(fresh).mean()
        assert told == pytest.approx(4 / variance / 6, rel=0.2, abs=0.05)


def test_the_part_outside_is_a_tenth_of_what_is_usual() -> None:
    """And grows where cells leave the leading axes; turned with the cells, nothing changes."""
    known, fresh = usual(cells(5000)), cells(2000)
    assert known.outside(fresh).sum() / known.spread(fresh).sum() < 0.12
    off = known.axes[-1]
    assert known.outside(fresh + 5 * off) == pytest.approx(
        known.outside(fresh) + 25 + 10 * ((fresh - known.mean) @ off)
    )
    turn = np.linalg.qr(RNG.normal(size=(6, 6)))[0]
    base = cells(300)
    assert usual(base @ turn).distance(fresh[:9] @ turn) == pytest.approx(usual(base).distance(fresh[:9]), rel=1e-6)


def test_fewer_cells_than_channels_still_tell() -> None:
    """Shrinkage keeps the distance finite; cells that do not vary are refused."""
    assert np.isfinite(usual(cells(4)).distance(cells(5))).all()
    with pytest.raises(InputError, match="that vary"):
        usual(np.ones((5, 6)))
