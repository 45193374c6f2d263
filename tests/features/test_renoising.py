"""`renoised` reads what sampling runs and noised latents hold, and tells them apart where they differ."""

import numpy as np
import pytest

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.sample import Sample
from denoscope.data.base import open_data
from denoscope.features.renoising import PAIRS, renoised
from denoscope.features.trajectories import Trajectories
from denoscope.models.loading import load
from denoscope.models.visiting import steps_near, visited


@pytest.fixture(scope="module")
def model():
    """The embedded model."""
    return load("embedded")


def test_rows_are_what_the_model_reads(model):
    """Of images: `Model.read` at that level with that prompt; of runs: what `generate` records; cells are cells."""
    samples = [open_data("menagerie:test", 3)[index] for index in range(3)]
    levels = tuple(visited(model, 3))
    assert steps_near(levels, [990, 650, 0]) == (0, 2) and steps_near(levels, None) == (0, 1, 2)
    paths = Trajectories(model, tuple(model.select("mid")), levels, (1,), 1.0)
    texts = [sample.facts["caption"] for sample in samples]
    runs, latents = paths.sampled(texts, 5, lambda _: None)
    made = model.generate(texts, steps=3, guidance=1.0, seed=5, record=["mid"], at=[1])
    recorded = made.activations[0]["mid"].numpy()
    np.testing.assert_allclose(runs["mid", 1, "means"], recorded.mean(axis=(2, 3)), atol=1e-5)
    assert (latents == made.latents).all()
    read = paths.of_images(samples, texts, lambda _: None)
    asked = Condition(timestep=levels[1].timestep, prompt="{caption}", noise="shared")
    like = model.read(samples, ["mid"], asked)["mid"].numpy()
    assert np.corrcoef(read["mid", 1, "means"].ravel(), like.mean(axis=(2, 3)).ravel())[0, 1] > 0.8
    for row, cells in zip(runs["mid", 1, "cells"], recorded, strict=True):
        assert (np.abs(cells.reshape(len(row), -1) - row[:, None]).max(axis=0) < 1e-6).any()
    other, _ = paths.sampled(texts, 6, lambda _: None)
    wide = model.generate(texts, steps=3, guidance=1.0, seed=6, record=["mid"], at=[1]).activations[0]["mid"].numpy()
    assert _places(runs["mid", 1, "cells"], recorded) != _places(other["mid", 1, "cells"], wide)
    noised = paths.noised(latents, texts, lambda _: None)
    assert noised["mid", 1, "means"].shape == runs["mid", 1, "means"].shape


def _places(rows: np.ndarray, grids: np.ndarray) -> list[int]:
    """Which cell each row is."""
    pairs = zip(rows, grids, strict=True)
    return [int(np.abs(grid.reshape(len(row), -1) - row[:, None]).max(axis=0).argmin()) for row, grid in pairs]


def test_what_differs_is_told_apart_and_a_second_run_is_not(model):
    """Images of one colour against pictures of scenes; sampling again is the control, with its interval on chance."""
    report = renoised(
        model, "menagerie:test", ["mid"], [100], pictures=6, steps=2, guidance=1.0, draws=99, progress=False
    )
    assert {row.split(" at ")[0] for row in (score.name for score in report.scores)} == {
        f"accuracy, {p}" for p in PAIRS
    }
    assert f"{PAIRS[2]} 0 of 2" in report.notes[0]
    control = report[f"accuracy, {PAIRS[2]} at mid, 1, cells"]
    assert control.low <= 0.5 <= control.high and control.n == 12
    assert len(report.table["q"]) == 2 * len(PAIRS)
    scenes = open_data("menagerie:test", 24)
    grey = [
        Sample(scene.id, np.full_like(scene.image, 10 * (index % 2)), scene.facts)
        for index, scene in enumerate(scenes[index] for index in range(24))
    ]
    found = renoised(model, grey, ["mid"], [100], pictures=6, steps=2, guidance=1.0, draws=99, progress=False)
    columns = (found.table[name] for name in ("against sampling", "rows", "p"))
    table = {pair: p for pair, rows, p in zip(*columns, strict=True) if rows == "means"}
    assert table[PAIRS[1]] == 0.01
    assert table[PAIRS[2]] > 0.01
    with pytest.raises(InputError, match="16 images"):
        renoised(model, grey[:9], ["mid"], [100], progress=False)
