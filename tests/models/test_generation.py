"""Sampling and inversion: one deterministic sampler, equal to diffusers', and what is read on the way."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

from denoscope.core.errors import InputError, UnknownName
from denoscope.core.sample import Sample
from denoscope.models.base import Model
from denoscope.models.generation import _start, _step
from denoscope.models.levels import Level, RectifiedFlow
from denoscope.models.schedules import schedule


class Constant:
    """A denoiser that always predicts the same noise."""

    def __init__(self, model: Model, noise: torch.Tensor) -> None:
        self.model, self.noise = model, noise

    def __enter__(self) -> None:
        self.handle = self.model.parts.denoiser.register_forward_hook(
            lambda _, args, output: (self.noise.expand_as(args[0]),)
        )

    def __exit__(self, *_: Any) -> None:
        self.handle.remove()


@pytest.mark.parametrize("name,steps", [("sd15", 5), ("sd21", 5), ("sd-turbo", 4), ("sdxl", 4)])
@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_sampling_is_ddim(toy: Callable[[str], Model], name: str, steps: int, guidance: float) -> None:
    """Latents equal a loop of diffusers' DDIMScheduler.step to 1e-5, for epsilon and v prediction, guided or not."""
    model = toy(name)
    made = model.generate(["a red cat", "a boat"], steps=steps, guidance=guidance, seed=3)
    scheduler: Any = DDIMScheduler.from_config(dict(model.parts.scheduler), clip_sample=False)
    scheduler.set_timesteps(steps)
    x = _start(model, (4, 8, 8), 2, 3)
    zeros = model.parts.pipeline.get("force_zeros_for_empty_prompt", False)
    with_prompt, without = model.texts(["a red cat", "a boat"]), model.texts([None if zeros else ""] * 2)
    for t in scheduler.timesteps:
        times = torch.full((2,), float(t))
        output = model.run([], x, times, with_prompt, stop=False)[1]
        assert output is not None
        if guidance > 1:
            other = model.run([], x, times, without, stop=False)[1]
            output = other + guidance * (output - other)
        x = scheduler.step(output, t, x).prev_sample
    assert made.timesteps == tuple(float(t) for t in scheduler.timesteps)
    scale = x.abs().max().clamp(min=1)
    assert torch.allclose(made.latents / scale, x / scale, atol=1e-5)
    assert made.images.shape == (2, 64, 64, 3) and made.images.dtype == np.uint8


@pytest.mark.parametrize("steps", [1, 4, 9])
def test_flow_step_is_euler(steps: int) -> None:
    """One step of a rectified flow is FlowMatchEulerDiscreteScheduler.step."""
    scheduler: Any = FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(steps)
    levels = RectifiedFlow()

    class Stub:
        """Has the noise axis of a flow, and nothing else."""

    stub: Any = Stub()
    stub.levels = levels
    x = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(0))
    ours = theirs = x
    for n, t in enumerate(scheduler.timesteps):
        velocity = torch.sin(theirs * 3)
        before, after = (levels.timestep(1000 * float(s)) for s in scheduler.sigmas[n : n + 2])
        ours = _step(stub, velocity, ours, before, after)
        theirs = scheduler.step(velocity, t, theirs).prev_sample
    assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("name", ["sd3", "flux-dev", "flux-schnell"])
def test_flow_schedules_are_diffusers_schedules(toy: Callable[[str], Model], name: str) -> None:
    """Sigmas of a flow model are those its own scheduler sets, shift included, from noise to clean."""
    levels = schedule(toy(name), 4, (16, 8, 8))
    assert len(levels) == 5 and levels[0].sigma == pytest.approx(1, abs=0.05) and levels[-1] == Level(1, 0, 0)
    assert all(a.sigma > b.sigma for a, b in pairwise(levels))


def test_recording_is_what_a_hook_sees(sd15: Model) -> None:
    """At the chosen steps, sites hold bitwise what the conditional rows of the denoiser computed there."""
    seen: list[torch.Tensor] = []
    modules: dict[str, Any] = dict(sd15.parts.denoiser.named_modules())
    handle = modules["mid_block"].register_forward_hook(lambda _, __, output: seen.append(output.clone()))
    try:
        made = sd15.generate(["a cat", "a dog"], steps=4, guidance=3.0, record=["mid", "up.1"], at=[0, -1, 3])
    finally:
        handle.remove()
    assert made.recorded == (0, 3) and len(seen) == 4 and len(made.activations) == 2
    for index, recorded in zip(made.recorded, made.activations, strict=True):
        assert torch.equal(recorded["mid"].values, seen[index][:2])
        assert recorded["up.1"].grid == (4, 4, 16.0) and recorded["mid"].condition.timestep == made.timesteps[index]
    assert len(sd15.generate("a cat", steps=3, record="mid").activations) == 3


