"""A score's uncertainty divided into the draw of the noise and the sampling of objects, on planted worlds."""

import numpy as np
import pytest
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.measures.judgments import Judgments
from denoscope.measures.noisedraws import drawn_difference, drawn_mean, spread
from denoscope.measures.triads import triad_mean

OBJECTS, CHOICES, SEEDS = 40, 1200, 6


def _world(rng: np.random.Generator, noise: float, objects: float = 0.08) -> tuple[NDArray[np.float64], Judgments]:
    """Choices whose chance of being right is 1/2, plus what its three objects add, plus what its draw adds to all."""
    rows = np.argsort(rng.random((CHOICES, OBJECTS)), axis=1)[:, :3]
    base = 0.5 + rng.normal(0, objects, OBJECTS)[rows].sum(axis=1)
    found = [rng.random(CHOICES) < np.clip(base + rng.normal(0, noise), 0, 1) for _ in range(SEEDS)]
    return np.array(found, dtype=np.float64), Judgments.of(rows, OBJECTS)


@pytest.fixture(scope="module")
def worlds() -> dict[float, list[tuple[NDArray[np.float64], Judgments]]]:
    """By how much a draw moves all choices; sixty worlds each."""
    rng = np.random.default_rng(0)
    return {noise: [_world(rng, noise) for _ in range(60)] for noise in (0.0, 0.06)}


def test_planted_spreads_come_back(worlds) -> None:
    """Over draws the planted one, with an interval that holds it nineteen times of twenty; over objects its own."""
    found = [spread(*world) for world in worlds[0.06]]
    assert np.sqrt(np.mean([one.draws.value**2 for one in found])) == pytest.approx(0.06, rel=0.12)
    held = np.mean([one.draws.low <= np.hypot(0.06, 0.5 / CHOICES**0.5) <= one.draws.high for one in found])
    assert held >= 0.87
    three = 3 * 0.08 / OBJECTS**0.5  # each choice is about three of the objects
    assert np.mean([one.objects.value for one in found]) == pytest.approx(np.hypot(three, 0.5 / CHOICES**0.5), rel=0.15)


def test_a_draw_that_does_nothing_has_hardly_a_share(worlds) -> None:
    """What is left is the choices' own chance; a draw that does much has most of the variance."""
    shares = {noise: np.median([spread(*world).share.value for world in some]) for noise, some in worlds.items()}
    assert shares[0.0] < 0.2 < 0.55 < shares[0.06]


def test_intervals_hold_what_other_objects_and_draws_would_give(worlds) -> None:
    """The mean over draws is 1/2 in all worlds; an interval over objects alone misses it where draws matter."""
    wide, narrow = [], []
    for rights, judged in worlds[0.06]:
        found, alone = drawn_mean(rights, judged), triad_mean(rights[0], judged)
        wide.append(found.low <= 0.5 <= found.high)
        narrow.append(alone.low <= 0.5 <= alone.high)
    assert np.mean(wide) >= 0.88 and np.mean(narrow) < 0.85


def test_differences_of_kinds_that_do_not_differ_are_none(worlds) -> None:
    """Half of the seeds against the other half: intervals hold 0 and p-values are rarely small, noise or none."""
    for some in worlds.values():
        found = [drawn_difference(rights[:3], rights[3:], judged) for rights, judged in some]
        assert np.mean([one.difference.low <= 0 <= one.difference.high for one in found]) >= 0.9
        assert np.mean([one.p < 0.05 for one in found]) <= 0.1


def test_a_difference_that_is_there_is_found(worlds) -> None:
    """And is paired: what objects do to both kinds cancels."""
    rights, judged = worlds[0.0][0]
    better = np.clip(rights + (np.random.default_rng(1).random(rights.shape) < 0.1), 0, 1)
    found = drawn_difference(better, rights, judged)
    assert found.difference.low > 0.03 and found.p < 1e-4
    assert found.difference.high - found.difference.low < 0.5 * np.ptp(drawn_mean(rights, judged)[1:3])


def test_one_draw_is_an_interval_over_objects(worlds) -> None:
    """Then nothing is known of other draws; equal draws have no spread and no difference."""
    rights, judged = worlds[0.0][0]
    one = drawn_mean(rights[:1], judged)
    assert (one.low, one.high) == pytest.approx(triad_mean(rights[0], judged, share=False)[1:3], rel=1e-9)
    same = np.repeat(rights[:1], 3, axis=0)
    assert spread(same, judged).draws.value == 0 == spread(same, judged).share.high
    assert drawn_difference(same, same, judged) == ((0, 0, 0, CHOICES), 1.0)


def test_what_cannot_be_divided_is_refused(worlds) -> None:
    """No draw, other rows, one draw."""
    rights, judged = worlds[0.0][0]
    for wrong in (rights[:0], rights[:, :5], rights[0]):
        with pytest.raises(InputError, match=r"\(draw, choice\)"):
            drawn_mean(wrong, judged)
    with pytest.raises(InputError, match="two draws"):
        spread(rights[:1], judged)
