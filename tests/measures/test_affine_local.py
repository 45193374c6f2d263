"""Maps that keep neighbourhoods (gLocal): the gradient is right, both ends of alpha are known, and neighbours stay."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import check_grad

from denoscope.core.errors import InputError
from denoscope.measures.affine import highest_penalty, solve
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_local import Neighbourhoods, distilled

Numbers = NDArray[np.float64]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 6)) * np.array([1, 1, 2, 2, 2, 2])
ASKED = np.argsort(RNG.random((1500, 30)), axis=1)[:, :3]


def _choices() -> Choices:
    """People who see by the first two channels."""
    s = 4 * X[:, :2] @ X[:, :2].T
    pairs = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])
    logits = np.stack([s[ASKED[:, i], ASKED[:, j]] for i, j, _ in pairs], axis=1)
    kept = (logits + np.random.default_rng(1).gumbel(size=logits.shape)).argmax(axis=1)
    return Choices.of(np.take_along_axis(ASKED, pairs[kept], axis=1), 30)


CHOICES = _choices()
ALL = np.arange(30)


def _cosines(x: Numbers) -> Numbers:
    rows = x / np.linalg.norm(x, axis=1, keepdims=True)
    return rows @ rows.T


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_the_loss_is_the_mean_cross_entropy_of_the_softmax_of_cosines(temperature: float) -> None:
    """Row by row, as written in the paper's code: an object is not its own neighbour."""
    near, mapped = Neighbourhoods.of(X, temperature), X @ RNG.normal(size=(6, 6))
    told = []
    for i in range(30):
        others = np.delete(ALL, i)
        p, q = (np.exp(_cosines(x)[i, others] / temperature) for x in (X, mapped))
        told.append(-(p / p.sum() * np.log(q / q.sum())).sum())
    assert near.loss(mapped)[0] == pytest.approx(np.mean(told))
    assert near.chances.sum(axis=1) == pytest.approx(1)


def test_the_gradient_is_that_of_the_loss() -> None:
    """By finite differences."""
    near = Neighbourhoods.of(X, 0.3)

    def loss(flat: Numbers) -> float:
        return near.loss(flat.reshape(30, 6))[0]

    assert check_grad(loss, lambda flat: near.loss(flat.reshape(30, 6))[1].reshape(-1), RNG.normal(size=180)) < 1e-5


def test_a_multiple_of_the_identity_or_a_turn_keeps_all_neighbourhoods() -> None:
    """The loss is then the entropy, which no map goes below, and flat."""
    near, turn = Neighbourhoods.of(X), np.linalg.qr(RNG.normal(size=(6, 6)))[0]
    for w in (0.01 * np.eye(6), 7 * turn):
        loss, gradient = near.loss(X @ w)
        assert loss == pytest.approx(near.entropy)
        assert np.abs(gradient).max() < 1e-9
    assert near.loss(X @ RNG.normal(size=(6, 6)))[0] > near.entropy


def test_without_the_local_term_it_is_the_certified_map() -> None:
    """alpha = 0."""
    penalty = 0.1 * highest_penalty(X, CHOICES)
    plain, found = solve(X, CHOICES, penalty, shape="shrunk"), distilled(X, CHOICES, penalty, ALL, alpha=0.0)
    assert found.certificate.objective == pytest.approx(plain.certificate.objective, abs=1e-6)
    assert found.certificate.gap < 1e-5


def test_the_more_the_neighbourhoods_weigh_the_better_they_are_kept() -> None:
    """At the cost of the choices; and no objective is below its bound."""
    near, penalty = Neighbourhoods.of(X, 0.3), 1e-3 * highest_penalty(X, CHOICES)
    found = [distilled(X, CHOICES, penalty, ALL, alpha=alpha, temperature=0.3) for alpha in (0.0, 0.3, 0.9)]
    lost = [near.loss(X @ one.factor)[0] - near.entropy for one in found]
    assert lost[0] > lost[1] + 0.01 > lost[2] + 0.02
    assert found[0].cross_entropy < found[1].cross_entropy < found[2].cross_entropy
    for alpha, one in zip((0.0, 0.3, 0.9), found, strict=True):
        proof = one.certificate
        assert proof.bound <= proof.objective + 1e-12
        fixed = [(1 - alpha) * CHOICES.loss(c * X @ X.T)[0] + alpha * near.entropy for c in (0.01, 0.1, 1.0)]
        assert proof.objective <= min(fixed) + 1e-9


def test_neighbourhoods_of_other_objects_than_those_of_the_choices_may_be_kept() -> None:
    """As gLocal keeps those of a second data set."""
    penalty = 1e-3 * highest_penalty(X, CHOICES)
    wider, others = np.concatenate([X, RNG.normal(size=(20, 6))]), np.arange(30, 50)
    rows = np.stack(np.unravel_index(CHOICES.pairs, (30, 30)))
    more = Choices(rows[0] * 50 + rows[1], CHOICES.weight, 50, CHOICES.count)
    near = Neighbourhoods.of(wider[others])
    free, kept = (distilled(wider, more, penalty, others, alpha=alpha) for alpha in (0.0, 0.8))
    assert near.loss(wider[others] @ kept.factor)[0] < near.loss(wider[others] @ free.factor)[0]


def test_bad_input_is_named() -> None:
    """Weights, penalties and temperatures that cannot be."""
    with pytest.raises(InputError, match="alpha lies in"):
        distilled(X, CHOICES, 0.1, ALL, alpha=1.0)
    with pytest.raises(InputError, match="penalty is positive"):
        distilled(X, CHOICES, 0.0, ALL)
    with pytest.raises(InputError, match="positive temperature and two objects, not 0"):
        distilled(X, CHOICES, 0.1, ALL, temperature=0)