def test_recording_changes_no_picture(sd15: Model) -> None:
    """The same seed gives the same picture, recorded or not, alone or among others; another seed another one."""
    a = sd15.generate("a cat", steps=3, seed=1)
    b = sd15.generate("a cat", steps=3, seed=1, record="**.map")
    both = sd15.generate(["a cat", "a dog"], steps=3, seed=1)
    assert torch.equal(a.latents, b.latents) and np.array_equal(a.images, b.images)
    assert torch.allclose(both.latents[:1], a.latents, atol=1e-3)
    assert not torch.allclose(a.latents, sd15.generate("a cat", steps=3, seed=2).latents, atol=0.1)


def test_edits_reach_the_picture(sd15: Model) -> None:
    """An edit acts at every step and ends with the call; an identity edit changes no bit."""
    plain = sd15.generate("a cat", steps=3)
    same = sd15.generate("a cat", steps=3, edits={"mid": lambda value: value})
    edited = sd15.generate("a cat", steps=3, edits={"up.3": torch.zeros_like})
    assert torch.equal(plain.latents, same.latents) and not torch.equal(plain.latents, edited.latents)
    assert torch.equal(plain.latents, sd15.generate("a cat", steps=3).latents)


@pytest.mark.parametrize("guidance", [0.0, 1.0])
def test_guidance_of_one_or_less_is_off(sd15: Model, guidance: float) -> None:
    """As in diffusers, distilled models that ask for guidance 0 still hear their prompt, in one row per picture."""
    rows: list[int] = []
    handle = sd15.parts.denoiser.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    try:
        cat, dog = (sd15.generate(word, steps=1, guidance=guidance).latents for word in ("a cat", "a dog"))
    finally:
        handle.remove()
    assert rows == [1, 1] and not torch.equal(cat, dog)


def test_inversion_of_constant_noise_is_exact(sd15: Model, images: list[Sample]) -> None:
    """With a denoiser that always says the same, the way there and back closes for any number of steps."""
    noise = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(0))
    with Constant(sd15, noise):
        for steps in (1, 7):
            found = sd15.invert(images[:2], steps=steps, until=800)
            assert (found.error < 1e-5).all()
            level = sd15.levels.timestep(800)
            assert torch.allclose(found.noise, level.alpha * found.latents + level.sigma * noise, atol=1e-4)
    assert found.timesteps[0] == 0 and found.timesteps[-1] == 800


def test_inversion_gets_better_with_steps(sd15: Model, images: list[Sample]) -> None:
    """On a real net the error falls with the number of steps, and the PSNR rises."""
    few, many = (sd15.invert(images[:1], steps=steps, until=400) for steps in (4, 32))
    assert many.error[0] < few.error[0] and many.psnr[0] >= few.psnr[0]
    assert many.reconstruction.shape == many.latents.shape == many.noise.shape


@pytest.mark.parametrize(
    "options,message",
    [
        ({"steps": 0}, "steps must lie in"),
        ({"steps": 2, "record": "mid", "at": [2]}, "no denoising step 2"),
        ({"height": 60}, "multiples of 8"),
        ({"record": "up.9"}, "no site"),
        ({"edits": {"x0": torch.zeros_like}}, "not edited"),
    ],
    ids=["steps", "at", "height", "record", "edits"],
)
def test_bad_requests_are_one_line(sd15: Model, options: dict[str, Any], message: str) -> None:
    """Steps, sides and sites that do not exist are refused in one line."""
    with pytest.raises((InputError, UnknownName), match=message) as caught:
        sd15.generate("a cat", **options)
    assert "\n" not in str(caught.value)


def test_bad_inversions_are_one_line(sd15: Model, images: list[Sample]) -> None:
    """No prompt, no noise to reach, and no step are refused."""
    with pytest.raises(InputError, match="at least one prompt"):
        sd15.generate([])
    for options in ({"until": 0}, {"until": 1000}, {"steps": 0}):
        with pytest.raises(InputError):
            sd15.invert(images[0], **options)
