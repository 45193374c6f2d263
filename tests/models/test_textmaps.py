"""Word columns of attention: equal to the full map, streamed, right for any batch layout, shape and family."""

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.sample import Sample
from denoscope.models.attention import Looks, text_shares
from denoscope.models.base import Model
from denoscope.models.coordinates import Canvas
from denoscope.models.loading import load
from denoscope.models.textmaps import TextMaps, image_maps, text_sites
from denoscope.models.words import columns_of, words_in

FAMILIES = ("toy-sd15", "toy-sdxl", "toy-sd3", "toy-sd35", "toy-flux-dev", "toy-pixart")
PROMPTS = ["a red cat", "a red cat on the grass"]


@cache
def model_of(name: str) -> Model:
    """A toy, built once."""
    return load(name)


@pytest.fixture(params=FAMILIES)
def name(request: pytest.FixtureRequest) -> str:
    """One toy of each family that reads text by attention."""
    return request.param


def watched(model: Model, prompts: list[str], **options: Any) -> tuple[TextMaps, Any]:
    """Maps of `red` while pictures are made that are not square, and the pictures."""
    maps = TextMaps(model, text_sites(model), columns_of(model.text_parts(), prompts[0], "red"))
    return maps, model.generate(prompts, watch=maps, **{"steps": 2, "height": 64, "width": 96, **options})


@pytest.mark.parametrize("guidance", [1.0, 4.0], ids=["unguided", "guided"])
def test_streamed_columns_are_those_of_the_full_map(name: str, guidance: float) -> None:
    """Mean over heads and steps of the recorded maps, with and without guidance, and the same pictures bit by bit.

    Published code keeps the second half of what it finds: without guidance that drops half of the heads.
    """
    model = model_of(name)
    maps, made = watched(model, PROMPTS, guidance=guidance)
    sites = [tap.name for tap in maps.sites]
    whole = model.generate(PROMPTS, record=sites, steps=2, height=64, width=96, guidance=guidance)
    plain = model.generate(PROMPTS, steps=2, height=64, width=96, guidance=guidance)
    assert torch.equal(made.latents, plain.latents) and torch.equal(whole.latents, plain.latents)
    for site, mean in maps.means().items():
        steps = [torch.as_tensor(step[site].values)[..., list(maps.columns)] for step in whole.activations]
        full, grid = torch.stack(steps).mean(dim=(0, 2)).transpose(1, 2), maps.grids[site]
        assert mean.shape == (2, len(maps.columns), grid.rows, grid.cols) and grid.rows < grid.cols
        assert np.allclose(mean.reshape(full.shape), full, atol=1e-6)


def test_pictures_do_not_change_each_others_maps(name: str) -> None:
    """Several prompts at once give what each gives alone, whatever rows guidance puts beside them."""
    model = model_of(name)
    both = watched(model, PROMPTS, guidance=4.0)[0].means()
    alone = watched(model, PROMPTS[:1], guidance=4.0)[0].means()
    for site, mean in both.items():
        assert np.allclose(mean[:1], alone[site], atol=1e-5)
        assert not np.array_equal(mean[0], mean[1])


def test_rows_count_by_what_they_are_there_for() -> None:
    """Three rows per picture (as editing with two guidances has), in any order: the one with the prompt is taken."""
    model = model_of("toy-sd15")
    columns = columns_of(model.text_parts(), "a red cat", "red")
    latents = torch.randn(1, 4, 8, 12, generator=torch.Generator().manual_seed(0))
    texts = {"cond": "a red cat", "uncond": "", "image": "a boat at night"}
    alone = None
    for branches in (["cond"], ["uncond", "cond", "image"], ["cond", "image", "uncond"], ["image", "uncond", "cond"]):
        maps = TextMaps(model, text_sites(model), columns)
        text = model.texts([texts[branch] for branch in branches])
        rows = latents.expand(len(branches), -1, -1, -1)
        values, _ = model.run(maps.taps(branches), rows, torch.full((len(rows),), 500.0), text, stop=False)
        maps.add(values, tuple(latents.shape), [0])
        alone = alone or maps.means()
        assert all(np.allclose(mean, alone[site], atol=1e-5) for site, mean in maps.means().items())
    with pytest.raises(InputError, match="no row of the forward has the prompt"):
        TextMaps(model, text_sites(model), columns).taps(["uncond"])
    with pytest.raises(InputError, match="ran on 3 rows where 2 were announced"):
        maps = TextMaps(model, text_sites(model), columns)
        model.run(maps.taps(["cond", "uncond"]), rows, torch.full((3,), 500.0), text)


