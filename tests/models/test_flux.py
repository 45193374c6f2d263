"""FLUX.1: packing, positions, guidance and both kinds of blocks, against diffusers and a forward by hand."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from denoscope.core.condition import Condition
from denoscope.models.flux import Flux, position_ids
from denoscope.models.hooks import Call
from denoscope.models.loading import wrap
from denoscope.models.toys import toy
from denoscope.models.transformer import patchify, unpatchify


@cache
def model_of(name: str) -> Flux:
    """A toy, built once."""
    model = wrap(toy(name))
    assert isinstance(model, Flux)
    return model


def inputs(model: Flux) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """One row of latents, a timestep and a text."""
    latents = torch.randn(1, 16, 6, 10, generator=torch.Generator().manual_seed(0))
    return latents, torch.tensor([260.0]), model.texts(["a red cat"])


@settings(deadline=None, max_examples=25)
@given(rows=st.integers(1, 5), cols=st.integers(1, 5), channels=st.integers(1, 4), last=st.booleans())
def test_packing_and_back_is_the_identity(rows: int, cols: int, channels: int, last: bool) -> None:
    """Both orders of channels within a token, any size."""
    latents = torch.arange(2.0 * channels * rows * cols * 4).reshape(2, channels, 2 * rows, 2 * cols)
    tokens = patchify(latents, 2, last)
    assert tokens.shape == (2, rows * cols, 4 * channels)
    assert torch.equal(unpatchify(tokens, rows, cols, 2, last), latents)


def test_packing_and_positions_are_the_pipeline_s() -> None:
    """FluxPipeline's own helpers on a canvas that is not square; positions by a plain loop."""
    from diffusers import FluxPipeline

    latents = torch.randn(2, 16, 6, 10, generator=torch.Generator().manual_seed(0))
    packed = FluxPipeline._pack_latents(latents, 2, 16, 6, 10)
    assert torch.equal(patchify(latents, 2, False), packed)
    assert torch.equal(FluxPipeline._unpack_latents(packed, 48, 80, 8), unpatchify(packed, 3, 5, 2, False))
    ids = position_ids(3, 5)
    assert ids.tolist() == [[0, row, col] for row in range(3) for col in range(5)]
    assert torch.equal(ids, FluxPipeline._prepare_latent_image_ids(1, 3, 5, None, torch.float32))


@pytest.mark.parametrize("name", ["toy-flux-dev", "toy-flux-schnell"])
def test_sites_equal_a_forward_by_hand(name: str) -> None:
    """Public sub-modules called one after another give the same bits."""
    model = model_of(name)
    net: Any = model.parts.denoiser
    latents, timesteps, text = inputs(model)
    values, output = model.run([tap for tap in model.taps.values() if tap.needs], latents, timesteps, text, stop=False)
    guidance = [torch.tensor([3500.0])] if name == "toy-flux-dev" else []
    with torch.no_grad():
        x, c = net.x_embedder(patchify(latents, 2, False)), net.context_embedder(text.context)
        emb = net.time_text_embed(timesteps / 1000 * 1000, *guidance, text.pooled)
        rotary = net.pos_embed(torch.cat([torch.zeros(32, 3), position_ids(3, 5)]))
        assert torch.equal(values["dit.patch"], x)
        for i, block in enumerate(net.transformer_blocks):
            n, gate, shift2, scale2, gate2 = block.norm1(x, emb=emb)
            nc, gate_c, shift_c, scale_c, gate_c2 = block.norm1_context(c, emb=emb)
            a, ac = block.attn(hidden_states=n, encoder_hidden_states=nc, image_rotary_emb=rotary)
            assert torch.equal(values[f"dit.d.{i}.img.norm1"], n)
            assert torch.equal(values[f"dit.d.{i}.img.attn"], gate[:, None] * a)
            x, c = x + gate[:, None] * a, c + gate_c[:, None] * ac
            m = gate2[:, None] * block.ff(block.norm2(x) * (1 + scale2[:, None]) + shift2[:, None])
            mc = gate_c2[:, None] * block.ff_context(block.norm2_context(c) * (1 + scale_c[:, None]) + shift_c[:, None])
            assert torch.equal(values[f"dit.d.{i}.img.mlp"], m) and torch.equal(values[f"dit.d.{i}.txt.mlp"], mc)
            x, c = x + m, c + mc
            assert torch.equal(values[f"dit.d.{i}.img"], x) and torch.equal(values[f"dit.d.{i}.txt"], c)
        joined = torch.cat([c, x], dim=1)
        for i, block in enumerate(net.single_transformer_blocks):
            n, gate = block.norm(joined, emb=emb)
            both = torch.cat([block.attn(n, image_rotary_emb=rotary), block.act_mlp(block.proj_mlp(n))], dim=2)
            joined = joined + gate[:, None] * block.proj_out(both)
            assert torch.equal(values[f"dit.s.{i}.txt.norm1"], n[:, :32])
            assert torch.equal(values[f"dit.s.{i}.img.v"], block.attn.to_v(n)[:, 32:])
            assert torch.equal(values[f"dit.s.{i}.txt"], joined[:, :32])
            assert torch.equal(values[f"dit.s.{i}.img"], joined[:, 32:])
        expected = unpatchify(net.proj_out(net.norm_out(joined[:, 32:], emb)), 3, 5, 2, False)
    torch.testing.assert_close(values["out"], expected, atol=1e-5, rtol=1e-5)
    assert output is not None and torch.equal(output, values["out"])


