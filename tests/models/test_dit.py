"""DiT and PixArt: against forwards by hand and the pipeline, with classes, size conditions and padded texts."""

from functools import cache
from typing import Any

import pytest
import torch

from denoscope.core.errors import InputError, UnknownName
from denoscope.models.components import Components
from denoscope.models.dit import DiT, PixArt
from denoscope.models.loading import wrap
from denoscope.models.toys import toy


@cache
def model_of(name: str) -> Any:
    """A toy, built once."""
    model = wrap(toy(name))
    assert isinstance(model, DiT if name == "toy-dit" else PixArt)
    return model


def inputs(model: Any, rows: int = 6, cols: int = 10) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """One row of latents, a timestep and a text or class."""
    latents = torch.randn(1, 4, rows, cols, generator=torch.Generator().manual_seed(0))
    return latents, torch.tensor([260.0]), model.texts(["a red cat" if isinstance(model, PixArt) else "3"])


@pytest.mark.parametrize("name", ["toy-pixart", "toy-pixart-sigma"])
def test_pixart_sites_equal_a_forward_by_hand(name: str) -> None:
    """Public sub-modules called one after another give the same bits, with the canvas told where the model asks."""
    model = model_of(name)
    net = model.parts.denoiser
    latents, timesteps, text = inputs(model)
    values, _ = model.run([tap for tap in model.taps.values() if tap.needs], latents, timesteps, text, stop=False)
    sizes = {"resolution": torch.tensor([[48.0, 80.0]]), "aspect_ratio": torch.tensor([[0.6]])}
    sizes = sizes if name == "toy-pixart" else {"resolution": None, "aspect_ratio": None}
    bias = ((1 - text.mask.float()) * -10000.0).unsqueeze(1)
    with torch.no_grad():
        x, c = net.pos_embed(latents), net.caption_projection(text.context)
        modulation, _ = net.adaln_single(timesteps, sizes, batch_size=1, hidden_dtype=torch.float32)
        for i, block in enumerate(net.transformer_blocks):
            table = block.scale_shift_table[None] + modulation.reshape(1, 6, -1)
            shift, scale, gate, shift2, scale2, gate2 = table.chunk(6, dim=1)
            n = block.norm1(x) * (1 + scale) + shift
            a = gate * block.attn1(n)
            assert torch.equal(values[f"dit.b.{i}.adaln"], table)
            assert torch.equal(values[f"dit.b.{i}.norm1"], n) and torch.equal(values[f"dit.b.{i}.attn"], a)
            x = a + x
            a2 = block.attn2(x, encoder_hidden_states=c, attention_mask=bias)
            assert torch.equal(values[f"dit.b.{i}.cross"], a2)
            x = a2 + x
            m = gate2 * block.ff(block.norm2(x) * (1 + scale2) + shift2)
            assert torch.equal(values[f"dit.b.{i}.mlp"], m)
            x = m + x
            assert torch.equal(values[f"dit.b.{i}"], x)


def test_dit_sites_equal_a_forward_by_hand() -> None:
    """Public sub-modules called one after another give the same bits."""
    model = model_of("toy-dit")
    net = model.parts.denoiser
    latents, timesteps, text = inputs(model)
    values, _ = model.run([tap for tap in model.taps.values() if tap.needs], latents, timesteps, text, stop=False)
    with torch.no_grad():
        x = net.pos_embed(latents)
        for i, block in enumerate(net.transformer_blocks):
            n, gate, shift2, scale2, gate2 = block.norm1(x, timesteps, torch.tensor([3]), hidden_dtype=x.dtype)
            a = gate[:, None] * block.attn1(n)
            x = a + x
            m = gate2[:, None] * block.ff(block.norm3(x) * (1 + scale2[:, None]) + shift2[:, None])
            x = m + x
            found = (values[f"dit.b.{i}{part}"] for part in (".norm1", ".attn", ".mlp", ""))
            assert all(torch.equal(*pair) for pair in zip(found, (n, a, m, x), strict=True))


