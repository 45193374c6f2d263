"""Levels of abstraction: planted knowledge of one level, planted hesitation, nulls, and choices without levels."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame
from denoscope.core.site import Site
from denoscope.data.base import open_data
from denoscope.data.twins._levels import world_of_twin
from denoscope.measures.judgments import Judgments
from denoscope.measures.triadic import slowness, triad_correlation
from denoscope.measures.triplets import alike, entropy, probabilities
from denoscope.tasks.levels import Levels
from twinned import twin

__all__ = ["twin"]

CLASSES, EACH = 6, 10
NAMES = ["coarse", "fine", "boundary"]


def vectors(values: np.ndarray) -> Activations:
    """One vector per object."""
    ids = tuple(f"image-{i}" for i in range(len(values)))
    return Activations(Site("mid"), Condition(timestep=50), values, ids, "pooled", (Frame(16, 16, 16, 16),) * len(ids))


def drawn(rng: np.random.Generator, level: str) -> np.ndarray:
    """Three objects as a level has them."""
    own, other, third = rng.permutation(CLASSES)[:3]
    classes = np.array({"coarse": (own, other, third), "fine": (own,) * 3, "boundary": (own, own, other)}[level])
    return classes * EACH + rng.permutation(EACH)[:3]


@pytest.fixture(scope="module")
def people():
    """What people think, one part of class and one of kind; choices of all levels with their chances; and facts."""
    rng = np.random.default_rng(0)
    whole = np.repeat(1.4 * np.maximum(rng.normal(size=(CLASSES, 8)), 0), EACH, axis=0)
    kind = 1.6 * np.maximum(rng.normal(size=(CLASSES * EACH, 8)) - 0.2, 0)
    x = np.hstack([whole, kind])
    level = np.repeat(np.arange(3), 700)
    rows = np.array([drawn(rng, NAMES[number]) for number in level])
    rows = np.repeat(rows[::5], 5, axis=0)
    level = np.repeat(level[::5], 5)
    p = probabilities(alike(x, "dot"), Judgments.of(rows, len(x)))
    pair = (rng.random((len(p), 1)) > p.cumsum(axis=1)).sum(axis=1)
    odd = rows[np.arange(len(rows)), np.array([2, 1, 0])[pair]]
    who = rng.integers(0, 30, len(rows))
    return x, np.column_stack([rows, odd, who]), level, p


def told(rows: np.ndarray, level: np.ndarray, seconds: np.ndarray, objects: int = CLASSES * EACH) -> list[dict]:
    """Facts as the data set tells them."""
    facts = []
    for number in range(objects):
        mine = rows[:, 0] == number
        trials = np.column_stack([level[mine].astype(float), seconds[mine]])
        facts.append({"object": f"thing {number}", "object_index": number, "triplets": rows[mine, 1:],
                      "trials": trials})  # fmt: skip
    facts[0]["level_names"] = NAMES
    return facts


def test_each_level_is_scored_by_its_own_choices(people) -> None:
    """Planted: who knows classes alone is at chance within them; who knows all reaches each level's mean max p."""
    x, rows, level, p = people
    seconds = np.full(len(rows), np.nan)
    report = Levels(metric="dot").run(vectors(x), told(rows, level, seconds))
    for number, name in enumerate(NAMES):
        found = report[f"accuracy, {name}"]
        assert found.low < p[level == number].max(axis=1).mean() < found.high and found.n == (level == number).sum()
        assert report[f"accuracy, {name}, ceiling"].value > 0.4
    assert report["accuracy"].value == pytest.approx(np.mean([report[f"accuracy, {name}"].value for name in NAMES]))
    classes = np.hstack([x[:, :8], np.zeros((len(x), 8))])
    known = Levels().run(vectors(classes), told(rows, level, seconds))
    fine = known["accuracy, fine"]
    assert fine.value == pytest.approx(1 / 3) and known["accuracy, boundary"].low > 0.4


def test_a_site_is_unsure_where_people_are_slow_and_disagree(people) -> None:
    """Planted times; slow people change nothing; correlations are of ranks within levels."""
    x, rows, level, p = people
    rng = np.random.default_rng(1)
    seconds = np.exp(entropy(p) + 0.3 * rng.normal(size=len(p)))
    report = Levels(metric="dot").run(vectors(x), told(rows, level, seconds))
    found = report["entropy and response time"]
    assert found.low > 0.4 and all(report[f"entropy and response time, {name}"].low > 0.2 for name in NAMES)
    assert report["entropy and people's entropy"].low > 0.1
    slow = seconds * np.exp(rng.normal(size=30))[rows[:, 4]]
    again = Levels(metric="dot").run(vectors(x), told(rows, level, slow))["entropy and response time"]
    assert again.value == pytest.approx(found.value, abs=1e-9)
    figures = Levels().draw(report, None)
    assert set(figures) == {"Accuracy by level", "Response times by how unsure the site is"}
    parts = [value for kind, value in zip(report.table["kind"], report.table["slowness"], strict=True)
             if kind == "entropy"]  # fmt: skip
    assert len(parts) == 5 and parts[-1] > parts[0]


