"""One vector of an image's cells: each way is the equation that it names, and cells that do not count do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import InputError, UnknownName
from denoscope.measures.pooling import POOLS, attention_weights, pool_cells, principal

WHOLE = np.ones(12, bool)


def cells(seed: int = 0, channels: int = 6) -> np.ndarray:
    """Twelve cells of one image."""
    return np.random.default_rng(seed).normal(size=(12, channels)) + 0.5


@given(st.integers(0, 1000), st.floats(0, 40))
def test_attention_weights_are_a_softmax_of_cosines_to_the_mean(seed: int, focus: float) -> None:
    """They sum to one, do not depend on scale or rotation, and rank cells as their cosines do."""
    x = cells(seed)
    found, m = attention_weights(x, focus), x.mean(axis=0)
    turn = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(6, 6)))[0]
    assert found.sum() == pytest.approx(1) and np.allclose(found, attention_weights(7 * x @ turn, focus))
    cosine = x @ m / np.linalg.norm(x, axis=1) / np.linalg.norm(m)
    assert np.allclose(np.log(found) - np.log(found[0]), focus * (cosine - cosine[0]), atol=1e-9)


def test_attention_lies_between_the_mean_and_the_most_typical_cell() -> None:
    """At focus 0 it is the mean; far up the cell that is most like the mean."""
    x = cells()
    m = x.mean(axis=0)
    best = x[np.argmax(x @ m / np.linalg.norm(x, axis=1))]
    assert np.allclose(pool_cells(x, WHOLE, "attention", 0.0), m)
    assert np.allclose(pool_cells(x, WHOLE, "attention", 1e6), best)


def test_inner_products_of_cells_are_mean_cosines_at_the_same_place() -> None:
    """And the squared distance is that of LPIPS with equal weights."""
    x, y = cells(1), cells(2)
    a, b = pool_cells(x, WHOLE, "cells"), pool_cells(y, WHOLE, "cells")
    unit = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y)]
    assert a @ b == pytest.approx(np.mean(np.sum(unit[0] * unit[1], axis=1)))
    assert np.sum((a - b) ** 2) == pytest.approx(np.mean(np.sum((unit[0] - unit[1]) ** 2, axis=1)))


def test_inner_products_of_second_moments_are_those_of_matrices() -> None:
    """Whole up to 128 channels; of more, nearly so; the order of the cells does not matter."""
    x, y = cells(1), cells(2)
    a, b = pool_cells(x, WHOLE, "gram"), pool_cells(y, WHOLE, "gram")
    assert a @ b == pytest.approx(np.sum((x.T @ x / 12) * (y.T @ y / 12)))
    assert np.allclose(a, pool_cells(x[::-1], WHOLE, "gram")) and len(a) == 21
    wide = [cells(seed, 300) for seed in (3, 4)]
    rough = [pool_cells(z, WHOLE, "gram") for z in wide]
    true = [z.T @ z / 12 for z in wide]
    cosine = [u @ v / np.sqrt(u @ u * (v @ v)) for u, v in (rough, [z.reshape(-1) for z in true])]
    assert cosine[0] == pytest.approx(cosine[1], abs=0.12) and len(rough[0]) == 128 * 129 // 2


@pytest.mark.parametrize("how", POOLS)
def test_cells_that_do_not_count_change_nothing(how: str) -> None:
    """Whatever they hold; and pooling the others alone gives the same, up to zeros where places stay."""
    x, kept = cells(), np.arange(12) % 3 > 0
    loud = np.where(kept[:, None], x, 1e6)
    found = pool_cells(x, kept, how)
    assert np.allclose(found, pool_cells(loud, kept, how))
    alone = pool_cells(x[kept], WHOLE[:8], how)
    assert np.allclose(found[np.abs(found) > 0] if how in ("flatten", "cells") else found, alone)


def test_principal_components_are_those_of_an_independent_package() -> None:
    """Up to sign; from more channels than rows and the other way; fewer where rows span fewer."""
    from sklearn.decomposition import PCA

    for shape in ((20, 50), (50, 8)):
        x = np.random.default_rng(0).normal(size=shape) @ np.diag(1.0 / np.arange(1, shape[1] + 1))
        other = np.random.default_rng(1).normal(size=(5, shape[1]))
        found, told = principal(x, 4), PCA(4, svd_solver="full").fit(x)
        assert np.allclose(np.abs(found.of(other)), np.abs(told.transform(other)))
        assert np.allclose(found.axes @ found.axes.T, np.eye(4))
    assert principal(np.outer(np.arange(9.0), np.ones(5)), 4).axes.shape == (1, 5)


def test_what_cannot_be_is_refused() -> None:
    """No cell, no such way, too many components."""
    with pytest.raises(InputError, match="none of 12"):
        pool_cells(cells(), ~WHOLE)
    with pytest.raises(UnknownName, match="attention"):
        pool_cells(cells(), WHOLE, "attenton")
    with pytest.raises(InputError, match=r"1 \.\.\. 11 principal"):
        principal(cells(), 12)
