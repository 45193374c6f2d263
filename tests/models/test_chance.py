"""Noise depends on seed, sample, draw and use, and on nothing else."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from denoscope.models.chance import gaussian

names = st.tuples(st.integers(0, 5), st.text(max_size=5), st.integers(0, 3), st.sampled_from(["noise", "posterior"]))


@given(names, names)
def test_equal_names_equal_noise(a: tuple[int, str, int, str], b: tuple[int, str, int, str]) -> None:
    """Two noises are equal exactly when everything that names them is, and the global generator plays no part."""
    before = torch.get_rng_state()
    torch.rand(1)
    first, second = (gaussian((4, 3, 3), *name) for name in (a, b))
    assert torch.equal(first, second) == (a == b)
    torch.set_rng_state(before)
    assert torch.equal(gaussian((4, 3, 3), *a), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_it_is_standard_normal() -> None:
    """Mean 0 and variance 1, within five standard errors of 160 000 draws."""
    noise = torch.stack([gaussian((4, 20, 20), 0, f"image {i}") for i in range(100)])
    assert abs(noise.mean()) < 5 / 400 and abs(noise.var() - 1) < 5 * 2**0.5 / 400
    flat = noise.flatten(1)
    assert (flat[:50] * flat[50:]).mean(1).abs().max() < 5 / 40
