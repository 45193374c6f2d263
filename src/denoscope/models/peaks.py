"""Most memory that tensors take at a time while something runs on the meta device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["peak"]


def peak(run: Callable[[], Any]) -> int:
    """Bytes of all tensors that are made by `run`, at the moment when most of them exist."""
    with _Flash(), _Living() as living:
        kept = run()
    del kept
    return living.most


class _Flash(TorchFunctionMode):
    """Attention as a kernel gives it: an output, and no map."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        told = kwargs or {}
        if func is not torch.nn.functional.scaled_dot_product_attention:
            return func(*args, **told)
        query = args[0] if args else told["query"]
        value = args[2] if len(args) > 2 else told["value"]
        return query.new_empty((*query.shape[:-1], value.shape[-1]))


class _Living(TorchDispatchMode):
    """Counts storages from the operation that makes them until nobody refers to them.

    Attributes:
        most: bytes at the worst moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = {_key(leaf) for leaf in tree_leaves((args, kwargs or {})) if isinstance(leaf, torch.Tensor)}
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, torch.Tensor) and _key(leaf) not in before:
                storage = leaf.untyped_storage()
                self._alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self._alive = {key: entry for key, entry in self._alive.items() if not entry[0].expired()}
        self.most = max(self.most, sum(size for _, size in self._alive.values()))
        return made


def _key(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata
