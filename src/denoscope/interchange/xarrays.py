"""A store as an xarray Dataset that reads when it is looked at: the labels of a conversion without the conversion.

`xarray.open_dataset("runs/x", engine="denoscope")`, or `open_xarray(store)`; both read from the store's own shards.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from xarray import Dataset, Variable
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from denoscope.chosen import opened
from denoscope.core.errors import InputError, unknown
from denoscope.interchange.labels import axes_of, facts_of, labels
from denoscope.interchange.stacks import Stack, Tensor, stacks
from denoscope.store.store import Store

__all__ = ["StoreBackend", "open_xarray"]

_CHUNK = 8 << 20
"""Bytes of fp32 that dask is told to read at a time."""


def open_xarray(store: "Store | str | Path", group: str | None = None) -> Dataset:
    """One recipe and canvas size of a store, labelled; values are read when they are asked for.

    Args:
        store: the store, or its folder or URL.
        group: `DIGEST/CANVAS`, as `convert` names groups, with the digest's beginning or whole; may be left out where
            there is but one.

    Returns:
        A variable per site, `(condition, sample, SITE.axis, ...)` in fp32; ids, facts, frames and conditions as
        coordinates.

    Raises:
        UnknownName: no such group.
        InputError: there are several, and none was named.
        StoreError: the store is empty.
    """
    stack = _one(list(stacks(opened(store))), group)
    arrays = {tensor.site.name: _variable(stack, tensor) for tensor in stack.tensors}
    found = list(labels(stack))
    beside = {label.name: (label.axes, label.values) for label in found if not label.about}
    cells = {label.name: (label.axes, label.values) for label in found if label.about}
    about = {"recipe": stack.volume.recipe.digest, "canvas": stack.group}
    return Dataset({**arrays, **cells}, coords=beside, attrs=about)


class StoreBackend(BackendEntrypoint):
    """Opens a store where xarray is told `engine="denoscope"`."""

    description = "Activations of diffusion models in a store of denoscope"
    open_dataset_parameters = ("filename_or_obj", "drop_variables", "group")

    def open_dataset(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, filename_or_obj: Any, *, drop_variables: str | Iterable[str] | None = None, group: str | None = None
    ) -> Dataset:
        """See `open_xarray`."""
        dropped = [drop_variables] if isinstance(drop_variables, str) else list(drop_variables or ())
        return open_xarray(filename_or_obj, group).drop_vars(dropped)


class _Lazy(BackendArray):
    """One site's values, read when they are indexed."""

    def __init__(self, stack: Stack, tensor: Tensor) -> None:
        self.stack, self.tensor = stack, tensor
        self.shape = (len(stack.numbers), len(stack), *tensor.shape)
        self.dtype = np.dtype(np.float32)

    def __getitem__(self, key: Any) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[np.float32]:
        """A number, slice or array of numbers per axis, each picking by itself."""
        conditions, rows = (np.arange(self.shape[axis])[key[axis]] for axis in (0, 1))
        numbers = [self.stack.numbers[at] for at in np.atleast_1d(conditions)]
        picked = np.atleast_1d(rows)
        found = np.empty((len(numbers), len(picked), *self.tensor.shape), dtype=np.float32)
        for at, number in enumerate(numbers):
            if len(picked):
                found[at] = self.stack.rows(self.tensor, number, picked)
        whole: Sequence[Any] = [0 if np.ndim(one) == 0 else slice(None) for one in (conditions, rows)]
        for axis, one in reversed(list(enumerate([*whole, *key[2:]]))):
            found = found[(slice(None),) * axis + (one,)]
        return cast("NDArray[np.float32]", found)


def _variable(stack: Stack, tensor: Tensor) -> Variable:
    lazy = indexing.LazilyIndexedArray(_Lazy(stack, tensor))
    each = {"sample": max(1, min(_CHUNK // max(1, tensor.bytes), len(stack))), "condition": 1}
    return Variable(axes_of(tensor), lazy, facts_of(tensor), {"preferred_chunks": each})


def _one(found: Sequence[Stack], group: str | None) -> Stack:
    named = {f"{stack.volume.recipe.digest}/{stack.name}": stack for stack in found}
    if group is None and len(named) == 1:
        return found[0]
    if group is None:
        raise InputError(f"several groups lie here; say which: group={', '.join(named)}")
    digest, _, rest = group.partition("/")
    fitting = [
        stack for name, stack in named.items() if digest and name.startswith(digest) and name.endswith(f"/{rest}")
    ]
    if len(fitting) != 1:
        raise unknown("group", group, named, "denoscope list STORE")
    return fitting[0]
