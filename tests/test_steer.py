"""`steer` changes pictures by its edits and by nothing else."""

import numpy as np
import pytest

from denoscope.core.errors import InputError, UnknownName
from denoscope.dictionaries.edits import ablate, add
from denoscope.models.loading import wrap
from denoscope.models.toys import toy
from denoscope.steer import steer

QUICK = {"steps": 2, "seed": 3}


@pytest.fixture(scope="module")
def model():
    """A small U-Net with random weights."""
    return wrap(toy("toy-sd15"))


@pytest.fixture(scope="module")
def direction(model) -> np.ndarray:
    """A direction at `mid`."""
    width = next(info.channels for info in model.sites if info.name == "mid")
    return np.random.default_rng(0).normal(size=width)


def test_an_edit_changes_the_picture_and_zero_does_not(model, direction):
    """Without edits it is what `generate` gives; strength 0 leaves every pixel; a push moves some."""
    still = steer(model, prompt="a red cat", edits=[add(direction, strength=0.0, site="mid")], **QUICK)
    assert (still.images == still.before).all()
    assert (still.before == model.generate("a red cat", **QUICK).images).all()
    moved = steer(model, prompt="a red cat", edits=[add(direction, strength=500.0, site="mid")], **QUICK)
    assert (moved.before == still.before).all()
    assert (np.asarray(moved) != moved.before).any()
    assert moved.report["change of pixels"].value > 0


def test_edits_compose_in_order(model, direction):
    """A push that is taken out again is an ablation, at any strength."""
    out = ablate(direction, site="mid")
    pushed = steer(model, "a cat", [add(direction, strength=300.0, site="mid"), out], **QUICK)
    alone = steer(model, "a cat", [out], **QUICK)
    assert np.abs(pushed.images.astype(int) - alone.images).max() <= 1


def test_results_can_be_saved(model, direction, tmp_path):
    """Pictures, both side by side, and the report."""
    found = steer(model, ["a cat", "a dog"], [add(direction, strength=9.0, site="mid")], **QUICK)
    found.save(tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert {"report.json", "without-and-with.png", "001-with.png"} <= names
    assert found.side_by_side.shape == (2 * found.images.shape[1], 2 * found.images.shape[2], 3)


def test_bad_input_is_refused_before_anything_runs(model, direction):
    """No edit, an unknown site, a direction of another width."""
    with pytest.raises(InputError, match="at least one edit"):
        steer(model, "a cat", [])
    with pytest.raises(UnknownName, match="site"):
        steer(model, "a cat", [add(direction, strength=1.0, site="midd")])
    with pytest.raises(InputError, match="does not fit"):
        steer(model, "a cat", [add(np.ones(3), strength=1.0, site="mid")], **QUICK)
