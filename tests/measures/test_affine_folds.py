"""Affine probes on unseen objects: the published parts, nothing leaks, and intervals hold what they should."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.measures.affine_family import Family, scaled
from denoscope.measures.affine_folds import Fold, nested, object_folds, published, within
from denoscope.measures.affine_published import Published, Stop
from denoscope.measures.affine_trained import trained
from denoscope.measures.judgments import Judgments
from denoscope.measures.triads import object_influence, triad_mean
from denoscope.measures.triplets import credits

Array = NDArray[Any]
QUICK = Family(shares=(0.1,), tolerance=1e-3)


def _people(thought: Array, count: int, seed: int) -> Array:
    """Rows [i, j, odd] by the softmax of inner products."""
    rng, n = np.random.default_rng(seed), len(thought)
    s = thought @ thought.T
    asked = np.argsort(rng.random((count, n)), axis=1)[:, :3]
    pairs = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])
    logits = np.stack([s[asked[:, i], asked[:, j]] for i, j, _ in pairs], axis=1)
    kept = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return np.take_along_axis(asked, pairs[kept], axis=1)


def test_the_parts_are_the_published_ones() -> None:
    """1854 objects, three parts, seed 42: where the validation objects of each fold begin."""
    found = [test[:6].tolist() for _, test in object_folds(1854, 3, 42)]
    assert found == [[15, 23, 29, 30, 32, 43], [0, 2, 3, 5, 6, 7], [1, 4, 8, 11, 13, 14]]


@pytest.mark.parametrize(("folds", "learned", "tested"), [(3, 0.296056, 0.036917), (5, 0.511586, 0.007961)])
def test_as_many_triplets_are_kept_as_published(folds: int, learned: float, tested: float) -> None:
    """C(n_train, 3) / C(n, 3) of all triplets, and as counted in 60,000 drawn by lot."""
    parts = object_folds(1854, folds, 42)
    shares = [comb(len(objects), 3) / comb(1854, 3) for objects in parts[0]]
    assert shares == pytest.approx([learned, tested], abs=1e-6)
    shown = np.random.default_rng(1).integers(0, 1854, (60_000, 3))
    kept = [np.mean([len(within(shown, part[side], 1854)) for part in parts]) / 60_000 for side in (0, 1)]
    assert kept == pytest.approx([learned, tested], abs=0.004)


def test_triplets_within_some_objects_are_those_of_all_combinations() -> None:
    """Enumerated."""
    every = np.array(list(combinations(range(9), 3)))
    assert len(within(every, np.array([0, 2, 3, 7, 8]), 9)) == comb(5, 3)


def _likeness(folds: list[Fold], number: int) -> Array:
    """Between training objects, under one fold's map."""
    fold = folds[number]
    return fold.likeness[np.ix_(fold.train, fold.train)]


def _garbled(x: Array, rows: Array, fold: Fold) -> tuple[Array, Array]:
    """Other activations of the tested objects, and every choice that names one of them turned round."""
    other, turned = x.copy(), rows.copy()
    other[fold.test] = 100 * np.random.default_rng(9).normal(size=(len(fold.test), x.shape[1]))
    touched = np.isin(rows, fold.test).any(axis=1)
    turned[touched] = rows[touched][:, [2, 0, 1]]
    return other, turned


@pytest.mark.parametrize("family", [Family(shares=(0.3, 0.03)), Family("diagonal"), Family("shrunk", alpha=0.1),
                                    Family(scaling="channel", rank=2), Family(components=2)])  # fmt: skip
def test_tested_objects_choose_nothing(family: Family) -> None:
    """Whatever is done to them, the map that they are tested under is the same."""
    x = np.random.default_rng(0).normal(size=(30, 5))
    rows = _people(x[:, :2], 3000, 1)
    folds = nested(x, rows, family, 3, 2, 0)
    again = nested(*_garbled(x, rows, folds[1]), family, 3, 2, 0)
    assert _likeness(again, 1) == pytest.approx(_likeness(folds, 1), abs=1e-9)
    assert again[1].share == folds[1].share
    assert _likeness(again, 0) != pytest.approx(_likeness(folds, 0), abs=1e-3)


def test_the_published_protocol_lets_tested_objects_in_as_its_switches_say() -> None:
    """By the scale of activations, by what stops the descent, and by the stopping rule of other folds."""
    x = np.random.default_rng(0).normal(size=(30, 5))
    rows = _people(x[:, :2], 3000, 1)
    sound = Published(rate=0.01, epochs=8, least=8, patience=8, one_stop=False, scaled_by="training")
    for how, same in ((sound, True), (replace(sound, scaled_by="all"), False)):
        folds = published(x, rows, how, 3, 0)
        again = published(*_garbled(x, rows, folds[1]), how, 3, 0)
        assert bool(np.allclose(_likeness(again, 1), _likeness(folds, 1), rtol=0, atol=1e-9)) is same


