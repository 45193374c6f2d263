"""What a dictionary makes of the activations, put in their place."""

import numpy as np
import pytest
import torch

from denoscope.core.errors import InputError
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.splices import level, splice
from denoscope.dictionaries.topk import TopK

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(400, 8)).astype(np.float32) @ RNG.normal(size=(8, 8)).astype(np.float32)


def dictionary() -> TopK:
    """Weights drawn by lot."""
    made = TopK(atoms=12, k=3)
    atoms = RNG.normal(size=(12, 8)).astype(np.float32)
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    made.weights = {"atoms": atoms, "encoder": atoms, "bias": RNG.normal(size=8).astype(np.float32)}
    return made


GRID = ROWS[:24].reshape(2, 3, 4, 8).transpose(0, 3, 1, 2).copy()


@pytest.mark.parametrize("x", [GRID, ROWS[:24].reshape(2, 12, 8), ROWS[:24]], ids=["grid", "tokens", "pooled"])
@pytest.mark.parametrize("kind", ["numpy", "fp32", "bf16"])
def test_every_cell_becomes_its_reconstruction(x, kind) -> None:
    """In any layout, as an array or a tensor, whose type and shape stay."""
    made = dictionary()
    given = x if kind == "numpy" else torch.from_numpy(x).to(torch.float32 if kind == "fp32" else torch.bfloat16)
    found = splice(made, site="mid")(given)
    assert found.shape == given.shape
    assert found.dtype == given.dtype
    values = np.asarray(found if kind == "numpy" else found.float())
    flat = np.moveaxis(values, 1, -1) if values.ndim == 4 else values
    told = made.decode(made.encode(ROWS[:24]))
    near = {"rtol": 0.02, "atol": 0.1} if kind == "bf16" else {"atol": 1e-5}
    np.testing.assert_allclose(flat.reshape(-1, 8), told, **near)


def test_kept_errors_leave_what_is_not_changed_as_it_was() -> None:
    """Factors of one change nothing, bit by bit; a doubled atom adds its part once more, and nothing else."""
    made, x = dictionary(), torch.from_numpy(GRID)
    assert splice(made, keep=1, site="mid")(x) is x
    assert splice(made, factors={3: 1.0}, keep=1, site="mid")(x) is x
    twice = splice(made, factors={3: 2.0}, keep=1, site="mid")(x)
    codes = made.encode(ROWS[:24])[:, 3:4]
    change = np.moveaxis((twice - x).numpy(), 1, -1).reshape(-1, 8)
    np.testing.assert_allclose(change, codes * made.atoms[3], atol=1e-5)
    gone = splice(made, factors={3: 0.0}, keep=1, site="mid")(x)
    np.testing.assert_allclose((x - gone).numpy(), (twice - x).numpy(), atol=1e-5)


def test_all_components_change_nothing_and_a_level_says_nothing() -> None:
    """A full basis reconstructs exactly; mean ablation is one vector everywhere."""
    whole = PCA(atoms=8).fit([ROWS])
    np.testing.assert_allclose(splice(whole, site="mid")(GRID), GRID, atol=1e-4)
    flat = level(np.arange(8), "mid")(torch.from_numpy(GRID))
    assert (flat == torch.arange(8.0)[None, :, None, None]).all()


def test_what_does_not_exist_is_refused() -> None:
    """Atoms, shares, places and widths."""
    with pytest.raises(InputError, match=r"0 \.\.\. 11"):
        splice(dictionary(), factors={12: 1.0}, site="mid")
    with pytest.raises(InputError, match="share"):
        splice(dictionary(), keep=2, site="mid")
    with pytest.raises(InputError, match="where to edit"):
        splice(dictionary())
    with pytest.raises(InputError, match="3 channels"):
        level(np.ones(3), "mid")(GRID)
    with pytest.raises(InputError, match="finite vector"):
        level(np.ones((2, 3)), "mid")
