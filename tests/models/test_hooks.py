"""Reading and editing leave a model exactly as it was found, whatever happens in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import MethodType
from typing import Any

import pytest
import torch

import denoscope as ds
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.sample import Sample
from denoscope.models.base import Model
from denoscope.models.hooks import check_readable
from denoscope.models.loading import wrap
from denoscope.models.text import Text
from denoscope.models.toys import toy as build

Inputs = Callable[..., tuple[torch.Tensor, torch.Tensor, Text]]
Untouched = Callable[[Model], AbstractContextManager[None]]
SITES = ("down.1", "mid", "up.1", "out")


def values_of(model: Model, inputs: Inputs, sites: tuple[str, ...] = SITES) -> dict[str, torch.Tensor]:
    """Some sites of one full forward."""
    return model.run([model.taps[site] for site in sites], *inputs(model), stop=False)[0]


def fails(value: torch.Tensor) -> torch.Tensor:
    """An edit with a fault."""
    raise ZeroDivisionError


def interrupted(value: torch.Tensor) -> torch.Tensor:
    """An edit during which the user presses Ctrl-C."""
    raise KeyboardInterrupt


def test_reading_leaves_no_trace(sd15: Model, sdxl: Model, images: list[Sample], untouched: Untouched) -> None:
    """Weights, configuration, hooks, flags, scheduler and random states are the same after read and generate."""
    for model in (sd15, sdxl):
        with untouched(model):
            model.read(images[:2], ["mid", "up.**.map", "x0"], Condition(timestep=50, draws=2))
            model.generate("a cat", steps=2, record="mid")
            model.sites_at(128, 128)
            model.plan(3, "mid", Condition(timestep=50))


@pytest.mark.parametrize("fault,kind", [(fails, ZeroDivisionError), (interrupted, KeyboardInterrupt)])
def test_a_fault_leaves_no_trace(
    sd15: Model, images: list[Sample], inputs: Inputs, untouched: Untouched, fault: Any, kind: type[BaseException]
) -> None:
    """An error or Ctrl-C inside an edit comes through as it is, and the model is as before, and still right."""
    before = values_of(sd15, inputs)
    with untouched(sd15), pytest.raises(kind), sd15.edit({"mid": fault}):
        sd15.read(images[0], "up.1")
    with untouched(sd15), pytest.raises(kind):
        sd15.generate("a cat", steps=2, edits={"up.0": fault})
    after = values_of(sd15, inputs)
    assert all(torch.equal(before[site], after[site]) for site in SITES)


def test_training_flags_come_back(images: list[Sample], untouched: Untouched) -> None:
    """A model in training mode is read in evaluation mode and handed back part by part as it was."""
    parts = build("toy-sd15")
    model, plain = wrap(parts), wrap(build("toy-sd15"))
    parts.denoiser.train()
    next(parts.denoiser.children()).eval()
    parts.denoiser.requires_grad_(True)
    with untouched(model):
        found = model.read(images[0], "mid")["mid"]
    assert torch.equal(found.values, plain.read(images[0], "mid")["mid"].values) and not found.values.requires_grad


def test_an_identity_edit_changes_nothing(sd15: Model, sdxl: Model, inputs: Inputs) -> None:
    """Every editable site can be written back unchanged, all at once, bitwise."""
    for model in (sd15, sdxl):
        before = values_of(model, inputs, ("up.0", "out"))
        editable = {name: (lambda value: value.clone()) for name, tap in model.taps.items() if tap.put is not None}
        assert len(editable) > 200
        with model.edit(editable):
            after = values_of(model, inputs, ("up.0", "out"))
        assert all(torch.equal(before[site], after[site]) for site in before)


def test_an_edit_acts_downstream_only(sd15: Model, inputs: Inputs) -> None:
    """Zeros at mid are seen at mid and after it, and nowhere before; afterwards all is as it was."""
    before = values_of(sd15, inputs)
    with sd15.edit({"mid": torch.zeros_like}):
        during = values_of(sd15, inputs)
    assert torch.equal(during["down.1"], before["down.1"]) and not during["mid"].any()
    assert not torch.equal(during["up.1"], before["up.1"]) and not torch.equal(during["out"], before["out"])
    after = values_of(sd15, inputs)
    assert all(torch.equal(before[site], after[site]) for site in SITES)


def test_every_editable_site_acts(sd15: Model, inputs: Inputs) -> None:
    """Writing other values at a sample of the editable sites changes the output: no site is a dead end."""
    before = values_of(sd15, inputs, ("out",))["out"]
    editable = [name for name, tap in sd15.taps.items() if tap.put is not None]
    for site in editable[::12]:
        with sd15.edit({site: lambda value: value + torch.linspace(-3, 3, value.numel()).view_as(value)}):
            assert not torch.equal(values_of(sd15, inputs, ("out",))["out"], before), site


def test_edits_nest_and_add_up(sd15: Model, inputs: Inputs) -> None:
    """Inner edits come after outer ones at one site, and each ends with its `with`; globs edit every site they name."""
    plain = values_of(sd15, inputs)
    with sd15.edit({"mid": lambda value: value * 0 + 2}):
        with sd15.edit({"mid": lambda value: value * 3}):
            assert (values_of(sd15, inputs)["mid"] == 6).all()
        assert (values_of(sd15, inputs)["mid"] == 2).all()
    with sd15.edit({"up_blocks[1]": torch.zeros_like, "down.*": torch.zeros_like}):
        found = values_of(sd15, inputs)
    assert not found["up.1"].any() and not found["down.1"].any()
    assert all(torch.equal(plain[site], values_of(sd15, inputs)[site]) for site in SITES)


def test_edits_in_half_precision_keep_the_dtype(sd15: Model, inputs: Inputs) -> None:
    """An edit that computes in another precision hands on the model's own."""
    with sd15.edit({"mid": lambda value: value.double() * 2}):
        assert values_of(sd15, inputs)["mid"].dtype == torch.float32


