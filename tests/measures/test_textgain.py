"""Gains are paired, words can be followed or not, and what was mixed in is found again."""

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.measures.judgments import Judgments
from denoscope.measures.textgain import as_told, gain_share, mixed_in, object_gain, triad_gain
from denoscope.measures.triplets import alike, credits, probabilities

OBJECTS = 40


def thoughts(seed: int, objects: int = OBJECTS) -> np.ndarray:
    """What people think of the objects."""
    return np.maximum(np.random.default_rng(seed).normal(size=(objects, 8)) - 0.2, 0)


def choices(embedding: np.ndarray, rows: int = 3000, seed: int = 1) -> Judgments:
    """People who choose by an embedding, forty of them."""
    rng = np.random.default_rng(seed)
    asked = np.argsort(rng.random((rows, len(embedding))), axis=1)[:, :3]
    chances = probabilities(alike(embedding, "dot"), Judgments.of(asked, len(embedding)))
    pair = (rng.random((rows, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    order = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])[pair]
    return Judgments.of(np.take_along_axis(asked, order, axis=1), len(embedding), rng.integers(0, 40, rows))


def test_no_gain_is_found_about_as_often_as_its_rate_says() -> None:
    """Two unrelated representations of equal worth: p below 0.05 in about 5 % of 120 worlds; intervals hold 0."""
    found = []
    for seed in range(120):
        judged = choices(thoughts(seed), 600, seed)
        rng = np.random.default_rng((seed, 1))
        first, second = (credits(alike(rng.normal(size=(OBJECTS, 5))), judged).right for _ in range(2))
        test = triad_gain(first, second, judged)
        assert (test.p < 0.05) == (not test.difference.low <= 0 <= test.difference.high)
        found.append(test.p)
    assert 1 <= sum(p < 0.05 for p in found) <= 14
    assert 0.35 < np.mean(found) < 0.65


def test_a_gain_is_the_difference_of_the_two_scores() -> None:
    """And nothing at all, surely, for the same one twice."""
    truth = thoughts(0)
    judged = choices(truth)
    good, poor = (credits(alike(x, "dot"), judged).right for x in (truth, thoughts(9)))
    test = triad_gain(good, poor, judged)
    assert test.difference.value == pytest.approx(good.mean() - poor.mean())
    assert test.difference.low > 0.05 and test.p < 1e-6
    assert triad_gain(good, good, judged) == ((0.0, 0.0, 0.0, len(judged)), 1.0)


def test_objects_are_scored_as_the_words_name_them() -> None:
    """A representation of the words alone scores as the truth once names are followed; unnamed objects drop out."""
    truth, rng = thoughts(0), np.random.default_rng(3)
    judged, told = choices(truth), rng.permutation(OBJECTS)
    carrier = np.argsort(told)
    shown = alike(truth[told], "dot")
    similar, rows = as_told(shown, carrier, judged)
    assert rows.all() and np.allclose(similar, alike(truth, "dot"))
    carrier[7] = -1
    _, rows = as_told(shown, carrier, judged)
    about = (judged.first == 7) | (judged.second == 7) | (judged.odd == 7)
    assert (rows == ~about).all()


def test_what_was_put_beside_is_found_with_its_weight() -> None:
    """Vectors side by side: the mixture is exact, and its weight is the share of the spread; never negative."""
    first, second = (np.random.default_rng(seed).normal(size=(OBJECTS, 6)) for seed in (1, 2))
    both = np.hstack([first, 0.5 * second])
    found = mixed_in(alike(both, "dot"), alike(first, "dot"), alike(second, "dot"))
    assert found.share == pytest.approx(1.0)
    assert np.allclose(found.similar, alike(both, "dot"))
    spread = [alike(x, "dot")[np.triu_indices(OBJECTS, 1)].std() for x in (first, second)]
    assert found.weight == pytest.approx(0.25 * spread[1] / (spread[0] + 0.25 * spread[1]))
    against = mixed_in(alike(first, "dot"), alike(first, "dot"), -alike(first, "dot"))
    assert against.weight == 0 and against.share == pytest.approx(1.0)
    flat = mixed_in(np.ones((4, 4)), np.ones((4, 4)), np.ones((4, 4)))
    assert flat.share == 0 and flat.weight == 0
    with pytest.raises(InputError, match="same 3 objects"):
        mixed_in(np.eye(4), np.eye(4), np.eye(5))


def test_a_share_of_a_gain_that_may_be_nothing_is_not_told() -> None:
    """Half of a sure gain is half; of a gain whose interval holds 0 there is no share."""
    truth = thoughts(0)
    judged = choices(truth)
    whole = credits(alike(truth, "dot"), judged).right - 1 / 3
    part = whole / 2 + 0.02 * np.random.default_rng(0).normal(size=len(whole))
    found = gain_share(part, whole, judged)
    assert found is not None and found.low < 0.5 < found.high and found.high - found.low < 0.05
    part[:500] = np.nan
    some = gain_share(part, whole, judged)
    assert some is not None and some.value == pytest.approx(0.5, abs=0.05)
    assert gain_share(part, whole - whole.mean(), judged) is None


def test_one_objects_gain_is_clustered_by_the_others() -> None:
    """Without a gain its intervals miss 0 at their rate, although a choice moves with each of its two others."""
    judged, missed, count = choices(thoughts(0), 4000), 0, 0
    for world in range(6):
        rng = np.random.default_rng(world)
        effect = rng.normal(size=OBJECTS)
        gain = effect[judged.first] + effect[judged.second] + effect[judged.odd] + rng.normal(size=len(judged))
        for one in range(OBJECTS):
            rows = np.flatnonzero((judged.first == one) | (judged.second == one) | (judged.odd == one))
            some = judged.select(rows)
            test = object_gain(gain[rows] - effect[one], one, some)
            assert test.difference.n == len(rows)
            missed, count = missed + (test.p < 0.05), count + 1
    assert missed / count < 0.15


def test_the_interval_of_one_object_is_wider_than_that_of_independent_choices() -> None:
    """Effects of the other objects are shared by the choices that they are in."""
    judged, effect = choices(thoughts(0), 4000), np.random.default_rng(0).normal(size=OBJECTS)
    rows = np.flatnonzero((judged.first == 0) | (judged.second == 0) | (judged.odd == 0))
    gain = (effect[judged.first] + effect[judged.second] + effect[judged.odd])[rows]
    test = object_gain(gain, 0, judged.select(rows))
    assert test.difference.high - test.difference.value > 1.3 * 1.96 * gain.std() / len(rows) ** 0.5
