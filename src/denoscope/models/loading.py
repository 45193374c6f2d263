"""From a name to a model: a registered name, a Hub id, or a local folder in diffusers format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError, unknown
from denoscope.core.registry import models
from denoscope.models.cards import Card
from denoscope.models.components import Components, TextEncoder
from denoscope.models.hub import fetch, fetch_file
from denoscope.models.precision import choose_device, choose_dtypes

if TYPE_CHECKING:
    import torch
    from torch import nn

    from denoscope.models.base import Model

__all__ = ["UNTRAINED", "family_of", "load", "untrained", "wrap"]

UNTRAINED = "untrained:"

_DENOISERS = ("unet", "transformer")


def load(
    name: str | Path,
    *,
    device: str | None = None,
    dtype: str | Mapping[str, str] | None = None,
    revision: str | None = None,
    local_only: bool = False,
    offload: bool = False,
) -> Model:
    """A model by registered name (`"embedded"`, `"sd15"`), Hub id, or local folder in diffusers format.

    `"untrained:NAME"` is the random-init twin: the same architecture, VAE and text, a denoiser that learned nothing.
    Much of position, colour and low-level correspondence is there untrained, so it belongs next to every claim.

    Only VAE, denoiser and tokenizers are read now; text encoders when the first prompt is encoded.

    Args:
        name: see `denoscope list models`.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; the best there is unless given.
        dtype: `fp32`, `bf16` or `fp16`, for all components or by component (`denoiser`, `vae`, `text`); the
            defaults stand in `denoscope.models.precision`.
        revision: commit or branch of a Hub id; a registered name is pinned.
        local_only: never download.
        offload: keep weights in host memory and move each layer to the device while it runs.

    Raises:
        UnknownName: no such name, with the nearest ones.
        InputError: a checkpoint that is absent (with the command that fetches it) or lacks a component.
    """
    if str(name).startswith(UNTRAINED):
        trained = load(
            str(name).removeprefix(UNTRAINED),
            device=device, dtype=dtype, revision=revision, local_only=local_only, offload=offload,
        )  # fmt: skip
        return untrained(trained)
    place = choose_device(device)
    known = _card(str(name))
    if known is not None and known.build is not None:
        return wrap(_placed(known.build(), place, choose_dtypes(place, dtype, known.dtype), offload))
    folder, origin = _folder(str(name), known, revision, local_only)
    dtypes = choose_dtypes(place, dtype, known.dtype if known else {})
    parts = components(folder, dtypes, known, local_only)
    parts.recipe = {"name": known.name if known else str(name), **origin}
    return wrap(_placed(parts, place, dtypes, offload))


def untrained(model: Model, seed: int = 0) -> Model:
    """The model's random-init twin: its architecture, VAE and text encoders around a denoiser of random weights."""
    import torch

    denoiser: Any = model.parts.denoiser
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = type(denoiser).from_config(denoiser.config).requires_grad_(False).eval()
    torch.nn.Module.to(fresh, device=model.device, dtype=model.dtype, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    recipe = {**model.parts.recipe, "untrained": seed}
    return wrap(replace(model.parts, denoiser=fresh, recipe=recipe))


def wrap(parts: Components) -> Model:
    """The model of the family that fits the denoiser's class; for components that were built elsewhere."""
    return family_of(type(parts.denoiser).__name__)(parts)


def family_of(denoiser: str) -> type[Model]:
    """The family that reads a denoiser class of diffusers.

    Raises:
        UnknownName: no family reads it.
    """
    if denoiser not in FAMILIES:
        raise unknown("family for denoiser class", denoiser, FAMILIES, "denoscope list models")
    module, attribute = FAMILIES[denoiser].split(":")
    return getattr(import_module(f"denoscope.models.{module}"), attribute)


FAMILIES = {
    "UNet2DConditionModel": "unet:UNet",
    "SD3Transformer2DModel": "mmdit:MMDiT",
    "FluxTransformer2DModel": "flux:Flux",
    "PixArtTransformer2DModel": "dit:PixArt",
    "DiTTransformer2DModel": "dit:DiT",
    "Transformer2DModel": "dit:DiT",
}


def _card(name: str) -> Card | None:
    if name in models:
        return models.get(name)
    if "/" in name or Path(name).exists():
        return None
    raise unknown("model", name, [entry.name for entry in models], "denoscope list models (or give a Hub id or folder)")


def _folder(name: str, known: Card | None, revision: str | None, local_only: bool) -> tuple[Path, dict[str, Any]]:
    """The folder of a checkpoint, and what identifies its weights."""
    if known is None and Path(name).exists():
        folder = Path(name)
        if not (folder / "model_index.json").exists():
            raise InputError(f"{name} is no diffusers model: it has no model_index.json")
        return folder, {"weights": weight_digest(folder)}
    repos = [known.repo, *known.mirrors] if known else [name]
    commit = revision or (known.revision if known else None)
    repo, folder = fetch(repos, commit, local_only)
    return folder, {"repo": repo, "revision": folder.name}


def components(
    folder: Path, dtypes: Mapping[str, torch.dtype], known: Card | None = None, local_only: bool = True
) -> Components:
    index = json.loads((folder / "model_index.json").read_text())
    name = next((part for part in _DENOISERS if part in index), None)
    if name is None:
        raise InputError(f"{folder} names no denoiser; its model_index.json lists {', '.join(_parts(index))}")
    if known is not None and known.unet is not None:
        denoiser = _replacement(folder, index, name, known.unet, dtypes["denoiser"], local_only)
    else:
        denoiser = _network(folder, index, name, dtypes["denoiser"])
    return Components(
        denoiser=denoiser,
        vae=_network(folder, index, "vae", dtypes["vae"]),
        text=[_text(folder, index, part, dtypes["text"]) for part in _text_names(index)],
        scheduler={**_json(folder / "scheduler" / "scheduler_config.json"), **(known.scheduler if known else {})},
        pipeline={key: value for key, value in index.items() if not isinstance(value, list)},
        native=known.native if known else _native(folder, name),
        **({"steps": known.steps, "guidance": known.guidance} if known else {}),
    )


def _parts(index: Mapping[str, Any]) -> list[str]:
    return [name for name, value in index.items() if isinstance(value, list) and value[0] is not None]


def _text_names(index: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in _parts(index) if name.startswith("text_encoder"))


def _network(folder: Path, index: Mapping[str, Any], name: str, dtype: torch.dtype) -> nn.Module:
    """One component from its sub-folder, in `dtype`.

    Raises:
        InputError: the component is missing or cannot be read.
    """
    if name not in _parts(index):
        raise InputError(f"{folder} has no {name}; it has {', '.join(_parts(index))}")
    library, kind = index[name]
    if library not in ("diffusers", "transformers"):
        raise InputError(f"{name} of {folder} is a {kind} of {library!r}, which denoscope does not read")
    try:
        source = getattr(import_module(library), kind)
        with _quiet():
            return source.from_pretrained(
                folder / name, torch_dtype=dtype, local_files_only=True, **_variant(folder / name)
            )
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError) as error:
        reason = str(error).strip().split("\n")[0][:160]
        raise InputError(f"cannot read {name} of {folder}: {reason}") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the progress bars of transformers, which come back afterwards if they were on."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _variant(folder: Path) -> dict[str, str]:
    """Half-precision files, when a folder has no others."""
    files = [file.name for file in folder.glob("*.safetensors*")]
    return {"variant": "fp16"} if files and all(".fp16" in file for file in files) else {}


