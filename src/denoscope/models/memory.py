"""How much memory a model takes, for each way to keep its weights: arithmetic on shapes, before anything is loaded.

Weights are counted from parameters on the meta device; activations are those of one forward on it, where a tensor
counts from the operation that makes it to its end, and attention is a kernel that never holds its map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError
from denoscope.models.quantising import QUANTISATIONS

if TYPE_CHECKING:
    from torch import nn

    from denoscope.models.base import Model

__all__ = ["Choice", "Network", "choices", "loaded_networks", "networks", "weight_bytes"]

_QUARTERS = {"model": "network", "group": "block", "sequential": "layer"}


@dataclass(frozen=True)
class Network:
    """One network of a model, as shapes.

    Attributes:
        name: `denoiser`, `vae` or a text encoder's.
        module: with parameters, perhaps on the meta device.
        quantised: whether quantisation takes it: denoiser and T5.
        run: one forward of it on the meta device, where its activations count.
    """

    name: str
    module: nn.Module
    quantised: bool
    run: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Choice:
    """One way to keep a model's weights."""

    weights: str
    """Precision, and how linear layers are kept: `bf16`, `bf16+int8`."""
    offload: str
    """Way of offloading; empty for none."""
    card: int
    """Bytes on the device at the worst moment."""
    host: int
    """Bytes of weights that wait in host memory."""
    worst: str
    """What is on the device at that moment."""


def weight_bytes(module: nn.Module, width: int, quantise: str | None = None) -> int:
    """Bytes of a network's weights.

    Args:
        module: on any device.
        width: bytes of a number that is not quantised.
        quantise: one of `QUANTISATIONS`, or None.
    """
    import torch

    every = sum(weight.numel() for weight in module.parameters())
    if quantise is None:
        return every * width
    how = QUANTISATIONS[quantise]
    linear = [part.weight for part in module.modules() if type(part) is torch.nn.Linear]
    packed = sum(weight.numel() for weight in linear)
    rows = sum(len(weight) for weight in linear) if how.per_row else 0
    return round((every - packed + rows) * width + rows * how.row + packed * (how.weight + how.scale))


def choices(parts: Sequence[Network], width: int = 2, batch: int = 1, precision: str = "bf16") -> Iterator[Choice]:
    """What every combination of weights and offloading takes.

    Args:
        parts: of a model; the denoiser first.
        width: bytes of a number: 2 in bf16, 4 in fp32.
        batch: rows of one forward, by which activations are multiplied.
        precision: what such numbers are called.
    """
    active = {part.name: batch * _activations(part, width) for part in parts}
    for quantise in (None, *QUANTISATIONS):
        sizes = {part.name: weight_bytes(part.module, width, quantise if part.quantised else None) for part in parts}
        told = f"{precision}+{quantise}" if quantise else precision
        whole = sum(sizes.values())
        most = max(active, key=active.__getitem__)
        yield Choice(told, "", whole + active[most], 0, f"all weights, {most} running")
        for way in ("model",) if quantise else _QUARTERS:
            moments = {name: _held(part, way, sizes[name], width) + active[name] for name, part in _by_name(parts)}
            worst = max(moments, key=moments.__getitem__)
            place = "all of it" if way == "model" or worst != parts[0].name else f"a {_QUARTERS[way]} of it"
            yield Choice(told, way, moments[worst], whole, f"{worst} running, {place}")


def _by_name(parts: Sequence[Network]) -> Iterator[tuple[str, Network]]:
    return ((part.name, part) for part in parts)


def _held(part: Network, way: str, size: int, width: int) -> int:
    """Weights of a running network that are on the device together."""
    if way == "model" or (way == "group" and part.name != "denoiser"):
        return size
    if way == "sequential" and part.name in ("denoiser", "vae"):
        return max(sum(w.numel() for w in module.parameters(recurse=False)) for module in part.module.modules()) * width
    return _grouped(part.module, width) if way == "group" else size


def _grouped(module: nn.Module, width: int) -> int:
    """What belongs to no list of blocks, and the largest block: as diffusers groups them, one block at a time."""
    import torch

    lists = [child for child in module.children() if isinstance(child, (torch.nn.ModuleList, torch.nn.Sequential))]
    blocks = [weight_bytes(block, width) for one in lists for block in one]
    return weight_bytes(module, width) - sum(blocks) + max(blocks, default=0)


def _activations(part: Network, width: int) -> int:
    """Most bytes of activations of one row at a time; nothing for text, which is over before the rest begins."""
    if part.run is None:
        return 0
    from denoscope.models.peaks import peak

    return peak(part.run) * width // 4


def networks(name: str, size: int | None = None) -> list[Network]:
    """Denoiser, VAE and text encoders of a published checkpoint, as shapes alone.

    Args:
        name: one of `denoscope.models.toys.FULL_SIZES`.
        size: side of the canvas in pixels; the native one unless given.

    Raises:
        UnknownName: none of that name.
    """
    from denoscope.models._toys.fullsize import text_encoders, vae
    from denoscope.models.loading import wrap
    from denoscope.models.toys import full_size

    model = wrap(full_size(name))
    return _of(model, vae(name), text_encoders(name), size or model.parts.native)


def loaded_networks(model: Model, size: int | None = None) -> list[Network]:
    """The same of a model that is loaded, as far as its text encoders are.

    Raises:
        InputError: it has no VAE, or its weights are quantised, of which the plain size is not known.
    """
    from denoscope.models.quantising import is_quantised
    from denoscope.models.siteinfo import meta_twin

    if is_quantised(model.parts.denoiser):
        raise InputError("weights of a quantised model are counted from the plain one; load it without quantise")
    import torch

    encoders = {text.name: text.encoder for text in model.parts.text if text.encoder is not None}
    known: Any = model._vae()
    with torch.device("meta"):
        shapes = type(known).from_config(known.config)
    return _of(meta_twin(model), shapes, encoders, size or model.parts.native)


def _of(model: Model, vae: nn.Module, encoders: dict[str, nn.Module], side: int) -> list[Network]:
    import torch

    cells = side // model.factor
    latents = torch.empty(1, model.latent_channels, cells, cells, device="meta")
    times = torch.zeros(1, device="meta")
    denoise = partial(model.run, [], latents, times, model.embed([None]), stop=False, check=False)
    encode = partial(_encode, vae, torch.empty(1, 3, side, side, device="meta"))
    texts = [Network(name, encoder, "T5" in type(encoder).__name__) for name, encoder in encoders.items()]
    return [Network("denoiser", model.parts.denoiser, True, denoise), Network("vae", vae, False, encode), *texts]


def _encode(vae: Any, canvas: Any) -> Any:
    import torch

    with torch.no_grad():
        return vae.encode(canvas)
