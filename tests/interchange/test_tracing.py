"""Sites inside nnsight's traces: the same tensors, and a model that is left as it was."""

import sys
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import denoscope as ds
from denoscope.core.errors import InputError, MissingPackage, UnknownName
from denoscope.interchange.tracing import Bridge, bridge


def test_without_nnsight_one_line_says_what_to_install(monkeypatch):
    """It is no dependency."""
    monkeypatch.setitem(sys.modules, "nnsight", None)
    model = ds.load("embedded")
    with pytest.raises(MissingPackage, match=r"nnsight\] is needed to trace a model with it"):
        bridge(model)


def _pictures() -> list[NDArray[np.uint8]]:
    chance = np.random.default_rng(0)
    return [chance.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(2)]


TOYS = {"toy-sd15": "a cat", "toy-sdxl": "a cat", "toy-sd3": "", "toy-flux-dev": "a cat", "toy-pixart": ""}


@pytest.mark.parametrize("name", TOYS)
def test_every_site_is_read_in_a_trace_bit_by_bit(name):
    """All sites of every family, before and after the modules that make them; then the model reads as ever."""
    pytest.importorskip("nnsight")
    model, condition = ds.load(name), ds.Condition(timestep=300, prompt=TOYS[name])
    sites = [tap.name for tap in model.taps.values() if tap.needs]
    due = model.read(_pictures(), sites, condition, batch_size=2)
    scope = bridge(model)
    inputs = scope.prepare(_pictures(), condition)
    for site in sites[:: max(1, len(sites) // 60)] + sites[-1:]:
        with scope.trace(inputs):
            value = scope.read(site).save()
        assert torch.equal(value, due[site].values), site
        found = scope.activations(inputs, {site: value})[site]
        assert (found.ids, found.frames, found.grid, found.layout) == (
            due[site].ids, due[site].frames, due[site].grid, due[site].layout
        )  # fmt: skip
    again = model.read(_pictures(), sites, condition, batch_size=2)
    assert all(torch.equal(again[site].values, due[site].values) for site in sites)


@pytest.fixture
def scope() -> Bridge:
    """The embedded model inside nnsight."""
    pytest.importorskip("nnsight")
    return bridge(ds.load("embedded"))


def test_several_sites_in_one_trace_and_what_is_written_moves_what_follows(scope):
    """Reading in the order of computation; writing does what `model.edit` does."""
    inputs = scope.prepare(_pictures(), ds.Condition(timestep=200))
    with scope.trace(inputs):
        middle = scope.read("mid").save()
        scope.write("mid", middle * 0.5)
        after = scope.read("up.1").save()
    with scope.model.edit({"mid": lambda value: value * 0.5}):
        due = scope.model.read(_pictures(), ["up.1"], ds.Condition(timestep=200), batch_size=2)["up.1"]
    assert torch.equal(after, due.values)


def test_gradients_flow_where_reading_has_none(scope):
    """Attribution: the derivative of a late site along a direction at an early one, against a finite difference."""
    inputs, chance = scope.prepare(_pictures()[:1], ds.Condition(timestep=200)), torch.Generator().manual_seed(0)
    with scope.trace(inputs):
        early = scope.read("up.0").requires_grad_()
        slope = torch.autograd.grad(scope.read("up.1").double().sum(), early)[0].save()
    step = torch.randn(slope.shape, generator=chance)
    sums: list[Any] = []
    for size in (-0.01, 0.01):
        with scope.trace(inputs):
            scope.write("up.0", scope.read("up.0") + size * step)
            total = scope.read("up.1").double().sum().save()
        sums.append(total.item())
    assert (slope * step).sum().item() == pytest.approx((sums[1] - sums[0]) / 0.02, rel=0.02)


def test_close_leaves_every_module_as_it_was():
    """Nothing of nnsight stays on the model."""
    pytest.importorskip("nnsight")
    model = ds.load("embedded")
    before = {path: set(vars(part)) for path, part in model.parts.denoiser.named_modules()}
    opened = bridge(model)
    assert {path: set(vars(part)) for path, part in model.parts.denoiser.named_modules()} != before
    opened.close()
    assert {path: set(vars(part)) for path, part in model.parts.denoiser.named_modules()} == before


def test_what_cannot_be_read_in_a_trace_is_refused_in_one_line(scope):
    """Sites made after the forward, several at once, and names that do not exist."""
    refusals: list[tuple[Any, Any, str]] = [
        ("eps", InputError, "after the forward"), ("up.*", InputError, "one by one"), ("up.9", UnknownName, "up.")
    ]  # fmt: skip
    for site, error, match in refusals:
        with pytest.raises(error, match=match):
            scope.path(site)
    inputs = scope.prepare(_pictures())
    with pytest.raises(InputError, match="1 rows were saved where 2"):
        scope.activations(inputs, {"mid": torch.zeros(1, 3, 2, 2)})
    assert scope.path("up.1") == "denoiser.up_blocks.1"
