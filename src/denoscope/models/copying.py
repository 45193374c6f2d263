"""Tensors between a device and the host, without either waiting for the other.

A GPU copies by itself from and to page-locked memory while it computes and while the host works. On a CPU, and on
devices that know no page-locked memory, everything here is the plain copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["IN_FLIGHT", "Copies", "Landing", "sent"]

IN_FLIGHT = 2
"""Passes whose tensors may wait on the device for being copied; more of them would fill its memory."""


def sent(value: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A host tensor on a device; the host does not wait for a GPU."""
    if device.type != "cuda":
        return value.to(device)
    return value.pin_memory().to(device, non_blocking=True)


class Landing:
    """Tensors of one pass on their way to the host.

    The copy runs on a stream of its own, after what was queued when it was asked for, and beside what is queued
    later. Page-locked memory is scarce and given back by `values`, whose tensors are plain.

    Args:
        values: tensors of one device by name.
        stream: of copies (CUDA); None copies at once.
    """

    def __init__(self, values: Mapping[str, torch.Tensor], stream: Any = None) -> None:
        import torch

        self._event: Any = None
        self._values: dict[str, torch.Tensor] | None = None
        if stream is None:
            self._values = {name: value.cpu() for name, value in values.items()}
            return
        self._held = {name: torch.empty_like(value, device="cpu", pin_memory=True) for name, value in values.items()}
        stream.wait_stream(torch.cuda.current_stream(stream.device))
        with torch.cuda.stream(stream):
            for name, value in values.items():
                self._held[name].copy_(value, non_blocking=True)
                value.record_stream(stream)  # its memory is not given to others before it was copied
            self._event = stream.record_event()

    def values(self) -> dict[str, torch.Tensor]:
        """The tensors, on the host; waits until they are there."""
        if self._values is None:
            self._event.synchronize()
            self._values = {name: value.clone() for name, value in self._held.items()}
            self._held = {}
        return self._values


class Copies:
    """The copies to the host of one stream of passes, few of them at a time.

    Args:
        device: where the passes run.
        most: passes whose tensors may be on the way.
    """

    def __init__(self, device: torch.device, most: int = IN_FLIGHT) -> None:
        import torch

        self._stream: Any = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._most = most
        self._flying: list[Landing] = []

    def __call__(self, values: Mapping[str, torch.Tensor]) -> Landing:
        """Begin a copy; waits for the oldest one where too many are on the way."""
        self._flying = [*self._flying, Landing(values, self._stream)]
        for landing in self._leaving():
            landing.values()
        return self._flying[-1]

    def _leaving(self) -> Iterator[Landing]:
        while len(self._flying) > self._most:
            yield self._flying.pop(0)
