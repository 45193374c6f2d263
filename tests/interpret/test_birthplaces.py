"""Birthplaces are drawn where they are, kept with the dictionary, and refused where there are none."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from denoscope.core.errors import InputError, StoreError
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.itda import ITDA
from denoscope.interpret.birthplaces import births_sheet, draw_births
from denoscope.learn import learn
from squares import PIXELS, SIDE, dictionary, samples, stored


def shown(data: bytes) -> np.ndarray:
    """Pixels of a picture."""
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"), dtype=float)


def test_a_birthplace_is_drawn_and_kept(tmp_path) -> None:
    """The middle of the picture is the cell, in the image's own colours; saved and loaded it is the same file."""
    store, pictures = stored(tmp_path / "s", 3.0), {one.id: one.image for one in samples()}
    made: Any = learn(store, "itda", site="mid", atoms=12, k=2, cells=4000, device="cpu", progress=False)
    assert isinstance(made, ITDA) and draw_births(store, made, data=samples(), side=64) == 12
    compared = 0
    for atom, (name, cell) in enumerate(zip(made.births["sample"], made.births["cell"], strict=True)):
        row, col = divmod(cell, SIDE)
        patch = shown(made.pictures[atom])
        assert patch.shape == (64, 64, 3)
        if min(row, col) >= 2 and max(row, col) <= SIDE - 3:  # not moved inwards
            size = PIXELS // SIDE
            own = pictures[name][row * size : (row + 1) * size, col * size : (col + 1) * size].mean(axis=(0, 1))
            assert np.abs(patch[26:38, 26:38].mean(axis=(0, 1)) - own).max() < 30
            compared += 1
    assert compared > 3
    made.save(tmp_path / "made")
    again = load_dictionary(tmp_path / "made")
    assert getattr(again, "pictures", None) == made.pictures
    assert shown(births_sheet(again)).shape == (64, 12 * 66 - 2, 3)
    (tmp_path / "made" / "births.zip").write_bytes(b"half")
    with pytest.raises(StoreError, match=r"births\.zip is damaged; delete it"):
        load_dictionary(tmp_path / "made")


def test_without_birthplaces_nothing_is_drawn(tmp_path) -> None:
    """Other kinds, cells that tell no place, images of another store, and sizes out of range."""
    store = stored(tmp_path / "s", 3.0)
    with pytest.raises(InputError, match="no atom of this 'topk' dictionary tells"):
        draw_births(store, dictionary(), data=samples())
    made: Any = ITDA(atoms=4, k=2, cells=60, device="cpu").fit([np.random.default_rng(0).normal(size=(60, 12))])
    made.about = dictionary().about
    with pytest.raises(InputError, match="no atom of this 'itda' dictionary tells"):
        draw_births(store, made, data=samples())
    made.births = {"sample": ["elsewhere"] * 4, "cell": [0] * 4, "timestep": [50.0] * 4}
    with pytest.raises(InputError, match="none of the images"):
        draw_births(store, made, data=samples())
    with pytest.raises(InputError, match=r"8 \.\.\. 512 pixels"):
        draw_births(store, made, data=samples(), side=2)
    with pytest.raises(InputError, match="denoscope dictionary births"):
        births_sheet(made)
