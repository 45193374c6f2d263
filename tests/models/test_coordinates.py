"""Canvases: where an image lies, which cell a pixel falls into, what is padding."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Grid
from denoscope.models.coordinates import Canvas, frame_of, lay

POLICIES = ("pad", "stretch", "keep", "crop", "native")
CELL = 8
sides = st.integers(1, 150)
canvases = st.builds(
    Canvas, policy=st.sampled_from(POLICIES), size=st.sampled_from([64, 96]),
    fill=st.sampled_from(["edge", "zero", "reflect", "mean"]), filter=st.sampled_from(["bicubic", "nearest"]),
)  # fmt: skip


def picture(width: int, height: int, value: int = 0) -> Any:
    """A plain picture."""
    return np.full((height, width, 3), value, np.uint8)


def grid_of(canvas: Any) -> Grid:
    """The cells of a canvas."""
    return Grid(canvas.shape[0] // CELL, canvas.shape[1] // CELL, float(CELL))


def pooled(canvas: Any) -> Any:
    """An identity-like encoder: the mean over each cell."""
    rows, cols = (side // CELL for side in canvas.shape[:2])
    return canvas.astype(float).mean(-1).reshape(rows, CELL, cols, CELL).mean(axis=(1, 3))


@given(sides, sides, canvases)
def test_a_canvas_is_whole_cells(width: int, height: int, canvas: Canvas) -> None:
    """Any image, 1 x 1 too, becomes a uint8 RGB canvas whose sides are multiples of a cell, as its frame says."""
    laid, frame = lay(picture(width, height, 99), canvas)
    assert laid.shape == (frame.canvas_height, frame.canvas_width, 3) and laid.dtype == np.uint8
    assert laid.shape[0] % CELL == laid.shape[1] % CELL == 0
    assert frame == frame_of(width, height, canvas) and (frame.width, frame.height) == (width, height)
    if canvas.policy != "native":
        assert max(laid.shape) == canvas.size
    assert frame.valid(grid_of(laid)).any()
    if canvas.fill != "zero" or canvas.policy in ("stretch", "keep", "crop"):
        assert (laid == 99).all()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("width,height", [(64, 64), (96, 48), (40, 120), (33, 57)])
def test_a_bright_pixel_moves_the_cell_that_the_frame_names(policy: Any, width: int, height: int) -> None:
    """A delta image at pixel p moves, more than any other, the cell that `cell_at` names for p."""
    canvas = Canvas(policy, 96, "zero")
    dark, frame = lay(picture(width, height), canvas)
    rng = np.random.default_rng(1)
    tested = 0
    for _ in range(12):
        x, y = (int(rng.integers(side)) for side in (width, height))
        on_canvas = np.array([x + 0.5, y + 0.5]) * frame._scale + frame._offset
        if not ((on_canvas > 0) & (on_canvas < (frame.canvas_width, frame.canvas_height))).all():
            continue
        image = picture(width, height)
        image[y, x] = 255
        moved = pooled(lay(image, canvas)[0]) - pooled(dark)
        row, col = frame.cell_at((x + 0.5, y + 0.5), grid_of(dark))
        assert moved[row, col] >= 0.9 * moved.max()
        tested += 1
    assert tested >= 4


@given(sides, sides, canvases, st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_through_a_cell_and_back(width: int, height: int, canvas: Canvas, where: tuple[float, float]) -> None:
    """pixel -> cell -> its centre costs half a cell per axis at most, for every pixel that is on the canvas."""
    frame = frame_of(width, height, canvas)
    grid = Grid(frame.canvas_height // CELL, frame.canvas_width // CELL, float(CELL))
    pixel = np.array(where) * (width, height)
    cells = frame.to_cells(pixel, grid)
    if (cells < 0).any() or (cells > (grid.cols, grid.rows)).any():
        assert canvas.policy == "crop"
        return
    row, col = frame.cell_at(pixel, grid)
    error = np.abs(frame.centres(grid)[row, col] - pixel)
    assert (error <= np.array(frame.cell_size(grid)) / 2 + 1e-9).all()


@pytest.mark.parametrize("fill,expected", [("zero", 128), ("edge", 200), ("reflect", 200), ("mean", 200)])
def test_padding_shows_what_was_asked_and_is_masked(fill: Any, expected: int) -> None:
    """Padding has the asked-for colour, and the cells on it are not valid."""
    laid, frame = lay(picture(96, 48, 200), Canvas("pad", 96, fill))
    assert (laid[:24] == expected).all() and (laid[24:72] == 200).all()
    valid = frame.valid(grid_of(laid))
    assert valid[3:9].all() and not valid[:3].any() and not valid[9:].any()


def test_native_pads_right_and_below() -> None:
    """Odd sizes are kept pixel by pixel, with the padding where coordinates do not shift."""
    image = np.random.default_rng(0).integers(0, 256, (57, 33, 3), dtype=np.uint8)
    laid, frame = lay(image, Canvas("native", 64))
    assert laid.shape == (64, 40, 3) and np.array_equal(laid[:57, :33], image)
    assert (frame.scale_x, frame.scale_y, frame.offset_x, frame.offset_y) == (1, 1, 0, 0)


def test_crop_keeps_the_centre() -> None:
    """The middle of a wide image stays in the middle."""
    image = picture(192, 96)
    image[:, 95:97] = 255
    laid, frame = lay(image, Canvas("crop", 96))
    assert laid.shape == (96, 96, 3) and laid[:, 47:49].min() == 255 and laid[:, :40].max() == 0
    assert frame.valid(grid_of(laid)).all()


def test_model_sizes_are_filled_in() -> None:
    """A canvas takes the model's native size, and sides that suit both the user's multiple and the model's cell."""
    assert Canvas().for_model(512, 16) == Canvas(size=512, multiple=16)
    assert Canvas(size=96).for_model(512, 8).size == 96
    assert Canvas(multiple=24).for_model(480, 16).multiple == 48
    with pytest.raises(InputError, match="not a multiple of 16; the nearest is"):
        Canvas(size=72).for_model(512, 16)


def test_bad_canvases_and_images_are_refused() -> None:
    """Sizes and choices that do not exist, empty images and wrong kinds of array are told in one line."""
    for make in (lambda: Canvas(size=4), lambda: Canvas(size=100), lambda: Canvas(size=-8)):
        with pytest.raises(InputError, match="not a multiple of 8; the nearest is"):
            make()
    with pytest.raises(UnknownName, match="did you mean stretch"):
        Canvas("strech")  # pyright: ignore[reportArgumentType]
    canvas = Canvas(size=64)
    for image in (picture(0, 5), picture(5, 0)):
        with pytest.raises(InputError, match="nothing to read"):
            lay(image, canvas)
    for image in (np.zeros((5, 5, 3)), np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8)):
        with pytest.raises(InputError, match="uint8 RGB"):
            lay(image, canvas)
