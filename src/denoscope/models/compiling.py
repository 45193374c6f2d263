"""Regional compilation: the blocks that a denoiser repeats are compiled by torch, and what is read stays in sight.

A compiled block hides its tensors, so only the *forward* of a block is compiled and its hooks stay outside: what goes
into a block and what comes out can be read and edited as ever. A run that reads or edits something inside a block runs
that block as it was written. After each run the denoiser is as it was found.

Compiled kernels fuse and round in another order, so that values differ in the last digits; a recipe says that they
were compiled. Compiling takes a minute or more per shape (rows, canvas) and pays where shapes are repeated.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError
from denoscope.models.hooks import Edit, Tap, runs_on

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["Regions", "check_compiler"]

_FURTHER = {"ResnetBlock2D", "JointTransformerBlock", "BasicTransformerBlock"}
"""Repeated blocks beside those that diffusers names for a denoiser (`_repeated_blocks`)."""
_SHAPES = 64
"""Versions of one block's code: channels differ from block to block, rows from batch to batch."""


class Regions:
    """The repeated blocks of a denoiser, each compiled when it first runs.

    Args:
        denoiser: stays as it is.

    Raises:
        InputError: no compiler is here, the denoiser has no such blocks, or its weights are moved while it runs.
    """

    def __init__(self, denoiser: nn.Module) -> None:
        import torch

        kinds = _FURTHER | set(getattr(denoiser, "_repeated_blocks", None) or ())
        modules = dict(denoiser.named_modules())
        if any(runs_on(module) is not None for module in modules.values()):
            raise InputError("an offloaded denoiser is not compiled; leave out offload or compile")
        found = {path: module for path, module in modules.items() if type(module).__name__ in kinds}
        if not found:
            raise InputError(f"{type(denoiser).__name__} has no repeated blocks to compile; leave out compile")
        check_compiler(next(denoiser.parameters()).device)
        self._modules = found
        self._compiled: dict[str, Callable[..., Any]] = {
            path: torch.compile(module.forward, dynamic=False) for path, module in found.items()
        }

    def __len__(self) -> int:
        return len(self._modules)

    def free(self, touched: Iterable[str]) -> list[str]:
        """Paths of the blocks in which none of the modules lies that are read or edited."""
        inside = {parent for path in touched for parent in _parents(path)}
        return [path for path in self._modules if path not in inside]

    @contextmanager
    def running(self, taps: Sequence[Tap], edits: Sequence[tuple[Tap, Edit]]) -> Generator[None]:
        """Compiled forwards for the time being, wherever nothing is read or edited inside."""
        from torch._dynamo import config

        touched = [path for tap in taps for path in (*tap.needs, tap.site.path)]
        free = self.free([*touched, *(path for tap, _ in edits for path in (*tap.needs, tap.site.path))])
        try:
            for path in free:
                vars(self._modules[path])["forward"] = self._compiled[path]
            with config.patch(recompile_limit=_SHAPES):
                yield
        finally:
            for path in free:
                vars(self._modules[path]).pop("forward", None)


def check_compiler(device: torch.device) -> None:
    """Look for what torch compiles with.

    Raises:
        InputError: it is not here, with how to get it.
    """
    if device.type == "cuda":
        if find_spec("triton") is None:
            raise InputError("compile=True needs triton on a GPU: pip install triton; or leave it out")
        return
    wanted = os.environ.get("CXX", "g++")
    if device.type == "cpu" and shutil.which(wanted) is None:
        raise InputError(f"compile=True needs a C++ compiler, and {wanted} is not here; install g++, or leave it out")


def _parents(path: str) -> list[str]:
    """Paths of the modules around one, without itself."""
    parts = path.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]
