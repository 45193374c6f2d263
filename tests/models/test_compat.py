"""`compat="sdhelper"` computes what sdhelper 1.0.0 computes, and each of its defects is one switch."""

import copy
import functools
import types
import warnings
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
import torch

from denoscope import Canvas, Condition, Sample, extract
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.recipe import canonical
from denoscope.models.compat import NAMES, Compat, compat_of
from denoscope.models.loading import wrap
from denoscope.models.toys import toy
from denoscope.store.keep import Keep

UNETS = ("toy-sd15", "toy-sd21", "toy-sd-turbo", "toy-sdxl")
SITES = {
    **{name: {"down.1": "down_blocks[1]", "mid": "mid_block", "up.1": "up_blocks[1]"} for name in UNETS},
    "toy-sd3": {f"dit.d.{i}.img": f"transformer_blocks[{i}]" for i in range(4)},
}
EFFECT = {
    "unit_range": (*UNETS,),
    "shared_noise": (*UNETS, "toy-sd3"),
    "posterior_sample": (*UNETS, "toy-sd3"),
    "double_scaling": ("toy-sd-turbo", "toy-sdxl"),
    "drop_conditioning": ("toy-sdxl",),
    "sd3_step_index": ("toy-sd3",),
}
"""Which toys each switch concerns."""


def _pictures(count=3, side=64):
    chance = np.random.default_rng(0)
    return [chance.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(count)]


def _parts(name):
    parts = toy(name)
    parts.pipeline = {key: value for key, value in parts.pipeline.items() if key != "max_sequence_length"}
    return parts


@functools.cache
def _model(name):
    return wrap(_parts(name))


@functools.cache
def _pipeline(name):
    """A diffusers pipeline around the same random weights."""
    import diffusers

    parts = copy.deepcopy(_parts(name))
    kind = getattr(diffusers, parts.pipeline["_class_name"])
    slots = {"vae": parts.vae, "unet" if "unet" in kind.__init__.__annotations__ else "transformer": parts.denoiser}
    for text in parts.text:
        slots |= {text.name: text.encoder, text.name.replace("text_encoder", "tokenizer"): text.tokenizer}
    scheduler = _scheduler(parts.scheduler)
    if kind is diffusers.StableDiffusionPipeline:
        slots |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return kind(**slots, scheduler=scheduler)


def _scheduler(config):
    import diffusers

    return getattr(diffusers, config["_class_name"]).from_config(dict(config))


def _sdhelper(name):
    """An `SD` of sdhelper 1.0.0 around that pipeline, without its loader, which downloads."""
    pytest.importorskip("sdhelper", reason="parity needs sdhelper 1.0.0: pip install 'denoscope[test]'")
    from diffusers import DDIMScheduler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sdhelper import SD
    sd = SD.__new__(SD)
    sd.pipeline = _pipeline(name)
    sd.pipeline.scheduler = _scheduler(_model(name).parts.scheduler)
    sd.model_name = {"toy-sd3": "SD3"}.get(name, name)
    sd.device, sd.dtype, sd.disable_progress_bar = "cpu", torch.float32, True
    if name == "toy-sd3":
        _narrow(sd, sd.pipeline.transformer.inner_dim)
    else:
        sd._ddim_scheduler = DDIMScheduler.from_config(dict(sd.pipeline.scheduler.config))
    return sd


def _narrow(sd, width):
    """Its code says 1536, the width of SD3-medium, where it lays out tokens; the toy is narrower."""

    def narrow(constant):
        if isinstance(constant, types.CodeType):
            return constant.replace(co_consts=tuple(map(narrow, constant.co_consts)))
        return width if constant == 1536 else constant

    function = type(sd)._img2repr.__wrapped__
    narrowed = types.FunctionType(narrow(function.__code__), function.__globals__)
    sd._img2repr = types.MethodType(torch.no_grad()(narrowed), sd)


