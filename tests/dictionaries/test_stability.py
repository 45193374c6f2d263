"""Two trainings on planted directions agree; two draws by chance agree no more than chance does."""

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.core.registry import dictionaries
from denoscope.dictionaries.stability import stability_scores, successor

RNG = np.random.default_rng(0)
TRUE = np.linalg.qr(RNG.normal(size=(16, 12)))[0].T
CODES = (RNG.random((6000, 12)) < 0.12) * RNG.uniform(0.5, 1.5, (6000, 12))
ROWS = (CODES @ TRUE).astype(np.float32)


def scores_by_name(first, second):
    """The scores of a pair."""
    return {score.name: score for score in stability_scores(first, second)}


def test_planted_directions_are_found_twice():
    """Another seed finds the same atoms, far more alike than random directions are."""
    made = dictionaries.get("topk")(atoms=12, k=3, cells=20_000, batch=256, lr=0.02).fit([ROWS])
    second = successor(made).fit([ROWS])
    assert second.settings.seed == made.settings.seed + 1
    assert not np.allclose(second.atoms, made.atoms)
    told = scores_by_name(made, second)
    assert told["stability"].low > told["stability, random directions"].high + 0.1
    assert told["nearest"].value >= told["stability"].value
    assert told["stability"].n == 12


def test_draws_by_chance_are_as_alike_as_chance():
    """Random directions have nothing to agree on: their stability lies within the interval of its own null."""
    first = dictionaries.get("random")(atoms=60, k=2).fit([ROWS])
    told = scores_by_name(first, successor(first).fit([ROWS]))
    null = told["stability, random directions"]
    assert abs(told["stability"].value - null.value) < null.high - null.low


def test_signs_count_where_codes_have_none_below_zero():
    """A flipped copy is the same dictionary for pursuit, and another one for a TopK autoencoder."""
    for name, alike in (("random", True), ("topk", False)):
        first, second = (dictionaries.get(name)(atoms=12, k=2) for _ in range(2))
        first.weights, second.weights = {"atoms": TRUE}, {"atoms": -TRUE[::-1]}
        assert (scores_by_name(first, second)["stability"].value > 0.999) == alike


def test_fewer_atoms_and_other_widths():
    """The smaller dictionary is looked for in the larger one; another width and a method without chance are refused."""
    first, second, narrow = (dictionaries.get("itda")(atoms=12, k=2) for _ in range(3))
    first.weights, second.weights, narrow.weights = {"atoms": TRUE}, {"atoms": TRUE[:7]}, {"atoms": TRUE[:, :5]}
    assert scores_by_name(first, second)["stability"].value == pytest.approx(1)
    assert scores_by_name(second, first)["stability"].n == 7
    with pytest.raises(InputError, match="share no atoms"):
        stability_scores(first, narrow)
    with pytest.raises(InputError, match="draws nothing"):
        successor(dictionaries.get("pca")(atoms=2))
