"""Loading: a folder in diffusers format reads as the components it was saved from; faults are one line each."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from safetensors.torch import save_file

import denoscope as ds
from denoscope.core.condition import Condition
from denoscope.core.errors import DenoscopeError, InputError, MissingPackage, UnknownName
from denoscope.core.sample import Sample
from denoscope.models.base import Model
from denoscope.models.folder import weight_digest
from denoscope.models.loading import family_of, load, wrap
from denoscope.models.precision import choose_device, choose_dtypes
from denoscope.models.toys import toy as build

AT = Condition(timestep=50, prompt="a red cat")
FP32 = {"dtype": "fp32", "device": "cpu"}


def save(model: Model, folder: Path) -> Path:
    """The model as a pipeline of diffusers writes it."""
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline

    parts: Any = model.parts
    common: dict[str, Any] = {"vae": parts.vae, "unet": parts.denoiser}
    for n, text in enumerate(parts.text):
        suffix = "" if n == 0 else f"_{n + 1}"
        common |= {f"text_encoder{suffix}": text.encoder, f"tokenizer{suffix}": text.tokenizer}
    if len(parts.text) == 2:
        pipeline: Any = StableDiffusionXLPipeline(
            **common, scheduler=EulerDiscreteScheduler.from_config(dict(parts.scheduler)), add_watermarker=False
        )
    else:
        pipeline = StableDiffusionPipeline(
            **common, scheduler=DDIMScheduler.from_config(dict(parts.scheduler)), safety_checker=None,
            feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
    pipeline.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def folders(toy: Callable[[str], Model], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints on disk."""
    return {name: save(toy(name), tmp_path_factory.mktemp(name)) for name in ("sd15", "sdxl")}


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A checkpoint that a test may damage."""
    return Path(shutil.copytree(folders["sd15"], tmp_path / "checkpoint"))


@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_a_saved_pipeline_reads_bitwise_the_same(
    folders: dict[str, Path], toy: Callable[[str], Model], images: list[Sample], name: str
) -> None:
    """Activations of the reloaded folder equal those of the components it was saved from; text is read when needed."""
    state = torch.get_rng_state()
    loaded = ds.load(folders[name], **FP32)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(text.encoder is None for text in loaded.parts.text)
    sites = ["mid", "up.1", "up.2.res.0", "x0"]
    ours, theirs = loaded.read(images[:2], sites, AT), toy(name).read(images[:2], sites, AT)
    assert torch.equal(torch.get_rng_state(), state)
    for site in sites:
        assert torch.equal(ours[site].values, theirs[site].values), site
    assert loaded.parts.native == 64 and len(loaded.parts.text) == len(toy(name).parts.text)
    other = loaded.read(images[:2], "up.1", AT.at(prompt="a dog"))["up.1"]
    assert not torch.equal(other.values, ours["up.1"].values)


def test_a_recipe_follows_the_files(folder: Path) -> None:
    """Other weights, another noise schedule or another precision make another recipe; the same files the same."""
    first = weight_digest(folder)
    assert first == weight_digest(folder)
    file = folder / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"beta_end": 0.02}))
    second = weight_digest(folder)
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert len({first, second, weight_digest(folder)}) == 3
    recipe = load(folder, **FP32).recipe
    half = load(folder, device="cpu", dtype={"vae": "bf16", "denoiser": "fp32", "text": "fp32"}).recipe
    assert recipe["family"] == "UNet" and recipe["dtype"] == "float32" and recipe != half


@pytest.mark.parametrize("part", ["vae", "unet", "text_encoder", "tokenizer", "scheduler"])
def test_a_missing_component_is_named(folder: Path, part: str) -> None:
    """A checkpoint without one of its parts says which, in one line."""
    shutil.rmtree(folder / part)
    with pytest.raises(InputError, match=part) as caught:
        load(folder, **FP32).texts(["a cat"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fault", ["index", "torn index", "weights", "foreign", "unlisted", "tokenizer"])
def test_a_damaged_checkpoint_is_told(folder: Path, fault: str) -> None:
    """No index, truncated weights, classes of other packages and parts that are not listed are one line each."""
    index = folder / "model_index.json"
    if fault == "index":
        index.unlink()
    if fault == "torn index":
        index.write_text("{")
    if fault == "tokenizer":
        for file in (folder / "tokenizer").iterdir():
            file.write_text("{")
    if fault == "weights":
        (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"short")
    changes = {"foreign": {"unet": ["os", "UNet"]}, "unlisted": {"vae": [None, None]}}.get(fault, {})
    if changes:
        index.write_text(json.dumps(json.loads(index.read_text()) | changes))
    with pytest.raises(InputError) as caught:
        load(folder, **FP32)
    assert "\n" not in str(caught.value) and "checkpoint" in str(caught.value)


@pytest.mark.parametrize("way", ["weights", "tokenizer", "class"])
def test_a_checkpoint_never_runs_code(folder: Path, way: str) -> None:
    """Pickled calls, tokenizers that bring a class and classes that look for one are refused, and nothing runs."""
    ran = folder.parent / "ran"
    if way == "weights":

        class Evil:
            def __reduce__(self) -> Any:
                return (ran.touch, ())

        (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
        torch.save({"conv_in.weight": Evil()}, folder / "unet" / "diffusion_pytorch_model.bin")
    else:
        part, kind = ("tokenizer", "AutoTokenizer") if way == "tokenizer" else ("text_encoder", "AutoModel")
        (folder / part / "own.py").write_text(f"open({str(ran)!r}, 'w').close()\nclass Own: pass\n")
        config = folder / part / ("tokenizer_config.json" if way == "tokenizer" else "config.json")
        named = {"auto_map": {kind: "own.Own"}, "tokenizer_class": "Own", "model_type": "own"}
        config.write_text(json.dumps(json.loads(config.read_text()) | named))
        index = folder / "model_index.json"
        index.write_text(json.dumps(json.loads(index.read_text()) | {part: ["transformers", kind]}))
    with pytest.raises(InputError) as caught:
        load(folder, **FP32).texts(["a cat"])
    assert "\n" not in str(caught.value) and not ran.exists()


@pytest.mark.parametrize(
    "name,message", [("toy-sd16", "did you mean"), ("untrained:toy-sd16", "did you mean"), ("nonsense", "list models")]
)
def test_unknown_models(name: str, message: str) -> None:
    """A name that no registry knows is answered with near ones and how to list them."""
    with pytest.raises(UnknownName, match=message) as caught:
        ds.load(name)
    assert "\n" not in str(caught.value)


def test_an_absent_checkpoint_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not on this machine is answered with the command that fetches it."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="hf download nobody/nothing"):
        ds.load("nobody/nothing", local_only=True)


def test_a_folder_that_is_not_there_is_no_checkpoint_of_the_hub(folder: Path) -> None:
    """What can only be a path is told as one; folders and built models have no revisions."""
    for name in ("./nowhere", "/no/such/folder", "~/nowhere", "nowhere/"):
        with pytest.raises(InputError, match="no folder"):
            load(name)
    for name in (folder, "toy-sd15"):
        with pytest.raises(InputError, match="no revision"):
            load(name, revision="main")
    with pytest.raises(UnknownName, match="no model ''"):
        load("")


def test_a_denoiser_of_another_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file at the root takes the base's configuration, one in a folder its own, whichever class it was saved as."""
    import denoscope.models.folder as reading

    theirs: Any = build("toy-pixart").denoiser
    base: Any = type(theirs).from_config({**theirs.config, "num_layers": 1})
    base.save_pretrained(tmp_path / "base" / "transformer")
    theirs.save_pretrained(tmp_path / "other" / "transformer")
    config = tmp_path / "other" / "transformer" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"_class_name": "Transformer2DModel"}))
    save_file(base.state_dict(), tmp_path / "other" / "lone.safetensors")
    monkeypatch.setattr(reading, "fetch_file", lambda repo, file, revision, local_only: tmp_path / repo / file)

    def read(file: str) -> Any:
        index = {"transformer": ["diffusers", "Transformer2DModel" if "/" in file else type(base).__name__]}
        source = ("other", file, None)
        return reading._replacement(tmp_path / "base", index, "transformer", source, torch.float32, True)

    for file, wanted in (("transformer/diffusion_pytorch_model.safetensors", theirs), ("lone.safetensors", base)):
        found = read(file)
        assert type(found).__name__ == "PixArtTransformer2DModel"
        assert found.config.num_layers == wanted.config.num_layers
        assert all(torch.equal(value, wanted.state_dict()[name]) for name, value in found.state_dict().items())
    config.unlink()
    with pytest.raises(InputError, match="cannot read transformer"):
        read("transformer/diffusion_pytorch_model.safetensors")


