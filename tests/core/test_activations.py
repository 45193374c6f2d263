"""Activations: labels that stay right under every re-arrangement, with torch and numpy alike."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site

PADDED = Frame(64, 32, 64, 64, offset_y=16)
FULL = Frame(64, 64, 64, 64)
KINDS = [np.asarray, torch.from_numpy]


def grid_values(kind: Any = np.asarray, samples: int = 3, rows: int = 8, cols: int = 8, **changes: Any) -> Activations:
    """Three samples of a labelled grid, with what a test changes."""
    array = np.random.default_rng(0).standard_normal((samples, 5, rows, cols)).astype(np.float32)
    made: dict[str, Any] = {
        "site": Site("mid"),
        "condition": Condition(timestep=50),
        "values": kind(array),
        "ids": tuple("abcdefgh"[:samples]),
        "layout": "grid",
        "frames": (FULL,) * samples,
        "grid": Grid(rows, cols, 8.0),
    }
    return Activations(**made | changes)


@pytest.mark.parametrize("kind", KINDS)
@given(rows=st.integers(1, 6), cols=st.integers(1, 6))
def test_tokens_are_cells_in_reading_order(kind: Any, rows: int, cols: int) -> None:
    """Token r * cols + c is cell (r, c), and laying tokens back on the grid gives the same values."""
    acts = grid_values(kind, rows=rows, cols=cols)
    tokens = acts.tokens()
    assert tokens.axes == ("sample", "token", "channel") and tokens.shape == (3, rows * cols, 5)
    at = np.asarray(tokens.values)[:, (rows - 1) * cols + cols // 2]
    assert np.array_equal(at, np.asarray(acts.values)[:, :, rows - 1, cols // 2])
    assert np.array_equal(tokens.on_grid().numpy(), acts.numpy())
    assert tokens.tokens() is tokens and acts.on_grid() is acts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["mean", "max"])
def test_pooling_leaves_padding_out(kind: Any, how: Any) -> None:
    """Cells on padding do not enter the pooled vector, unless asked for."""
    acts = grid_values(kind, frames=(PADDED, FULL, PADDED))
    array = acts.numpy()
    reduced = getattr(array[0, :, 2:6], how)(axis=(1, 2))
    pooled = acts.pool(how)
    assert pooled.axes == ("sample", "channel") and pooled.grid is None
    assert np.allclose(pooled.numpy()[0], reduced, atol=1e-6)
    assert np.allclose(pooled.numpy()[1], getattr(array[1], how)(axis=(1, 2)), atol=1e-6)
    whole = acts.pool(how, masked=False).numpy()
    assert np.allclose(whole, getattr(array, how)(axis=(2, 3)), atol=1e-6)
    assert pooled.pool() is pooled


@pytest.mark.parametrize("how", ["mean", "max"])
def test_pooling_a_sliver_is_finite(how: Any) -> None:
    """An image so thin that it covers no cell's centre still has a pooled vector."""
    sliver = Frame(64, 1, 64, 64, offset_y=31)
    assert np.isfinite(grid_values(frames=(sliver,) * 3).pool(how).numpy()).all()


def test_pooling_in_half_precision_does_not_lose_the_mean() -> None:
    """A mean over many bf16 cells is summed in fp32."""
    values = torch.full((3, 5, 64, 64), 1.01, dtype=torch.bfloat16)
    pooled = grid_values(values=values, grid=Grid(64, 64, 1.0)).pool()
    assert pooled.values.dtype == torch.bfloat16 and torch.equal(pooled.values, values[:, :, 0, 0])
    assert pooled.numpy().dtype == np.float32


@pytest.mark.parametrize("kind", KINDS)
def test_select_keeps_rows_together(kind: Any) -> None:
    """Values, ids, frames and draws of a row move together, by index, mask and slice."""
    acts = grid_values(kind, frames=(PADDED, FULL, PADDED), draws=(0, 1, 2))
    for rows, expected in (
        ([2, 0], [2, 0]),
        (np.array([True, False, True]), [0, 2]),
        (slice(1, None), [1, 2]),
        ([-1], [2]),
    ):
        some = acts.select(rows)
        assert some.ids == tuple("abc"[i] for i in expected) and some.draws == tuple(expected)
        assert some.frames == tuple(acts.frames[i] for i in expected)
        assert np.array_equal(some.numpy(), acts.numpy()[expected])
    assert len(acts.select([])) == 0


def test_labels_must_fit_the_values() -> None:
    """A record whose ids, frames, draws or axes do not match its values cannot be made."""
    for wrong in ({"ids": ("a",)}, {"frames": (FULL,)}, {"draws": (0,)}, {"layout": "tokens"}, {"layout": "pooled"}):
        with pytest.raises(InputError):
            grid_values(**wrong)


def test_what_has_no_cells_says_so() -> None:
    """Text tokens have no mask and no grid, and maps no single token axis; each is told in one line."""
    text = grid_values(values=np.zeros((3, 77, 5)), layout="tokens", grid=None)
    for call in (lambda: text.mask, text.on_grid):
        with pytest.raises(InputError, match="no grid of cells"):
            call()
    assert text.pool().shape == (3, 5)
    attention = grid_values(values=np.zeros((3, 2, 64, 77)), layout="map")
    with pytest.raises(InputError, match="head and query"):
        attention.tokens()
    with pytest.raises(InputError, match="do not fill"):
        grid_values(values=np.zeros((3, 63, 5)), layout="tokens").on_grid()


def test_to_xarray_names_axes_and_samples() -> None:
    """The labelled array carries axis names, ids and the condition."""
    pytest.importorskip("xarray")
    array = grid_values(torch.from_numpy).to_xarray()
    assert array.dims == ("sample", "channel", "row", "col") and list(array.sample.values) == ["a", "b", "c"]
    assert array.attrs["condition"] == "timestep=50" and array.name == "mid"


def test_mask_is_one_per_sample() -> None:
    """Each sample's mask follows its own frame."""
    mask = grid_values(frames=(PADDED, FULL, PADDED)).mask
    assert mask.shape == (3, 8, 8) and mask[1].all() and mask[0].sum() == 32
