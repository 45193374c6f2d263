"""One forward of a denoiser at a time, with edits applied and taps read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError
from denoscope.models.hooks import Edit, Recorder, Tap, check_readable

if TYPE_CHECKING:
    import torch
    from torch import nn

    from denoscope.models.compiling import Regions

__all__ = ["Runner"]


class Runner:
    """Runs a model's denoiser: other threads wait, gradients are off, dropout is off, and all is put back afterwards.

    Attributes:
        edits: what is applied to every run now, in order.
        lock: held during a run; whoever changes what a run reads takes it.
        regions: blocks that run compiled, where nothing inside them is read or edited.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.edits: list[tuple[Tap, Edit]] = []
        self.regions: Regions | None = None
        self._running = False

    def __call__(
        self, denoiser: nn.Module, forward: Callable[[], torch.Tensor], taps: Sequence[Tap], stop: bool, check: bool
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
        """Tensors by site name, and what `forward` returned unless it was stopped early.

        Args:
            denoiser: the module that `forward` calls.
            forward: one call of it.
            taps: what is read.
            stop: end the forward once every tap has fired.
            check: refuse a denoiser whose hooks would not see what it computes.
        """
        import torch

        with self._alone(), torch.no_grad(), _evaluating(denoiser):
            if check:
                check_readable(denoiser)
            recorder = Recorder(denoiser, taps, self.edits, stop)
            with self.regions.running(taps, self.edits) if self.regions else nullcontext():
                output = recorder.run(forward)
        return recorder.values, output

    @contextmanager
    def editing(self, added: Sequence[tuple[Tap, Edit]]) -> Generator[None]:
        """Further edits for the time being."""
        with self.lock:
            before = list(self.edits)
            self.edits.extend(added)
            try:
                yield
            finally:
                self.edits[:] = before

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Other threads wait; the same thread can only be here again from inside an edit, whose hooks it would see."""
        with self.lock:
            if self._running:
                raise InputError("an edit cannot run the model that it edits; read what it needs before")
            self._running = True
            try:
                yield
            finally:
                self._running = False


@contextmanager
def _evaluating(module: Any) -> Generator[None]:
    """Evaluation mode for the time being; every sub-module gets back the mode that it had."""
    training = [part for part in module.modules() if part.training]
    try:
        if training:
            module.eval()
        yield
    finally:
        for part in training:
            part.training = True