def test_means_do_not_grow_with_steps() -> None:
    """A denoiser that always looks alike gives the same map in one step as in five: means, not sums."""
    model = model_of("toy-sd15")
    taps = text_sites(model, ["mid"])
    shares = torch.rand(2, 3, 2, generator=torch.Generator().manual_seed(0))
    few, many = TextMaps(model, taps, [1, 2, 3]), TextMaps(model, taps, [1, 2, 3])
    for maps, steps in ((few, 1), (many, 5)):
        for _ in range(steps):
            maps.add({f"{taps[0].name}.words": shares}, (2, 4, 8, 16), [0, 1])
    (first,), (second,) = few.means().values(), many.means().values()
    assert first.shape == (2, 3, 1, 2) and np.allclose(first, second) and np.allclose(first.reshape(2, 3, 2), shares)


class _Largest(TorchDispatchMode):
    """Notes the largest tensor that is made."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(one, torch.Tensor):
                self.numbers = max(self.numbers, one.numel())
        return made


@pytest.mark.parametrize("told", [True, False], ids=["sums told", "sums not told"])
def test_joint_attention_never_holds_the_map(told: bool) -> None:
    """Of 1,600 tokens nothing is made that has a thirtieth of the map's numbers."""
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(1, 2, count, 32, generator=generator) for count in (1500, 1600))
    sums = (query @ key.transpose(2, 3) / math.sqrt(32)).logsumexp(-1) if told else None
    with _Largest() as largest:
        found = text_shares(Looks(query, key, images=1500, sums=sums), list(range(0, 100, 2)))
    assert largest.numbers < 2 * query.shape[2] * key.shape[2] / 30
    full = (query @ key.transpose(2, 3) / math.sqrt(32)).softmax(-1)[..., 1500::2].mean(1).transpose(1, 2)
    assert found.shape == (1, 50, 1500) and torch.allclose(found, full, atol=1e-6)


@pytest.mark.parametrize("name", ["toy-sd3", "toy-sd35", "toy-flux-dev"])
def test_what_the_kernel_tells_is_what_a_second_one_finds(name: str) -> None:
    """Where the model's own kernel tells its sums they are used; under one that tells none, the maps are the same."""
    model = model_of(name)
    told = watched(model, PROMPTS, guidance=4.0)[0].means()
    heard: list[Any] = []
    site = TextMaps(model, text_sites(model), [1]).taps(["cond"])[0]
    listening = replace(site, take=lambda calls: heard.append(calls[site.kernel].sums) or torch.zeros(1))
    latents, text = torch.zeros(1, model.latent_channels, 8, 12), model.texts(["a"])
    asked = [listening], latents, torch.full((1,), 500.0), text
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        maps = TextMaps(model, text_sites(model), columns_of(model.text_parts(), PROMPTS[0], "red"))
        model.generate(PROMPTS, watch=maps, steps=2, height=64, width=96, guidance=4.0)
        model.run(*asked)
    model.run(*asked)
    assert heard[0] is None and heard[1].ndim == 3
    for name, mean in maps.means().items():
        assert np.allclose(mean, told[name], atol=1e-6)


def test_half_precision_is_summed_in_full(name: str) -> None:
    """In bf16 maps are fp32, and as exact as the recorded map, which is rounded itself, lets one see."""
    model = load(name, dtype="bf16")
    text, sites = "a red cat", text_sites(model)[-2:]
    maps = TextMaps(model, sites, columns_of(model.text_parts(), text, text))
    model.generate(text, steps=1, watch=maps)
    (whole,) = model.generate(text, steps=1, record=[tap.name for tap in sites]).activations
    for site, mean in maps.means().items():
        full = torch.as_tensor(whole[site].values).float()[..., list(maps.columns)].mean(1).transpose(1, 2)
        assert mean.dtype == np.float32 and np.allclose(mean.reshape(full.shape), full, rtol=0.01, atol=1e-5)


def test_nothing_is_held_longer_than_a_block(name: str) -> None:
    """Queries and keys of one site are let go before the next ones come: memory does not grow with depth."""
    model, held = model_of(name), list[int]()
    sites = TextMaps(model, text_sites(model), [1]).taps(["cond"])
    counting = [replace(tap, take=lambda calls: held.append(len(calls)) or torch.zeros(1)) for tap in sites]
    model.run(counting, torch.zeros(1, model.latent_channels, 8, 12), torch.full((1,), 500.0), model.texts(["a"]))
    assert len(held) == len(sites) and max(held) <= max(len(tap.needs) for tap in sites)


def test_nothing_listens_after_a_failure() -> None:
    """A forward that fails inside attention leaves no ear open and no hook behind."""
    model = model_of("toy-sd3")
    maps, modules = TextMaps(model, text_sites(model), [1]), dict(model.parts.denoiser.named_modules())

    def fail(*_: Any) -> None:
        raise RuntimeError("inside attention")

    handle = modules["transformer_blocks.1.attn.to_v"].register_forward_hook(fail)
    try:
        with pytest.raises(RuntimeError, match="inside attention"):
            model.generate("a cat", watch=maps, steps=1)
    finally:
        handle.remove()
    assert _get_current_dispatch_mode() is None
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in modules.values())


