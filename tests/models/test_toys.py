"""Random twins of every family: structure, determinism, and that every part of them carries information."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

from denoscope.core.errors import UnknownName
from denoscope.models.components import Components
from denoscope.models.toys import FULL_SIZES, NAMES, full_size, toy

MILLIONS = {
    "sd15": 859.52,
    "sd21": 865.91,
    "sd-turbo": 865.91,
    "sdxl": 2567.46,
    "sd3": 2028.33,
    "sd35": 2243.17,
    "flux-dev": 11901.41,
    "flux-schnell": 11891.18,
    "pixart": 611.35,
    "pixart-sigma": 610.86,
    "dit-xl": 749.83,
}


@pytest.fixture(scope="module", params=NAMES)
def built(request: pytest.FixtureRequest) -> Components:
    """One toy of each name."""
    return toy(request.param)


def _inputs(parts: Components, seed: int = 1) -> dict[str, Any]:
    """Arguments that the denoiser of a toy accepts, text and all drawn at random."""
    config, draw = parts.denoiser.config, torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw)

    kind = type(parts.denoiser).__name__
    time = torch.tensor([300.0, 300.0])
    if kind == "FluxTransformer2DModel":
        ids = torch.cartesian_prod(torch.zeros(1), torch.arange(4.0), torch.arange(4.0))
        guidance = {"guidance": torch.tensor([3.5, 3.5])} if config.guidance_embeds else {}
        return guidance | {
            "hidden_states": noise(2, 16, config.in_channels),
            "encoder_hidden_states": noise(2, 5, config.joint_attention_dim),
            "pooled_projections": noise(2, config.pooled_projection_dim),
            "timestep": time / 1000,
            "img_ids": ids,
            "txt_ids": torch.zeros(5, 3),
        }
    latents = noise(2, config.in_channels, 8, 8)
    if kind == "SD3Transformer2DModel":
        text, pooled = noise(2, 5, config.joint_attention_dim), noise(2, config.pooled_projection_dim)
        return {
            "hidden_states": latents,
            "encoder_hidden_states": text,
            "pooled_projections": pooled,
            "timestep": time,
        }
    if kind == "DiTTransformer2DModel":
        return {"hidden_states": latents, "timestep": time, "class_labels": torch.tensor([1, 10])}
    if kind == "PixArtTransformer2DModel":
        sizes = {"resolution": torch.tensor([[64.0, 64.0]] * 2), "aspect_ratio": torch.ones(2, 1)}
        return {
            "hidden_states": latents,
            "encoder_hidden_states": noise(2, 5, config.caption_channels),
            "timestep": time,
            "added_cond_kwargs": sizes if config.use_additional_conditions else dict.fromkeys(sizes),
        }
    added = {"text_embeds": noise(2, 24), "time_ids": torch.full((2, 6), 64.0)}
    return {
        "sample": latents,
        "timestep": time,
        "encoder_hidden_states": noise(2, 5, config.cross_attention_dim),
        "added_cond_kwargs": added if config.addition_embed_type else None,
    }


def test_every_toy_has_the_parts_of_its_family_and_a_latent_cell_of_eight_pixels(built: Components) -> None:
    """VAE, text encoders in evaluation mode, schedule and pipeline; odd sizes pass."""
    latents = built.vae.encode(torch.zeros(1, 3, 64, 48)).latent_dist.mode()
    assert latents.shape[2:] == (8, 6)
    assert built.vae.decode(latents).sample.shape == (1, 3, 64, 48)
    assert built.scheduler["_class_name"] and built.pipeline["_class_name"] and built.native == 64
    assert not any(module.training for part in built.text for module in part.encoder.modules())


def test_no_module_of_a_toy_is_silent(built: Components) -> None:
    """Zero-initialised layers would make sites constant and identities vacuous."""
    silent, handles = [], []

    def hook(name: str) -> Callable[..., None]:
        def look(_module: Any, _inputs: Any, output: Any) -> None:
            tensors = [output] if torch.is_tensor(output) else [x for x in output if torch.is_tensor(x)]
            silent.extend(name for x in tensors if x.dtype.is_floating_point and x.std() < 1e-3)

        return look

    for name, module in built.denoiser.named_modules():
        if not list(module.children()):
            handles.append(module.register_forward_hook(hook(name)))
    with torch.no_grad():
        output = built.denoiser(**_inputs(built)).sample
    for handle in handles:
        handle.remove()
    assert not silent
    assert 0.05 < output.std() < 20
    assert all(parameter.std() > 0 for parameter in built.denoiser.parameters() if parameter.numel() > 1)


def test_the_schedule_is_one_that_diffusers_accepts(built: Components) -> None:
    """The published scheduler class takes the configuration."""
    import diffusers

    kind = getattr(diffusers, built.scheduler["_class_name"])
    scheduler = kind.from_config(built.scheduler)
    assert scheduler.config.num_train_timesteps == 1000


def test_scaled_latents_are_near_unit_variance(built: Components) -> None:
    """Noise levels mean about what they mean in a trained latent space."""
    images = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = built.vae.encode(images).latent_dist.mode() - (built.vae.config.shift_factor or 0.0)
    assert 0.3 < latents.std() * built.vae.config.scaling_factor < 1.5


def test_two_prompts_differ_and_long_ones_are_cut(built: Components) -> None:
    """A tokenizer built wrongly maps every word to the same token without a warning."""
    for part in built.text:
        prompts = ["a red cat", "a red car", "", "x" * 500]
        tokens = part.tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt").input_ids
        assert tokens.shape == (4, part.tokenizer.model_max_length)
        assert len({tuple(row) for row in tokens.tolist()}) == 4
        with torch.no_grad():
            states = part.encoder(tokens).last_hidden_state
        assert (states[0] - states[1]).abs().max() > 0.1


def test_pooled_text_reads_the_end_of_the_prompt() -> None:
    """The end token's id in tokenizer and encoder is the same."""
    part = toy("toy-sd3").text[0]
    tokens = part.tokenizer(["a cat", "a car"], padding="max_length", return_tensors="pt").input_ids
    pooled = part.encoder(tokens).text_embeds
    assert (pooled[0] - pooled[1]).abs().max() > 0.1


