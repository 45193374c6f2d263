"""A judge that knows renderings alone."""

import numpy as np
import pytest

from denoscope.core.errors import InputError, UnknownName
from denoscope.data.menagerie import BACKGROUNDS
from denoscope.features.rendered import rendered_judges
from denoscope.models.embedded.training.oracle import single_object_scenes


def test_a_judge_tells_its_own_accuracy_and_is_kept(tmp_path) -> None:
    """What it calls test scenes is right as often as it says; the second time it is read and calls them the same."""
    quick = {"scenes": 64, "epochs": 3, "tested": 60, "folder": tmp_path}
    judge = rendered_judges(["background", "colour"], **quick)["background"]
    images, scenes = single_object_scenes("test", 96, 60, 5)
    told = judge(list(images))
    assert set(told) <= set(BACKGROUNDS)
    right = np.mean([name == scene.background for name, scene in zip(told, scenes, strict=True)])
    assert judge.accuracy.value == pytest.approx(right)
    assert judge.accuracy.n == 60
    assert rendered_judges(["background"], **quick)["background"](list(images)) == told
    assert len(list(tmp_path.iterdir())) == 1


def test_what_it_cannot_learn_is_refused() -> None:
    """In one line."""
    with pytest.raises(UnknownName, match="mood"):
        rendered_judges(["mood"])
    with pytest.raises(InputError, match="64 scenes or more"):
        rendered_judges(scenes=3)
