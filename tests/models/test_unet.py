"""U-Nets: hooks equal a forward written by hand, the identities that tie sites together, published shapes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from denoscope.core.condition import Condition
from denoscope.core.errors import DenoscopeError, InputError
from denoscope.models.base import DERIVED, Model
from denoscope.models.loading import wrap
from denoscope.models.text import Text
from denoscope.models.toys import full_size

Inputs = Callable[..., tuple[torch.Tensor, torch.Tensor, Text]]
UNETS = ("sd15", "sd21", "sd-turbo", "sdxl")


@pytest.fixture(params=UNETS)
def unet(request: pytest.FixtureRequest, toy: Callable[[str], Model]) -> Model:
    """Each U-Net toy."""
    return toy(request.param)


def all_sites(model: Model, inputs: Inputs, **sizes: int) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Every tensor of one full forward, and its output."""
    taps = [tap for tap in model.taps.values() if tap.name not in DERIVED]
    values, output = model.run(taps, *inputs(model, **sizes), stop=False)
    assert output is not None
    return values, output


def by_hand(model: Model, x: torch.Tensor, times: torch.Tensor, text: Text) -> dict[str, torch.Tensor]:
    """Block outputs from the public sub-modules of diffusers, called one after another."""
    unet: Any = model.parts.denoiser
    height, width = (side * 8 for side in x.shape[-2:])
    temb = unet.time_embedding(unet.time_proj(times))
    if text.pooled is not None:
        ids = torch.tensor([height, width, 0, 0, height, width], dtype=torch.float32).repeat(len(x), 1)
        sizes = unet.add_time_proj(ids.flatten()).reshape(len(x), -1)
        temb = temb + unet.add_embedding(torch.cat([text.pooled, sizes], dim=-1))
    found = {"in": unet.conv_in(x)}
    x, skips = found["in"], [found["in"]]
    for i, block in enumerate(unet.down_blocks):
        words = {"encoder_hidden_states": text.context} if hasattr(block, "attentions") else {}
        x, more = block(x, temb, **words)
        skips.extend(more)
        found[f"down.{i}"] = x
    x = found["mid"] = unet.mid_block(x, temb, encoder_hidden_states=text.context)
    for i, block in enumerate(unet.up_blocks):
        words = {"encoder_hidden_states": text.context} if hasattr(block, "attentions") else {}
        count = len(block.resnets)
        skips, mine = skips[:-count], tuple(skips[-count:])
        size = skips[-1].shape[-2:] if skips else None
        x = found[f"up.{i}"] = block(x, res_hidden_states_tuple=mine, temb=temb, upsample_size=size, **words)
    found["out"] = unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))
    return found


@pytest.mark.parametrize("height,width", [(8, 8), (9, 11)])
def test_hooks_equal_a_forward_by_hand(unet: Model, inputs: Inputs, height: int, width: int) -> None:
    """Block sites are bitwise what the public sub-modules give, at even and at odd latent sizes."""
    values, output = all_sites(unet, inputs, height=height, width=width)
    with torch.no_grad():
        expected = by_hand(unet, *inputs(unet, height=height, width=width))
    assert expected.keys() <= values.keys()
    for site, value in expected.items():
        assert torch.equal(values[site], value), site
    assert torch.equal(values["out"], output)


@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_stopping_early_changes_no_bit(toy: Callable[[str], Model], inputs: Inputs, name: str) -> None:
    """For every site: read alone, with the forward ending there, it is bitwise what the full run holds."""
    model = toy(name)
    values, output = all_sites(model, inputs)
    arguments = inputs(model)
    for site, value in values.items():
        alone, ended = model.run([model.taps[site]], *arguments)
        assert ended is None, site
        assert torch.equal(alone[site], value), site
    assert torch.equal(model.run([], *arguments, stop=False)[1], output)