def test_one_stopping_rule_for_all_folds_cuts_later_ones_short() -> None:
    """A second fold that is harder than the first ends after the least epochs; with a rule of its own it goes on."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    rows = _people(2 * x[:, :2], 6000, 1)
    epochs = {}
    for shared in (True, False):
        how = Published(rate=2e-3, epochs=30, least=3, patience=2, penalty=0.0, one_stop=shared)
        train, test = object_folds(60, 3, 0)[0]
        easy, hard = within(rows, train, 60), within(rows, test, 60)[:, ::-1]
        stop = Stop() if shared else None
        first = how.fit(x, easy, easy, stop)
        epochs[shared] = len(how.fit(x, easy, np.ascontiguousarray(hard), stop).losses)
        assert len(first.losses) == 30
    assert epochs[True] == 3
    assert epochs[False] >= 3


def _right(folds: list[Fold], judged: Judgments) -> tuple[Judgments, Array]:
    """Choices within one part, and what they earn."""
    part = np.empty(judged.objects, dtype=int)
    for number, fold in enumerate(folds):
        part[fold.test] = number
    parts = part[np.column_stack([judged.first, judged.second, judged.odd])]
    inside = (parts == parts[:, :1]).all(axis=1)
    shown, of = judged.select(inside), parts[inside, 0]
    right = np.empty(len(shown))
    for number, fold in enumerate(folds):
        right[of == number] = credits(fold.likeness, shown.select(of == number)).right
    return shown, right


def _runs(thought: Callable[[np.random.Generator, Array], Array], runs: int) -> list[tuple[Judgments, Array]]:
    made = []
    for seed in range(runs):
        rng = np.random.default_rng((seed, 3))
        x = rng.normal(size=(36, 6))
        rows = _people(thought(rng, x), 8000, seed)
        made.append(_right(nested(x, rows, QUICK, 3, 2, seed), Judgments.of(rows, 36)))
    return made


def test_people_whose_thoughts_have_nothing_to_do_with_activations_are_at_chance_within_the_interval() -> None:
    """In 50 worlds: on average at chance, which intervals hold as often as they say; those of fixed maps are narrow."""
    found = _runs(lambda rng, x: rng.normal(size=(len(x), 3)), 50)
    values = np.array([right.mean() for _, right in found])
    assert abs(values.mean() - 1 / 3) < 3 * values.std() / 50**0.5
    widths = {
        learned: [triad_mean(right, shown, learned=learned) for shown, right in found] for learned in (False, True)
    }
    held = {learned: np.mean([one.low < 1 / 3 < one.high for one in told]) for learned, told in widths.items()}
    assert held[True] >= 0.87
    assert held[True] > held[False]
    shown, right = found[0]
    spread = object_influence(right, shown, learned=True).std() / object_influence(right, shown).std()
    ratio = (widths[True][0].high - widths[True][0].low) / (widths[False][0].high - widths[False][0].low)
    assert object_influence(right, shown, learned=True).mean() == pytest.approx(right.mean())
    assert spread == pytest.approx(ratio, rel=0.1)


@pytest.mark.parametrize("family", [QUICK, Family("diagonal", scaling="channel", shares=(0.1,)), Family(rank=2),
                                    Family("shrunk", shares=(0.3, 0.1)), Family(scaling="channel"),
                                    Family("diagonal", components=3, shares=(0.1,)),
                                    Family(scaling="channel", components=2, shares=(0.1,))])  # fmt: skip
def test_a_map_to_keep_is_that_of_all_objects(family: Family) -> None:
    """Applied to activations as they are, it gives the choices of the solution on scaled ones, and is square."""
    x = 5 + 3 * np.random.default_rng(0).normal(size=(20, 4)) * np.array([1, 2, 3, 4])
    rows = _people(x[:, :2] / 5, 2000, 1)
    made = trained(x, rows, family, 2, 0)
    judged, told = Judgments.of(rows, 20), made.solution.likeness(family.features(x, np.arange(20)))
    for kept in (made.transform, made.transform.folded()):
        mapped = kept(x)
        assert kept.weights.shape == (4, 4)
        assert np.array_equal(credits(mapped @ mapped.T, judged).right, credits(told, judged).right)
        apart = mapped @ mapped.T - told
        assert apart == pytest.approx(apart.mean(), abs=1e-6)


def test_scaling_by_one_number_or_by_channel_and_what_does_not_vary() -> None:
    """The scalar mean moves cosines; a constant channel becomes 0."""
    x = np.random.default_rng(0).normal(size=(9, 3)) * [1, 5, 0] + [0, 0, 7]
    one, each = scaled(x, np.arange(9), "scalar"), scaled(x, np.arange(9), "channel")
    assert one.mean() == pytest.approx(0) and one.std() == pytest.approx(1)
    assert one == pytest.approx((x - x.mean()) / x.std())
    assert each.std(axis=0) == pytest.approx([1, 1, 0]) and np.all(each[:, 2] == 0)


def test_too_few_objects_and_choices_are_named() -> None:
    """Fewer objects than parts need; no choice within a part."""
    x = np.random.default_rng(0).normal(size=(12, 3))
    with pytest.raises(InputError, match="5 folds of objects need 15 objects, three for a triplet; there are 12"):
        nested(x, _people(x, 50, 0), QUICK, 5, 2, 0)
    with pytest.raises(InputError, match="no choice is among"):
        nested(x, np.array([[0, 1, 2]]), QUICK, 3, 2, 0)
