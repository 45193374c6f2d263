"""A judge that knows renderings alone."""

import numpy as np
import pytest
import torch

from denoscope.core.errors import InputError, UnknownName
from denoscope.data.menagerie import BACKGROUNDS
from denoscope.features.rendered import judge_cache, rendered_judges
from denoscope.models.embedded.training.oracle import single_object_scenes


def test_a_judge_tells_its_own_accuracy_and_is_kept(tmp_path) -> None:
    """What it calls test scenes is right as often as it says; the second time it is read and calls them the same."""
    quick = {"scenes": 64, "epochs": 2, "tested": 24, "folder": tmp_path}
    judge = rendered_judges(["background", "colour"], **quick)["background"]
    images, scenes = single_object_scenes("test", 96, 24, 5)
    told = judge(list(images))
    assert set(told) <= set(BACKGROUNDS)
    assert judge.shares(list(images)).sum(axis=1) == pytest.approx(1)
    right = np.mean([name == scene.background for name, scene in zip(told, scenes, strict=True)])
    assert judge.accuracy.value == pytest.approx(right)
    assert judge.accuracy.n == 24
    (kept,) = tmp_path.iterdir()
    written, dice = kept.stat().st_mtime_ns, torch.random.get_rng_state()
    again = rendered_judges(["background"], **quick)["background"]
    assert again(list(images)) == told
    assert again.accuracy == judge.accuracy
    assert kept.stat().st_mtime_ns == written
    assert torch.equal(dice, torch.random.get_rng_state())
    kept.write_bytes(kept.read_bytes()[:1000])
    assert rendered_judges(["background"], **quick)["background"](list(images)) == told


def test_judges_are_kept_in_the_users_cache(monkeypatch, tmp_path) -> None:
    """Where the environment says it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert judge_cache() == tmp_path / "denoscope" / "judges"


def test_what_it_cannot_learn_is_refused() -> None:
    """In one line."""
    with pytest.raises(UnknownName, match="mood"):
        rendered_judges(["mood"])
    with pytest.raises(InputError, match="64 scenes or more"):
        rendered_judges(scenes=3)