def _text(folder: Path, index: Mapping[str, Any], name: str, dtype: torch.dtype) -> TextEncoder:
    import transformers

    tokenizer = name.replace("text_encoder", "tokenizer")
    if not (folder / name).is_dir() or not (folder / tokenizer).is_dir():
        raise InputError(f"{folder} has no {name if not (folder / name).is_dir() else tokenizer} folder")
    made = transformers.AutoTokenizer.from_pretrained(folder / tokenizer, local_files_only=True)
    if len(set(map(tuple, made(["a cat", "a dog"]).input_ids))) < 2:
        raise InputError(f"{tokenizer} of {folder} reads every word alike; its vocabulary file is damaged")
    return TextEncoder(name, made, None, lambda: _network(folder, index, name, dtype).requires_grad_(False).eval())


def _replacement(
    folder: Path,
    index: Mapping[str, Any],
    name: str,
    source: tuple[str, str, str | None],
    dtype: torch.dtype,
    local_only: bool,
) -> nn.Module:
    """A denoiser of the base model's configuration with weights from a single file of another repository."""
    import diffusers
    from safetensors.torch import load_file

    repo, file, revision = source
    weights = fetch_file(repo, file, revision, local_only)
    denoiser: Any = getattr(diffusers, index[name][1]).from_config(_json(folder / name / "config.json"))
    denoiser.load_state_dict(load_file(weights))
    return denoiser.to(dtype)


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise InputError(f"{path.parent.parent} lacks {path.parent.name}/{path.name}")
    return json.loads(path.read_text())


def _native(folder: Path, name: str) -> int:
    """Side of the training images: the denoiser's sample size in latent cells times the VAE's factor."""
    cells = _json(folder / name / "config.json").get("sample_size") or 64
    levels = len(_json(folder / "vae" / "config.json")["block_out_channels"])
    return int(cells) * 2 ** (levels - 1)


def _placed(parts: Components, device: torch.device, dtypes: Mapping[str, torch.dtype], offload: bool) -> Components:
    """Networks on the device in their precision, convolutions in channels-last order."""
    import torch

    for network, component in ((parts.denoiser, "denoiser"), (parts.vae, "vae")):
        if network is None:
            continue
        torch.nn.Module.to(network, _safe(network, dtypes[component]))
        network.requires_grad_(False).eval()
        if offload:
            from accelerate import cpu_offload

            cpu_offload(network, device)
        else:
            torch.nn.Module.to(network, device=device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    for encoder in parts.text:
        _place_text(encoder, device, dtypes["text"])
    return parts


def _safe(network: Any, dtype: torch.dtype) -> torch.dtype:
    """The asked-for precision, save for VAEs that overflow in fp16 (SDXL's: `force_upcast`), which get fp32."""
    import torch

    overflows = dtype is torch.float16 and network.config.get("force_upcast", False)
    return torch.float32 if overflows else dtype


def _place_text(encoder: TextEncoder, device: torch.device, dtype: torch.dtype) -> None:
    bring = encoder.load
    if bring is not None:
        encoder.load = lambda: bring().to(device, dtype)
    if encoder.encoder is not None:
        encoder.encoder.to(device, dtype)


def weight_digest(folder: Path) -> str:
    """SHA-256 of a checkpoint's weights, configurations and vocabularies, 16 hexadecimal digits.

    Of files above 256 MB only the length and 64 evenly spaced blocks of 1 MB are read.
    """
    digest = sha256()
    weights = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("*.bin"))
    for file in (*weights, *sorted(folder.rglob("*.json")), *sorted(folder.rglob("*.txt"))):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()}\0{size}\0".encode())
        with file.open("rb") as handle:
            for start in range(0, size, 1 << 20) if size <= 1 << 28 else range(0, size, size // 64):
                handle.seek(start)
                digest.update(handle.read(1 << 20))
    return digest.hexdigest()[:16]
