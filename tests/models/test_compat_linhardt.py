"""`compat="linhardt2024"` reads what diffusers' image-to-image pipeline computes; each peculiarity is one switch."""

import copy
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

import denoscope as ds
from denoscope import Canvas, Condition, Sample
from denoscope.core.errors import InputError
from denoscope.models.base import Model
from denoscope.models.compat import NAMES, compat_of
from denoscope.models.compat_linhardt import Linhardt2024, spoken
from denoscope.models.coordinates import frame_of
from denoscope.models.loading import load, wrap
from denoscope.models.percents import timestep_of
from denoscope.models.toys import toy

SITES = {"down.1.res.1": "down_blocks.1.resnets.1", "mid": "mid_block", "up.1.res.1": "up_blocks.1.resnets.1"}
TOYS = ("toy-sd15", "toy-sd21", "toy-sd-turbo")
CANVAS = Canvas("stretch", 64)
NAMED = "a photo of a {object}"


class _Stop(Exception):
    """Raised by the hook once its site has fired."""


@cache
def _parts(name: str) -> Any:
    return toy(name)


@cache
def _model(name: str) -> Model:
    return wrap(_parts(name))


@cache
def _pipeline(name: str) -> Any:
    """The image-to-image pipeline around the same random weights."""
    import diffusers
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import StableDiffusionImg2ImgPipeline

    parts = copy.deepcopy(_parts(name))
    (text,) = parts.text
    scheduler = getattr(diffusers, parts.scheduler["_class_name"]).from_config(dict(parts.scheduler))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unchecked: Any = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
        made = StableDiffusionImg2ImgPipeline(
            vae=parts.vae, text_encoder=text.encoder, tokenizer=text.tokenizer, unet=parts.denoiser,
            scheduler=scheduler, **unchecked,
        )  # fmt: skip
    made.set_progress_bar_config(disable=True)
    return made


def _published(name: str, image: np.ndarray, path: str, percent: float, prompt: str, guidance: float, element: int):
    """One call as published: the first denoiser pass, stopped at the site."""
    pipeline, found = _pipeline(name), []

    def keep(module: Any, given: Any, output: Any) -> None:
        found.append((output[0] if isinstance(output, tuple) else output).detach())
        raise _Stop

    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    with warnings.catch_warnings(), pytest.raises(_Stop):
        warnings.simplefilter("ignore")
        handle = pipeline.unet.get_submodule(path).register_forward_hook(keep)
        try:
            pipeline(prompt=prompt, image=pixels, strength=percent / 100, num_inference_steps=100,
                     guidance_scale=guidance, generator=torch.Generator("cpu").manual_seed(42))  # fmt: skip
        finally:
            handle.remove()
    return found[0][element].numpy()


def _samples(count: int = 2) -> list[Sample]:
    chance = np.random.default_rng(3)
    return [Sample(f"s{i}", chance.integers(0, 256, (64, 64, 3), dtype=np.uint8), {"object": f"ice_cream{i}"})
            for i in range(count)]  # fmt: skip


def _read(
    name: str, compat: Any, prompt: str = "", percent: float = 20, canvas: Canvas | None = CANVAS, count: int = 2
):
    model = _model(name)
    condition = Condition(timestep=timestep_of(model.parts.scheduler, percent), seed=42, prompt=prompt)
    found = model.read(_samples(count), list(SITES), condition, canvas=CANVAS, compat=compat)
    return {site: np.asarray(values.numpy()) for site, values in found.items()}


