"""What of a tensor is kept."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.store.keep import Keep, pick_cells

FRAMES = (Frame(12, 16, 16, 16), Frame(16, 9, 16, 16))
GRID = Grid(4, 4, 4.0)


def made() -> Activations:
    """Two samples, both padded, on a grid of 4 x 4 cells."""
    values = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)
    return Activations(Site("up.1"), Condition(timestep=50), values, ("a", "b"), "grid", FRAMES, GRID)


def test_pooled_is_the_mean_over_cells_on_the_image():
    """Padding does not leak into pooled vectors."""
    kept = Keep("pooled", "fp32")(made())
    flat, mask = made().values.reshape(2, 3, -1), made().mask.reshape(2, -1)
    wanted = [flat[i][:, mask[i]].mean(axis=1) for i in range(2)]
    assert kept.layout == "pooled" and not mask.all()
    np.testing.assert_allclose(kept.arrays["values"], wanted, rtol=1e-6)


@pytest.mark.parametrize("start", ["grid", "tokens"])
@pytest.mark.parametrize("layout", ["grid", "tokens"])
def test_layouts_hold_the_same_numbers(start, layout):
    """A site may give a grid or tokens, and either can be stored: nothing is transposed on the way."""
    given_ = made() if start == "grid" else made().tokens()
    kept = Keep(layout, "fp32")(given_)
    wanted = made() if layout == "grid" else made().tokens()
    np.testing.assert_array_equal(kept.arrays["values"], wanted.values)
    assert (kept.layout, kept.grid) == (layout, GRID)


def test_cells_are_named_and_lie_on_the_image():
    """The recorded indices tell exactly which cells were kept, and none lies on padding."""
    kept = Keep("cells", "fp32", cells=6)(made())
    cells = kept.arrays["cells"]
    for i in range(2):
        np.testing.assert_array_equal(kept.arrays["values"][i], made().tokens().values[i, cells[i]])
        assert made().mask[i].reshape(-1)[cells[i]].all()


@given(st.text(min_size=1), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.integers(1, 50))
def test_cells_depend_on_the_sample_alone(name, count, rows, cols, side):
    """Any batch, order and machine keeps the same cells; tiny images give what they have."""
    grid = Grid(rows, cols, 8.0)
    frame = Frame(min(side, cols * 8), min(side, rows * 8), cols * 8, rows * 8)
    cells = pick_cells(name, grid, frame, count)
    np.testing.assert_array_equal(cells, pick_cells(name, grid, frame, count))
    assert len(cells) == min(count, grid.cells)
    on_image = frame.valid(grid).sum()
    assert len(set(cells.tolist())) == min(max(on_image, 1), len(cells))


def test_text_tokens_keep_their_layout_and_maps_cannot_be_pooled():
    """Asking for grids over all sites does not fail on the text stream; pooling a map, which has no meaning, does."""
    text = replace(made(), values=np.ones((2, 7, 5), np.float32), layout="tokens", grid=None)
    assert Keep("grid", "fp32")(text).arrays["values"].shape == (2, 7, 5)
    maps = replace(made(), values=np.ones((2, 2, 16, 16), np.float32), layout="map")
    assert Keep("grid", "fp32")(maps).layout == "map"
    with pytest.raises(InputError):
        Keep("pooled")(maps)


def test_recipe_names_only_what_matters():
    """Two requests for the same numbers have one address; unknown choices name the known ones."""
    assert Keep(cells=9).to_dict() == Keep().to_dict() != Keep(dtype="fp32").to_dict()
    assert Keep.from_dict(Keep("cells", cells=9).to_dict()).cells == 9
    with pytest.raises(UnknownName, match="pooled"):
        Keep("poled")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least 1"):
        Keep("cells", cells=0)
