"""Networks that wait in host memory and come to the device when they run.

| name | on the device at a time | by |
|---|---|---|
| `model` | one network: VAE, denoiser or a text encoder | hooks of accelerate |
| `group` | one block of the denoiser, what belongs to no block, and the VAE | diffusers' group offloading |
| `sequential` | one layer | accelerate's `cpu_offload` |

The arithmetic is that of the device, so that values are equal to the bit to those without offloading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from accelerate.hooks import ModelHook, add_hook_to_module
from accelerate.utils import send_to_device

from denoscope.core.errors import InputError
from denoscope.models.quantising import is_quantised

if TYPE_CHECKING:
    import torch
    from torch import nn

    from denoscope.models.components import Components

__all__ = ["Stage", "offloaded"]


def offloaded(parts: Components, device: torch.device, how: str) -> Components:
    """Components that come to the device when they run.

    Args:
        parts: in their precision, in host memory.
        device: where they run.
        how: one of `denoscope.models.precision.OFFLOADS`.

    Raises:
        InputError: quantised weights that this way cannot move.
    """
    networks = [network for network in (parts.denoiser, parts.vae) if network is not None]
    if how != "model" and any(map(is_quantised, networks)):
        raise InputError(f"quantised weights are moved whole: offload='model', not {how!r}")
    stage = Stage(device)
    if how == "model":
        for network in networks:
            stage.enter(network)
    elif how == "group":
        _grouped(parts.denoiser, device)
        stage.enter(*networks[1:])
    else:
        for network in networks:
            _layered(network, device)
    for text in parts.text:
        _wait(text, stage)
    return parts


class Stage:
    """A device on which one of several networks stands at a time; the others wait in host memory.

    Args:
        device: where they run.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.networks: WeakSet[nn.Module] = WeakSet()  # a text encoder may be dropped meanwhile

    def enter(self, *networks: nn.Module) -> None:
        """Let networks wait until they are called."""
        for network in networks:
            self.networks.add(network)
            add_hook_to_module(network, _Entrance(self))

    def give(self, network: nn.Module) -> None:
        """Bring a network to the device, after all others have left it."""
        for other in self.networks:
            if other is not network and _place(other) == self.device.type != "cpu":
                _move(other, "cpu")
        if _place(network) != self.device.type:
            _move(network, self.device)


class _Entrance(ModelHook):
    """What a waiting network does before it runs."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.execution_device = stage.device
        """Where `Family.device` looks."""

    def init_hook(self, module: nn.Module) -> nn.Module:
        _move(module, "cpu")
        return module

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self._stage.give(module)
        return send_to_device(args, self._stage.device), send_to_device(kwargs, self._stage.device)


def _place(network: nn.Module) -> str:
    return next(network.parameters()).device.type


def _move(network: nn.Module, device: torch.device | str) -> None:
    """`Module.to` itself: those of diffusers and transformers refuse or warn."""
    import torch

    torch.nn.Module.to(network, device)


def _grouped(denoiser: nn.Module, device: torch.device) -> None:
    """Block by block, without a second stream: a forward that ends early would leave its prefetching half traced."""
    from diffusers.hooks.group_offloading import apply_group_offloading

    apply_group_offloading(denoiser, onload_device=device, offload_type="block_level", num_blocks_per_group=1)


def _layered(network: nn.Module, device: torch.device) -> None:
    from accelerate import cpu_offload

    cpu_offload(network, device)


def _wait(text: Any, stage: Stage) -> None:
    """Let a text encoder wait as well, also one that is read from disk later."""
    bring: Callable[[], nn.Module] | None = text.load

    def staged() -> nn.Module:
        assert bring is not None
        network = bring()
        stage.enter(network)
        return network

    if bring is not None:
        text.load = staged
    if text.encoder is not None:
        stage.enter(text.encoder)