def test_the_shared_projection_divides_into_attention_and_mlp() -> None:
    """In single blocks attn + mlp is the update, to rounding; each is linear in its own columns."""
    model = model_of("toy-flux-dev")
    values, _ = model.run([tap for name, tap in model.taps.items() if name.startswith("dit.s.")], *inputs(model))
    for i in range(3):
        for stream in ("img", "txt"):
            part = {key: values[f"dit.s.{i}.{stream}.{key}"] for key in ("attn", "mlp", "update")}
            torch.testing.assert_close(part["attn"] + part["mlp"], part["update"], atol=2e-6, rtol=1e-5)
            assert part["attn"].std() > 1e-3 and part["mlp"].std() > 1e-3


def test_single_blocks_that_return_one_tensor_are_split_at_the_text() -> None:
    """Older diffusers returns text and image in one tensor, newer a tuple: the same streams come out."""
    model = model_of("toy-flux-dev")
    values, _ = model.run([model.taps["dit.s.1.img"], model.taps["dit.s.1.txt"]], *inputs(model))
    path = "single_transformer_blocks.1"
    block = model.parts.denoiser.get_submodule(path)
    whole = torch.cat([values["dit.s.1.txt"], values["dit.s.1.img"]], dim=1)
    call = Call(block, (), {}, whole)
    for stream in ("img", "txt"):
        tap = model.taps[f"dit.s.1.{stream}"]
        assert torch.equal(tap.take({path: call}), values[tap.name])
        assert tap.put is not None
        assert torch.equal(tap.put(call, values[tap.name]), whole)
        assert not torch.equal(tap.put(call, values[tap.name] + 1), whole)


def test_the_denoiser_is_told_sigma_between_zero_and_one() -> None:
    """A timestep of 260 reaches it as .26; passing 260 gives other activations without any error."""
    model = model_of("toy-flux-schnell")
    net: Any = model.parts.denoiser
    latents, _, text = inputs(model)
    told: list[torch.Tensor] = []
    handle = net.time_text_embed.register_forward_pre_hook(lambda _module, args: told.append(args[0]))
    right = model.run([model.taps["dit.d.0.img"]], latents, torch.tensor([260.0]), text)[0]["dit.d.0.img"]
    wrong = model.run([model.taps["dit.d.0.img"]], latents, torch.tensor([260_000.0]), text)[0]["dit.d.0.img"]
    handle.remove()
    assert told[0].item() == pytest.approx(260.0, rel=1e-6)
    assert (right - wrong).abs().max() > 1e-2


def test_guidance_is_embedded_in_dev_and_absent_in_schnell() -> None:
    """dev: 3.5 unless asked otherwise, and it matters; schnell: no such input."""
    image = np.zeros((32, 32, 3), dtype=np.uint8)
    for name, matters in (("toy-flux-dev", True), ("toy-flux-schnell", False)):
        model = model_of(name)
        default, named, other = (
            model.read(image, "dit.s.2.img", Condition(timestep=300, guidance=g))["dit.s.2.img"].values
            for g in (None, 3.5, 7.0)
        )
        assert torch.equal(default, named)
        assert torch.equal(default, other) != matters


def test_prompts_are_encoded_as_the_pipeline_does() -> None:
    """Tokens and pooled vector equal FluxPipeline.encode_prompt."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline

    parts = toy("toy-flux-dev")
    first, second = parts.text
    pipeline = FluxPipeline(
        FlowMatchEulerDiscreteScheduler(), parts.vae, first.encoder, first.tokenizer, second.encoder, second.tokenizer,
        parts.denoiser,
    )  # fmt: skip
    prompts = ["a red cat", "a boat at night"]
    with torch.no_grad():
        context, pooled, ids = pipeline.encode_prompt(prompts, None, max_sequence_length=32)
    found = wrap(parts).texts(prompts)
    torch.testing.assert_close(found.context, context, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.pooled, pooled, atol=1e-5, rtol=1e-5)
    assert not ids.any() and ids.shape == (32, 3)
