"""Weights of linear layers in 8 or 4 bits; norms, biases, embeddings and convolutions stay as they are.

| name | weight | scale | by |
|---|---|---|---|
| `int8` | 8-bit integers, symmetric | one per output channel | torchao |
| `fp8` | float8 e4m3 | one per output channel | torchao |
| `nf4` | 4-bit NormalFloat (QLoRA, Dettmers et al. 2023) | fp32, one per 64 weights | bitsandbytes |

Each is weight-only: a matrix product runs in the model's precision on the weights that these stand for, row by row, so
that a value does not depend on the batch. (LLM.int8, which picks outliers by the batch, is therefore not among them.)
A quantised model is another model: its recipe says so and has another digest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError, unknown
from denoscope.core.optional import require

if TYPE_CHECKING:
    import torch
    from torch import nn

    from denoscope.models.components import Components, TextEncoder

__all__ = [
    "QUANTISATIONS",
    "Quantisation",
    "by_hand",
    "is_quantised",
    "options",
    "quantisation",
    "quantised",
    "quantised_parts",
]


@dataclass(frozen=True)
class Quantisation:
    """One way to keep the weights of linear layers."""

    package: str
    """That does it."""
    weight: float
    """Bytes per weight."""
    scale: float
    """Bytes of scales per weight, where they stand per weight."""
    per_row: bool
    """Whether there is a scale per output channel instead, in the model's precision."""
    row: int = 0
    """Further bytes per output channel."""


QUANTISATIONS: Mapping[str, Quantisation] = {
    "int8": Quantisation("torchao", 1.0, 0.0, True, row=1),
    "fp8": Quantisation("torchao", 1.0, 0.0, True),
    "nf4": Quantisation("bitsandbytes", 0.5, 4 / 64, False),
}
_MAKERS = {"int8": "Int8WeightOnlyConfig", "fp8": "Float8WeightOnlyConfig"}


def quantisation(name: str) -> Quantisation:
    """By its name.

    Raises:
        UnknownName: there is none of that name.
        MissingPackage: the package that does it is not installed.
    """
    if name not in QUANTISATIONS:
        raise unknown("quantisation", name, QUANTISATIONS, "help(denoscope.load)")
    found = QUANTISATIONS[name]
    require(found.package, f"load a model in {name}", "denoscope[quant]")
    return found


def options(name: str, library: str, dtype: torch.dtype, device: torch.device) -> dict[str, Any]:
    """What `from_pretrained` of diffusers or transformers is told, so that weights are quantised as they are read."""
    source = require(library, "load a model")
    if name in _MAKERS:
        recipe = getattr(require("torchao.quantization", f"load a model in {name}", "denoscope[quant]"), _MAKERS[name])
        return {"quantization_config": source.TorchAoConfig(recipe())}
    told = {"load_in_4bit": True, "bnb_4bit_quant_type": name, "bnb_4bit_compute_dtype": dtype}
    place = {"device_map": {"": str(device)}} if device.type != "cpu" else {}
    return {"quantization_config": source.BitsAndBytesConfig(**told), **place}


def quantised_parts(
    parts: Components, name: str, dtypes: Mapping[str, torch.dtype], device: torch.device
) -> Components:
    """Denoiser and T5 quantised, where they are not; the recipe says which.

    Args:
        parts: with networks in memory.
        name: one of `QUANTISATIONS`.
        dtypes: in which matrix products run.
        device: where they will.
    """
    found = quantisation(name)
    parts.denoiser = quantised(parts.denoiser, name, dtypes["denoiser"], device)
    done = ["denoiser"]
    for text in parts.text:
        if "T5" in type(text.tokenizer).__name__:
            done.append(text.name)
            _quantise_text(text, name, dtypes["text"], device)
    parts.recipe = {**parts.recipe, "quantised": {"as": name, "by": found.package, "parts": done}}
    return parts


def _quantise_text(text: TextEncoder, name: str, dtype: torch.dtype, device: torch.device) -> None:
    """T5, which is forty times as large as CLIP's encoders: now, or when it is read from disk."""
    bring = text.load
    if bring is not None:
        text.load = lambda: quantised(bring(), name, dtype, device)
    if text.encoder is not None:
        text.encoder = quantised(text.encoder, name, dtype, device)


def is_quantised(network: Any) -> bool:
    """Whether a network's weights are quantised, by whomever."""
    return getattr(network, "hf_quantizer", None) is not None or getattr(network, "is_quantized", False)


def quantised(network: nn.Module, name: str, dtype: torch.dtype, device: torch.device) -> nn.Module:
    """A network that is in memory, with its weights quantised as those of a checkpoint are.

    Args:
        network: of diffusers or transformers; unchanged.
        name: one of `QUANTISATIONS`.
        dtype: in which matrix products run.
        device: where they will.

    Raises:
        InputError: it was quantised before.
    """
    import torch

    if is_quantised(network):
        return network
    library = type(network).__module__.partition(".")[0]
    plain: Any = network
    if by_hand(name, device):
        return _four_bits(network, dtype)
    with tempfile.TemporaryDirectory() as folder, quiet():
        plain.save_pretrained(folder)
        kind: Any = type(network)
        told = {"torch_dtype" if library == "diffusers" else "dtype": dtype}
        try:
            made = kind.from_pretrained(folder, **told, **options(name, library, dtype, device))
        except (RuntimeError, ValueError, ImportError) as error:
            reason = str(error).strip().split("\n")[0][:160]
            raise InputError(f"{type(network).__name__} cannot be loaded in {name}: {reason}") from None
    assert isinstance(made, torch.nn.Module)
    return made.requires_grad_(False).eval()


def by_hand(name: str, device: torch.device) -> bool:
    """Whether layers are replaced here, because diffusers does it on a GPU alone."""
    return name == "nf4" and device.type == "cpu"


def _four_bits(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """As diffusers does on a GPU: a layer with packed weights in the place of each linear one."""
    import copy

    import torch

    from denoscope.models.fourbit import Linear4

    made = torch.nn.Module.to(copy.deepcopy(network), dtype)
    for path, module in [*made.named_modules()]:
        if type(module) is torch.nn.Linear:
            parent, _, last = path.rpartition(".")
            setattr(made.get_submodule(parent), last, Linear4(module, dtype))
    marked: Any = made
    marked.is_quantized = True
    return made.requires_grad_(False).eval()


@contextmanager
def quiet() -> Generator[None]:
    """Without the progress bars of transformers and the advice of diffusers on precision; as it was afterwards."""
    from diffusers.utils import logging as ours
    from transformers.utils import logging as theirs

    level, shown = ours.get_verbosity(), theirs.is_progress_bar_enabled()
    ours.set_verbosity_error()
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        ours.set_verbosity(level)
        if shown:
            theirs.enable_progress_bar()