def test_stopping_early_saves_the_rest(sd15: Model, inputs: Inputs) -> None:
    """Nothing after the wanted site runs."""
    ran: list[str] = []
    blocks = {"up.0": "up_blocks.0", "up.1": "up_blocks.1", "up.2": "up_blocks.2"}
    modules = dict(sd15.parts.denoiser.named_modules())
    handles = [
        modules[path].register_forward_hook(lambda *_, site=site: ran.append(site)) for site, path in blocks.items()
    ]
    try:
        sd15.run([sd15.taps["up.1.res.0"]], *inputs(sd15))
    finally:
        for handle in handles:
            handle.remove()
    assert ran == ["up.0"]


def test_transformer_blocks_add_up(unet: Model, inputs: Inputs) -> None:
    """Stream before + self.out + cross.out + ff.out is the stream after, exactly, in every transformer block."""
    values, _ = all_sites(unet, inputs)
    blocks = [site for site in values if re.fullmatch(r".*\.blk\.\d+", site)]
    unet_: Any = unet.parts.denoiser
    modules = dict(unet_.named_modules())
    before: dict[str, torch.Tensor] = {}
    handles = [
        modules[unet.taps[site].site.path].register_forward_pre_hook(
            lambda _, args, kwargs, site=site: before.__setitem__(
                site, (args or (kwargs["hidden_states"],))[0].clone()
            ),
            with_kwargs=True,
        )
        for site in blocks
    ]
    try:
        unet.run([], *inputs(unet), stop=False)
    finally:
        for handle in handles:
            handle.remove()
    assert len(blocks) >= 7
    for site in blocks:
        stream = values[f"{site}.self.out"] + before[site]
        stream = values[f"{site}.cross.out"] + stream
        assert torch.equal(values[f"{site}.ff.out"] + stream, values[site]), site


def test_resnets_add_up(unet: Model, inputs: Inputs) -> None:
    """(shortcut(x) + hidden) / scale is the resnet's output, exactly, in every resnet."""
    values, _ = all_sites(unet, inputs)
    modules: dict[str, Any] = dict(unet.parts.denoiser.named_modules())
    sites = [site for site in values if re.fullmatch(r".*\.res\.\d+", site)]
    entered: dict[str, torch.Tensor] = {}
    handles = [
        modules[unet.taps[site].site.path].register_forward_pre_hook(
            lambda _, args, site=site: entered.__setitem__(site, args[0].clone())
        )
        for site in sites
    ]
    try:
        unet.run([], *inputs(unet), stop=False)
    finally:
        for handle in handles:
            handle.remove()
    for site in sites:
        resnet, x = modules[unet.taps[site].site.path], entered[site]
        with torch.no_grad():
            shortcut = x if resnet.conv_shortcut is None else resnet.conv_shortcut(x)
        assert torch.equal((shortcut + values[f"{site}.hidden"]) / resnet.output_scale_factor, values[site]), site


def test_skips_are_what_the_decoder_joins(unet: Model, inputs: Inputs) -> None:
    """skip.n is the trailing channels of its up resnet's input, consumed in reverse, and what the encoder made."""
    denoiser: Any = unet.parts.denoiser
    joined: list[torch.Tensor] = []
    resnets = [resnet for block in denoiser.up_blocks for resnet in block.resnets]
    handles = [resnet.register_forward_pre_hook(lambda _, args: joined.append(args[0].clone())) for resnet in resnets]
    try:
        values, _ = all_sites(unet, inputs)
    finally:
        for handle in handles:
            handle.remove()
    for n, entered in enumerate(reversed(joined)):
        skip = values[f"skip.{n}"]
        assert torch.equal(entered[:, -skip.shape[1] :], skip), n
    assert f"skip.{len(joined)}" not in values
    made = ["in"]
    for i, block in enumerate(denoiser.down_blocks):
        unit = "attn" if hasattr(block, "attentions") else "res"
        made += [f"down.{i}.{unit}.{j}" for j in range(len(block.resnets))] + [f"down.{i}.ds"] * bool(
            block.downsamplers
        )
    for n, site in enumerate(made):
        assert torch.equal(values[f"skip.{n}"], values[site]), site


