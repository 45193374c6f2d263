"""Stable Diffusion 3 and 3.5: against a forward written by hand, and against the pipeline's text encoding."""

from functools import cache
from typing import Any

import pytest
import torch

from denoscope.core.errors import InputError
from denoscope.models.components import Components
from denoscope.models.loading import wrap
from denoscope.models.mmdit import MMDiT
from denoscope.models.toys import toy


@cache
def model_of(name: str) -> MMDiT:
    """A toy, built once."""
    model = wrap(toy(name))
    assert isinstance(model, MMDiT)
    return model


def inputs(model: MMDiT) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """One row of latents, a timestep and a text."""
    latents = torch.randn(1, 16, 6, 10, generator=torch.Generator().manual_seed(0))
    return latents, torch.tensor([260.0]), model.texts(["a red cat"])


@pytest.mark.parametrize("name", ["toy-sd3", "toy-sd35"])
def test_sites_equal_a_forward_by_hand(name: str) -> None:
    """Public sub-modules called one after another, as in the paper's figure 2, give the same bits."""
    model = model_of(name)
    net: Any = model.parts.denoiser
    latents, timesteps, text = inputs(model)
    values, _ = model.run([tap for tap in model.taps.values() if tap.needs], latents, timesteps, text, stop=False)
    with torch.no_grad():
        x, c = net.pos_embed(latents).contiguous(), net.context_embedder(text.context)
        emb = net.time_text_embed(timesteps, text.pooled)
        assert torch.equal(values["dit.patch"], x)
        for i, block in enumerate(net.transformer_blocks):
            dual, last = block.use_dual_attention, block.context_pre_only
            n, gate, shift2, scale2, gate2, *second = block.norm1(x, emb=emb)
            nc, *of_text = [block.norm1_context(c, emb)] if last else block.norm1_context(c, emb=emb)
            a, ac = block.attn(hidden_states=n, encoder_hidden_states=nc)
            assert torch.equal(values[f"dit.d.{i}.img.norm1"], n) and torch.equal(values[f"dit.d.{i}.txt.norm1"], nc)
            assert torch.equal(values[f"dit.d.{i}.img.q"], block.attn.to_q(n))
            assert torch.equal(values[f"dit.d.{i}.txt.k"], block.attn.add_k_proj(nc))
            assert torch.equal(values[f"dit.d.{i}.img.attn"], gate[:, None] * a)
            x = x + gate[:, None] * a
            if dual:
                a2 = second[1][:, None] * block.attn2(hidden_states=second[0])
                assert torch.equal(values[f"dit.d.{i}.img.attn2"], a2)
                x = x + a2
            m = gate2[:, None] * block.ff(block.norm2(x) * (1 + scale2[:, None]) + shift2[:, None])
            assert torch.equal(values[f"dit.d.{i}.img.mlp"], m)
            x = x + m
            assert torch.equal(values[f"dit.d.{i}.img"], x)
            if last:
                assert f"dit.d.{i}.txt" not in values and f"dit.d.{i}.txt.attn" not in values
                continue
            gate, shift2, scale2, gate2 = of_text
            c = c + gate[:, None] * ac
            m = gate2[:, None] * block.ff_context(block.norm2_context(c) * (1 + scale2[:, None]) + shift2[:, None])
            assert torch.equal(values[f"dit.d.{i}.txt.mlp"], m)
            c = c + m
            assert torch.equal(values[f"dit.d.{i}.txt"], c)


@pytest.mark.parametrize("name", ["toy-sd3", "toy-sd35"])
def test_the_prediction_is_the_denoiser_s(name: str) -> None:
    """`forward`, and `out` rebuilt from tokens, equal diffusers' own call bit for bit."""
    model = model_of(name)
    latents, timesteps, text = inputs(model)
    with torch.no_grad():
        expected = model.parts.denoiser(
            latents, encoder_hidden_states=text.context, pooled_projections=text.pooled, timestep=timesteps
        ).sample
    values, output = model.run([model.taps["out"]], latents, timesteps, text, stop=False)
    assert output is not None
    assert torch.equal(output, expected) and torch.equal(values["out"], expected)


def test_the_denoiser_is_told_a_thousand_sigma() -> None:
    """260 and .26 are different timesteps: the family passes the former."""
    model = model_of("toy-sd3")
    latents, _, text = inputs(model)
    tap = [model.taps["dit.d.0.img"]]
    thousand, unit = (model.run(tap, latents, torch.tensor([t]), text)[0]["dit.d.0.img"] for t in (260.0, 0.26))
    assert (thousand - unit).abs().max() > 1e-2


def test_prompts_are_encoded_as_the_pipeline_does() -> None:
    """Tokens and pooled vectors equal StableDiffusion3Pipeline.encode_prompt, with T5 and without."""
    from diffusers import FlowMatchEulerDiscreteScheduler, StableDiffusion3Pipeline

    parts = toy("toy-sd3")
    first, second, third = parts.text
    prompts = ["a red cat", "a boat at night"]
    for with_t5 in (True, False):
        pipeline = StableDiffusion3Pipeline(
            parts.denoiser, FlowMatchEulerDiscreteScheduler(), parts.vae, first.encoder, first.tokenizer,
            second.encoder, second.tokenizer, *((third.encoder, third.tokenizer) if with_t5 else (None, None)),
        )  # fmt: skip
        with torch.no_grad():
            context, _, pooled, _ = pipeline.encode_prompt(prompts, None, None, max_sequence_length=32)
        kept = parts.text if with_t5 else parts.text[:2]
        model = wrap(Components(parts.denoiser, parts.vae, kept, parts.scheduler, parts.pipeline))
        found = model.texts(prompts)
        assert found.context.shape == (2, 77 + 32, 48)
        torch.testing.assert_close(found.context, context, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(found.pooled, pooled, atol=1e-5, rtol=1e-5)


def test_an_empty_prompt_is_encoded_and_none_is_zeros() -> None:
    """Two different conditions, of the same shape."""
    model = model_of("toy-sd3")
    text = model.texts(["", None])
    assert text.context[0].any() and not text.context[1].any()
    assert text.pooled is not None and not text.pooled[1].any()


def test_a_canvas_beyond_the_known_positions_is_refused() -> None:
    """One line that says how large it may be."""
    model = model_of("toy-sd3")
    latents = torch.zeros(1, 16, 8, 60)
    with pytest.raises(InputError, match="384 x 384 pixels"):
        model.run([model.taps["dit.patch"]], latents, torch.tensor([1.0]), model.texts([""]))


def test_odd_latents_are_refused() -> None:
    """A grid that does not divide into patches would be cut silently."""
    model = model_of("toy-sd3")
    with pytest.raises(InputError, match="9 x 8"):
        model.run([], torch.zeros(1, 16, 9, 8), torch.tensor([1.0]), model.texts([""]), stop=False)
