"""Weights that wait in host memory give the values of weights that lie on the device, to the bit."""

import gc
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.hooks import HookRegistry, ModelHook

import denoscope as ds
from denoscope.core.errors import InputError, UnknownName
from denoscope.models import offloading
from denoscope.models.offloading import Stage
from denoscope.models.precision import OFFLOADS

PROMPTED = ds.Condition(timestep=50, prompt="a cat")
SITES = {"toy-sd15": ["down.1", "mid"], "toy-flux-dev": ["dit.d.0.img", "dit.s.0.img"]}


def values(model: Any, sites: list[str]) -> dict[str, Any]:
    """Two pictures, read at some sites."""
    scenes = ds.open_data("menagerie:test", 2)
    return {name: found.numpy() for name, found in model.read([scenes[0], scenes[1]], sites, PROMPTED).items()}


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("how", OFFLOADS)
def test_values_are_those_of_weights_in_place(name: str, how: str) -> None:
    """After a forward that stopped early, one that went to the end, and a picture that was decoded."""
    model, plain = ds.load(name, offload=how), ds.load(name)
    for sites in (SITES[name], ["out"], SITES[name]):
        found, wanted = values(model, sites), values(plain, sites)
        assert all(np.array_equal(found[site], wanted[site]) for site in sites)
    assert model.device.type == "cpu" and model.recipe == plain.recipe
    latents = torch.ones(1, plain.latent_channels, 4, 4)
    with torch.no_grad():
        assert torch.equal(model.decode(latents), plain.decode(latents))


def test_one_network_stands_on_the_device_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is called comes, after the one before has left; one that is dropped is forgotten."""
    place: dict[int, str] = {}
    moves: list[tuple[str, str]] = []
    names: dict[int, str] = {}

    def move(network: Any, device: Any) -> None:
        place[id(network)] = torch.device(device).type
        moves.append((names.get(id(network), "?"), torch.device(device).type))

    monkeypatch.setattr(offloading, "_move", move)
    monkeypatch.setattr(offloading, "_place", lambda network: place[id(network)])
    monkeypatch.setattr(offloading, "send_to_device", lambda value, device: value)
    stage, first, second = Stage(torch.device("cuda")), torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    names |= {id(first): "first", id(second): "second"}
    stage.enter(first, second)
    assert moves == [("first", "cpu"), ("second", "cpu")]
    moves.clear()
    for network in (first, first, second, first):
        network(torch.ones(1, 2))
    assert moves == [("first", "cuda"), ("first", "cpu"), ("second", "cuda"), ("second", "cpu"), ("first", "cuda")]
    del network, second
    gc.collect()
    assert len(stage.networks) == 1


def test_what_is_refused() -> None:
    """An unknown way, a twin made in memory, quantised weights layer by layer, and hooks that may change values."""
    with pytest.raises(UnknownName, match="no way to offload 'models'; did you mean model"):
        ds.load("toy-sd15", offload="models")
    with pytest.raises(InputError, match="twin"):
        ds.load("untrained:toy-sd15", offload="model")
    parts: Any = ds.load("toy-sd15").parts
    parts.denoiser.is_quantized = True
    with pytest.raises(InputError, match="offload='model', not 'group'"):
        offloading.offloaded(parts, torch.device("cpu"), "group")
    model = ds.load("toy-sd15", offload="group")
    HookRegistry.check_if_exists_or_initialize(model.parts.denoiser).register_hook(ModelHook(), "layer_skip")
    with pytest.raises(InputError, match="was patched"):
        values(model, ["mid"])
