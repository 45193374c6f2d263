"""An edit that is limited acts where and when it was told, and nowhere else by one bit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Grid
from denoscope.core.moment import Moment
from denoscope.dictionaries.edits import ablate, add, by_site, clamp
from denoscope.dictionaries.limits import dose, within
from denoscope.dictionaries.patches import patch
from denoscope.dictionaries.repairs import matched
from denoscope.models.loading import wrap
from denoscope.models.toys import toy

PUSH = add(np.arange(1.0, 6.0), strength=3.0, site="mid")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 4, 6)).astype(np.float32)


def moment(step: int = 0, timestep: float = 900.0, guided: bool = True, steps: int = 8) -> Moment:
    """Two pictures of 32 x 48 pixels, whose cells are 8 pixels wide."""
    branches = ("cond", "cond", "uncond", "uncond") if guided else ("cond", "cond")
    pictures = (0, 1, 0, 1) if guided else (0, 1)
    return Moment(step, steps, timestep, branches, pictures, 32, 48, Grid(4, 6, 8.0))


@pytest.mark.parametrize("kind", ["numpy", "fp32", "bf16", "tokens"])
def test_a_box_changes_its_cells_and_no_bit_of_others(kind) -> None:
    """A cell that is covered by half is changed by half; tokens in reading order are cells."""
    edit = within(PUSH, box=(8, 8, 28, 16)).at(moment())
    x = X.reshape(4, 5, 24).transpose(0, 2, 1).copy() if kind == "tokens" else X
    x = x if kind == "numpy" else torch.from_numpy(x).to(torch.bfloat16 if kind == "bf16" else torch.float32)
    change = (PUSH(x) - x) if kind == "numpy" else (PUSH(x) - x).float().numpy()
    found = (edit(x) - x) if kind == "numpy" else (edit(x) - x).float().numpy()
    if kind == "tokens":
        change, found = (part.transpose(0, 2, 1).reshape(X.shape) for part in (change, found))
    assert (found[:, :, 1, 1:3] == change[:, :, 1, 1:3]).all()
    np.testing.assert_allclose(found[:, :, 1, 3], change[:, :, 1, 3] / 2, atol=0.05 if kind == "bf16" else 1e-5)
    found[:, :, 1, 1:4] = 0
    assert not found.any()


def test_each_picture_may_have_its_own_mask() -> None:
    """In both branches."""
    masks = np.zeros((2, 32, 48), dtype=bool)
    masks[0, :8, :8], masks[1, 24:, 40:] = True, True
    moved = (within(PUSH, mask=masks).at(moment())(X) != X).any(axis=1)
    assert [np.argwhere(one).tolist() for one in moved] == [[[0, 0]], [[3, 5]], [[0, 0]], [[3, 5]]]


@given(st.lists(st.sampled_from(["cond", "uncond"]), min_size=1, max_size=6), st.sampled_from(["cond", "uncond"]))
def test_branches_are_told_by_type_in_any_order(branches, side) -> None:
    """Rows of the other branch keep every bit, wherever they stand in the batch."""
    x, told = (
        X[:1].repeat(len(branches), axis=0),
        Moment(0, 1, 500.0, tuple(branches), (0,) * len(branches), 8, 8, None),
    )
    edit = within(PUSH, branch=side)
    if side not in branches:
        with pytest.raises(InputError, match="without guidance"):
            edit.at(told)
        return
    moved = (edit.at(told)(x) != x).any(axis=(1, 2, 3))
    assert moved.tolist() == [branch == side for branch in branches]


def test_windows_of_steps_and_of_noise() -> None:
    """Outside of them there is no edit at all, also in chains and controls."""
    early = within(PUSH, steps=(0, 3))
    assert [early.at(moment(step)) is not None for step in range(8)] == [True] * 3 + [False] * 5
    noisy = within(PUSH, timesteps=(600, 1000))
    assert [noisy.at(moment(timestep=t)) is not None for t in (1000.0, 600.0, 599.0)] == [True, True, False]
    assert within(early, timesteps=(0, 500)).at(moment(0)) is None
    assert by_site([early, noisy])["mid"].at(moment(5, 100)) is None
    assert len(by_site([early, PUSH])["mid"].at(moment(5)).edits) == 1
    assert matched(early).at(moment(5)) is None
    assert (matched(early).at(moment())(X) == matched(PUSH)(X)).all()


def test_doses_go_from_nothing_to_more_than_all() -> None:
    """0 is the tensor itself; between, a straight line; an ablation at 2 turns the coordinate round."""
    assert dose(PUSH, 0)(X) is X
    assert dose(PUSH, 0).at(moment()) is None
    assert (dose(PUSH, 1)(X) == PUSH(X)).all()
    np.testing.assert_allclose(dose(PUSH, -2)(X) - X, -2 * (PUSH(X) - X), atol=1e-5)
    out = ablate(np.eye(5)[2], site="mid")
    np.testing.assert_allclose(dose(out, 2)(X)[:, 2], -X[:, 2], atol=1e-6)
    assert dose(within(PUSH, steps=(4, 8)), 0.5).at(moment(2)) is None


def test_a_patch_goes_to_its_picture_in_every_branch() -> None:
    """The sampler says which row is whose, so that no order of rows is taken for granted."""
    other = RNG.normal(size=(2, 5, 4, 6)).astype(np.float32)
    mixed = Moment(0, 1, 5.0, ("uncond", "cond", "uncond", "cond"), (0, 0, 1, 1), 32, 48, None)
    assert (patch(other, site="mid").at(mixed)(X) == other[[0, 0, 1, 1]]).all()
    with pytest.raises(InputError, match="3 samples do not fit 2 pictures"):
        patch(X[:3], site="mid").at(mixed)


def test_bad_limits_are_refused_in_one_line() -> None:
    """Each error says what was wrong."""
    for limits, message in (
        ({"steps": (3, 3)}, "first one and the one after"),
        ({"timesteps": (5, 1)}, "lowest and the highest"),
        ({"box": (4, 4, 2, 8)}, "left, top, right, bottom"),
        ({"mask": np.zeros((4, 4))}, "no part of a picture"),
        ({"cells": np.full((4, 4), 2.0)}, "no part of a picture"),
        ({"box": (0, 0, 1, 1), "cells": np.ones((4, 6))}, "one of box, mask and cells"),
    ):
        with pytest.raises(InputError, match=message):
            within(PUSH, **limits)
    for limits, message in (
        ({"steps": (8, 9)}, "never acts: there are 8 steps"),
        ({"mask": np.ones((8, 8))}, "does not fit pictures of 32 x 48"),
        ({"mask": np.ones((3, 32, 48))}, "3 masks do not fit 2 pictures"),
        ({"box": (100, 100, 120, 120)}, "no pixel"),
    ):
        with pytest.raises(InputError, match=message):
            within(PUSH, **limits).at(moment())
    with pytest.raises(InputError, match="limits by steps, box are known while pictures are made"):
        within(PUSH, steps=(0, 1), box=(0, 0, 9, 9))(X)
    with pytest.raises(InputError, match="do not fit a tensor of cells"):
        within(PUSH, cells=np.ones((3, 3)))(X)
    with pytest.raises(UnknownName, match="branch"):
        within(PUSH, branch="conditional")
    with pytest.raises(InputError, match="made by add"):
        within(lambda x: x)
    with pytest.raises(InputError, match="finite number"):
        dose(PUSH, np.inf)


@pytest.fixture(scope="module")
def model():
    """A small U-Net with random weights."""
    return wrap(toy("toy-sd15"))


def _pictures(model, *edits, guidance=4.0, record=(), **options):
    """Two pictures in three steps."""
    told = {"steps": 3, "guidance": guidance, "seed": 2, "height": 64, "width": 128, "record": record, **options}
    return model.generate(["a cat", "a dog"], edits=by_site(edits), **told)


def test_the_sampler_holds_to_the_limits(model) -> None:
    """Both branches are each in turn; all steps are no window; a box of a wide picture moves its own cells at first."""
    width = next(info.channels for info in model.sites if info.name == "up.1")
    push = clamp(RNG.normal(size=width), value=40.0, site="up.1")
    plain, whole = _pictures(model), _pictures(model, push)
    assert (plain.images != whole.images).any()
    assert (_pictures(model, within(push, steps=(0, 3))).latents == whole.latents).all()
    assert (_pictures(model, dose(push, 0)).latents == plain.latents).all()
    each = [within(push, branch="cond"), within(push, branch="uncond")]
    assert (_pictures(model, *each).latents == whole.latents).all()
    assert (_pictures(model, each[0]).latents != whole.latents).any()
    late = _pictures(model, within(push, steps=(2, 3)), record="out")
    bare = _pictures(model, record="out")
    same = [
        (a["out"].values == b["out"].values).all().item()
        for a, b in zip(late.activations, bare.activations, strict=True)
    ]
    assert same == [True, True, False]
    with pytest.raises(InputError, match="without guidance"):
        _pictures(model, each[1], guidance=1.0)


def test_a_box_is_in_pixels_of_a_picture_of_any_shape(model) -> None:
    """What is read at the site differs from the plain run in the box's cells alone, at the first step."""
    width = next(info.channels for info in model.sites if info.name == "up.1")
    push = add(RNG.normal(size=width), strength=1.0, unit="norm", site="up.1")
    runs = [_pictures(model, *edits, record="up.1") for edits in ([], [within(push, box=(64, 0, 128, 32))])]
    first = [run.activations[0]["up.1"].numpy() for run in runs]
    rows, cols = first[0].shape[2:]
    moved = (first[0] != first[1]).any(axis=(0, 1))
    told = np.zeros((rows, cols), dtype=bool)
    told[: rows // 2, cols // 2 :] = True
    assert (moved == told).all()


def test_a_run_put_into_another_makes_its_picture(model) -> None:
    """All that the output is made from, at every step: with its own branch's values guidance has nothing to add."""
    donor = _pictures(model, guidance=1.0, record="out")
    own = patch([step["out"] for step in donor.activations])
    other = model.generate(
        ["a house", "a bus"], steps=3, guidance=1.0, seed=2, height=64, width=128, edits=by_site([own])
    )
    np.testing.assert_allclose(other.latents, donor.latents, atol=1e-5)
    with pytest.raises(InputError, match="3 recorded steps does not fit one of 2"):
        _pictures(model, own, steps=2)
    with pytest.raises(InputError, match="step by step"):
        own(X)