def test_compiled_denoisers_are_refused() -> None:
    """A compiled module is told as such, and not as a class that no family reads."""
    parts = build("toy-sd15")
    with pytest.raises(InputError, match="compile"):
        wrap(replace(parts, denoiser=torch.compile(parts.denoiser)))  # pyright: ignore[reportArgumentType]


def test_families_are_found_by_class() -> None:
    """A denoiser class that no family reads is told."""
    assert family_of("UNet2DConditionModel").__name__ == "UNet"
    with pytest.raises(UnknownName, match="family for denoiser class"):
        family_of("UNet3DConditionModel")


def test_wrapping_changes_nothing_of_the_users() -> None:
    """Components that were built elsewhere are wrapped without touching their flags."""
    parts = build("toy-sd15")
    parts.denoiser.train().requires_grad_(True)
    model = wrap(parts)
    assert model.parts.denoiser.training and next(parts.denoiser.parameters()).requires_grad


def test_vaes_that_overflow_are_never_in_half_precision(folders: dict[str, Path]) -> None:
    """fp16 on request is fp16 for the denoiser, but not for a VAE whose configuration warns of it."""
    model = load(folders["sdxl"], device="cpu", dtype="fp16")
    assert model.dtype == torch.float16 and next(model.parts.vae.parameters()).dtype == torch.float32  # pyright: ignore[reportOptionalMemberAccess]
    assert model.recipe["vae_dtype"] == "float32"