def test_editing_a_skip_leaves_the_encoder_alone(sd15: Model, inputs: Inputs) -> None:
    """A changed skip reaches the decoder only; the encoder and the bottleneck stay bitwise the same."""
    before, _ = all_sites(sd15, inputs)
    with sd15.edit({"skip.0": lambda value: value * 0}):
        after, _ = all_sites(sd15, inputs)
    assert not after["skip.0"].any() and torch.equal(after["in"], before["in"])
    for site in ("down.3", "mid", "up.2"):
        assert torch.equal(after[site], before[site]), site
    assert not torch.equal(after["up.3"], before["up.3"])


def test_attention_maps_reproduce_the_output(unet: Model, inputs: Inputs) -> None:
    """Rows of a map sum to one, and map @ value through to_out is what the fused kernel contributed."""
    values, _ = all_sites(unet, inputs)
    modules: dict[str, Any] = dict(unet.parts.denoiser.named_modules())
    maps = [site for site in values if site.endswith(".map")]
    worst = 0.0
    for site in maps:
        inner, attention = site.removesuffix(".map"), modules[unet.taps[f"{site.removesuffix('.map')}.out"].site.path]
        weights, value = values[site], values[f"{inner}.v"]
        assert torch.allclose(weights.sum(-1), torch.ones(weights.shape[:-1]), atol=1e-6), site
        heads = value.unflatten(-1, (attention.heads, -1)).transpose(1, 2)
        with torch.no_grad():
            out = attention.to_out[0]((weights @ heads).transpose(1, 2).flatten(2)) / attention.rescale_output_factor
        expected = values[f"{inner}.out"]
        worst = max(worst, float((out - expected).abs().max() / expected.abs().max()))
    assert len(maps) >= 14 and worst < 1e-6


