"""A concept that a few atoms tell is turned round where it is strong, and nothing else is touched."""

import numpy as np
import pytest
import torch

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame, Grid
from denoscope.core.moment import Moment
from denoscope.core.site import Site
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.topk import TopK
from denoscope.dictionaries.unlearning import unlearn

RNG = np.random.default_rng(0)


def dictionary() -> TopK:
    """Six orthogonal atoms of eight channels: two channels are left to the error."""
    made = TopK(atoms=6, k=6)
    atoms = np.linalg.qr(RNG.normal(size=(8, 8)))[0][:6].astype(np.float32)
    made.weights = {
        "atoms": atoms,
        "encoder": atoms,
        "encoder_bias": np.zeros(6, np.float32),
        "bias": np.zeros(8, np.float32),
    }
    made.about = {"site": "up.1"}
    return made


def planted(made: TopK, timestep: float, atom: int) -> Activations:
    """Twelve images of 2 x 2 cells; those of even number, cats, have one atom in their first cell."""
    codes = RNG.uniform(0, 0.2, size=(12, 4, 6)).astype(np.float32)
    codes[::2, 0, atom] += 2.0
    errors = 0.3 * RNG.normal(size=(12, 4, 8)).astype(np.float32)
    errors -= errors @ made.atoms.T @ made.atoms
    values = (codes @ made.atoms + errors).transpose(0, 2, 1).reshape(12, 8, 2, 2)
    frames, ids = (Frame(16, 16, 16, 16),) * 12, tuple(map(str, range(12)))
    return Activations(Site("up.1"), Condition(timestep=timestep), values, ids, "grid", frames, Grid(2, 2, 8.0))


LABELS = ["cat", "dog"] * 6


@pytest.mark.parametrize("kind", ["numpy", "tensor"])
def test_the_planted_atom_is_found_and_turned_where_it_is_strong(kind) -> None:
    """By multiplier times its mean; cells without it, other atoms and the error keep their values."""
    made = dictionary()
    acts = planted(made, 200, 4)
    edit = unlearn(made, acts, LABELS, "cat", atoms=1, multiplier=-1.5)
    assert edit.telling[0].atoms == (4,)
    x = acts.values if kind == "numpy" else torch.from_numpy(acts.values)
    found = np.asarray(edit(x))
    before, after = (values.transpose(0, 2, 3, 1).reshape(-1, 8) @ made.atoms.T for values in (acts.values, found))
    usual = before.reshape(12, 4, 6)[::2, :, 4].mean()
    strong = before[:, 4] > before.reshape(12, 4, 6)[:, :, 4].mean()
    assert strong.sum() == 6
    np.testing.assert_allclose(after[strong, 4], -1.5 * usual * before[strong, 4], rtol=1e-4)
    moved = (found != acts.values).any(axis=1)
    assert (moved.reshape(-1) == strong).all()
    flat = [values.transpose(0, 2, 3, 1).reshape(-1, 8) for values in (acts.values, found)]
    rest = [cells - cells @ made.atoms.T @ made.atoms for cells in flat]
    np.testing.assert_allclose(rest[0], rest[1], atol=1e-5)


def test_each_noise_level_has_its_atoms() -> None:
    """The nearest one's are taken at a step; without a step nothing can be."""
    made = dictionary()
    edit = unlearn(made, [planted(made, 100, 1), planted(made, 700, 3)], LABELS, "cat", atoms=1)
    told = [
        edit.at(Moment(0, 4, timestep, ("cond",), (0,), 16, 16, None)).telling[0].atoms for timestep in (0, 390, 410)
    ]
    assert told == [(1,), (1,), (3,)]
    with pytest.raises(InputError, match="depends on the noise"):
        edit(planted(made, 100, 1).values)


def test_labels_that_say_nothing_find_nothing() -> None:
    """Dealt at random, they leave no atom with the planted one's score."""
    made = dictionary()
    acts = planted(made, 200, 4)
    real = unlearn(made, acts, LABELS, "cat", atoms=1).telling[0].scores[0]
    chance = [unlearn(made, acts, RNG.permutation(LABELS), "cat", atoms=1).telling[0].scores[0] for _ in range(20)]
    assert real > 2 * np.median(chance)


def test_bad_input_is_refused_in_one_line() -> None:
    """Unknown concepts, labels that do not fit, signed codes."""
    made = dictionary()
    acts = planted(made, 200, 4)
    with pytest.raises(UnknownName, match="bat"):
        unlearn(made, acts, LABELS, "bat")
    with pytest.raises(InputError, match="1 to 6 atoms"):
        unlearn(made, acts, LABELS, "cat", atoms=7)
    with pytest.raises(InputError, match="3 labels do not fit 12"):
        unlearn(made, acts, LABELS[:3], "cat", atoms=1)
    signed = PCA(atoms=3).fit([RNG.normal(size=(50, 8)).astype(np.float32)])
    with pytest.raises(InputError, match="not negative"):
        unlearn(signed, acts, LABELS, "cat", atoms=1, site="up.1")
