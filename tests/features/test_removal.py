"""Removal is told of prompts that name the concept and of others, beside a control."""

import numpy as np
import pytest

from denoscope.core.errors import InputError, UnknownName
from denoscope.dictionaries.edits import add
from denoscope.features.removal import removal_success
from denoscope.features.trials import goal_of, named, trials
from denoscope.models.loading import wrap
from denoscope.models.toys import toy


def test_an_edit_that_takes_the_concept_out_is_told_from_its_control() -> None:
    """A judge of brightness calls what an edit darkens no snow; other facts stay, other prompts change as much."""
    model = wrap(toy("toy-sd15"))
    quick = {"steps": 2, "guidance": 3.0, "height": 32, "width": 32}
    goal = goal_of("background=snow")
    asked = [one.prompt for one in named(trials(goal, 4, otherwise=True), goal)]
    plain = model.generate(asked, seed=0, **quick).images.mean(axis=(1, 2, 3))
    pushed = {s: add(np.eye(4)[0], strength=s, site="out") for s in (3.0, -3.0)}
    means = {s: model.generate(asked, seed=0, edits={"out": pushed[s]}, **quick).images.mean() for s in pushed}
    sign = min(means, key=lambda s: means[s])
    middle = float(plain.min()) - 1e-6
    judges = {
        "background": lambda images: ["snow" if one.mean() > middle else "night" for one in images],
        "colour": lambda images: ["red"] * len(images),
    }
    edit = pushed[sign]
    report = removal_success(model, [edit], "background=snow", judges=judges, prompts=4, **quick)
    assert report["gone"].value > report["gone, without"].value
    assert report["gone beyond without"].value == pytest.approx(report["gone"].value - report["gone, without"].value)
    assert report["other facts as asked"].value == report["other facts as asked, without"].value
    assert report["gone, control"].n == 4
    own = [name for name, group in zip(report.table["prompt"], report.table["group"], strict=True) if group == "own"]
    assert all(name.endswith("in the snow") for name in own)
    assert len(report.figures) == 2
    with pytest.raises(UnknownName):
        removal_success(model, [edit], "category=cat", judges=judges)
    with pytest.raises(InputError):
        removal_success(model, [], "background=snow", judges=judges)