def _theirs(sd, pictures, timestep, name, seed=7, **options):
    images = [PIL.Image.fromarray(picture) for picture in pictures]
    with torch.random.fork_rng():
        found = sd.img2repr(images, list(SITES[name].values()), timestep, seed=seed, **options)
    return {site: torch.stack([each[place][0] for each in found]) for site, place in SITES[name].items()}


def _ours(model, pictures, timestep, name, compat="sdhelper", seed=7, **options):
    condition = Condition(timestep=timestep, seed=seed, prompt=options.pop("prompt", ""))
    found = model.read(pictures, list(SITES[name]), condition, compat=compat, **options)
    return {site: activations.on_grid().values for site, activations in found.items()}


def _apart(ours, theirs):
    """Largest relative L2 distance over sites."""
    return max(float((ours[site] - theirs[site]).norm() / theirs[site].norm()) for site in theirs)


@pytest.mark.parametrize("timestep", [0, 50, 500, 999])
@pytest.mark.parametrize("name", SITES)
def test_it_equals_sdhelper_on_the_same_weights(name, timestep):
    """Published numbers can be replayed: tensors agree at every noise level."""
    pictures = _pictures()
    theirs = _theirs(_sdhelper(name), pictures, timestep, name)
    assert _apart(_ours(_model(name), pictures, timestep, name), theirs) < 1e-5


@pytest.mark.parametrize("name", SITES)
def test_resized_pictures_and_prompts_are_read_alike(name):
    """Stretching and text are those of sdhelper too."""
    pictures = [picture[:, :40] for picture in _pictures(2, 50)]
    theirs = _theirs(_sdhelper(name), pictures, 100, name, resize=64, prompt="a red cat")
    ours = _ours(_model(name), pictures, 100, name, canvas=Canvas("stretch", 64), prompt="a red cat")
    assert _apart(ours, theirs) < 1e-5


@pytest.mark.parametrize("name", ["toy-sd15", "toy-sd3"])
def test_the_batch_decides_the_chance_as_in_sdhelper(name):
    """The order in which a batch draws its chance is kept, a short last batch included."""
    pictures, model = _pictures(5), _model(name)
    theirs = _theirs(_sdhelper(name), pictures, 50, name, batch_size=3)
    assert _apart(_ours(model, pictures, 50, name, batch_size=3), theirs) < 1e-5
    assert _apart(_ours(model, pictures, 50, name, batch_size=2), theirs) > 1e-2


def test_pictures_of_several_sizes_are_read_one_by_one():
    """Mixed sizes change the batches, and with them the noise."""
    pictures = [*_pictures(2, 64), *_pictures(1, 48)]
    theirs = _theirs(_sdhelper("toy-sd15"), pictures, 50, "toy-sd15", resize=64)
    assert _apart(_ours(_model("toy-sd15"), pictures, 50, "toy-sd15"), theirs) < 1e-5


def test_the_first_timestep_of_an_euler_scheduler_sticks():
    """The factor of the second read is that of the first; a session's start can be named."""
    sd, model, pictures = _sdhelper("toy-sdxl"), _model("toy-sdxl"), _pictures()
    theirs = [_theirs(sd, pictures, timestep, "toy-sdxl") for timestep in (200, 50)]
    samples = [Sample(str(i), picture) for i, picture in enumerate(pictures)]
    conditions = [Condition(timestep=timestep, seed=7) for timestep in (200, 50)]
    (group,) = model.stream(samples, list(SITES["toy-sdxl"]), conditions, compat="sdhelper")
    for condition, expected in zip(conditions, theirs, strict=True):
        found = {item.site.name: item.values for item in group if item.condition == condition}
        assert _apart(found, expected) < 1e-5
    assert _apart(_ours(model, pictures, 50, "toy-sdxl", Compat(sticky_timestep=200)), theirs[1]) < 1e-5
    assert _apart(_ours(model, pictures, 50, "toy-sdxl"), theirs[1]) > 1e-2


@pytest.mark.parametrize("switch", EFFECT)
@pytest.mark.parametrize("name", SITES)
def test_a_switch_changes_the_families_that_it_concerns_and_no_other(name, switch):
    """Each defect is one switch."""
    model, pictures = _model(name), _pictures(2)
    everything = _ours(model, pictures, 200, name)
    without = _ours(model, pictures, 200, name, replace(Compat(), **{switch: False}))
    assert (_apart(without, everything) > 1e-3) is (name in EFFECT[switch])


