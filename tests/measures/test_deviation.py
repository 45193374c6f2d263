"""Relative error and cosine of values against those that they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import InputError
from denoscope.measures.deviation import deviation


@given(st.floats(0.01, 5), st.integers(0, 99))
def test_closed_forms(factor: float, seed: int) -> None:
    """Scaling errs by |1 - factor| at cosine 1; turning each cell by a right angle errs by sqrt 2 at cosine 0."""
    cells = np.random.default_rng(seed).normal(size=(7, 4))
    assert deviation(factor * cells, cells) == pytest.approx((abs(1 - factor), 1.0), abs=1e-12)
    turned = cells[:, [1, 0, 3, 2]] * [1, -1, 1, -1]
    assert deviation(turned, cells) == pytest.approx((2**0.5, 0.0), abs=1e-12)
    assert deviation(-cells, cells) == pytest.approx((2.0, -1.0))


def test_cells_without_a_direction_and_faults() -> None:
    """A cell of zeros counts in the error alone; zeros throughout and other shapes are refused."""
    cells = np.array([[3.0, 4.0], [1.0, 0.0]])
    found = deviation(cells * [[1], [0]], cells)
    assert found.error == pytest.approx((1 / 26) ** 0.5) and found.cosine == pytest.approx(1)
    assert np.isnan(deviation(0 * cells, cells).cosine)
    for wrong in ((cells, 0 * cells), (cells, cells[:1]), (cells[0], cells[0])):
        with pytest.raises(InputError):
            deviation(*wrong)
