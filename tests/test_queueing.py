"""The simulation of a cluster, against what can be worked out by hand."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from contenders.queueing import Cluster, limits, seconds

FREE = Cluster(compute=(2.0,), dealt=0.0, written=0.0, bandwidth=1.0)


@pytest.mark.parametrize(("actors", "parts"), [(1, 7), (3, 7), (7, 7), (20, 7)])
def test_free_dealing_and_writing_leave_whole_rounds(actors: int, parts: int) -> None:
    """ceil(parts / actors) rounds of the same length, after the start."""
    started = Cluster((2.0,), 0.0, 0.0, 1.0, start=5.0)
    rounds = -(-parts // actors)
    assert seconds(FREE, actors, parts) == pytest.approx(2 * rounds)
    assert seconds(started, actors, parts) == pytest.approx(5 + 2 * rounds)


def test_a_slow_driver_and_a_slow_storage_are_what_many_actors_wait_for() -> None:
    """Each is one queue: its seconds per part, and the first and last part on the way."""
    driver = Cluster((2.0,), 0.5, 0.0, 1.0)
    assert seconds(driver, 100, 200) == pytest.approx(200 * 0.5 + 2)
    storage = Cluster((2.0,), 0.0, 300.0, 1000.0)
    assert seconds(storage, 100, 200) == pytest.approx(2 + 200 * 0.3)
    assert limits(storage) == {"driver": float("inf"), "storage": pytest.approx(1000 / 300), "actor": 1 / 2.3}
    weights = Cluster((2.0,), 0.0, 0.0, 10.0, loaded=20.0)
    assert seconds(weights, 4, 4) == pytest.approx(4 * 2 + 2)  # the last actor has its weights after the fourth turn


def test_one_actor_pays_for_writing_but_is_dealt_parts_ahead() -> None:
    """The next part is dealt while this one is computed: only the first is waited for."""
    one = Cluster((2.0,), 0.5, 100.0, 1000.0)
    assert seconds(one, 1, 10) == pytest.approx(0.5 + 10 * 2.1)


def test_lengths_that_vary_cost_a_tail_at_the_end() -> None:
    """No less than the work over the actors, and no more than that and the longest part."""
    drawn = Cluster((1.0, 2.0, 6.0), 0.0, 0.0, 1.0)
    whole = seconds(drawn, 1, 90, seed=3)
    assert whole / 4 <= seconds(drawn, 4, 90, seed=3) <= whole / 4 + 6
