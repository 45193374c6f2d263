"""Unique variance is what an explanation holds alone: planted shares are found, shared and absent ones are nobody's."""

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.measures.unique import unique_variance


def test_planted_shares_are_found() -> None:
    """Three columns of which two are the same but for noise: only the third one's share is its own."""
    rng = np.random.default_rng(0)
    known = rng.normal(size=(300, 3))
    known[:, 1] = known[:, 0] + 0.05 * rng.normal(size=300)
    turn = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    x = np.sqrt([0.4, 0.2])[None] * known[:, [0, 2]] @ turn[:2] * np.sqrt(12) + np.sqrt(0.4) * rng.normal(
        size=(300, 12)
    )
    found = unique_variance(known, x)
    assert found.whole.low < 0.5 < found.whole.value < 0.7
    assert [one.value < 0.02 for one in found.unique] == [True, True, False]
    share = np.mean(np.var(np.sqrt(0.2 * 12) * known[:, [2]] @ turn[[1]], axis=0) / x.var(axis=0))
    assert found.unique[2].low < share < found.unique[2].high
    assert found.unique[2].low > 0.05


def test_what_is_not_there_has_no_share() -> None:
    """Vectors of noise: no interval is above 0, and most hold it."""
    above, held = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        found = unique_variance(rng.random((60, 5)) < 0.3, rng.normal(size=(60, 10)), 4, seed)
        above += [one.low > 0 for one in found.unique]
        held += [one.low <= 0 <= one.high for one in found.unique]
    assert np.mean(above) <= 0.05
    assert np.mean(held) > 0.6


def test_one_explanation_alone_is_refused() -> None:
    """There is nothing that it could share with."""
    with pytest.raises(InputError, match="another beside it"):
        unique_variance(np.ones((9, 1)), np.ones((9, 2)))
