"""Pushes that differ from cell to cell, by noise level and by branch of guidance."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Grid
from denoscope.core.moment import Moment
from denoscope.dictionaries.edits import add
from denoscope.dictionaries.shifts import ByNoise, opposed, shift


def moment(step: int, timestep: float) -> Moment:
    """A step of guided sampling of two pictures."""
    return Moment(step, 2, timestep, ("cond", "cond", "uncond", "uncond"), (0, 1, 0, 1), 32, 32, Grid(4, 4, 8))


@given(st.sampled_from([(3, 5, 4, 4), (3, 6, 5)]), st.floats(-2, 2), st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_shift_adds_its_map(shape, strength, tensor) -> None:
    """By hand, for arrays and tensors, grids and tokens; the unit of lengths makes it as long as the cells."""
    dice = np.random.default_rng(0)
    x, d = dice.normal(size=shape).astype(np.float32), dice.normal(size=shape[1:]).astype(np.float32)
    given_ = torch.from_numpy(x) if tensor else x
    assert np.asarray(shift(d, strength=strength, site="up.1")(given_)) == pytest.approx(x + strength * d, abs=1e-5)
    channels = 1 if len(shape) == 4 else 2
    moved = np.asarray(shift(d, strength=strength, unit="norm", site="up.1")(given_)) - x
    sizes = [
        np.sqrt(np.square(one).sum(axis=channels).mean(axis=tuple(range(1, len(shape) - 1)))) for one in (moved, x)
    ]
    assert sizes[0] == pytest.approx(abs(strength) * sizes[1], rel=1e-4, abs=1e-6)


def test_a_vector_for_all_cells_is_add() -> None:
    """Up to its length, which `add` takes out."""
    x, u = np.random.default_rng(1).normal(size=(2, 5, 3, 3)), np.arange(1.0, 6.0)
    both = [shift(u, strength=0.5, unit="norm", site="up.1")(x), add(u, strength=0.5, unit="norm", site="up.1")(x)]
    assert both[0] == pytest.approx(both[1], abs=1e-6)
    assert shift(u, strength=0.0, site="up.1")(x) is x


def test_the_nearest_noise_level_acts() -> None:
    """At each step its own map; without a step only where there is one."""
    x = np.zeros((4, 2, 4, 4), dtype=np.float32)
    made = shift({900.0: np.ones(2), 100.0: -np.ones(2)}, site="up.1")
    assert isinstance(made, ByNoise)
    assert (made.at(moment(0, 700.0))(x) == 1).all()
    assert (made.at(moment(1, 300.0))(x) == -1).all()
    with pytest.raises(InputError, match="depends on the noise"):
        made(x)
    assert (shift({5.0: np.ones(2)}, site="up.1")(x) == 1).all()


def test_opposed_edits_differ_by_branch() -> None:
    """Rows with the prompt are pushed, those without are pushed back, bit by bit as far."""
    x = np.random.default_rng(2).normal(size=(4, 2, 4, 4)).astype(np.float32)
    push = add(np.ones(2), strength=1.0, site="up.1")
    moved = opposed(push).at(moment(0, 500.0))
    assert moved is not None
    assert (moved(x)[:2] == push(x)[:2]).all()
    assert moved(x)[2:] - x[2:] == pytest.approx(-(push(x) - x)[2:], abs=1e-6)
    early = opposed(shift({500.0: np.ones(2)}, site="up.1")).at(moment(0, 500.0))
    assert early is not None
    assert early(x)[2:] == pytest.approx(x[2:] - 1, abs=1e-6)


def test_what_is_no_shift_is_refused() -> None:
    """In one line each."""
    for bad in (np.zeros(3), np.array([np.nan]), np.ones((1, 2, 3, 4)), {}):
        with pytest.raises(InputError):
            shift(bad, site="up.1")
    with pytest.raises(UnknownName):
        shift(np.ones(3), unit="ells", site="up.1")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="does not fit"):
        shift(np.ones((3, 2, 2)), site="up.1")(np.ones((1, 3, 4, 4)))
