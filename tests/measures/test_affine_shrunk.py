"""Maps drawn towards a multiple of the identity: gLocal's penalty, convex in M, and certified."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from denoscope.core.errors import InputError
from denoscope.measures.affine import highest_penalty, path, solve
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_shrunk import distance_to_scalar

Numbers = NDArray[np.float64]


def _people(n: int, p: int, seed: int = 0, count: int = 2000) -> tuple[Numbers, Choices]:
    """Features of unequal size, and the choices of people who see by three directions of them."""
    rng = np.random.default_rng((seed, p))
    x = rng.normal(size=(n, p)) * np.geomspace(3, 0.3, p)
    mapped = x @ rng.normal(size=(p, 3)) * 0.3
    s = mapped @ mapped.T
    asked = np.argsort(rng.random((count, n)), axis=1)[:, :3]
    pairs = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])
    logits = np.stack([s[asked[:, i], asked[:, j]] for i, j, _ in pairs], axis=1)
    kept = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return x, Choices.of(np.take_along_axis(asked, pairs[kept], axis=1), n)


def _objective(x: Numbers, choices: Choices, w: Numbers, penalty: float) -> float:
    return choices.loss((x @ w) @ (x @ w).T)[0] + penalty * distance_to_scalar(w)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9))
def test_the_penalty_is_the_distance_to_the_nearest_multiple_of_the_identity(seed: int, p: int) -> None:
    """|W - mean(diag W) I|^2 = |W|^2 - (tr W)^2 / p, and no other multiple is nearer."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(p, p))
    told = distance_to_scalar(w)
    assert told == pytest.approx(np.square(w - np.diag(w).mean() * np.eye(p)).sum())
    assert told <= np.square(w - rng.normal() * np.eye(p)).sum() + 1e-9
    assert distance_to_scalar(rng.normal() * np.eye(p)) == pytest.approx(0, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_of_all_roots_of_m_the_symmetric_one_has_the_least_penalty_and_that_is_convex_in_m(seed: int) -> None:
    """Roots turned by lot; means of two M drawn by lot."""
    rng = np.random.default_rng(seed)

    def of_m(m: Numbers) -> float:
        values, vectors = np.linalg.eigh(m)
        return distance_to_scalar((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)

    a, b = rng.normal(size=(2, 5, 5))
    assert of_m(a @ a.T) <= distance_to_scalar(a @ np.linalg.qr(rng.normal(size=(5, 5)))[0]) + 1e-9
    assert of_m((a @ a.T + b @ b.T) / 2) <= (of_m(a @ a.T) + of_m(b @ b.T)) / 2 + 1e-9


@pytest.mark.parametrize(("n", "p"), [(40, 8), (25, 45)])
def test_the_optimum_is_certified_with_more_objects_than_features_and_with_fewer(n: int, p: int) -> None:
    """Gap, and both conditions of Karush, Kuhn and Tucker; what is told is the objective of the map that is given."""
    x, choices = _people(n, p)
    for found in path(x, choices, (1.0, 0.03, 0.001), shape="shrunk", tolerance=1e-9):
        proof = found.certificate
        assert proof.gap < 1e-6
        assert proof.slack > -1e-6
        assert abs(proof.complementarity) < 1e-6
        assert proof.objective == pytest.approx(_objective(x, choices, found.factor, found.penalty), abs=1e-9)
        assert found.factor.shape == (p, p)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 3.0))
def test_no_map_is_better_than_the_bound_even_of_a_descent_that_was_cut_off(seed: int, penalty: float) -> None:
    """Weak duality, at penalties and maps drawn by lot."""
    x, choices = _people(15, 4, count=200)
    rng = np.random.default_rng(seed)
    found = solve(x, choices, penalty, shape="shrunk", tolerance=10.0, start=rng.normal(size=(4, 4)))
    for size in (0.01, 0.1, 1.0):
        assert found.certificate.bound <= _objective(x, choices, size * rng.normal(size=(4, 4)), penalty) + 1e-12
        assert found.certificate.bound <= _objective(x, choices, size * np.eye(4), penalty) + 1e-12


def test_a_strong_penalty_leaves_the_inner_product_at_its_best_temperature() -> None:
    """Against a search for that temperature."""
    x, choices = _people(30, 6)
    found = solve(x, choices, 1e4 * highest_penalty(x, choices), shape="shrunk")
    best = minimize_scalar(lambda log: choices.loss(np.exp(log) * x @ x.T)[0], bounds=(-15, 5), method="bounded")
    assert found.cross_entropy == pytest.approx(best.fun, abs=1e-5)
    assert found.factor == pytest.approx(np.trace(found.factor) / 6 * np.eye(6), abs=1e-4)
    assert found.effective_rank == pytest.approx(6, abs=1e-3)


def test_a_weak_penalty_leaves_any_map() -> None:
    """As good as the one without that penalty."""
    x, choices = _people(40, 5)
    weak, full = (solve(x, choices, 1e-6, shape=shape) for shape in ("shrunk", "full"))
    assert weak.cross_entropy == pytest.approx(full.cross_entropy, abs=1e-3)


def test_three_starts_reach_one_objective() -> None:
    """Over three orders of magnitude, and from the default."""
    x, choices = _people(40, 8)
    starts = [np.random.default_rng(0).normal(0, sd, (8, 8)) for sd in (1e-2, 0.1, 1.0)]
    found = [solve(x, choices, 0.05, shape="shrunk", start=start).certificate.objective for start in (None, *starts)]
    assert np.ptp(found) < 1e-6


def test_channels_beyond_the_objects_keep_the_mean_diagonal() -> None:
    """Directions that no object has are multiplied as the others are on average."""
    x, choices = _people(12, 30)
    found = solve(x, choices, 0.1, shape="shrunk")
    beyond = np.linalg.svd(x)[2][12:]
    assert beyond @ found.factor @ beyond.T == pytest.approx(np.trace(found.factor) / 30 * np.eye(18), abs=1e-9)


def test_a_penalty_that_is_not_positive_is_refused() -> None:
    """As for other maps."""
    x, choices = _people(12, 3, count=50)
    with pytest.raises(InputError, match="positive"):
        solve(x, choices, 0.0, shape="shrunk")