def test_cross_attention_in_pieces_is_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some heads at a time change nothing, keys that are padding get nothing, and halves are summed in fp32."""
    generator = torch.Generator().manual_seed(1)
    query, key = torch.randn(2, 5, 12, 8, generator=generator), torch.randn(2, 5, 7, 8, generator=generator)
    seen = torch.arange(7) < torch.tensor([[4], [7]])
    looks, columns = Looks(query, key, seen=seen), list(range(7))
    whole = text_shares(looks, columns)
    monkeypatch.setattr("denoscope.models.attention._AT_ONCE", 2 * 12 * 7 * 2)
    assert torch.allclose(text_shares(looks, columns), whole, atol=1e-7)
    assert torch.allclose(whole.sum(dim=1), torch.ones(2, 12), atol=1e-6) and not whole[0, 4:].any()
    halved = text_shares(Looks(query.bfloat16(), key.bfloat16()), columns)
    exact = text_shares(Looks(query.bfloat16().float(), key.bfloat16().float()), columns)
    assert halved.dtype == torch.float32 and torch.equal(halved, exact)


def test_images_are_looked_at_as_read_has_it() -> None:
    """Maps of images that exist are the mean over noise levels of what `read` gives, also of several sizes at once."""
    model = model_of("toy-sd15")
    rng = np.random.default_rng(0)
    sides = ((64, 96), (96, 64), (64, 96))
    samples = [Sample(str(k), rng.integers(0, 255, (*side, 3), dtype=np.uint8)) for k, side in enumerate(sides)]
    conditions = [Condition(timestep=t, prompt="a red cat") for t in (100, 700)]
    columns, site = columns_of(model.text_parts(), "a red cat", "cat"), text_sites(model, ["up.1"])[0]
    canvas = Canvas(policy="keep", size=96)
    seen: list[int] = []
    for indices, maps, kept, frames in image_maps(model, samples, conditions, [site], [columns] * 3, canvas, 2):
        read = [model.read([samples[i] for i in indices], site.name, how, canvas=canvas) for how in conditions]
        full = np.mean([found[site.name].numpy()[..., kept].mean(axis=1) for found in read], axis=0)
        mean = maps.means()[site.name]
        assert np.allclose(mean.reshape(len(indices), len(kept), -1), full.transpose(0, 2, 1), atol=1e-5)
        assert all(
            (frame.canvas_height, frame.canvas_width) == sides[i] for i, frame in zip(indices, frames, strict=True)
        )
        seen += indices
    assert sorted(seen) == [0, 1, 2]


def test_sites_are_named_by_block_or_map() -> None:
    """A block stands for the maps in it; what has none, and models without text, are refused in one line."""
    model = model_of("toy-sdxl")
    names = [tap.name for tap in text_sites(model)]
    assert all(name.endswith(".cross.map") for name in names)
    assert [tap.name for tap in text_sites(model, ["mid"])] == [name for name in names if name.startswith("mid.")]
    assert [tap.name for tap in text_sites(model, names[3:5])] == names[3:5]
    with pytest.raises(UnknownName, match=r"no site with attention to text 'up\.9'"):
        text_sites(model, ["up.9"])
    with pytest.raises(InputError, match="no attention from image cells to a text"):
        text_sites(model_of("toy-dit"))


def test_words_are_found_where_they_stand() -> None:
    """Every text encoder's columns, neighbours and letters' case aside; parts of longer words are other words."""
    parts = model_of("toy-sd15").text_parts()
    text = "A cat, two CATS; the  cat"  # one token per letter, after the start
    assert words_in(text) == ("A", "cat", "two", "CATS", "the")
    assert columns_of(parts, text, "Cat") == (2, 3, 4, 17, 18, 19)
    assert columns_of(parts, text, "the cat") == (14, 15, 16, 17, 18, 19)
    sd3 = model_of("toy-sd3").text_parts()
    first = columns_of(sd3, text, "two")
    assert len(sd3) == 2 and [column for column in first if column < 77] == [6, 7, 8] and max(first) > 77
    assert columns_of(model_of("toy-pixart").text_parts(), "  A Cat", "cat")[-3:] == (3, 4, 5)
    with pytest.raises(UnknownName, match="no word of the prompt 'dog'"):
        columns_of(parts, text, "dog")
    with pytest.raises(InputError, match="beyond the 77 tokens"):
        columns_of(parts, "x" * 80 + " cat", "cat")
    with pytest.raises(InputError, match="does not know the word"):
        columns_of(model_of("embedded").text_parts(), "a photo of a zz", "zz")
