"""An atom that fires for one class is named by it; atoms that know nothing stay at chance."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, mutual_info_score

from denoscope.core.errors import InputError
from denoscope.measures.factors import called, detected, macro_f1, macro_f1_gap, mutual_information, named

RNG = np.random.default_rng(0)
LABELS = RNG.choice(["cat", "dog", "fish", "tree"], 400)


def test_information_is_scikit_learns() -> None:
    """In bits rather than nats; a constant atom has none, a perfect one that of its own indicator."""
    active = np.column_stack([RNG.random((400, 3)) < 0.3, np.ones(400), LABELS == "cat"])
    found = mutual_information(active, LABELS)
    told = [mutual_info_score(LABELS, column) / np.log(2) for column in active.T]
    np.testing.assert_allclose(found, told, atol=1e-12)
    assert found[3] == pytest.approx(0, abs=1e-12)


def test_information_of_nothing_is_its_known_bias() -> None:
    """(K - 1) / (2 n ln 2), averaged over atoms."""
    found = mutual_information(RNG.random((400, 2000)) < 0.5, LABELS)
    assert found.mean() == pytest.approx(3 / (2 * 400 * np.log(2)), rel=0.1)


def test_planted_atoms_get_their_name_and_f1() -> None:
    """An atom that is on for 80 % of one class and 5 % of the rest; its F1 follows from that."""
    names = ["cat", "dog", "fish", "tree"]
    codes = np.column_stack([
        np.where(name == LABELS, RNG.random(400) < 0.8, RNG.random(400) < 0.05) * RNG.uniform(0.5, 2, 400)
        for name in names
    ])  # fmt: skip
    found = named(codes, LABELS)
    assert found.label.tolist() == names
    for atom, name in enumerate(names):
        told = f1_score(name == LABELS, codes[:, atom] >= found.threshold[atom])
        assert found.f1[atom] == pytest.approx(told, abs=0.08)
        assert found.f1[atom] > 0.7 > found.chance[atom]


def test_each_class_finds_its_planted_atom_among_many() -> None:
    """Eight atoms that know nothing stand beside four that do; the best of many by lot stays near chance."""
    names = ["cat", "dog", "fish", "tree"]
    noise = np.maximum(RNG.normal(size=(400, 8)), 0)
    known = np.column_stack([np.where(name == LABELS, 1.0, 0.0) * (RNG.random(400) < 0.9) for name in names])
    found = detected(np.column_stack([noise, known]), LABELS)
    assert found.label.tolist() == names
    assert found.atom.tolist() == [8, 9, 10, 11]
    assert (found.f1 > 0.85).all()
    null = detected(np.maximum(RNG.normal(size=(400, 200)), 0), LABELS)
    assert (null.f1 - null.chance).mean() < 0.05


def test_chance_is_not_beaten_by_atoms_that_know_nothing() -> None:
    """F1 on images that chose the class and the threshold would be too good; on the others it is not."""
    found = named(np.maximum(RNG.normal(size=(400, 300)), 0), LABELS)
    assert (found.f1 - found.chance).mean() < 0.01


def test_an_atom_that_is_never_active_detects_nothing() -> None:
    """Silence is not a detection of the rarest class."""
    found = named(np.zeros((400, 2)), LABELS)
    assert found.f1.tolist() == [0, 0]
    assert np.isinf(found.threshold).all()
    with pytest.raises(InputError, match="two classes"):
        named(np.ones((3, 1)), ["a"] * 3)
    with pytest.raises(InputError, match="labels of shape"):
        mutual_information(np.ones((3, 1)), ["a"] * 4)


def one_hot(labels):
    """Classes as columns, in the order of their names."""
    return labels[:, None] == np.unique(labels)


def test_calls_are_made_by_what_the_other_half_chose() -> None:
    """Planted atoms are found among noise, macro F1 is scikit-learn's; a half's own labels change nothing in it."""
    truth, half = one_hot(LABELS), np.arange(400) % 2
    noise = np.maximum(RNG.normal(size=(400, 20)), 0)
    strengths = np.column_stack([noise, truth * (RNG.random((400, 4)) < 0.9) + 0.01])
    calls = called(strengths, truth, half)
    told = macro_f1(calls, truth)
    assert told.value == pytest.approx(f1_score(truth, calls, average="macro"))
    assert told.low < told.value < told.high
    assert told.value > 0.9
    other = truth.copy()
    other[half == 1] = RNG.permutation(truth[half == 1])
    np.testing.assert_array_equal(called(strengths, other, half)[half == 1], calls[half == 1])


def test_atoms_that_know_nothing_call_at_chance_and_differ_by_nothing() -> None:
    """Of 40 pairs of null dictionaries the paired intervals hold zero about as often as they say, and p is even."""
    rng = np.random.default_rng(5)
    labels = rng.choice(["cat", "dog", "fish"], 150)
    truth, half = one_hot(labels), np.arange(150) % 2
    share = truth.mean(axis=0)
    held, above, p = 0, [], []
    for _ in range(40):
        first, second = (called(np.maximum(rng.normal(size=(150, 30)), 0), truth, half) for _ in range(2))
        gap = macro_f1_gap(first, second, truth, draws=300)
        held += gap.difference.low <= 0 <= gap.difference.high
        p.append(gap.p)
        above.append(macro_f1(first, truth, draws=50).value - (2 * share / (1 + share)).mean())
    assert held >= 34
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(above) < 0.02


def test_a_gap_is_the_difference_of_the_two_scores() -> None:
    """And exactly nothing between equal calls; shapes that do not fit are refused."""
    truth = one_hot(LABELS)
    first, second = truth ^ (RNG.random(truth.shape) < 0.1), truth ^ (RNG.random(truth.shape) < 0.3)
    gap = macro_f1_gap(first, second, truth)
    assert gap.difference.value == pytest.approx(macro_f1(first, truth).value - macro_f1(second, truth).value)
    assert gap.difference.low > 0
    assert gap.p < 0.001
    same = macro_f1_gap(first, first, truth)
    assert same.difference[:3] == (0, 0, 0)
    assert same.p == 1
    with pytest.raises(InputError, match="alike"):
        macro_f1(first[:5], truth)
    with pytest.raises(InputError, match="halves"):
        called(np.ones((400, 2)), truth, np.zeros(400))