def test_times_that_say_nothing_are_not_correlated(people) -> None:
    """Null times and null vectors: intervals hold 0 nearly always; unknown times leave the score away."""
    x, rows, level, _ = people
    held = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        seconds = np.exp(rng.normal(size=len(rows)))
        values = rng.normal(size=x.shape) if seed % 2 else x
        report = Levels(shuffles=2, metric="dot").run(vectors(values), told(rows, level, seconds))
        found = report["entropy and response time"]
        held += found.low <= 0 <= found.high
    assert held >= 10
    unknown = Levels(shuffles=2).run(vectors(x), told(rows, level, np.full(len(rows), np.nan)))
    assert "entropy and response time" not in {score.name for score in unknown.scores}


def test_the_correlation_is_spearman_s() -> None:
    """Against an independent package; within strata only; intervals that hold nothing where there is nothing."""
    rng = np.random.default_rng(0)
    rows = np.argsort(rng.random((400, 30)), axis=1)[:, :3]
    choices = Judgments.of(rows, 30)
    x = rng.normal(size=400)
    y = x + rng.normal(size=400)
    assert triad_correlation(x, y, choices).value == pytest.approx(spearmanr(x, y)[0])
    part = np.repeat([0, 1], 200)
    apart = triad_correlation(rng.normal(size=400) + 9 * part, rng.normal(size=400) + 9 * part, choices, part)
    assert apart.low < 0 < apart.high
    own = rng.normal(size=(300, 2, 30))
    inside = [triad_correlation(a[rows].sum(axis=1), b[rows].sum(axis=1), choices) for a, b in own]
    assert 0.9 < np.mean([found.low <= 0 <= found.high for found in inside]) < 0.99
    who = np.repeat(np.arange(8), 50)
    alone = triad_correlation(x, y, choices)
    effects = rng.normal(size=(2, 8))
    people = Judgments.of(rows, 30, who)
    moved = triad_correlation(x + 3 * effects[0][who], y + 3 * effects[1][who], people)
    assert moved.high - moved.low > 2 * (alone.high - alone.low)
    assert triad_correlation(x, x, choices).value == pytest.approx(1)
    with pytest.raises(InputError, match="vary"):
        triad_correlation(np.ones(400), y, choices)


def test_slowness_is_within_people() -> None:
    """A factor of a participant is gone; those unknown count as one."""
    seconds = np.array([1.0, 2.0, 10.0, 20.0, 3.0])
    found = slowness(seconds, [0, 0, 1, 1, -1])
    assert found == pytest.approx([-np.log(2) / 2, np.log(2) / 2, -np.log(2) / 2, np.log(2) / 2, 0])


def test_the_data_set_is_read_as_it_is_told(twin) -> None:
    """Choices, levels and times of the twin, by its people's own embedding; planted hesitation is found."""
    samples, world = open_data(f"levels:{twin('levels')}"), world_of_twin()
    read = [samples[index] for index in range(len(samples))]
    x = world.minds.embedding[[int(sample.id) for sample in read]]
    report = Levels(metric="dot", shuffles=2).run(vectors(x), [sample.facts for sample in read])
    assert report["accuracy"].n == 216 and report["accuracy, fine"].n == 72
    assert report["accuracy"].low > 1 / 3 and report["entropy and response time"].low > 0
    assert report.parameters["levels"] == NAMES and report["accuracy, coarse, ceiling"].n == 12


def test_choices_without_levels_are_refused(people) -> None:
    """And trials of another number; what is missing is left out with its level and time."""
    x, rows, level, p = people
    seconds = np.exp(entropy(p))
    facts = told(rows, level, seconds)
    values = x.copy()
    values[4] = np.nan
    report = Levels(metric="dot", shuffles=2).run(vectors(values), facts)
    gone = (rows[:, :3] == 4).any(axis=1)
    assert report["accuracy, boundary"].n == (~gone & (level == 2)).sum()
    assert "NaN" in " ".join(report.notes)
    with pytest.raises(InputError, match="without levels"):
        Levels().run(vectors(x), [{key: value for key, value in row.items() if key != "trials"} for row in facts])
    facts[3]["trials"] = facts[3]["trials"][:-1]
    with pytest.raises(InputError, match="level and seconds of each"):
        Levels().run(vectors(x), facts)
    with pytest.raises(UnknownName, match="cosine"):
        Levels(metric="cosin")  # pyright: ignore[reportArgumentType]