def test_embedded_guidance_is_what_diffusers_feeds(toy: Callable[[str], Model], inputs: Inputs) -> None:
    """A consistency-distilled U-Net is told the scale by the embedding that its pipeline computes."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.pipelines.latent_consistency_models.pipeline_latent_consistency_text2img import (
        LatentConsistencyModelPipeline,
    )

    parts = toy("sd15").parts
    config: Any = dict(parts.denoiser.config) | {"time_cond_proj_dim": 16}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        denoiser = UNet2DConditionModel(**{k: v for k, v in config.items() if not k.startswith("_")})
    model: Any = wrap(type(parts)(denoiser, parts.vae, parts.text, parts.scheduler))
    embed: Any = LatentConsistencyModelPipeline.get_guidance_scale_embedding
    for scale in (0.0, 1.0, 8.0):
        expected = embed(None, torch.full((2,), scale - 1), 16)
        assert torch.allclose(model._guidance(scale, 2), expected, atol=1e-3)
    assert model.distilled and not toy("sd15").distilled
    site = [model.taps["mid"]]
    a, b = (model.run(site, *inputs(model), guidance=scale)[0]["mid"] for scale in (1.0, 8.0))
    assert not torch.equal(a, b)


def test_sdxl_hears_pooled_text_and_size(sdxl: Model, inputs: Inputs) -> None:
    """Pooled text and canvas size both change what SDXL computes."""
    latents, times, text = inputs(sdxl)
    site = [sdxl.taps["mid"]]
    assert text.pooled is not None
    plain = sdxl.run(site, latents, times, text)[0]["mid"]
    other = sdxl.run(site, latents, times, Text(text.context, text.pooled.flip(0)))[0]["mid"]
    assert not torch.equal(plain, other)
    assert sdxl._time_ids(torch.zeros(1, 4, 9, 11)).tolist() == [[72, 88, 0, 0, 72, 88]]  # pyright: ignore[reportAttributeAccessIssue]


def test_empty_text_is_a_named_choice(sdxl: Model) -> None:
    """The encoded empty string and zeros are two conditions with two contexts."""
    encoded, zeros = sdxl.texts([""]), sdxl.texts([None])
    assert encoded.context.shape == zeros.context.shape and zeros.pooled is not None and encoded.pooled is not None
    assert encoded.pooled.shape == zeros.pooled.shape
    assert encoded.context.any() and not zeros.context.any() and not zeros.pooled.any()


TABLE = {
    "sd15": {
        "in": (320, 64), "down.0": (320, 32), "down.1": (640, 16), "down.2": (1280, 8), "down.3": (1280, 8),
        "mid": (1280, 8), "up.0": (1280, 16), "up.1": (1280, 32), "up.2": (640, 64), "up.3": (320, 64), "out": (4, 64),
    },
    "sdxl": {
        "in": (320, 128), "down.0": (320, 64), "down.1": (640, 32), "down.2": (1280, 32), "mid": (1280, 32),
        "up.0": (1280, 64), "up.1": (640, 128), "up.2": (320, 128), "out": (4, 128),
    },
}  # fmt: skip
TABLE["sd21"] = {site: (channels, side * 3 // 2) for site, (channels, side) in TABLE["sd15"].items()}
TABLE["sd-turbo"] = TABLE["sd15"]


@pytest.fixture(scope="session")
def twins() -> dict[str, Model]:
    """Full-size models on the meta device."""
    return {name: wrap(full_size(name)) for name in UNETS}


@pytest.mark.parametrize("name,size", [("sd15", 512), ("sd21", 768), ("sd-turbo", 512), ("sdxl", 1024)])
def test_published_shapes(twins: dict[str, Model], name: str, size: int) -> None:
    """Every block of the real models has the shape that the literature reports at the native size."""
    table = {info.name: info for info in twins[name].sites_at(size, size)}
    found = {site: table[site].shape for site in TABLE[name]}
    assert found == {site: (channels, side, side) for site, (channels, side) in TABLE[name].items()}
    assert all(table[site].stride == size / shape[1] for site, shape in found.items())


def test_sdxl_turbo_shapes(twins: dict[str, Model]) -> None:
    """SDXL-Turbo is SDXL at 512 pixels: half of its sides."""
    table = {info.name: info for info in twins["sdxl"].sites_at(512, 512)}
    assert {site: table[site].shape for site in TABLE["sdxl"]} == {
        site: (channels, side // 2, side // 2) for site, (channels, side) in TABLE["sdxl"].items()
    }


SHARES = [
    (
        "sd15", 512, 803,
        {"down.0": 13.7, "down.1": 22.2, "down.2": 30.1, "mid": 32.5, "up.0": 35.8, "up.1": 54.6, "up.2": 75.4},
    ),
    ("sd21", 768, 2149, {"up.1": 52.4}),
    ("sdxl", 1024, 6761, {"mid": 43.4, "up.0": 79.3, "up.1": 95.2}),
]  # fmt: skip


@pytest.mark.parametrize("name,size,total,shares", SHARES, ids=lambda value: str(value)[:8])
def test_published_work(twins: dict[str, Model], name: str, size: int, total: float, shares: dict[str, float]) -> None:
    """FLOPs of the whole network, and the share up to each block, agree with independent counts."""
    table = twins[name].sites_at(size, size)
    assert table.flops / 1e9 == pytest.approx(total, rel=0.01)
    found = {info.name: 100 * info.share for info in table}
    assert {site: found[site] for site in shares} == pytest.approx(shares, abs=1.0)


def test_reading_weights_that_are_not_there(twins: dict[str, Model]) -> None:
    """A model on the meta device can be listed but not read, and says so in one line."""
    model = twins["sd15"]
    latents, text = torch.zeros(1, 4, 8, 8), Text(torch.zeros(1, 77, 768))
    with pytest.raises(InputError, match="meta device") as caught:
        model.run([model.taps["mid"]], latents, torch.zeros(1), text)
    assert "\n" not in str(caught.value)
    with pytest.raises(DenoscopeError):
        model.plan(4, "mid", Condition(timestep=50))


def test_a_module_path_means_what_the_module_returns(sd15: Model) -> None:
    """A path of diffusers never stands for something recomputed from its inputs."""
    path = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
    assert [str(site) for site in sd15.select([path])] == ["down.0.attn.0.blk.0.self.out"]
    assert [str(site) for site in sd15.select([f"{path}.to_k"])] == ["down.0.attn.0.blk.0.self.k"]