@pytest.mark.parametrize("name", SITES)
def test_with_every_switch_off_it_is_denoscope(name):
    """The switches are all that differs."""
    model, pictures = _model(name), _pictures(2)
    off = Compat(**dict.fromkeys(EFFECT, False))
    plain = model.read(pictures, list(SITES[name]), Condition(timestep=200, seed=7))
    ours = _ours(model, pictures, 200, name, off)
    assert all(torch.equal(values, plain[site].on_grid().values) for site, values in ours.items())


@pytest.mark.parametrize("name", SITES)
def test_model_and_global_chance_are_left_as_they_were(name):
    """Replaying a mutation does not mutate: weights, configuration, hooks and global chance stay."""
    model, pictures = _model(name), _pictures(2)
    before = copy.deepcopy((model.parts.denoiser.state_dict(), dict(model.config), dict(model.parts.scheduler)))
    chance = torch.get_rng_state()
    plain = model.read(pictures, "**", Condition(timestep=50))
    _ours(model, pictures, 50, name)
    after = (model.parts.denoiser.state_dict(), dict(model.config), dict(model.parts.scheduler))
    assert all(torch.equal(value, after[0][key]) for key, value in before[0].items())
    assert before[1:] == after[1:]
    assert torch.equal(chance, torch.get_rng_state())
    assert not any(module._forward_hooks for module in model.parts.denoiser.modules())
    again = model.read(pictures, "**", Condition(timestep=50))
    assert all(torch.equal(plain[site].values, again[site].values) for site in plain)


def test_a_store_keeps_the_batches_and_the_recipe(tmp_path):
    """Shards end where batches end, so that a store holds what one long read returns."""
    model, samples = _model("toy-sd15"), [Sample(str(i), picture) for i, picture in enumerate(_pictures(7))]
    options = {"timesteps": 50, "seed": 7, "progress": False, "shard_size": 2, "batch_size": 3}
    store = extract(model, samples, "mid", out=tmp_path, compat="sdhelper", keep=Keep(dtype="fp32"), **options)
    kept = store.get("mid").on_grid().numpy()
    read = model.read(samples, "mid", Condition(timestep=50, seed=7), compat=Compat(batch=3))["mid"].numpy()
    assert np.allclose(kept, read, atol=1e-5)
    assert store.volumes[0].recipe.model["compat"]["batch"] == 3
    assert len(extract(model, samples, "mid", out=tmp_path, **options).recipes) == 2


def test_what_sdhelper_cannot_do_is_refused():
    """Each refusal says what to do instead."""
    model, pictures = _model("toy-sd15"), _pictures(1)
    samples = [Sample("a", pictures[0])]
    with pytest.raises(UnknownName, match="sdhelper"):
        model.read(pictures, "mid", compat="sdhelpr")
    with pytest.raises(InputError, match="one seed"):
        list(model.stream(samples, "mid", [Condition(timestep=5, seed=s) for s in (0, 1)], compat="sdhelper"))
    with pytest.raises(InputError, match="draws=1"):
        model.read(pictures, "mid", Condition(timestep=5, draws=2), compat="sdhelper")
    with pytest.raises(InputError, match="U-Nets and SD3"):
        _model("toy-dit").read(pictures, "out", compat="sdhelper")
    with pytest.raises(InputError, match="no step"):
        _model("toy-sd3").read(pictures, "dit.d.0.img", Condition(timestep=0.5), compat="sdhelper")


def test_switches_are_spelled_out_for_recipes():
    """Two ways of reading never share a digest."""
    spelled = {canonical(compat.to_dict()) for compat in (Compat(), Compat(unit_range=False), Compat(batch=4))}
    assert len(spelled) == 3
    assert compat_of("sdhelper") == NAMES["sdhelper"] == Compat()
    assert compat_of(None) is None
