"""The affine map between pixels and cells."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.frame import Frame, Grid

sides = st.integers(1, 300)
scales = st.floats(0.05, 20).flatmap(lambda size: st.sampled_from([size, -size]))
offsets = st.floats(-200, 200)
frames = st.builds(Frame, sides, sides, sides, sides, scales, scales, offsets, offsets)
grids = st.builds(Grid, st.integers(1, 40), st.integers(1, 40), st.sampled_from([1.0, 4.0, 8.0, 64.0]))
points = st.tuples(st.floats(-100, 400), st.floats(-100, 400))


@given(frames, grids, points)
def test_pixels_to_cells_and_back(frame: Frame, grid: Grid, point: tuple[float, float]) -> None:
    """The map is exactly invertible, mirrored frames too."""
    assert np.allclose(frame.to_pixels(frame.to_cells(point, grid), grid), point, atol=1e-6)


@given(frames, grids)
def test_a_centre_lies_in_its_own_cell(frame: Frame, grid: Grid) -> None:
    """`centres` and `cell_at` agree on which cell is which."""
    rows, cols = np.mgrid[0 : grid.rows, 0 : grid.cols]
    assert np.array_equal(frame.cell_at(frame.centres(grid), grid), np.stack([rows, cols], -1))


@given(frames, st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_going_through_a_cell_costs_half_a_cell_at_most(frame: Frame, where: tuple[float, float]) -> None:
    """pixel -> cell -> its centre is off by no more than half a cell per axis, wherever the grid reaches."""
    grid = Grid(8, 8, 16.0)
    pixel = frame.to_pixels(np.array(where) * 127.99 / 16.0, grid)
    row, col = frame.cell_at(pixel, grid)
    error = np.abs(frame.centres(grid)[row, col] - pixel)
    assert (error <= np.array(frame.cell_size(grid)) / 2 * (1 + 1e-9) + 1e-9).all()


@given(frames)
def test_eight_numbers_hold_a_frame(frame: Frame) -> None:
    """What a store keeps of a frame restores it."""
    assert Frame.of(frame.values) == frame


def test_padding_is_not_valid() -> None:
    """A wide image padded to a square leaves the rows above and below it out."""
    frame = Frame(64, 32, 64, 64, offset_y=16)
    valid = frame.valid(Grid(8, 8, 8.0))
    assert valid[2:6].all() and not valid[:2].any() and not valid[6:].any()


@given(st.integers(1, 3), st.floats(0, 60))
def test_an_image_thinner_than_a_cell_keeps_its_cells(height: int, offset: float) -> None:
    """Even a sliver that misses every cell's centre has a valid cell, so that pooling over it is defined."""
    valid = Frame(64, height, 64, 64, offset_y=offset).valid(Grid(8, 8, 8.0))
    assert valid.any(axis=0).all()


def test_the_whole_canvas_is_valid_without_padding() -> None:
    """Nothing is masked where the image fills the canvas."""
    assert Frame(50, 30, 64, 64, 64 / 50, 64 / 30).valid(Grid(8, 8, 8.0)).all()
