"""What of a site's values is stored: all cells, some cells or their mean, and in which precision."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations, Layout
from denoscope.core.errors import InputError, unknown
from denoscope.core.frame import Frame, Grid
from denoscope.store.codec import Dtype, code_of, encode, quantise

__all__ = ["Keep", "Kept", "pick_cells"]

KeepLayout = Literal["grid", "tokens", "pooled", "cells"]
Pool = Literal["mean", "max"]

_CHANNEL = {"grid": 1, "tokens": 2, "pooled": 1, "map": 3}


@dataclass(frozen=True)
class Kept:
    """Values as they will be stored: arrays by name (`values`, `scales`, `cells`), one row each."""

    arrays: Mapping[str, NDArray[Any]]
    layout: Layout
    grid: Grid | None


@dataclass(frozen=True)
class Keep:
    """What is stored of each tensor.

    Raises:
        InputError: a choice that does not exist, or fewer than one cell.
    """

    layout: KeepLayout = "grid"
    """`grid`: every cell, channels first. `tokens`: every cell, cells first. `pooled`: one vector per sample.
    `cells`: some cells per sample, chosen by sample id. Text tokens and attention maps have no grid and keep their
    own layout under `grid`."""
    dtype: Dtype = "bf16"
    """`bf16` (range of fp32, 3 digits), `fp16` (up to 65504), `fp32`, or `int8` with one fp32 scale per vector."""
    pool: Pool = "mean"
    """How `pooled` reduces the cells that lie on the image, in fp32."""
    cells: int = 64
    """How many cells per sample `cells` keeps, of those that lie on the image."""

    def __post_init__(self) -> None:
        for name, kind in {"layout": KeepLayout, "dtype": Dtype, "pool": Pool}.items():
            if getattr(self, name) not in get_args(kind):
                raise unknown(f"{name} to keep", str(getattr(self, name)), get_args(kind), "help(denoscope.Keep)")
        if self.cells < 1:
            raise InputError(f"cells to keep must be at least 1, not {self.cells}")

    def to_dict(self) -> dict[str, Any]:
        """What a recipe records: only the fields that matter for the layout."""
        extra = {"pooled": {"pool": self.pool}, "cells": {"cells": self.cells}}.get(self.layout, {})
        return {"layout": self.layout, "dtype": self.dtype, **extra}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Keep":
        """The choice that `to_dict` wrote."""
        return cls(**values)

    def group(self, frame: Frame) -> str:
        """Samples of one group are stacked in one tensor: those of one canvas size, or all when pooled."""
        return "all" if self.layout == "pooled" else f"{frame.canvas_width}x{frame.canvas_height}"

    def __call__(self, activations: Activations) -> Kept:
        """The part to store, in its stored precision.

        Raises:
            InputError: attention maps were to be pooled or thinned.
        """
        if self.layout == "cells":
            return self._thin(activations)
        chosen = self._arrange(activations)
        return Kept(self._encode(chosen.values, chosen.layout), chosen.layout, chosen.grid)

    def _arrange(self, activations: Activations) -> Activations:
        if self.layout == "pooled":
            precise = cast("NDArray[Any]", activations.numpy().astype(np.float32, copy=False))
            return replace(activations, values=precise).pool(self.pool)
        if activations.layout in ("map", "pooled") or (activations.grid is None and activations.layout == "tokens"):
            return activations
        return activations.on_grid() if self.layout == "grid" else activations.tokens()

    def _thin(self, activations: Activations) -> Kept:
        tokens = activations.tokens()
        if tokens.layout == "pooled":
            return Kept(self._encode(tokens.values, "pooled"), "pooled", None)
        grid = tokens.grid or Grid(1, tokens.shape[1], 1.0)
        frames = tokens.frames if tokens.grid else [None] * len(tokens)
        picked = [pick_cells(name, grid, frame, self.cells) for name, frame in zip(tokens.ids, frames, strict=True)]
        rows = [self._encode(tokens.values[i : i + 1, cells.tolist()], "tokens") for i, cells in enumerate(picked)]
        arrays = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        return Kept({**arrays, "cells": np.stack(picked)}, "tokens", tokens.grid)

    def _encode(self, values: Any, layout: Layout) -> dict[str, NDArray[Any]]:
        if self.dtype != "int8":
            return {"values": encode(values, self.dtype)}
        numbers, scales = quantise(values, _CHANNEL[layout])
        return {"values": numbers, "scales": scales}

    @property
    def codes(self) -> dict[str, str]:
        """Type name of each array of `Kept`, as safetensors spells it."""
        return {"values": code_of(self.dtype), "scales": "F32", "cells": "I32"}


def pick_cells(sample: str, grid: Grid, frame: Frame | None, count: int) -> NDArray[np.int32]:
    """Indices of `min(count, grid.cells)` cells of one sample, ascending; a function of id, grid and frame alone.

    Cells on padding are left out. An image with fewer cells than asked for repeats them, and the repeats show in the
    indices.
    """
    seed = int.from_bytes(sha256(f"{sample}\0{grid.rows}x{grid.cols}".encode()).digest()[:8], "little")
    cells = np.flatnonzero(frame.valid(grid)) if frame else np.arange(grid.cells)
    shuffled = np.random.default_rng(seed).permutation(cells)
    return np.sort(np.resize(shuffled, min(count, grid.cells))).astype(np.int32)
