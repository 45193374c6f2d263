"""Numbers about dictionaries and reconstructions mean what their names say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import explained_variance_score, r2_score

from denoscope.core.errors import InputError
from denoscope.measures.reconstruction import VARIANTS, sums, unexplained
from denoscope.measures.sparsity import (
    coherence,
    covered,
    dense,
    evenness,
    fvu,
    matched,
    max_cosine,
    mean_cosine,
    nearest,
    stability,
)


def drawn(atoms=30, channels=10, seed=0):
    """Random directions."""
    return np.random.default_rng(seed).normal(size=(atoms, channels))


def reconstructed(seed=0, mean=20.0):
    """Rows of unequal channels around a mean, and a noisy, shrunken copy."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 6)) * [5, 1, 1, 0.5, 0.2, 0.1] + mean
    return x, mean + 0.8 * (x - mean) + 0.1 * rng.normal(size=x.shape)


def test_variants_are_what_other_packages_say():
    """scikit-learn's R^2 per channel, numpy's correlation, and FVU as it always was."""
    x, made = reconstructed()
    told = unexplained(x, made)
    assert told["FVU"] == pytest.approx(fvu(x, made), rel=1e-9)
    assert told["FVU"] == pytest.approx(1 - r2_score(x, made, multioutput="variance_weighted"))
    assert told["FVU per channel"] == pytest.approx(1 - r2_score(x, made))
    r = [np.corrcoef(x[:, j], made[:, j])[0, 1] for j in range(6)]
    assert told["1 - r2 per channel"] == pytest.approx(1 - np.mean(np.square(r)))
    assert told["share of energy"] == pytest.approx(np.square(x - made).sum() / np.square(x).sum())
    assert explained_variance_score(x, made) != pytest.approx(1 - told["1 - r2 per channel"])


def test_variants_differ_as_their_docstrings_say():
    """A large mean hides errors from the energy, a wrong scale from the correlation, a loud channel from FVU."""
    x, made = reconstructed()
    assert unexplained(x, made)["share of energy"] < 0.01 < unexplained(x, made)["FVU"]
    assert unexplained(x, 3 * x + 7)["1 - r2 per channel"] == pytest.approx(0, abs=1e-6)
    assert unexplained(x, 3 * x + 7)["FVU"] > 1
    loud = np.where(np.arange(6) == 0, x, x.mean(axis=0))
    assert unexplained(x, loud)["FVU"] < 0.1 < 0.8 < unexplained(x, loud)["FVU per channel"]


@given(seed=st.integers(0, 2**16), cut=st.integers(1, 199))
def test_sums_add_up(seed, cut):
    """Those of two halves are those of the whole; perfect is 0, the mean is 1 for FVU."""
    x, made = reconstructed(seed)
    both = sums(x[:cut], made[:cut]) + sums(x[cut:], made[cut:])
    for name, variant in VARIANTS.items():
        assert float(variant(both)) == pytest.approx(unexplained(x, made)[name], rel=1e-6)
        assert unexplained(x, x)[name] == pytest.approx(0, abs=1e-9)
    mean = np.broadcast_to(x.mean(axis=0), x.shape)
    assert unexplained(x, mean)["FVU"] == pytest.approx(1) == unexplained(x, mean)["1 - r2 per channel"]


def test_a_channel_that_never_varies_is_left_out():
    """It has no share of its own; rows that do not vary at all are refused."""
    x, made = reconstructed(mean=0.0)
    wide, copy = (np.concatenate([rows, np.full((200, 1), 3.0)], axis=1) for rows in (x, made))
    for name in ("FVU", "FVU per channel", "1 - r2 per channel"):
        assert unexplained(wide, copy)[name] == pytest.approx(unexplained(x, made)[name], rel=1e-9)
    with pytest.raises(InputError, match="do not vary"):
        unexplained(np.ones((5, 2)), np.zeros((5, 2)))
    with pytest.raises(InputError, match="one shape"):
        unexplained(x, made[:, :3])


