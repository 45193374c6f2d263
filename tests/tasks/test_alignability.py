"""The task `alignability`: what was planted is learned and holds for new objects, and nothing is where nothing is."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame, Grid
from denoscope.core.report import Report
from denoscope.core.site import Site
from denoscope.tasks.alignability import Alignability

Array = NDArray[Any]
QUICK = Alignability(maps=("diagonal", "full"), penalties=(0.1, 0.03))


def activations(values: Array) -> Activations:
    """One vector per image."""
    ids, frames = tuple(f"image-{i}" for i in range(len(values))), (Frame(16, 16, 16, 16),) * len(values)
    return Activations(Site("mid"), Condition(timestep=50), values.astype(np.float32), ids, "pooled", frames)


def facts_of(thought: Array, count: int = 6000, seed: int = 0, images: int = 1) -> list[dict[str, Any]]:
    """Objects with the choices of people whose likeness is the dot product of what they think."""
    rng, n = np.random.default_rng((seed, 5)), len(thought)
    asked = np.argsort(rng.random((count, n)), axis=1)[:, :3]
    s = thought @ thought.T
    pairs = ((1, 2), (0, 2), (0, 1))
    logits = np.stack([s[asked[:, i], asked[:, j]] for i, j in pairs], axis=1)
    odd = asked[np.arange(count), (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)]
    rows = np.column_stack([asked[:, 1:], odd, np.arange(count) % 20])
    return [
        {"object": f"thing-{i // images}", "object_index": i // images}
        | ({"triplets": rows[asked[:, 0] == i // images], "embedding": thought[i // images]} if not i % images else {})
        for i in range(n * images)
    ]


@pytest.fixture(scope="module")
def planted() -> tuple[Report, Array, list[dict[str, Any]]]:
    """Three channels that people see by among ten that are louder, two images of each object."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(48, 10)) * np.array([1, 1, 1, 3, 3, 3, 3, 3, 3, 3])
    facts = facts_of(1.5 * values[:, :3], images=2)
    images = np.repeat(values, 2, axis=0) + np.tile([[0.2], [-0.2]], (48, 1))
    return QUICK.run(activations(images), facts), images, facts


def test_what_people_see_by_is_learned_and_holds_for_new_objects(planted: Any) -> None:
    """The weights on the channels come near people's own embedding, far above the cosine of all channels."""
    report, _, _ = planted
    ceiling = report["accuracy, people's embedding"].value
    assert report["accuracy"].value > ceiling - 0.06
    assert report["accuracy above zero-shot cosine"].low > 0.1
    assert report["accuracy, full map"].value > report["accuracy, zero-shot cosine"].value + 0.1
    assert report["cross-entropy"].value < np.log(3) - 0.1


def test_every_fit_is_certified(planted: Any) -> None:
    """In the scores for the headline, and in the parameters for every map."""
    report, _, _ = planted
    assert report["optimality gap"].value < 1e-5
    assert report["KKT slack"].value > -1e-2
    assert max(max(gaps) for gaps in report.parameters["gaps"].values()) < 1e-5


def test_nothing_is_learned_of_choices_by_lot(planted: Any) -> None:
    """The odd ones of the baseline were drawn anew; and people without a thought are as hard to predict."""
    report, images, _ = planted
    lucky = report["accuracy, shuffled choices"]
    assert lucky.low < 1 / 3 < lucky.high
    blind = QUICK.run(activations(images[::2]), facts_of(np.zeros((48, 2)), seed=3))
    assert blind["accuracy"].low < 1 / 3 < blind["accuracy"].high


def test_the_table_averages_to_the_headline(planted: Any) -> None:
    """So that sites can be compared object by object."""
    report, _, _ = planted
    assert np.mean(report.table["hit"]) == pytest.approx(report["accuracy"].value)
    assert len(set(report.table["unit"])) == len(report.table["unit"]) == 48


def test_the_order_of_rows_and_a_lost_image_change_what_they_must(planted: Any) -> None:
    """Shuffled rows give the same scores; NaN in both images of an object takes its choices out, and is told."""
    report, images, facts = planted
    order = np.random.default_rng(0).permutation(96)
    again = QUICK.run(activations(images[order]), [facts[i] for i in order])
    assert again["accuracy"].value == pytest.approx(report["accuracy"].value)
    holed = images.copy()
    holed[:2] = np.nan
    less = QUICK.run(activations(holed), facts)
    assert "thing-0" not in less.table["unit"]
    assert any("2 of 96 images hold NaN" in note for note in less.notes)


