"""An atom that fires for one class is named by it; atoms that know nothing stay at chance."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, mutual_info_score

from denoscope.core.errors import InputError
from denoscope.measures.factors import detected, mutual_information, named

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
