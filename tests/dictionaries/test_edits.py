"""Edits change what they say, by how much they say, and nothing else."""

import numpy as np
import pytest
import torch

from denoscope.core.errors import InputError, UnknownName
from denoscope.dictionaries.edits import ablate, add, by_site, clamp, replace, scale
from denoscope.dictionaries.patches import patch
from denoscope.dictionaries.pca import PCA

CHANNELS = 6
SHAPES = [(2, CHANNELS, 3, 4), (2, 5, CHANNELS), (3, CHANNELS)]
RNG = np.random.default_rng(0)
VECTOR = RNG.normal(size=CHANNELS).astype(np.float32)
UNIT = VECTOR / np.linalg.norm(VECTOR)


def tensor(shape, dtype=torch.float32) -> torch.Tensor:
    """Normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(dtype)


def along(x) -> np.ndarray:
    """Coordinate of every cell along the direction."""
    values = np.asarray(x, dtype=np.float64)
    return np.tensordot(values, UNIT.astype(np.float64), (1 if values.ndim == 4 else -1, 0))


def shaped(vector: np.ndarray, shape) -> np.ndarray:
    """A vector on the channel axis."""
    return vector[:, None, None] if len(shape) == 4 else vector


@pytest.fixture
def dictionary() -> PCA:
    """Components around a mean of 3."""
    return PCA(atoms=4).fit([RNG.normal(3, 1, (200, CHANNELS)).astype(np.float32)])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["tensor", "array"])
def test_add_moves_every_cell_by_strength_times_the_unit_direction(shape, kind):
    """Exactly, in every layout, and what was handed in is not changed."""
    x = tensor(shape) if kind == "tensor" else tensor(shape).numpy()
    before = np.array(x)
    moved = add(VECTOR, strength=8.0, site="mid")(x)
    assert type(moved) is type(x)
    assert moved.dtype == x.dtype
    assert np.asarray(moved) == pytest.approx(before + 8.0 * shaped(UNIT, shape), abs=1e-6)
    assert (np.asarray(x) == before).all()


def test_add_of_nothing_is_bit_identical():
    """Strength 0 returns the tensor itself, negative zeros and all."""
    x = torch.tensor([[-0.0] * CHANNELS])
    assert add(VECTOR, strength=0.0, site="mid")(x) is x


@pytest.mark.parametrize("shape", SHAPES)
def test_ablate_is_idempotent_and_touches_nothing_else(shape):
    """The coordinate is gone, a second time changes nothing, and what is orthogonal stays."""
    x = tensor(shape)
    edit = ablate(VECTOR, site="mid")
    once = edit(x)
    assert np.abs(along(once)).max() < 1e-6
    assert edit(once).numpy() == pytest.approx(once.numpy(), abs=1e-6)
    lost = (x - once).numpy()
    assert lost == pytest.approx(np.expand_dims(along(x), 1 if len(shape) == 4 else -1) * shaped(UNIT, shape), abs=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_clamp_sets_the_coordinate_from_the_bias(dictionary, shape):
    """A dictionary counts coordinates from its bias, as its codes do."""
    changed = clamp(dictionary, 1, value=-2.5, site="mid")(tensor(shape))
    cells = np.moveaxis(changed.numpy(), 1, -1) if len(shape) == 4 else changed.numpy()
    codes = dictionary.encode(cells.reshape(-1, CHANNELS))
    assert codes[:, 1] == pytest.approx(np.full(len(codes), -2.5), abs=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["tensor", "array"])
def test_strength_in_norms_is_a_share_of_a_cells_length(shape, kind):
    """Every cell of a picture moves by strength times the root mean square length; twice as long ones, twice that."""
    x = tensor(shape) if kind == "tensor" else tensor(shape).numpy()
    push = add(VECTOR, strength=0.5, unit="norm", site="mid")
    cells = np.array(x, dtype=np.float64)
    size = np.sqrt(np.square(cells).sum(1 if len(shape) == 4 else -1).reshape(len(x), -1).mean(1))
    told = size.reshape(-1, *[1] * (len(shape) - 1)) * shaped(UNIT, shape)
    np.testing.assert_allclose(np.asarray(push(x)) - cells, np.broadcast_to(0.5 * told, shape), atol=1e-5)
    assert np.asarray(push(2 * x)) == pytest.approx(2 * np.asarray(push(x)), abs=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_scale_multiplies_one_coordinate(shape):
    """0 is an ablation, 1 gives back the tensor itself, -1 twice is nothing, and what is orthogonal stays."""
    x = tensor(shape)
    assert scale(VECTOR, factor=1, site="mid")(x) is x
    assert scale(VECTOR, factor=0, site="mid")(x).numpy() == pytest.approx(ablate(VECTOR, site="mid")(x), abs=1e-6)
    turn = scale(VECTOR, factor=-1, site="mid")
    assert turn(turn(x)).numpy() == pytest.approx(x.numpy(), abs=1e-5)
    three = scale(VECTOR, factor=3, site="mid")(x)
    assert along(three) == pytest.approx(3 * along(x), abs=1e-4)
    rest = np.moveaxis((three - x).numpy(), 1, -1) if len(shape) == 4 else (three - x).numpy()
    assert rest - (rest @ UNIT)[..., None] * UNIT == pytest.approx(np.zeros_like(rest), abs=1e-5)


def test_replace_moves_what_was_there_into_another_direction(dictionary):
    """The first coordinate goes, the second grows by as much, the others stay; there and back is nothing."""
    x = RNG.normal(3, 1, (7, CHANNELS)).astype(np.float32)
    codes = dictionary.encode(x)
    found = dictionary.encode(replace(dictionary, 0, by=dictionary, by_atom=2, site="mid")(x))
    assert found[:, 0] == pytest.approx(np.zeros(7), abs=1e-4)
    assert found[:, 2] == pytest.approx(codes[:, 2] + codes[:, 0], abs=1e-4)
    assert found[:, [1, 3]] == pytest.approx(codes[:, [1, 3]], abs=1e-4)
    with pytest.raises(InputError, match="cannot be replaced"):
        replace(dictionary, 0, by=np.ones(3), site="mid")


def test_half_precision_keeps_its_type():
    """The change is computed in fp32 and rounded once."""
    x = tensor(SHAPES[0], torch.bfloat16)
    moved = add(VECTOR, strength=2.0, site="mid")(x)
    exact = (x.float() + 2.0 * torch.from_numpy(shaped(UNIT, x.shape))).to(torch.bfloat16)
    assert moved.dtype == torch.bfloat16
    assert (moved == exact).all()


def test_patch_replaces_all_or_some_cells_and_repeats_over_guidance():
    """Rows of the other run serve both branches; cells outside the mask stay."""
    x, other = tensor((4, CHANNELS, 3, 4)), RNG.normal(size=(2, CHANNELS, 3, 4)).astype(np.float32)
    assert (patch(other, site="mid")(x).numpy() == np.concatenate([other, other])).all()
    cells = np.zeros((3, 4), dtype=bool)
    cells[1, 2] = True
    some = patch(other, site="mid", cells=cells)(x).numpy()
    assert (some[..., 1, 2] == np.concatenate([other, other])[..., 1, 2]).all()
    assert (some[..., ~cells] == x.numpy()[..., ~cells]).all()


def test_edits_of_one_site_compose_in_order(dictionary):
    """Clamp after add forgets the push; add after clamp does not. Aliases are one site."""
    push, hold = add(VECTOR, strength=3.0, site="h"), clamp(VECTOR, value=1.0, site="mid")
    x = tensor(SHAPES[0])
    assert along(by_site([push, hold])["mid"](x)) == pytest.approx(np.full((2, 3, 4), 1.0), abs=1e-5)
    assert along(by_site([hold, push])["mid"](x)) == pytest.approx(np.full((2, 3, 4), 4.0), abs=1e-5)
    assert list(by_site([push, add(dictionary, 0, strength=1, site="up.1")])) == ["mid", "up.1"]


def test_a_dictionary_knows_its_site_also_from_its_folder(tmp_path, dictionary):
    """What was learned at a site is added there unless another is named."""
    dictionary.about = {"site": "up.1"}
    dictionary.save(tmp_path)
    edit = add(str(tmp_path), atom=2, strength=1.0)
    assert str(edit.site) == "up.1"
    assert edit.direction == pytest.approx(dictionary.atoms[2], abs=1e-6)
    assert str(add(dictionary, 2, strength=1.0, site="mid").site) == "mid"


def test_bad_input_is_refused_in_one_line(dictionary):
    """Each error says what was wrong."""
    for source, atom, message in (
        (dictionary, None, "which atom"),
        (dictionary, 4, "0 ... 3"),
        (VECTOR, 1, "no atoms"),
        (np.zeros(3), None, "not zero"),
        (np.ones((2, 2)), None, "finite vector"),
    ):
        with pytest.raises(InputError, match=message):
            add(source, atom, strength=1.0, site="mid")
    with pytest.raises(UnknownName, match="unit"):
        add(VECTOR, strength=1.0, unit="norms", site="mid")
    for strength in (np.nan, np.inf):
        with pytest.raises(InputError, match="must be a finite number"):
            add(VECTOR, strength=strength, site="mid")
    with pytest.raises(InputError, match="where to edit"):
        add(VECTOR, strength=1.0)
    with pytest.raises(InputError, match="does not fit"):
        add(VECTOR, strength=1.0, site="mid")(tensor((2, 5, 3, 3)))
    with pytest.raises(InputError, match="does not fit"):
        patch(np.zeros((3, CHANNELS)), site="mid")(tensor((2, CHANNELS)))
    with pytest.raises(InputError, match="is made by add"):
        by_site([lambda x: x])
