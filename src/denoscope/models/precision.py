"""Where and in which precision a model runs unless told otherwise.

| device | denoiser and text | VAE | why |
|---|---|---|---|
| CUDA, compute capability >= 8 | bf16 | bf16 | full speed, the range of fp32 |
| older CUDA, Apple | fp16 | fp32 | no fast bf16; SDXL's VAE overflows in fp16 |
| CPU with AMX or AVX512-BF16 | bf16 | bf16 | three to six times the speed of fp32 |
| other CPU | fp32 | fp32 | 16-bit types are emulated |

fp32 on request: `load(..., dtype="fp32")`, or per component `dtype={"vae": "fp32"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError, unknown
from denoscope.core.rank import rank

if TYPE_CHECKING:
    import torch
    from torch import nn

    from denoscope.models.components import Components, TextEncoder

__all__ = ["COMPONENTS", "OFFLOADS", "choose_device", "choose_dtypes", "offload_name", "placed", "spelled"]

COMPONENTS = ("denoiser", "vae", "text")
OFFLOADS = ("model", "group", "sequential")
"""Ways to move weights to the device while they run, from the fastest to the smallest."""
_NAMES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


def choose_device(device: str | None) -> torch.device:
    """The asked-for device, or the best there is; of several GPUs, that of this process' local rank.

    Raises:
        InputError: the device does not exist here.
    """
    import torch

    if device is None:
        mps = torch.backends.mps.is_available()
        return _own(torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"))
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise unknown("device", device, ["cpu", "cuda", "cuda:0", "mps"], "denoscope doctor") from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device {device!r} was asked for, but torch sees no CUDA GPU here; see: denoscope doctor")
    return _own(chosen)


def _own(device: torch.device) -> torch.device:
    """The GPU of this process, where a launcher started several and none was named by its number."""
    import torch

    here = rank()
    if here.alone or device.type != "cuda" or device.index is not None:
        return device
    return torch.device("cuda", here.local % torch.cuda.device_count())


def choose_dtypes(
    device: torch.device, dtype: str | Mapping[str, str] | None, card: Mapping[str, str]
) -> dict[str, torch.dtype]:
    """Precision of each component: as asked, else as the card says, else by the device's rule above."""
    import torch

    asked: Mapping[str, str] = {} if dtype is None else dtype if not isinstance(dtype, str) else _all(dtype)
    for name in asked.keys() - set(COMPONENTS):
        raise unknown("component", name, COMPONENTS, "help(denoscope.load)")
    names = {**_default(device), **card, **asked}
    for name in names.values():
        if name not in _NAMES:
            raise unknown("dtype", name, _NAMES, "help(denoscope.load)")
    return {component: getattr(torch, _NAMES[name]) for component, name in names.items()}


def offload_name(asked: bool | str | None) -> str | None:
    """Which way was asked for; True is `sequential`.

    Raises:
        UnknownName: there is none of that name.
    """
    if asked is True:
        return "sequential"
    if asked and asked not in OFFLOADS:
        raise unknown("way to offload", str(asked), OFFLOADS, "help(denoscope.load)")
    return str(asked) if asked else None


def spelled(dtypes: Mapping[str, torch.dtype]) -> dict[str, str]:
    """Precisions by the names that `choose_dtypes` takes, so that another device can be asked for the same."""
    names = {long: short for short, long in _NAMES.items()}
    return {component: names[str(dtype).removeprefix("torch.")] for component, dtype in dtypes.items()}


def _all(dtype: str) -> dict[str, str]:
    return dict.fromkeys(COMPONENTS, dtype)


def _default(device: torch.device) -> dict[str, str]:
    import torch

    if device.type == "cuda":
        fast = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        fast = device.type == "cpu" and has_fast_bf16()
    if fast:
        return _all("bf16")
    half = "fp32" if device.type == "cpu" else "fp16"
    return {"denoiser": half, "vae": "fp32", "text": half}


def has_fast_bf16() -> bool:
    """Whether this CPU multiplies bf16 matrices in hardware (AMX or AVX512-BF16)."""
    import torch

    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, probe, lambda: False)() for probe in probes)


def placed(
    parts: Components, device: torch.device, dtypes: Mapping[str, torch.dtype], offload: str | None
) -> Components:
    """Networks on the device in their precision, convolutions in channels-last order; or waiting to come there.

    Args:
        parts: as they were read.
        device: where they run.
        dtypes: precision by component; quantised networks have theirs already.
        offload: one of `OFFLOADS`, or None.

    Raises:
        InputError: quantised weights that this way of offloading cannot move.
    """
    import torch

    from denoscope.models.quantising import is_quantised

    for network, component in ((parts.denoiser, "denoiser"), (parts.vae, "vae")):
        if network is None:
            continue
        if not is_quantised(network):
            torch.nn.Module.to(network, _safe(network, dtypes[component]))
        network.requires_grad_(False).eval()
        where = {} if offload else {"device": device}
        torch.nn.Module.to(network, memory_format=torch.channels_last, **where)  # pyright: ignore[reportCallIssue]
    for encoder in parts.text:
        _place_text(encoder, torch.device("cpu") if offload else device, dtypes["text"])
    if offload is None:
        return parts
    from denoscope.models.offloading import offloaded

    return offloaded(parts, device, offload)


def _safe(network: Any, dtype: torch.dtype) -> torch.dtype:
    """The asked-for precision, save for VAEs that overflow in fp16 (SDXL's: `force_upcast`), which get fp32."""
    import torch

    overflows = dtype is torch.float16 and network.config.get("force_upcast", False)
    return torch.float32 if overflows else dtype


def _place_text(encoder: TextEncoder, device: torch.device, dtype: torch.dtype) -> None:
    bring = encoder.load
    if bring is not None:
        encoder.load = lambda: _sent(bring(), device, dtype)
    if encoder.encoder is not None:
        encoder.encoder = _sent(encoder.encoder, device, dtype)


def _sent(network: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    from denoscope.models.quantising import is_quantised

    return network.to(device) if is_quantised(network) else network.to(device, dtype)