def test_wrong_edits_are_refused(sd15: Model, inputs: Inputs, untouched: Untouched) -> None:
    """Another shape, a site that cannot be written, an unknown site and a read within an edit are one line each."""
    faults: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"mid": lambda value: value[:, :4]}, InputError, "returned shape"),
        ({"up.1.attn.0.blk.0.self.map": torch.zeros_like}, InputError, "can be read but not edited"),
        ({"x0": torch.zeros_like}, InputError, "can be read but not edited"),
        ({"up.9": torch.zeros_like}, UnknownName, "no site"),
        ({"mid": lambda value: values_of(sd15, inputs)["mid"]}, InputError, "cannot run the model that it edits"),
    ]
    for edits, kind, message in faults:
        with untouched(sd15), pytest.raises(kind, match=message) as caught, sd15.edit(edits):
            values_of(sd15, inputs)
        assert "\n" not in str(caught.value)


def test_threads_do_not_see_each_other(sd15: Model, inputs: Inputs, untouched: Untouched) -> None:
    """Reads and edits in two threads at once give each what it gets alone."""
    plain = values_of(sd15, inputs)
    with sd15.edit({"mid": torch.zeros_like}):
        edited = values_of(sd15, inputs)

    def read(n: int) -> bool:
        if n % 2:
            return all(torch.equal(value, plain[site]) for site, value in values_of(sd15, inputs).items())
        with sd15.edit({"mid": torch.zeros_like}):
            return all(torch.equal(value, edited[site]) for site, value in values_of(sd15, inputs).items())

    with untouched(sd15), ThreadPoolExecutor(2) as pool:
        assert all(pool.map(read, range(6)))


def test_compiled_denoisers_are_refused() -> None:
    """torch.compile, in both of its spellings, hides tensors and is told so."""
    denoiser: Any = build("toy-sd15").denoiser
    with pytest.raises(InputError, match=r"torch\.compile"):
        check_readable(torch.compile(denoiser))  # pyright: ignore[reportArgumentType]
    denoiser.mid_block.compile()
    with pytest.raises(InputError, match=r"torch\.compile"):
        check_readable(denoiser)


def test_altered_denoisers_are_refused(inputs: Inputs) -> None:
    """Fused projections and patched forwards change what a hook sees; both are named and can be undone."""
    model = wrap(build("toy-sd15"))
    denoiser: Any = model.parts.denoiser
    denoiser.fuse_qkv_projections()
    with pytest.raises(InputError, match=r"fused attention at .*attn1.*unfuse_qkv_projections"):
        values_of(model, inputs)
    denoiser.unfuse_qkv_projections()
    values_of(model, inputs)
    block = denoiser.up_blocks[1]
    block.forward = MethodType(type(block).forward, block)
    with pytest.raises(InputError, match=r"forward of up_blocks\.1 was patched"):
        values_of(model, inputs)
    del block.forward
    values_of(model, inputs)


def test_offloaded_weights_read_the_same(sd15: Model, inputs: Inputs) -> None:
    """A denoiser whose weights come to the device layer by layer reads the same up to its memory format, stopped early
    or not."""
    offloaded = ds.load("toy-sd15", offload=True)
    for stop in (True, False):
        taps = [offloaded.taps["mid"], offloaded.taps["up.0.res.0"]]
        found, _ = offloaded.run(taps, *inputs(sd15), stop=stop)
        assert torch.allclose(found["mid"], values_of(sd15, inputs)["mid"], rtol=1e-4, atol=1e-4)
    assert offloaded.device.type == "cpu"
