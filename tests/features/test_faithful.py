"""How faithful a dictionary is to what the denoiser does next: exact at both ends, and beside its baselines."""

import numpy as np
import pytest

import denoscope as ds
from denoscope.core.errors import InputError
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.rows import Rows
from denoscope.dictionaries.temporal import Temporal
from denoscope.dictionaries.topk import TopK
from denoscope.features.faithful import faithful
from denoscope.models.loading import wrap
from denoscope.models.toys import toy


@pytest.fixture(scope="module")
def model() -> ds.Model:
    """Random weights of SD 1.5's make."""
    return wrap(toy("toy-sd15"))


@pytest.fixture(scope="module")
def pictures() -> list[ds.Sample]:
    """Noise."""
    rng = np.random.default_rng(0)
    return [ds.Sample(f"image-{i}", rng.integers(0, 255, (32, 32, 3)).astype(np.uint8), {}) for i in range(8)]


def at(made, model, site: str = "up.1"):
    """A dictionary that says where it was learned."""
    made.about = {"site": site, "condition": ds.Condition(timestep=50).to_dict()}
    return made


def cells(model, pictures) -> np.ndarray:
    """Of all images at the site."""
    flat = model.read(pictures, "up.1", ds.Condition(timestep=50))["up.1"].tokens().numpy()
    return flat.reshape(-1, flat.shape[-1]).astype(np.float32)


def test_a_full_basis_recovers_all_and_the_mean_nothing(model, pictures) -> None:
    """1 and 0 are exact; fewer components lie between, and a report on pictures stands beside."""
    rows = cells(model, pictures)
    whole = faithful(model, at(PCA(atoms=rows.shape[1]).fit([rows]), model), pictures)
    assert whole["output recovered"].value == pytest.approx(1, abs=1e-4)
    assert whole["output recovered"].n == 4
    some = faithful(model, at(PCA(atoms=2).fit([rows]), model), pictures, prompts=["a", "b"], steps=2)
    assert 0 < some["output recovered"].value < 1
    assert some["picture recovered"].n == 2
    assert [score.better for score in some.scores] == ["higher", "higher"]
    nothing = TopK(atoms=3, k=1)
    mean = rows[: len(rows) // 2].mean(axis=0)
    nothing.weights = {"atoms": np.eye(3, rows.shape[1], dtype=np.float32), "bias": mean,
                       "encoder": np.zeros((3, rows.shape[1]), np.float32)}  # fmt: skip
    silent = faithful(model, at(nothing, model), pictures)
    assert silent["output recovered"].value == pytest.approx(0, abs=1e-4)
    assert silent["output recovered, 1 principal components"].value > 0
    assert "output recovered, random atoms" in [score.name for score in silent.scores]


def test_what_cannot_be_measured_is_refused(model, pictures) -> None:
    """A dictionary of nowhere, of another width, and too few images."""
    narrow = at(PCA(atoms=1).fit([np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)]), model)
    with pytest.raises(InputError, match="channels here"):
        faithful(model, narrow, pictures)
    with pytest.raises(InputError, match="four are needed"):
        faithful(model, narrow, pictures[:3])
    narrow.about = {}
    with pytest.raises(InputError, match="which site"):
        faithful(model, narrow, pictures)


def test_a_dictionary_of_many_noise_levels_is_put_in_as_it_is_at_each(model, pictures) -> None:
    """At the level of reading for outputs, at that of each step for pictures; the whole one alone would not know."""
    rows = cells(model, pictures)
    levels = np.tile(np.array([50.0, 600.0], np.float32), len(rows) // 2)
    made = Temporal(atoms=12, k=3, cells=len(rows), batch=256, hidden=4, waves=4).fit([Rows(rows, levels)])
    told = faithful(model, at(made, model), pictures, prompts=["a", "b"], steps=2)
    assert told["output recovered"].n == 4 and told["picture recovered"].n == 2
    assert np.isfinite([score.value for score in told.scores]).all()