def test_precision_is_checked() -> None:
    """Components, types and devices that do not exist are refused; a name sets all, a mapping some."""
    cpu = torch.device("cpu")
    assert set(choose_dtypes(cpu, "bf16", {}).values()) == {torch.bfloat16}
    mixed = choose_dtypes(cpu, {"vae": "fp32"}, {"denoiser": "bf16", "text": "bf16"})
    assert mixed == {"denoiser": torch.bfloat16, "vae": torch.float32, "text": torch.bfloat16}
    for faulty in ("fp8", {"unet": "fp32"}):
        with pytest.raises(UnknownName):
            choose_dtypes(cpu, faulty, {})
    with pytest.raises(DenoscopeError):
        choose_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA"):
            choose_device("cuda")


def test_the_untrained_embedded_model_is_another(images: list[Sample], monkeypatch: pytest.MonkeyPatch) -> None:
    """`untrained:embedded` has the sites of `embedded` and other activations, and is made without a warning."""
    try:
        trained = ds.load("embedded")
    except (InputError, MissingPackage):
        pytest.skip("this checkout has no weights of the embedded model yet")
    told: list[str] = []
    monkeypatch.setattr("diffusers.models.modeling_utils.logger.warning", told.append)
    twin = ds.load("untrained:embedded")
    assert not told
    assert list(twin.taps) == list(trained.taps)
    a, b = (model.read(images[:1], "mid", AT)["mid"].values for model in (trained, twin))
    assert a.shape == b.shape and not torch.allclose(a, b)
    assert twin.recipe != trained.recipe