@pytest.mark.parametrize("name", ["toy-sdxl", "toy-flux-dev"])
def test_equal_seeds_give_equal_weights_and_leave_the_global_state_alone(name: str) -> None:
    """Weights come from the seed alone."""
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = toy(name, seed=3)
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(7)
    second, other = toy(name, seed=3), toy(name, seed=4)
    for a, b in zip(_tensors(first), _tensors(second), strict=True):
        assert torch.equal(a, b)
    assert any(not torch.equal(a, b) for a, b in zip(_tensors(first), _tensors(other), strict=True))


def _tensors(parts: Components) -> list[torch.Tensor]:
    modules = [parts.denoiser, parts.vae, *(part.encoder for part in parts.text)]
    return [tensor for module in modules for tensor in module.state_dict().values()]


def test_a_toy_builds_in_under_a_second(built: Components) -> None:
    """Measured in processor time, which other work on the machine does not change."""
    start = time.process_time()
    toy(built.recipe["toy"])
    assert time.process_time() - start < 1.0


def test_block_structure_is_that_of_the_original() -> None:
    """Kinds and order of blocks survive the shrinking."""
    for name in FULL_SIZES:
        small, full = toy(f"toy-{name.removesuffix('-xl')}").denoiser, full_size(name).denoiser
        assert type(small) is type(full)
        for field in ("down_block_types", "up_block_types", "layers_per_block", "patch_size", "norm_type", "qk_norm"):
            assert small.config.get(field) == full.config.get(field), (name, field)


@pytest.mark.parametrize("name", FULL_SIZES)
def test_full_sizes_count_the_published_parameters_without_memory(name: str) -> None:
    """Every width and depth is the published one, on the meta device."""
    denoiser = full_size(name).denoiser
    count = sum(parameter.numel() for parameter in denoiser.parameters())
    assert count / 1e6 == pytest.approx(MILLIONS[name], abs=0.01)
    assert all(tensor.is_meta for tensor in denoiser.state_dict().values())


@pytest.mark.parametrize("build", [toy, full_size])
def test_unknown_names_are_answered_with_the_nearest(build: Callable[[str], Components]) -> None:
    """One line with a suggestion."""
    with pytest.raises(UnknownName, match="sdxl"):
        build("toy-sdlx" if build is toy else "sdlx")


def test_importing_toys_loads_neither_torch_nor_diffusers() -> None:
    """Names can be listed without the heavy packages."""
    code = "import denoscope.models.toys, sys; print({'torch', 'diffusers', 'transformers'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
