"""From a name to a model: a registered name, a Hub id, or a local folder in diffusers format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError, unknown
from denoscope.core.registry import models
from denoscope.models.cards import Card
from denoscope.models.components import Components
from denoscope.models.folder import DENOISERS, Told, components, weight_digest
from denoscope.models.hooks import COMPILED
from denoscope.models.hub import fetch
from denoscope.models.precision import choose_device, choose_dtypes, offload_name, placed, spelled
from denoscope.models.quantising import by_hand, options, quantisation, quantised, quantised_parts

if TYPE_CHECKING:
    import torch

    from denoscope.models.base import Model

__all__ = ["UNTRAINED", "family_of", "load", "untrained", "wrap"]

UNTRAINED = "untrained:"


def load(
    name: str | Path,
    *,
    device: str | None = None,
    dtype: str | Mapping[str, str] | None = None,
    revision: str | None = None,
    local_only: bool = False,
    offload: bool | str = False,
    quantise: str | None = None,
    compile: bool = False,
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
        offload: keep weights in host memory and move them to the device while they run: `"model"` a network at a time,
            `"group"` a block, `"sequential"` (or True) a layer (`denoscope.models.offloading`). Values stay equal.
        quantise: `"int8"`, `"fp8"` or `"nf4"`: weights of the denoiser's and T5's linear layers in 8 or 4 bits
            (`denoscope.models.quantising`), which needs `denoscope[quant]`. It is another model; its recipe says so.
        compile: the denoiser's repeated blocks, where nothing inside them is read (`denoscope.models.compiling`):
            pays on many batches of one shape; values differ in the last digits, and the recipe says so.

    Raises:
        UnknownName: no such name, with the nearest ones.
        InputError: a checkpoint that is absent (with the command that fetches it) or lacks a component, or no compiler.
        MissingPackage: what quantises is not installed.
    """
    if str(name).startswith(UNTRAINED):
        trained = load(
            str(name).removeprefix(UNTRAINED),
            device=device, dtype=dtype, revision=revision, local_only=local_only, quantise=quantise,
        )  # fmt: skip
        if offload:
            raise InputError("an untrained twin is made in memory and cannot be offloaded; leave offload out")
        twin = untrained(trained)
        twin.parts.asked = {**(trained.parts.asked or {}), "name": str(name), "compile": compile}
        if compile:
            twin.compile()
        return twin
    place, way = choose_device(device), offload_name(offload)
    known = _card(str(name))
    dtypes = choose_dtypes(place, dtype, known.dtype if known else {})
    if known is not None and known.build is not None:
        if revision is not None:
            raise InputError(f"{name} is no Hub repository and has no revision {revision!r}; leave revision= out")
        parts = known.build()
    else:
        told = _quantising(quantise, dtypes, place) if quantise else None
        folder, origin = _folder(str(name), known, revision, local_only)
        parts = components(folder, dtypes, known, local_only, told)
        parts.recipe = {"name": known.name if known else str(name), **origin}
    if quantise:
        parts = quantised_parts(parts, quantise, dtypes, place)
    asked = {"name": str(name), "dtype": spelled(dtypes), "revision": revision, "offload": offload}
    parts.asked = {**asked, "quantise": quantise, "compile": compile}
    model = wrap(placed(parts, place, dtypes, way))
    if compile:
        model.compile()
    return model


def _quantising(name: str, dtypes: Mapping[str, torch.dtype], device: torch.device) -> Told:
    """What `from_pretrained` of a component is told."""
    quantisation(name)

    def told(part: str, library: str, kind: str) -> Mapping[str, Any]:
        component = "denoiser" if part in DENOISERS else "text" if kind == "T5EncoderModel" else None
        if component is None or by_hand(name, device):
            return {}
        return options(name, library, dtypes[component], device)

    return told


def untrained(model: Model, seed: int = 0) -> Model:
    """The model's random-init twin: its architecture, VAE and text encoders around a denoiser of random weights."""
    import torch

    denoiser: Any = model.parts.denoiser
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = {name: value for name, value in denoiser.config.items() if name != "quantization_config"}
        fresh = type(denoiser).from_config(config).requires_grad_(False).eval()
    how = model.parts.recipe.get("quantised")
    torch.nn.Module.to(fresh, model.dtype)  # diffusers' own `to` warns of modules to be kept in fp32, even of none
    if how:
        fresh = quantised(fresh, how["as"], model.dtype, model.device)
    torch.nn.Module.to(fresh, device=model.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    recipe = {name: told for name, told in model.parts.recipe.items() if name != "compiled"} | {"untrained": seed}
    return type(model)(replace(model.parts, denoiser=fresh, recipe=recipe))


def wrap(parts: Components) -> Model:
    """The model of the family that fits the denoiser's class; for components that were built elsewhere.

    Raises:
        UnknownName: no family reads a denoiser of that class.
        InputError: a compiled denoiser, or a noise schedule that has not 1000 timesteps.
    """
    kind = type(parts.denoiser).__name__
    if kind == "OptimizedModule":
        raise InputError(COMPILED)
    return family_of(kind)(parts)


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
    if name and ("/" in name or Path(name).exists()):
        return None
    names = sorted((entry.name for entry in models), key=lambda name: (name != "embedded", not name.startswith("toy")))
    raise unknown("model", name, names, "denoscope list models (or give a Hub id or folder)")


def _is_path(name: str) -> bool:
    """Whether a name can only be meant as a path: a Hub id is OWNER/NAME."""
    return name.startswith((".", "~", "/")) or name.endswith("/") or name.count("/") > 1


def _folder(name: str, known: Card | None, revision: str | None, local_only: bool) -> tuple[Path, dict[str, Any]]:
    """The folder of a checkpoint, and what identifies its weights."""
    folder = Path(name).expanduser()
    if known is None and (folder.exists() or _is_path(name)):
        if not folder.exists():
            raise InputError(f"no folder {name!r}; give one in diffusers format, a Hub id (OWNER/NAME) or a name")
        if revision is not None:
            raise InputError(f"{name} is a folder and has no revision {revision!r}; leave revision= out")
        if not (folder / "model_index.json").exists():
            raise InputError(f"{name} is no diffusers model: it has no model_index.json")
        return folder, {"weights": weight_digest(folder)}
    repos = [known.repo, *known.mirrors] if known else [name]
    commit = revision or (known.revision if known else None)
    repo, folder = fetch(repos, commit, local_only, DENOISERS if known is not None and known.unet is not None else ())
    return folder, {"repo": repo, "revision": folder.name}
