"""The published probe: its gradient, its peculiarities, and that it comes near the certified optimum where it can."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from denoscope.core.errors import InputError
from denoscope.measures.affine import solve, with_bias
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_published import Published, _cross_entropy, published_accuracy, published_right

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4))
ASKED = np.argsort(RNG.random((2400, 20)), axis=1)[:, :3]


def _choices() -> np.ndarray:
    """People who see by the first two channels."""
    s = 4 * X[:, :2] @ X[:, :2].T
    pairs = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])
    logits = np.stack([s[ASKED[:, i], ASKED[:, j]] for i, j, _ in pairs], axis=1)
    kept = (logits + np.random.default_rng(1).gumbel(size=logits.shape)).argmax(axis=1)
    return np.take_along_axis(ASKED, pairs[kept], axis=1)


ROWS = _choices()


def test_the_gradient_is_that_of_the_loss() -> None:
    """By finite differences, repeated objects and all."""

    def loss(flat: np.ndarray) -> float:
        return _cross_entropy(flat.reshape(20, 3), ROWS[:40])[0]

    def gradient(flat: np.ndarray) -> np.ndarray:
        return _cross_entropy(flat.reshape(20, 3), ROWS[:40])[1].reshape(-1)

    assert check_grad(loss, gradient, RNG.normal(size=60)) < 1e-5


def test_with_a_squared_norm_it_ends_above_the_certified_optimum_and_near_it() -> None:
    """The same objective, but for the bias, which is penalised there: at most that much lower."""
    choices, penalty = Choices.of(ROWS, 20), 0.01
    found = Published(penalty=penalty, norm="squared", rate=0.01, epochs=60).fit(X, ROWS, ROWS)
    mapped = with_bias(X) @ found.factor
    reached = choices.loss(mapped @ mapped.T)[0] + penalty * float((found.factor**2).sum())
    proof = solve(with_bias(X), choices, penalty).certificate
    assert proof.bound <= reached < proof.objective + 0.01


def test_the_published_rate_stops_far_from_the_optimum_on_few_choices() -> None:
    """Hundred epochs of ten small steps, which is what it was run with."""
    found = Published().fit(X, ROWS, ROWS)
    assert found.losses[-1] > 1.0
    assert solve(with_bias(X), Choices.of(ROWS, 20), 0.01).cross_entropy < 0.5


def test_a_map_that_is_sure_of_nothing_is_right_about_nothing_by_the_published_rule() -> None:
    """All three probabilities round to 0.33; people's own likeness is not touched by the rule."""
    sure = published_accuracy(2 * X[:, :2], ROWS)
    assert published_accuracy(0.02 * X[:, :2], ROWS) < 0.05
    assert sure > 0.7
    assert published_accuracy(np.ones((20, 2)), ROWS) == 0


@pytest.mark.parametrize(("spread", "published"), [(0.01, 0.244), (0.003, 0.019), (0.001, 0.0)])
def test_faint_logits_are_below_chance_by_rounding_alone(spread: float, published: float) -> None:
    """Choices by lot, which are right a third of the time, by the spread of the logits."""
    logits = np.random.default_rng(0).normal(0, spread, (50_000, 3))
    assert published_right(logits).mean() == pytest.approx(published, abs=0.006)
    assert (logits.argmax(axis=1) == 0).mean() == pytest.approx(1 / 3, abs=0.01)


def test_a_published_accuracy_below_chance_is_what_the_rounding_makes_of_choices_above_it() -> None:
    """0.3022 at a cross-entropy of 1.0985 (SD 1.5, down_blocks.0, 90 % noise): a faint map that is right more often."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(100_000, 3)) + np.array([0.1, 0, 0])
    scale = next(scale for scale in np.geomspace(0.05, 0.005, 60) if published_right(scale * logits).mean() < 0.3022)
    chances = np.exp(scale * logits) / np.exp(scale * logits).sum(axis=1, keepdims=True)
    assert round(float(-np.log(chances[:, 0]).mean()), 3) in (1.098, 1.099)
    assert (logits.argmax(axis=1) == 0).mean() > 0.36


def test_two_equal_chances_are_wrong_even_where_the_third_is_least() -> None:
    """The kept pair ties with another one; `credits` gives half."""
    assert not published_right(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])).any()
    assert published_right(np.array([[1.0, 0.5, 0.0]])).all()


def test_it_stops_when_held_out_choices_no_longer_improve() -> None:
    """Held-out choices by lot are soon overfitted."""
    lot = ROWS[:, RNG.permutation(3)][:200, ::-1]
    found = Published(rate=0.05, epochs=50, penalty=0.0).fit(X, ROWS, np.ascontiguousarray(lot))
    assert 6 <= len(found.losses) < 50
    assert int(found.losses.argmin()) == len(found.losses) - 6
    with pytest.raises(InputError, match="got 0 and"):
        Published().fit(X, ROWS[:0], ROWS)