@pytest.mark.parametrize("name", ["toy-dit", "toy-pixart"])
def test_the_prediction_is_the_noise_half_of_the_output(name: str) -> None:
    """On a square canvas `forward` equals the first channels of diffusers' own output; the variance is left out."""
    model = model_of(name)
    latents, timesteps, text = inputs(model, 8, 8)
    told = {"class_labels": torch.tensor([3])}
    if name == "toy-pixart":
        sizes = {"resolution": torch.tensor([[64.0, 64.0]]), "aspect_ratio": torch.ones(1, 1)}
        told = {"encoder_hidden_states": text.context, "encoder_attention_mask": text.mask, "added_cond_kwargs": sizes}
    with torch.no_grad():
        expected = model.parts.denoiser(latents, timestep=timesteps, **told).sample
    assert expected.shape[1] == 8
    values, output = model.run([model.taps["out"]], latents, timesteps, text, stop=False)
    assert torch.equal(output, expected[:, :4]) and torch.equal(values["out"], output)


def test_dit_predicts_on_any_canvas() -> None:
    """diffusers lays out squares only (2 x 8 tokens become 4 x 4); each of our cells comes from its own token."""
    model = model_of("toy-dit")
    latents, timesteps, text = inputs(model, 4, 16)
    values, output = model.run([model.taps["out"], model.taps["dit.b.2"]], latents, timesteps, text, stop=False)
    net = model.parts.denoiser
    with torch.no_grad():
        emb = net.transformer_blocks[0].norm1.emb(timesteps, torch.tensor([3]), hidden_dtype=torch.float32)
        shift, scale = net.proj_out_1(torch.nn.functional.silu(emb)).chunk(2, dim=1)
        tokens = net.proj_out_2(net.norm_out(values["dit.b.2"]) * (1 + scale[:, None]) + shift[:, None])
    for row in range(2):
        for col in range(8):
            cell = tokens[0, row * 8 + col].view(2, 2, 8)[..., :4].permute(2, 0, 1)
            assert torch.equal(output[0, :, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2], cell)


def test_classes_are_numbers_names_or_nothing() -> None:
    """Index, any synonym of the checkpoint's labels, or the null class; others are answered with the nearest."""
    parts = toy("toy-dit")
    labels = {"id2label": {"3": "tench, Tinca tinca", "4": "goldfish"}}
    model = wrap(Components(parts.denoiser, parts.vae, [], parts.scheduler, labels))
    assert model.texts(["3", "Tinca tinca", "goldfish", "", None]).context.flatten().tolist() == [3, 3, 4, 10, 10]
    with pytest.raises(UnknownName, match="goldfish"):
        model.texts(["goldfsh"])
    with pytest.raises(InputError, match=r"0 \.\.\. 9"):
        model.texts(["11"])


def test_padding_is_not_attended_to() -> None:
    """Cross-attention gives padded text tokens no weight, and their states do not matter."""
    model = model_of("toy-pixart")
    latents, timesteps, text = inputs(model)
    tap = model.taps["dit.b.0.cross.map"]
    values, output = model.run([tap], latents, timesteps, text, stop=False)
    padded = text.mask[0] == 0
    assert padded.any() and not values[tap.name][..., padded].any()
    scrambled = text.context.clone()
    scrambled[:, padded] += 100
    from dataclasses import replace

    _, again = model.run([], latents, timesteps, replace(text, context=scrambled), stop=False)
    assert torch.equal(output, again)


def test_pixart_prompts_are_encoded_as_the_pipeline_does() -> None:
    """Lower case, T5 states and mask equal PixArtAlphaPipeline.encode_prompt."""
    from diffusers import DPMSolverMultistepScheduler, PixArtAlphaPipeline

    parts = toy("toy-pixart")
    (only,) = parts.text
    pipeline = PixArtAlphaPipeline(
        only.tokenizer, only.encoder, parts.vae, parts.denoiser, DPMSolverMultistepScheduler()
    )
    prompts = ["A Red cat ", "a boat"]
    with torch.no_grad():
        context, mask, *_ = pipeline.encode_prompt(prompts, False, max_sequence_length=32)
    found = wrap(parts).texts(prompts)
    torch.testing.assert_close(found.context, context, atol=1e-5, rtol=1e-5)
    assert torch.equal(found.mask, mask)


def test_size_conditions_reach_alpha_and_not_sigma() -> None:
    """The 1024 px alpha model is told the canvas; Sigma is not."""
    for name, told in (("toy-pixart", True), ("toy-pixart-sigma", False)):
        sizes = model_of(name)._sizes(torch.zeros(2, 4, 6, 10))
        assert (sizes["resolution"] is not None) == told
        if told:
            assert sizes["resolution"].tolist() == [[48.0, 80.0]] * 2
            assert sizes["aspect_ratio"].tolist() == [[pytest.approx(0.6)]] * 2
