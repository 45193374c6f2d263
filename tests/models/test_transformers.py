"""What holds for every transformer family: hooks, early stop, batches, identities, noise, maps, edits, state."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from denoscope.core.condition import Condition
from denoscope.models.loading import wrap
from denoscope.models.toys import full_size, toy

TOYS = ("toy-sd3", "toy-sd35", "toy-flux-dev", "toy-flux-schnell", "toy-pixart", "toy-pixart-sigma", "toy-dit")
ROWS, COLS = 8, 12


@cache
def model_of(name: str) -> Any:
    """A toy, built once."""
    return wrap(toy(name))


@cache
def arguments(name: str) -> tuple[Any, ...]:
    """Two rows of non-square latents at two timesteps with two texts."""
    model = model_of(name)
    latents = torch.randn(2, model.latent_channels, ROWS, COLS, generator=torch.Generator().manual_seed(1))
    texts = model.texts(["3", "7"] if name == "toy-dit" else ["a red cat", "two boats"])
    return latents, torch.tensor([260.0, 700.0]), texts


@cache
def everything(name: str) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """All sites and the output of one full forward."""
    model = model_of(name)
    taps = [tap for tap in model.taps.values() if tap.needs]
    return model.run(taps, *arguments(name), stop=False)


def blocks(name: str) -> list[str]:
    """Names of all block outputs."""
    return [site.removesuffix(".post") for site in everything(name)[0] if site.endswith(".post")]


@pytest.fixture(params=TOYS)
def name(request: pytest.FixtureRequest) -> str:
    """One toy of each family and variant."""
    return request.param


def test_every_site_has_the_announced_shape(name: str) -> None:
    """The table from the meta device and the tensors of a real forward agree, on a canvas that is not square."""
    model, (values, output) = model_of(name), everything(name)
    table = {info.name: info for info in model.sites_at(ROWS * 8, COLS * 8)}
    assert {site: tuple(value.shape[1:]) for site, value in values.items()} == {
        site: info.shape for site, info in table.items() if site in values
    }
    assert set(table) - set(values) == {"x0", "eps", "v"}
    assert output.shape == (2, model.latent_channels, ROWS, COLS)
    assert table["out"].grid == (ROWS, COLS, 8.0)
    assert table["dit.patch"].grid == (ROWS // 2, COLS // 2, 16.0)


def test_no_site_is_silent(name: str) -> None:
    """Every tensor is finite and differs between two rows, unless noise and text do not reach it."""
    for site, value in everything(name)[0].items():
        assert torch.isfinite(value).all(), site
        assert not torch.equal(value[0], value[1]), site


def test_a_module_path_means_what_the_module_returns(name: str) -> None:
    """`transformer_blocks.1.attn` is that module's own output, its image stream where it returns two."""
    model, (values, _) = model_of(name), everything(name)
    paths = {tap.site.path for tap in model.taps.values() if tap.needs and tap.site.path in tap.needs}
    skipped = {path for path in paths if path.endswith((".linear", "proj_out_2")) or path == "proj_out"}
    returned = _outputs(model, arguments(name), paths - skipped)
    for path, output in returned.items():
        (site,) = model.select(path)
        found, tokens = values[site.name], output
        if isinstance(output, tuple):
            tokens = output[1] if path.split(".")[-1].isdecimal() else output[0]
        if path.startswith("single_") and tokens.shape[1] > found.shape[1]:
            tokens = tokens[:, -found.shape[1] :]
        assert torch.equal(found, tokens), path


def test_stopping_early_changes_no_bit(name: str) -> None:
    """A forward that ends at the last wanted site reads what the full forward reads."""
    model, (values, _) = model_of(name), everything(name)
    for site in list(values)[::4]:
        found, output = model.run([model.taps[site]], *arguments(name))
        assert output is None, site
        assert torch.equal(found[site], values[site]), site


def test_stopping_early_saves_the_rest() -> None:
    """No block after the last wanted site runs."""
    model = model_of("toy-sd3")
    later = model.parts.denoiser.transformer_blocks[2]
    ran: list[Any] = []
    handle = later.register_forward_pre_hook(lambda *_: ran.append(1))
    try:
        model.run([model.taps["dit.d.1.img"]], *arguments("toy-sd3"))
    finally:
        handle.remove()
    assert not ran


