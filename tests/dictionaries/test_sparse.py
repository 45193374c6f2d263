"""Sparse products give the numbers and the gradients of dense ones."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from denoscope.dictionaries._training.gating import jump, step
from denoscope.dictionaries._training.sparse import Codes, above, columns, decode, picked, top, top_of_batch


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    """Normal, in double precision, with gradients."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()


@given(st.integers(1, 9), st.integers(1, 40), st.data())
@settings(max_examples=30, deadline=None)
def test_selections_are_those_of_a_full_sort(rows, atoms, data):
    """Per row, per batch and above thresholds: exactly the entries that sorting everything gives."""
    k = data.draw(st.integers(1, atoms))
    before = torch.from_numpy(np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=(rows, atoms)))
    if data.draw(st.booleans()):
        before[0] += 50  # one row that takes the whole batch's codes
    everywhere = torch.arange(rows * atoms).view(rows, atoms)

    def entries(places):
        assert (places.rows.diff() >= 0).all()
        return sorted(everywhere[places.rows, places.where].tolist())

    assert entries(top(before, k)) == sorted(
        everywhere.gather(1, before.argsort(1, descending=True)[:, :k]).flatten().tolist()
    )
    assert entries(top_of_batch(before, k)) == sorted(before.flatten().argsort(descending=True)[: rows * k].tolist())
    floor = torch.from_numpy(np.random.default_rng(1).normal(size=atoms)) + data.draw(st.sampled_from([-9, 0, 1, 9]))
    assert entries(above(before, floor)) == everywhere[before > floor].tolist()


def test_products_are_the_dense_ones():
    """decode, picked and columns against matrix products, also in rows without any code."""
    inner, encoder, bias, atoms = drawn(5, 4), drawn(7, 4, seed=1), drawn(7, seed=2), drawn(7, 3, seed=3)
    dense = inner @ encoder.T + bias
    places = above(dense, dense.new_full((7,), 3.0))
    assert len(set(places.rows.tolist())) < 5
    values = picked(inner, encoder, bias, places)
    codes = Codes(values, places)
    assert torch.allclose(codes.dense(), dense * (dense > 3))
    assert torch.allclose(decode(codes, atoms), codes.dense() @ atoms)
    chosen = torch.tensor([4, 1])
    assert torch.allclose(columns(inner, encoder, bias, chosen, dense.detach()), dense[:, chosen])


def test_gradients_reach_every_input():
    """Numerical differences agree for the encoder, its bias, what it reads, the atoms and the codes."""
    inner, encoder, bias, atoms = drawn(5, 4), drawn(7, 4, seed=1), drawn(7, seed=2), drawn(7, 3, seed=3)
    places = top((inner @ encoder.T + bias).detach(), 3)
    assert gradcheck(lambda x, w, c: picked(x, w, c, places), (inner, encoder, bias))
    assert gradcheck(lambda values, table: decode(Codes(values, places), table), (drawn(15, seed=4), atoms))
    chosen = torch.tensor([6, 0, 2])

    def some(inner, encoder, bias):
        return columns(inner, encoder, bias, chosen, (inner @ encoder.T + bias).detach())

    assert gradcheck(some, (inner, encoder, bias))


def test_thresholds_learn_by_their_published_estimators():
    """d/dtheta of z H(z - theta) and of H(z - theta), averaged over z, are the derivatives of the averages."""
    z = torch.linspace(-1, 3, 400_001, dtype=torch.float64)
    theta = torch.full((), 1.2, dtype=torch.float64, requires_grad=True)
    for made, truth in ((jump, -1.2), (step, -1.0)):
        (grad,) = torch.autograd.grad(made(z, theta.expand(len(z)), 0.1).mean() * 4, theta)
        assert float(grad) == pytest.approx(truth, rel=1e-3)


def test_a_dead_atom_gets_no_gradient():
    """Only what is active is touched."""
    inner, encoder, bias, atoms = drawn(5, 4), drawn(7, 4, seed=1), drawn(7, seed=2), drawn(7, 4, seed=3)
    places = top((inner @ encoder.T + bias).detach(), 1)
    decode(Codes(picked(inner, encoder, bias, places), places), atoms).square().sum().backward()
    used = torch.zeros(7, dtype=torch.bool).index_fill_(0, places.where, True)
    for grad in (encoder.grad, atoms.grad):
        assert grad is not None
        assert bool((grad.abs().sum(dim=1) > 0).eq(used).all())
