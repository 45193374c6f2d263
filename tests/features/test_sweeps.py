"""A sweep tells what an edit does as it grows, beside controls, and dose 0 is the picture itself."""

import numpy as np
import pytest

from denoscope.core.errors import InputError, UnknownName
from denoscope.dictionaries.edits import add
from denoscope.dictionaries.limits import within
from denoscope.features.sweeps import sweep
from denoscope.features.sweepscores import sweep_scores
from denoscope.models.loading import wrap
from denoscope.models.toys import toy

PROMPTS = ["a cat", "a dog", "a red bus"]
QUICK = {"steps": 2, "seed": 3, "guidance": 3.0}


@pytest.fixture(scope="module")
def model():
    """A small U-Net with random weights."""
    return wrap(toy("toy-sd15"))


@pytest.fixture(scope="module")
def push(model):
    """Half a cell's length along a random direction of `up.1`."""
    width = next(info.channels for info in model.sites if info.name == "up.1")
    return add(np.random.default_rng(0).normal(size=width), strength=0.5, unit="norm", site="up.1")


def bright(images) -> list[str]:
    """A judge that looks at the mean of pixels."""
    return ["bright" if image.mean() > 127 else "dark" for image in images]


def test_doses_grow_from_the_picture_itself(model, push, tmp_path) -> None:
    """Dose 0 is what `generate` gives; pixels and distances grow; everything has an interval and can be saved."""
    found = sweep(model, PROMPTS, [push], (2.0, 1.0), judges={"light": bright}, target={"light": "dark"}, **QUICK)
    assert found.doses == (0.0, 1.0, 2.0)
    assert (found.images[0] == model.generate(PROMPTS, **QUICK).images).all()
    report = found.report
    for name in ("change of pixels", "distance"):
        values = [report[f"{name}, dose {amount}"].value for amount in (0, 1, 2)]
        assert values == sorted(values)
        assert values[0] < values[2]
    assert report["distance, dose 0"].value == pytest.approx(1)
    assert report["change of pixels, dose 0"].value == 0
    for amount, pictures in zip(found.doses, found.images, strict=True):
        share = np.mean([name == "dark" for name in bright(pictures)])
        assert report[f"light is dark, dose {amount:g}"].value == pytest.approx(share)
    assert report["change of pixels, dose 2 beyond direction"].n == 3
    assert "change outside, dose 1" not in [score.name for score in report.scores]
    found.save(tmp_path)
    assert {"doses.png", "002-dose-2.png", "report.json"} <= {file.name for file in tmp_path.iterdir()}
    assert found.sheet.shape == (3 * found.images.shape[2], 3 * found.images.shape[3], 3)


def test_a_box_has_an_outside_that_changes_less(model, push) -> None:
    """Pixels outside are told apart; a mask for each picture, or one edit without a part, has no common outside."""
    found = sweep(model, PROMPTS, [within(push, box=(0, 0, 32, 64), steps=(1, 2))], (1.0,), controls=(), **QUICK)
    assert 0 < found.report["change outside, dose 1"].value < found.report["change of pixels, dose 1"].value
    both = sweep(model, PROMPTS[:1], [within(push, box=(0, 0, 32, 64)), push], (1.0,), controls=(), **QUICK)
    assert not [score for score in both.report.scores if "outside" in score.name]


def test_side_effects_are_counted_against_the_same_picture() -> None:
    """By hand: of two other facts one changes in one of two pictures, a quarter; the control changes all."""
    keys = [("", 0.0), ("", 1.0), ("direction", 0.0), ("direction", 1.0)]
    colour = ["red", "blue", "red", "red", "red", "blue", "red", "blue"]
    shape = ["cat", "cat", "dog", "cat", "cat", "cat", "dog", "dog"]
    ground = ["sea"] * 4 + ["sea"] * 2 + ["sky"] * 2
    table = {"control": [key[0] for key in keys for _ in range(2)], "dose": [key[1] for key in keys for _ in range(2)],
             "picture": [0, 1] * 4, "prompt": ["a", "b"] * 4, "change": [0.0, 0.0, 3.0, 5.0] * 2, "outside": [None] * 8,
             "distance": [1.0] * 8, "off": [0.1] * 8, "colour": colour, "shape": shape, "ground": ground}  # fmt: skip
    judges = {"colour": bright, "shape": bright, "ground": bright}
    scores = {score.name: score for score in sweep_scores(table, (0.0, 1.0), {"colour": "red"}, judges, ["direction"])}
    assert scores["colour is red, dose 0"].value == 0.5
    assert scores["colour is red, dose 1"].value == 1
    assert scores["colour is red, dose 1 beyond direction"].value == 0.5
    assert scores["other facts changed, dose 1"].value == 0.25
    assert scores["other facts changed, dose 1, control direction"].value == 1
    assert scores["change of pixels, dose 1"].value == 4


def test_a_random_push_does_no_more_than_its_control(model, push) -> None:
    """It is one of many random directions: nothing beyond another one of the same length can be told."""
    prompts = [f"a {name}" for name in ("cat", "dog", "bus", "cup", "car", "fish", "house", "tree")]
    report = sweep(model, prompts, [push], (1.0,), judges={"light": bright}, target={"light": "dark"}, **QUICK).report
    beyond = report["light is dark, dose 1 beyond direction"]
    assert beyond.low <= 0 <= beyond.high


def test_bad_input_is_refused(model, push) -> None:
    """Before anything runs."""
    with pytest.raises(InputError, match="a dose that is not 0"):
        sweep(model, PROMPTS, [push], (0.0,))
    with pytest.raises(UnknownName, match="fact 'colour'"):
        sweep(model, PROMPTS, [push], judges={"light": bright}, target={"colour": "red"})