def test_contributions_add_up_to_the_stream_exactly(name: str) -> None:
    """post = pre + attn (+ attn2) (+ cross) + mlp, and pre + update in Flux's single blocks, bit for bit."""
    values, _ = everything(name)
    for block in blocks(name):
        stream = values[f"{block}.pre"]
        parts = ("update",) if f"{block}.update" in values else ("attn", "attn2", "cross", "mlp")
        for part in parts:
            if f"{block}.{part}" in values:
                stream = stream + values[f"{block}.{part}"]
        assert torch.equal(stream, values[f"{block}.post"]), block
        assert torch.equal(values[block], values[f"{block}.post"])


def test_what_leaves_a_block_enters_the_next(name: str) -> None:
    """`pre` is what the block's own norm was given, not merely a copy under another name."""
    model, (values, _) = model_of(name), everything(name)
    seen: dict[str, torch.Tensor] = {}
    handles: list[Any] = []
    for site in [site for site in values if site.endswith(".img.pre") or (".b." in site and site.endswith(".pre"))]:
        place, index = site.split(".")[1:3]
        block = model.parts.denoiser.get_submodule(
            f"single_transformer_blocks.{index}" if place == "s" else f"transformer_blocks.{index}"
        )

        def keep(_module: Any, args: Any, kwargs: Any, site: str = site) -> None:
            seen[site] = args[0] if args else kwargs["hidden_states"]

        handles.append(block.register_forward_pre_hook(keep, with_kwargs=True))
    with torch.no_grad():
        model.forward(*arguments(name))
    for handle in handles:
        handle.remove()
    assert seen and all(torch.equal(values[site], value) for site, value in seen.items())


def test_norm1_is_the_modulated_layer_norm(name: str) -> None:
    """DiTF's feature: LayerNorm without affine, times 1 + scale, plus shift, from `.pre` and `.adaln`."""
    values, _ = everything(name)
    for site in [site for site in values if site.endswith(".norm1") and "attn2" not in site]:
        block = site.removesuffix(".norm1")
        pre = values[f"{block}.pre"]
        shift, scale = (values[f"{block}.adaln.{part}"][:, :1] for part in ("shift", "scale"))
        expected = torch.nn.functional.layer_norm(pre, pre.shape[-1:], eps=1e-6) * (1 + scale) + shift
        assert torch.equal(values[site], expected), site


def test_modulation_parts_are_rows_of_the_whole(name: str) -> None:
    """`.adaln` holds shift, scale and gate of each sub-layer in turn."""
    values, _ = everything(name)
    for site in [site for site in values if site.endswith(".adaln")]:
        kinds = [part for part in ("shift", "scale", "gate") if f"{site}.{part}" in values]
        for place, kind in enumerate(kinds):
            assert torch.equal(values[site][:, place :: len(kinds)], values[f"{site}.{kind}"])


def _maps(name: str) -> list[str]:
    return [site for site in everything(name)[0] if site.endswith(".map")]


def test_maps_are_probabilities_and_quadrants_are_parts_of_them(name: str) -> None:
    """Rows sum to one; image tokens come first; `.ii .it .ti .tt` tile the map."""
    values, _ = everything(name)
    for site in _maps(name):
        full = values[site]
        torch.testing.assert_close(full.sum(-1), torch.ones(full.shape[:-1]), atol=1e-5, rtol=0)
        if f"{site}.ii" in values:
            top = torch.cat([values[f"{site}.ii"], values[f"{site}.it"]], dim=-1)
            bottom = torch.cat([values[f"{site}.ti"], values[f"{site}.tt"]], dim=-1)
            assert torch.equal(torch.cat([top, bottom], dim=-2), full)
            assert values[f"{site}.ii"].shape[-1] == ROWS * COLS // 4


