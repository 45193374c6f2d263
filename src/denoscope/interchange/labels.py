"""What stands beside the values of a stack: ids, frames, facts, conditions and cells."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.interchange.stacks import FRAME, Stack, Tensor

__all__ = ["Label", "axes_of", "facts_of", "labels"]

_FACT = "fact."
"""Before a fact whose name is taken."""


@dataclass(frozen=True, eq=False)
class Label:
    """One array that says something of samples or conditions."""

    name: str
    axes: tuple[str, ...]
    values: NDArray[Any]
    about: str = ""
    """The site that it tells of, where it tells of one."""


def axes_of(tensor: Tensor) -> tuple[str, ...]:
    """Names of an array's axes, apart by site, as sites differ in size."""
    own = (axis if axis == "draw" else f"{tensor.site.name}.{axis}" for axis in tensor.axes)
    return ("condition", "sample", *own)


def facts_of(tensor: Tensor) -> dict[str, Any]:
    """What an array of values is; pixel = (cell * stride - offset) / scale, by the sample's frame."""
    told = {"site": tensor.site.name, "layout": tensor.layout, "stream": tensor.site.stream}
    if tensor.grid is None:
        return told
    return {**told, "grid_rows": tensor.grid.rows, "grid_cols": tensor.grid.cols, "stride": tensor.grid.stride}


def labels(stack: Stack) -> Iterator[Label]:
    """Everything but the values. Facts that share a name with something else are called `fact.NAME`."""
    taken = {tensor.site.name for tensor in stack.tensors}
    for label in _named(stack):
        taken.add(label.name)
        yield label
    for fact, values in stack.facts().items():
        name = fact.replace("/", "_")
        if not name or name in taken or name.startswith(("_", ".")):
            name = f"{_FACT}{name}"
        taken.add(name)
        yield Label(name, ("sample",), values)


def _named(stack: Stack) -> Iterator[Label]:
    yield Label("sample", ("sample",), _texts(stack.ids))
    yield Label("frame", ("sample", "frame_field"), stack.frames())
    yield Label("frame_field", ("frame_field",), _texts(FRAME))
    yield Label("facts", ("sample",), _texts(stack.texts()))
    yield Label("condition", ("condition",), np.array(stack.numbers))
    for name, values in stack.conditions_told().items():
        yield Label(name, ("condition",), values)
    for tensor in stack.tensors:
        yield from _cells(stack, tensor)


def _cells(stack: Stack, tensor: Tensor) -> Iterator[Label]:
    """Which cells were kept, or which lie on the image where some do not."""
    name = tensor.site.name
    if tensor.grid is not None and tensor.layout == "tokens" and stack.thin:
        yield Label(f"{name}.cells", ("sample", f"{name}.token"), stack.cells(tensor, 0, len(stack)), name)
    elif (mask := stack.mask(tensor)) is not None:
        yield Label(f"{name}.mask", ("sample", f"{name}.row", f"{name}.col"), mask, name)


def _texts(values: Any) -> NDArray[Any]:
    return np.array(values, dtype=np.dtypes.StringDType())