def test_the_published_protocol_runs_on_the_same_parts(planted: Any) -> None:
    """On the same choices, without a certificate; at 1e-4 a few thousand choices hardly move it from its start."""
    report, images, facts = planted
    told = Alignability(maps=("published",)).run(activations(images), facts)
    assert told["accuracy"].n == report["accuracy"].n
    assert told["accuracy, zero-shot cosine"] == report["accuracy, zero-shot cosine"]
    assert told["cross-entropy"].value == pytest.approx(np.log(3), abs=0.02)
    assert told.parameters["gaps"] == {"published": []}
    assert not any(score.name == "optimality gap" for score in told.scores)


def test_maps_of_every_kind_stand_on_one_curve(planted: Any) -> None:
    """From none to any, on the same choices; each fit has a gap and a rank, and the picture has them in that order."""
    _, images, facts = planted
    task = Alignability(maps=("full", "rank-2", "shrunk", "glocal", "diagonal"), penalties=(0.1,), tolerance=1e-4)
    report = task.run(activations(images), facts)
    ceiling, none = report["accuracy, people's embedding"].value, report["accuracy, zero-shot cosine"].value
    for name in task.maps[1:]:
        assert none - 0.02 < report[f"accuracy, {name} map"].value < ceiling + 0.02
        assert report[f"accuracy, {name} map"].n == report["accuracy"].n
    ranks = {name: np.mean(found) for name, found in report.parameters["effective ranks"].items()}
    assert ranks["rank-2"] <= 2 < ranks["full"] < ranks["shrunk"] <= 10
    assert max(report.parameters["gaps"]["shrunk"]) < 1e-3
    (picture,) = task.draw(report, None).values()
    ticks = ("none", "diagonal (", "rank-2 (", "shrunk (", "glocal (", "full (")
    drawn = [picture.decode().find(name) for name in ticks]
    assert drawn == sorted(drawn) and min(drawn) > 0
    assert task.draw(replace(report, parameters=report.parameters | {"maps": ("full",)}), None) == {}


def test_published_ties_are_told_beside_fair_ones(planted: Any) -> None:
    """A map that hardly left its start is sure of nothing: right by rounding about nothing, fairly about a third."""
    _, images, facts = planted
    told = Alignability(maps=("published",)).run(activations(images), facts)
    assert told["accuracy, published map, published ties"].value < 0.1 < 0.3 < told["accuracy"].value
    assert any("rounded to two digits" in note for note in told.notes)


def test_cells_can_be_pooled_otherwise(planted: Any) -> None:
    """Cells that cancel have no mean; side by side they say what people see by, and their maximum some of it."""
    _, images, facts = planted
    frames = (Frame(32, 32, 32, 32),) * len(images)
    grid = np.stack([images, -images, images, -images], axis=2).reshape(len(images), -1, 2, 2).astype(np.float32)
    ids = tuple(f"image-{i}" for i in range(len(images)))
    block = Activations(Site("mid"), Condition(timestep=50), grid, ids, "grid", frames, Grid(2, 2, 16))
    found = {
        pool: Alignability(maps=("diagonal",), penalties=(0.1,), pool=pool).run(block, facts)["accuracy"]
        for pool in ("mean", "max", "flatten")
    }
    assert found["mean"].low < 1 / 3 < found["mean"].high
    assert found["flatten"].value > found["max"].value > found["mean"].value


def test_bad_input_is_named() -> None:
    """Before anything is fitted."""
    rng = np.random.default_rng(0)
    values, thought = rng.normal(size=(8, 4)), rng.normal(size=(8, 2))
    with pytest.raises(InputError, match="3 folds of objects need 9 objects"):
        Alignability().run(activations(values), facts_of(thought, 100))
    with pytest.raises(UnknownName, match="no map 'rank-0'"):
        Alignability(maps=("rank-0",))
    with pytest.raises(UnknownName, match="diagonal"):
        Alignability(maps=("diagonals",))
    with pytest.raises(UnknownName, match="object_index"):
        Alignability().run(activations(values), [{"category": "cat"}] * 8)
    with pytest.raises(InputError, match="positive"):
        Alignability(penalties=(0.0,))
    with pytest.raises(InputError, match="alpha lies between 0 and 1"):
        Alignability(alpha=1.0)
    with pytest.raises(UnknownName, match="mean"):
        Alignability(pool="means")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="cannot be read"):
        Alignability(known=("absent.npz",)).run(activations(values.repeat(2, axis=0)), facts_of(np.ones((16, 2)), 2000))