def test_maps_reproduce_what_attention_returned(name: str) -> None:
    """Map times value, projected, is the sub-layer's own output: the probabilities are those that were used."""
    model, (values, _) = model_of(name), everything(name)
    paths = {site: model.taps[site].site.path.rsplit(".", 1)[0] for site in _maps(name)}
    returned = _outputs(model, arguments(name), set(paths.values()))
    for site, path in paths.items():
        owner, tokens = site.removesuffix(".map"), ROWS * COLS // 4
        streams = [""] if f"{owner}.v" in values else [".img", ".txt"]
        value = torch.cat([values[f"{owner}{stream}.v"] for stream in streams], dim=1)
        heads = value.unflatten(-1, (values[site].shape[1], -1)).transpose(1, 2)
        image = (values[site] @ heads).transpose(1, 2).flatten(2)[:, :tokens]
        output = returned[path]
        if ".s." in site:
            expected = output[:, -tokens:]
        else:
            expected = output[0] if isinstance(output, tuple) else output
            image = model.parts.denoiser.get_submodule(f"{path}.to_out.0")(image)
        torch.testing.assert_close(image, expected, atol=2e-5, rtol=1e-4)


def _outputs(model: Any, inputs: tuple[Any, ...], paths: set[str]) -> dict[str, Any]:
    """What some modules return in one forward, by plain hooks."""
    kept: dict[str, Any] = {}
    handles = [
        model.parts.denoiser.get_submodule(path).register_forward_hook(
            lambda _module, _args, output, path=path: kept.update({path: output})
        )
        for path in paths
    ]
    with torch.no_grad():
        model.forward(*inputs)
    for handle in handles:
        handle.remove()
    return kept


IMAGES = [np.random.default_rng(i).integers(0, 255, (48, 64, 3), dtype=np.uint8) for i in range(4)]


def test_a_batch_reads_what_single_images_read(name: str) -> None:
    """Noise belongs to the sample: four together, in pairs or alone agree to rounding."""
    model = model_of(name)
    condition = Condition(timestep=200, seed=3)
    sites = [block for block in blocks(name) if not block.endswith("txt")] + ["x0"]
    together = model.read(IMAGES, sites, condition, batch_size=4)
    alone = model.read(IMAGES, sites, condition, batch_size=1)
    for site in sites:
        torch.testing.assert_close(together[site].values, alone[site].values, atol=1e-4, rtol=1e-4)