def _gap(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


@pytest.mark.parametrize("name", TOYS)
@pytest.mark.parametrize("percent", [1, 80])
def test_unconditional_features_are_the_pipelines(name: str, percent: float) -> None:
    """Empty prompt, no guidance, batch element 0; every image, site and sampler."""
    ours = _read(name, "linhardt2024", percent=percent)
    for site, path in SITES.items():
        for number, sample in enumerate(_samples()):
            theirs = _published(name, sample.image, path, percent, "", 0.0, 0)
            assert _gap(ours[site][number], theirs) < 1e-5


@pytest.mark.parametrize("half", [True, False])
def test_conditional_features_are_the_pipelines(half: bool) -> None:
    """With guidance 7 the second half holds the prompt, whose words lost their underscores and digits."""
    ours = _read("toy-sd15", Linhardt2024(conditional_half=half), NAMED)
    for site, path in SITES.items():
        for number, sample in enumerate(_samples()):
            theirs = _published("toy-sd15", sample.image, path, 20, "a photo of a ice cream", 7.0, int(half))
            assert _gap(ours[site][number], theirs) < 1e-5


@pytest.mark.parametrize("switch", ["posterior_sample", "shared_noise", "plain_labels", "conditional_half"])
def test_each_switch_matters(switch: str) -> None:
    """One switched off changes what is read, and the recipe."""
    on, off = (_read("toy-sd15", Linhardt2024(**{switch: state}), NAMED) for state in (True, False))
    assert min(_gap(off[site], on[site]) for site in SITES) > 1e-5
    assert Linhardt2024(**{switch: False}).to_dict() != Linhardt2024().to_dict()


def test_all_images_have_the_same_chance_whatever_their_company() -> None:
    """One noise and one posterior draw: an image alone reads as it does in a batch, and equal pixels read alike."""
    together, alone = (_read("toy-sd15", "linhardt2024", count=count) for count in (2, 1))
    assert all(_gap(alone[site][0], together[site][0]) < 1e-5 for site in SITES)
    model, image = _model("toy-sd15"), _samples(1)[0].image
    twins = [Sample(name, image, {}) for name in ("a", "b")]
    condition = Condition(timestep=201, seed=42)
    for compat, alike in (("linhardt2024", True), (None, False)):
        read = model.read(twins, "mid", condition, canvas=CANVAS, compat=compat)["mid"].numpy()
        assert np.allclose(read[0], read[1], rtol=1e-5, atol=1e-6) == alike


def test_images_keep_their_shape_at_512_pixels() -> None:
    """The shorter side, bilinear; one given canvas wins, and the switch falls back to the usual one."""
    assert Linhardt2024().canvas(None) == Canvas("shorter", 512, filter="bilinear")
    assert Linhardt2024().canvas(CANVAS) == CANVAS and Linhardt2024(shorter_side=False).canvas(None) == Canvas()
    frame = frame_of(800, 600, Linhardt2024().canvas(None))
    assert (frame.canvas_width, frame.canvas_height) == (680, 512) and frame.offset_x == frame.offset_y == 0


def test_names_lose_underscores_and_digits() -> None:
    """So that two objects share a text."""
    assert spoken("chicken1") == spoken("chicken2") == "chicken" and spoken("ice_cream_2") == "ice cream "
    plain = Linhardt2024().told(Sample("x", _samples(1)[0].image, {"object": "chicken_wire1", "object_index": 3}))
    assert dict(plain.facts) == {"object": "chicken wire", "object_index": 3}


def test_the_name_stands_beside_sdhelper() -> None:
    """By name, and with a batch size, on which nothing depends."""
    assert NAMES["linhardt2024"] == Linhardt2024() == compat_of("linhardt2024", 5)


def test_what_was_never_read_so_is_refused() -> None:
    """Other families, several seeds, several draws."""
    image = _samples(1)[0].image
    with pytest.raises(InputError, match="U-Nets"):
        load("toy-sd3").read(image, "dit.d.0.img", Condition(timestep=50), compat="linhardt2024")
    with pytest.raises(InputError, match="draws=1"):
        _model("toy-sd15").read(image, "mid", Condition(timestep=50, draws=2), compat="linhardt2024")
    conditions = [Condition(timestep=50, seed=seed) for seed in (1, 2)]
    with pytest.raises(InputError, match="one seed at a time"):
        list(_model("toy-sd15").stream(_samples(), "mid", conditions, compat="linhardt2024"))


def test_a_store_says_what_it_replays(tmp_path) -> None:
    """The switches are in the recipe, and the levels beside it."""
    store = ds.extract("embedded", "menagerie:test", "mid", percents=20, limit=2, seed=42, compat="linhardt2024",
                       canvas=Canvas("stretch", 96), out=tmp_path, progress=False)  # fmt: skip
    (volume,) = store.volumes
    assert volume.recipe.model["compat"] == Linhardt2024().to_dict()
    assert volume.plan is not None and volume.plan.logsnrs == pytest.approx((np.log(0.76752 / 0.23248),), abs=1e-4)