def test_found_atoms_are_matched():
    """A permuted, noisy superset has both cosines of 1; MMCS lets one atom stand for several, MCC does not."""
    true = drawn()
    found = np.concatenate([drawn(seed=1), true[::-1] + 1e-4 * drawn(seed=2)])
    assert max_cosine(found, true) == pytest.approx(1, abs=1e-4)
    assert mean_cosine(found, true) == pytest.approx(1, abs=1e-4)
    assert max_cosine(-found, true) < 0.9 < max_cosine(-found, true, signed=False)
    twice = np.concatenate([true[:1], true[:1]])
    assert max_cosine(true[:2], twice) == pytest.approx(1) and mean_cosine(true[:2], twice) < 0.99


def test_stability_stands_beside_its_chance():
    """One dictionary is itself; two random ones are as stable as chance, which is far from 0."""
    a = drawn(200, 16)
    same, other = stability(a, np.random.default_rng(5).permutation(a)), stability(a, drawn(200, 16, seed=3))
    assert same.value == pytest.approx(1)
    assert other.value == pytest.approx(other.chance, abs=0.03) and other.chance > 0.5
    with pytest.raises(InputError, match="one to one"):
        stability(a, a[:5])


def test_nearest_atoms_by_brute_force(monkeypatch):
    """In blocks, for all atoms or some; opposite atoms are one."""
    monkeypatch.setattr("denoscope.measures.sparsity._BLOCK", 70)
    a = drawn()
    unit = a / np.linalg.norm(a, axis=1, keepdims=True)
    cosines = np.abs(unit @ unit.T) - 2 * np.eye(30)
    assert nearest(a) == pytest.approx(cosines.max(axis=1))
    assert nearest(a, [4, 2]) == pytest.approx(cosines.max(axis=1)[[4, 2]])
    assert nearest(np.concatenate([a, -a[:1]]))[0] == pytest.approx(1)
    with pytest.raises(InputError, match="single atom"):
        nearest(a[:1])


def test_use_of_atoms():
    """Shares of atoms by frequency and images; evenness between one atom and all."""
    assert dense([0.0, 0.05, 0.2, 0.9]) == 0.5
    assert covered([0, 63, 64, 900]) == 0.5
    assert evenness([5, 5, 5, 5]) == pytest.approx(1) and evenness([7, 0, 0, 0]) == pytest.approx(0.25)
    with pytest.raises(InputError, match="ever active"):
        evenness([0, 0])


def test_coherence_is_the_mean_over_pairs():
    """By brute force; atoms without two samples have none; noise has none on average."""
    rng = np.random.default_rng(0)
    rows, active = rng.normal(size=(40, 7)), rng.random((40, 5)) < [0, 0.02, 0.3, 0.6, 1]
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found = coherence(rows, active)
    for atom in range(5):
        chosen = unit[active[:, atom]]
        pairs = (chosen @ chosen.T)[np.triu_indices(len(chosen), 1)]
        assert found[atom] == pytest.approx(pairs.mean() if len(chosen) > 1 else np.nan, nan_ok=True)
    assert abs(found[4]) < 0.05


def test_matched_cosines_are_those_of_each_true_atom():
    """A shuffled, partly flipped copy is found atom by atom; a flip counts against it only where signs do."""
    atoms, order = drawn(20, 30), np.random.default_rng(1).permutation(20)
    signs = np.where(np.arange(20) < 5, -1.0, 1.0)[:, None]
    copy = (atoms * signs)[order]
    np.testing.assert_allclose(matched(copy, atoms, signed=False), 1)
    told = matched(copy, atoms)
    np.testing.assert_allclose(told[5:], 1)
    assert (told[:5] < 0.9).all()
    assert told.mean() == pytest.approx(mean_cosine(copy, atoms))