def test_the_forward_process_is_the_scheduler_s(name: str) -> None:
    """Rectified flow equals FlowMatchEuler's scale_noise, variance preserving equals DDPM's add_noise, to 1e-6."""
    import diffusers

    model = model_of(name)
    clean = torch.randn(3, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(3, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    if "flux" in name or "sd3" in name:
        scheduler: Any = diffusers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000)
        timesteps = scheduler.timesteps[[0, 400, 990]]
        expected = scheduler.scale_noise(clean, timesteps, noise)
    else:
        config = model.parts.scheduler
        betas = {key: config[key] for key in ("beta_start", "beta_end", "beta_schedule", "num_train_timesteps")}
        scheduler = diffusers.DDPMScheduler(**betas)
        timesteps = torch.tensor([0, 400, 999])
        expected = scheduler.add_noise(clean, noise, timesteps)
    found = model.noise(clean, noise, [model.levels.timestep(float(t)) for t in timesteps])
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_latents_are_shifted_and_scaled_as_configured(name: str) -> None:
    """(mode - shift) * scale, both from the VAE's configuration."""
    model = model_of(name)
    canvas = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    vae = model.parts.vae
    with torch.no_grad():
        mode = vae.encode(canvas).latent_dist.mode()
        found = model.encode(canvas)
    shift = 0.0 if vae.config.shift_factor is None else vae.config.shift_factor
    assert (shift > 0) == ("flux" in name or "sd3" in name)
    torch.testing.assert_close(found, (mode - shift) * vae.config.scaling_factor, atol=1e-6, rtol=1e-6)


def test_edits_that_change_nothing_change_no_bit(name: str) -> None:
    """Writing back what was read, at every site that can be written, leaves the output as it was."""
    model, (_, output) = model_of(name), everything(name)
    writable = [site for site, tap in model.taps.items() if tap.put is not None]
    with model.edit({site: lambda value: value.clone() for site in writable}):
        _, found = model.run([], *arguments(name), stop=False)
    assert torch.equal(found, output)


def test_edits_reach_the_output(name: str) -> None:
    """Each kind of site that can be written changes the prediction when it is."""
    model, (_, output) = model_of(name), everything(name)
    first = [site for site in model.taps if site.split(".")[2:3] in (["0"], ["1"]) or site in ("dit.patch", "out")]
    for site in [site for site in first if model.taps[site].put is not None]:
        with model.edit({site: lambda value: value * 1.5 + 0.1}):
            _, found = model.run([], *arguments(name), stop=False)
        assert not torch.equal(found, output), site


def test_an_edit_is_read_back_downstream(name: str) -> None:
    """A site's edited value is what its neighbours read: post of the edited block is pre of the next."""
    model = model_of(name)
    block = blocks(name)[0]
    following = block.replace(".0", ".1", 1) + ".pre"
    with model.edit({block: torch.zeros_like}):
        values, _ = model.run([model.taps[block], model.taps[following]], *arguments(name))
    assert not values[block].any() and not values[following].any()


def test_reading_leaves_no_trace(name: str) -> None:
    """Weights, configuration, hooks, modes and random state are as before, after a read and after an error."""
    model = model_of(name)
    denoiser = model.parts.denoiser
    before = {key: value.clone() for key, value in denoiser.state_dict().items()}
    config, state = dict(denoiser.config), torch.get_rng_state()
    model.read(IMAGES[:1], "**", Condition(timestep=300))
    with pytest.raises(RuntimeError), model.edit({"out": _broken}):
        model.read(IMAGES[:1], "out", Condition(timestep=300))
    assert all(torch.equal(value, before[key]) for key, value in denoiser.state_dict().items())
    assert dict(denoiser.config) == config and torch.equal(torch.get_rng_state(), state)
    for module in denoiser.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks and not module.training


def _broken(_value: torch.Tensor) -> torch.Tensor:
    raise RuntimeError


FULL = {
    "sd3": ("dit.d.{}.img", 24, (4096, 1536), 1024),
    "sd35": ("dit.d.{}.img", 24, (4096, 1536), 1024),
    "flux-dev": ("dit.s.{}.img", 38, (4096, 3072), 1024),
    "flux-schnell": ("dit.d.{}.img", 19, (4096, 3072), 1024),
    "pixart": ("dit.b.{}", 28, (4096, 1152), 1024),
    "pixart-sigma": ("dit.b.{}", 28, (4096, 1152), 1024),
    "dit-xl": ("dit.b.{}", 28, (256, 1152), 256),
}


@pytest.mark.parametrize("name", FULL)
def test_full_size_shapes(name: str) -> None:
    """Blocks, tokens and widths of the real models, from a forward on the meta device."""
    pattern, count, shape, side = FULL[name]
    model = wrap(full_size(name))
    latents = torch.empty(1, model.latent_channels, side // 8, side // 8, device="meta")
    taps = [model.taps[pattern.format(i)] for i in range(count)]
    text, timestep = model.embed([None]), torch.zeros(1, device="meta")
    values, output = model.run(taps, latents, timestep, text, stop=False, check=False)
    assert [value.shape for value in values.values()] == [(1, *shape)] * count
    assert pattern.format(count) not in model.taps
    assert output is not None and output.shape == latents.shape


def test_the_full_size_table_shares_out_the_work() -> None:
    """Every site of SD3 at 1024 px: work grows block by block; the joint map holds 4096 + 333 tokens."""
    sites = {info.name: info for info in wrap(full_size("sd3")).sites_at(1024, 1024)}
    shares = [sites[f"dit.d.{i}.img"].share for i in range(24)]
    assert shares == sorted(shares) and shares[-1] > 0.99
    assert sites["dit.d.0.map"].shape == (24, 4429, 4429)
    assert sites["dit.d.0.map.it"].shape == (24, 4096, 333)
    assert sites["dit.d.0.img"].grid == (64, 64, 16.0) and sites["dit.d.0.txt"].grid is None
