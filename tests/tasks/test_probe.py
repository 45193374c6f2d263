"""The probe finds what was planted, finds nothing where nothing is, and says how sure it is."""

from dataclasses import replace

import numpy as np
import pytest

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.tasks.probe import Probe

CLASSES = ("bus", "cat", "tree")


def grids(values: np.ndarray, ids: list[str] | None = None) -> Activations:
    """Vectors laid out as grids of 2 x 2 cells that share them."""
    n = len(values)
    cells = np.broadcast_to(values[:, :, None, None], (*values.shape, 2, 2)).astype(np.float32)
    names = tuple(ids or [f"image-{i}" for i in range(n)])
    return Activations(
        Site("mid"), Condition(timestep=50), cells, names, "grid", (Frame(16, 16, 16, 16),) * n, Grid(2, 2, 8.0)
    )


def planted(n: int, strength: float, channels: int = 20, seed: int = 0, repeats: int = 1):
    """Noise, plus a direction per class; `repeats` rows per image that differ by noise only."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % len(CLASSES)
    codes = rng.normal(size=(len(CLASSES), channels))
    rows = np.repeat(np.arange(n), repeats)
    values = rng.normal(size=(len(rows), channels)) + strength * codes[y[rows]]
    facts = [{"category": CLASSES[y[i]], "id": int(i)} for i in rows]
    return grids(values, [f"image-{i}" for i in rows]), facts


def test_a_planted_linear_code_is_read_fully():
    """Where each class has a direction of its own, the probe is right about every image."""
    report = Probe().run(*planted(150, strength=3.0))
    assert report["accuracy"].value >= 0.99
    assert report["accuracy above shuffled facts"].low > 0.4
    assert report["chance"].value == pytest.approx(1 / 3)
    assert report.table["predicted"][:3] == list(CLASSES)


def test_noise_gives_chance_within_the_interval():
    """Where there is nothing to read, the intervals hold chance as often as they claim, within simulation noise."""
    probe = Probe(folds=3, C=(0.01,), shuffles=2)
    scores = [probe.run(*planted(90, 0.0, seed=seed))["accuracy"] for seed in range(16)]
    inside = np.mean([score.low <= 1 / 3 <= score.high for score in scores])
    assert inside >= 0.85
    assert np.mean([score.value for score in scores]) == pytest.approx(1 / 3, abs=0.05)


def test_shuffled_facts_contain_chance_also_where_a_code_is_planted():
    """The baseline that has nothing to find finds nothing."""
    score = Probe(C=(0.1,), shuffles=12).run(*planted(150, strength=3.0))["accuracy, shuffled facts"]
    assert score.low <= 1 / 3 <= score.high


def test_copies_of_an_image_never_help_to_predict_it():
    """Noise that is repeated row by row would be memorised if the folds split an image."""
    activations, facts = planted(60, 0.0, channels=100)
    twice = activations.select(np.repeat(np.arange(60), 3))
    report = Probe(folds=3, C=(1.0,), shuffles=2).run(twice, [facts[i] for i in np.repeat(np.arange(60), 3)])
    assert report["accuracy"].n == 60
    assert report["accuracy"].low <= 1 / 3 <= report["accuracy"].high
    folds = np.reshape(report.table["fold"], (60, 3))
    assert (folds == folds[:, :1]).all()


def test_a_group_fact_keeps_objects_together():
    """Rows of one object are never split between training and test."""
    activations, facts = planted(90, 3.0)
    facts = [{**row, "object": f"{row['category']}-{i // 9}"} for i, row in enumerate(facts)]
    report = Probe(group="object", folds=3, C=(0.1,), shuffles=2).run(activations, facts)
    folds: dict[str, set[int]] = {}
    for row, fold in zip(facts, report.table["fold"], strict=True):
        folds.setdefault(row["object"], set()).add(fold)
    assert all(len(found) == 1 for found in folds.values())
    assert report["accuracy"].n == 30


def test_more_channels_than_rows_changes_nothing():
    """The rotation to the rows' own space is exact under an L2 penalty."""
    from denoscope.tasks import _folds

    rng = np.random.default_rng(0)
    x, unseen, y = rng.normal(size=(30, 50)), rng.normal(size=(9, 50)), np.arange(30) % 3
    rotated = _folds._fit(x, y, unseen, (0.1,))[0]
    exact, _folds._rotated = _folds._rotated, lambda a, b: (a, b)
    try:
        plain = _folds._fit(x, y, unseen, (0.1,))[0]
    finally:
        _folds._rotated = exact
    assert np.abs(rotated - plain).max() < 2e-3


def test_the_report_says_what_was_asked_and_of_what():
    """Site, parameters and input digests stand in the report."""
    report = Probe(C=(0.1,), shuffles=2).run(*planted(60, 1.0))
    assert report.parameters["site"] == "mid"
    assert report.parameters["fact"] == "category"
    assert set(report.inputs) == {"values", "facts"}
    assert len(report.table["sample"]) == 60


def test_unusable_rows_are_counted_and_left_out():
    """NaN, a missing fact and a class too rare to test each cost their rows and a note, nothing else."""
    activations, facts = planted(62, 2.0)
    values = activations.values.copy()
    values[0] = np.nan
    facts[1] = {"id": 1}
    facts[2] = {**facts[2], "category": "yak"}
    report = Probe(C=(0.1,), shuffles=2).run(replace(activations, values=values), facts)
    assert report["accuracy"].n == 59
    assert [note[:12] for note in report.notes[1:]] == ["1 of 62 rows"] * 3


@pytest.mark.parametrize("facts", [{"category": "cat"}, {"category": [1, 2]}])
def test_one_class_or_none_is_refused(facts):
    """What cannot be classified is refused."""
    activations, _ = planted(30, 0.0)
    with pytest.raises(InputError, match="needs two classes"):
        Probe().run(activations, [facts] * 30)


def test_bad_input_is_refused_in_one_line():
    """A wrong name, unequal lengths and impossible parameters each name the fault."""
    activations, facts = planted(30, 0.0)
    with pytest.raises(UnknownName, match="category"):
        Probe(fact="categry").run(activations, facts)
    with pytest.raises(InputError, match="30 rows of activations came with the facts of 29"):
        Probe().run(activations, facts[1:])
    with pytest.raises(InputError, match="folds"):
        Probe(folds=1)


def test_constant_channels_and_few_samples_are_survived():
    """A channel that never changes has no spread to divide by."""
    activations, facts = planted(18, 3.0)
    values = np.concatenate([activations.values, np.full_like(activations.values, 7.0)], axis=1)
    assert Probe(folds=3, shuffles=2).run(replace(activations, values=values), facts)["accuracy"].value > 0.6
