"""Word lift is Fisher's exact test: a planted word is found, and words that have nothing to do with it are not."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from denoscope.core.errors import InputError
from denoscope.measures.lift import lift, vocabulary


def test_words_are_counted_once_a_text_and_fillers_are_left_out() -> None:
    """Case and punctuation do not matter; words that nearly all or nearly none have are no help."""
    texts = ["A red cat, a red dog.", "The red cat!", "a blue dog on grass", "a blue-green cat on grass"]
    words, has = vocabulary(texts, least=2, most=0.8)
    assert words == ("cat", "dog", "grass", "red")
    assert has.tolist() == [[1, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0]]


def test_p_values_are_those_of_the_exact_test() -> None:
    """Against scipy's test of each table of four."""
    rng = np.random.default_rng(0)
    has = rng.random((40, 6)) < 0.3
    chosen = [rng.choice(40, 8, replace=False).tolist() for _ in range(4)]
    found = lift(chosen, has)
    for atom, rows in enumerate(chosen):
        inside = np.isin(np.arange(40), rows)
        for word in range(6):
            table = [[int((inside == side)[has[:, word] == with_it].sum()) for side in (True, False)]
                     for with_it in (True, False)]  # fmt: skip
            assert found.p[atom, word] == pytest.approx(fisher_exact(table, "greater").pvalue)
            assert np.sign(found.log_odds[atom, word]) in (0, np.sign(np.log(
                (table[0][0] + 0.5) * (table[1][1] + 0.5) / (table[0][1] + 0.5) / (table[1][0] + 0.5))))  # fmt: skip


def test_a_planted_word_is_found_and_atoms_by_lot_find_none() -> None:
    """20 atoms whose images have word k among 300 images and 20 words; 200 atoms of random images."""
    rng = np.random.default_rng(1)
    has = rng.random((300, 20)) < 0.2
    planted = [np.flatnonzero(has[:, word])[:15].tolist() for word in range(20)]
    found = lift(planted, has)
    assert (found.q.argmin(axis=1) == np.arange(20)).all()
    assert (found.q[np.arange(20), np.arange(20)] < 1e-6).all()
    null = lift([rng.choice(300, 15, replace=False).tolist() for _ in range(200)], has)
    assert (null.q < 0.05).mean() < 0.002


def test_an_atom_without_images_is_not_tested() -> None:
    """It says NaN and does not cost the others their discoveries."""
    has = np.eye(8, dtype=bool)
    found = lift([[], [0, 1]], has)
    assert np.isnan(found.q[0]).all()
    assert not np.isnan(found.q[1]).any()
    with pytest.raises(InputError, match="not among the 8"):
        lift([[8]], has)
