"""Traps of other implementations: where ours differs on purpose, the difference is shown, and identities hold."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import approx_fprime
from scipy.stats import spearmanr

from denoscope.measures.affine import with_bias
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_family import scaled
from denoscope.measures.affine_published import Published, _cross_entropy
from denoscope.measures.comparison import cka, rsa
from denoscope.measures.judgments import Judgments
from denoscope.measures.triplets import alike, chosen, credits, log_loss

Array = NDArray[Any]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(25, 6)) + 0.5
ROWS = np.argsort(RNG.random((400, 25)), axis=1)[:, :3]


def test_a_probe_that_does_nothing_is_zero_shot_by_inner_products() -> None:
    """W = I without a penalty: the same loss and the same choices."""
    judged, likeness = Judgments.of(ROWS, 25), alike(X, "dot")
    mapped = X @ np.eye(6)
    assert Choices.of(ROWS, 25).loss(mapped @ mapped.T)[0] == pytest.approx(log_loss(likeness, judged).mean())
    assert np.array_equal(credits(mapped @ mapped.T, judged).right, credits(likeness, judged).right)


def test_the_bias_with_itself_cancels() -> None:
    """Only W b matters: adding to M_bb moves no chance."""
    w = RNG.normal(size=(7, 4))
    m, more = w @ w.T, np.zeros((7, 7))
    more[6, 6] = 5.0
    x, choices = with_bias(X), Choices.of(ROWS, 25)
    one, other = choices.loss(x @ m @ x.T), choices.loss(x @ (m + more) @ x.T)
    assert one[0] == pytest.approx(other[0])
    assert one[1] == pytest.approx(other[1])


@pytest.mark.parametrize("norm", ["plain", "squared"])
def test_the_norm_that_is_penalised_is_the_one_that_is_named(norm: Any) -> None:
    """|W|, as published, or |W|^2, without the bias: the gradient of either, by finite differences."""
    z, w = with_bias(X), RNG.normal(size=(7, 6))

    def objective(flat: Array) -> float:
        v = flat.reshape(7, 6)
        size = np.linalg.norm(v[:-1])
        return _cross_entropy(z @ v, ROWS)[0] + 0.3 * float(size if norm == "plain" else size**2)

    found = Published(penalty=0.3, norm=norm)._gradient(z, w, ROWS)
    assert found.reshape(-1) == pytest.approx(approx_fprime(w.reshape(-1), objective, 1e-6), abs=1e-4)


def test_scaling_moves_zero_shot_choices() -> None:
    """The mean is taken away, by one number or by channel; inner products of scaled vectors are not raw cosines."""
    judged, objects = Judgments.of(ROWS, 25), np.arange(25)
    ways = (X, scaled(X, objects, "scalar"), scaled(X, objects, "channel"))
    raw, one, each = (chosen(alike(x), judged) for x in ways)
    assert 0 < (raw != one).mean() < 1
    assert 0 < (one != each).mean() < 1


def test_rsatoolbox_whitened_cosine_of_squared_distances_is_linear_cka() -> None:
    """Its `cosine_cov` of two `euclidean` RDMs, written out: pairs whitened by (C C^T) squared, C their contrasts."""
    x, y = RNG.normal(size=(12, 5)), RNG.normal(size=(12, 4))
    pairs = np.array(list(combinations(range(12), 2)))
    contrast = np.zeros((len(pairs), 12))
    contrast[np.arange(len(pairs)), pairs[:, 0]], contrast[np.arange(len(pairs)), pairs[:, 1]] = 1, -1
    first, second = (np.square(contrast @ part).sum(axis=1) / part.shape[1] for part in (x, y))
    inverse = np.linalg.pinv(np.square(contrast @ contrast.T))
    whitened = first @ inverse @ second / np.sqrt((first @ inverse @ first) * (second @ inverse @ second))
    assert cka(x, y) == pytest.approx(whitened)


def test_cka_is_a_cosine_and_not_the_angle_of_it() -> None:
    """netrep tells the angle under the same name: 0 for equal representations, where the cosine is 1."""
    assert cka(X, X) == pytest.approx(1)
    y = X @ RNG.normal(size=(6, 3))
    first, second = ((x - x.mean(axis=0)) @ (x - x.mean(axis=0)).T for x in (X, y))
    cosine = (first * second).sum() / (np.linalg.norm(first) * np.linalg.norm(second))
    assert cka(X, y) == pytest.approx(cosine)
    assert abs(cka(X, y) - np.arccos(cosine)) > 0.05


def test_the_width_of_the_rbf_kernel_follows_the_distances() -> None:
    """With a width of 1, as elsewhere by default, a rescaled representation would be another one."""
    y = X @ RNG.normal(size=(6, 3))
    assert cka(100 * X, y, "rbf") == pytest.approx(cka(X, y, "rbf"))


def test_rsa_keeps_its_sign() -> None:
    """Net2Brain tells the square, by which opposite representations are alike; and scipy's rank correlation is ours."""
    x = np.array([[0.0], [1.0], [3.0], [7.0], [12.0], [20.0]])
    upper = np.triu_indices(6, 1)
    far = np.abs(x - x.T)[upper]
    opposite = np.linalg.cholesky(10 * np.eye(6) + np.exp(np.abs(x - x.T) / 20) - 1)
    other = np.linalg.norm(opposite[:, None] - opposite[None], axis=2)[upper]
    found = rsa(x, opposite, "euclidean")
    assert found == pytest.approx(spearmanr(far, other).statistic)
    assert found < -0.5
