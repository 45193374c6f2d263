"""What of a store fits into one array: samples of one canvas size, conditions with equally many draws."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import AXES
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.store.choose import by_recipe, by_site
from denoscope.store.store import Store
from denoscope.store.volume import Volume

__all__ = ["FRAME", "Stack", "Tensor", "stacks"]

FRAME = ("width", "height", "canvas_width", "canvas_height", "scale_x", "scale_y", "offset_x", "offset_y")
"""The eight numbers of a frame: canvas = scale * pixel + offset, per axis."""


@dataclass(frozen=True)
class Tensor:
    """What one site holds of each sample under one condition."""

    site: Site
    axes: tuple[str, ...]
    """Names of the axes after the sample's; `draw` comes first where draws were kept."""
    shape: tuple[int, ...]
    """Their lengths."""
    layout: str
    grid: Grid | None
    """The cells behind it, where there are any."""

    @property
    def bytes(self) -> int:
        """Of one sample in fp32."""
        return 4 * int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class Stack:
    """Samples of one recipe that share a canvas size, under conditions that share a number of draws."""

    volume: Volume
    group: str
    """Canvas size, `128x128`, or `all` where cells were pooled."""
    draws: int
    numbers: tuple[int, ...]
    """Of the conditions in the recipe."""
    sites: tuple[Site, ...]
    alone: bool = True
    """Whether no other stack has the same group."""

    @property
    def name(self) -> str:
        """Unique within the recipe."""
        return self.group if self.alone else f"{self.group}-{self.draws}draws"

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """Entries of the samples in the recipe's table."""
        return np.flatnonzero(self.volume.table.groups == self.group)

    @cached_property
    def ids(self) -> list[str]:
        """Of the samples."""
        return self.volume.table.names(self.positions)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Under which they were read."""
        return tuple(self.volume.conditions[number] for number in self.numbers)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """One per site."""
        return tuple(self._tensor(site) for site in self.sites)

    @property
    def bytes(self) -> int:
        """Of all values in fp32."""
        return sum(tensor.bytes for tensor in self.tensors) * len(self.numbers) * len(self)

    @property
    def thin(self) -> bool:
        """Whether some cells of each image were kept."""
        return self.volume.recipe.keep["layout"] == "cells"

    def __len__(self) -> int:
        return len(self.positions)

    def read(self, tensor: Tensor, number: int, start: int, stop: int) -> NDArray[np.float32]:
        """Values of some samples under one condition, `(sample, *tensor.axes)`, as `Store.get` gives them.

        Raises:
            StoreError: a damaged shard, or another shape than the first sample's.
        """
        return self.rows(tensor, number, np.arange(start, stop))

    def rows(self, tensor: Tensor, number: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """As `read`, of samples by their place in the stack, in the order given."""
        part = self.positions[rows]
        values = self.volume.read(tensor.site, self.volume.conditions[number], part).values
        if values.size != len(part) * int(np.prod(tensor.shape, dtype=np.int64)):
            raise StoreError(f"{tensor.site} has values of {values.shape[1:]} where {tensor.shape} were due")
        return values.reshape(len(part), *tensor.shape)

    def cells(self, tensor: Tensor, start: int, stop: int) -> NDArray[np.int32]:
        """Which cells were kept of some samples, `(sample, token)`, where the recipe keeps some."""
        return self.volume.cells(tensor.site, self.positions[start:stop])[0]

    def frames(self) -> NDArray[np.float64]:
        """How each image lies on the canvas, `(sample, 8)`: see `FRAME`."""
        return self.volume.table.frames[self.positions]

    def mask(self, tensor: Tensor) -> NDArray[np.bool_] | None:
        """Cells that lie on the image, `(sample, row, col)`; None where all do, or there are none."""
        if tensor.grid is None:
            return None
        frames = [Frame.of(values) for values in self.frames()]
        known = {frame: frame.valid(tensor.grid) for frame in dict.fromkeys(frames)}
        return None if all(mask.all() for mask in known.values()) else np.stack([known[frame] for frame in frames])

    def texts(self) -> list[str]:
        """All facts of each sample, as JSON."""
        facts = self.volume.table.facts
        return [facts[position] for position in self.positions]

    def facts(self) -> dict[str, NDArray[Any]]:
        """Facts of one plain type, by name; a missing number is NaN, a missing text empty."""
        texts = self.texts()
        kinds = _kinds(texts)
        held = {name: np.empty(len(texts), dtype=_DTYPES[kind]) for name, kind in kinds.items()}
        for row, told in enumerate(map(json.loads, texts)):
            for name, kind in kinds.items():
                value = told.get(name)
                held[name][row] = _MISSING[kind] if value is None else value
        return held

    def conditions_told(self) -> dict[str, NDArray[Any]]:
        """Of each condition what tells it from others: its text, timestep, sigma, logsnr and prompt."""
        texts = np.array([str(condition) for condition in self.conditions], dtype=np.dtypes.StringDType())
        prompts = np.array([condition.prompt for condition in self.conditions], dtype=np.dtypes.StringDType())
        levels = {name: np.array([_number(getattr(condition, name)) for condition in self.conditions])
                  for name in ("timestep", "sigma", "logsnr")}  # fmt: skip
        return {"condition_text": texts, **levels, "prompt": prompts}

    def _tensor(self, site: Site) -> Tensor:
        one = self.volume.read(site, self.conditions[0], self.positions[:1])
        axes, shape = AXES[one.layout][1:], one.shape[1:]
        if self.draws > 1:
            axes, shape = ("draw", *axes), (self.draws, *shape)
        grid = one.grid or (self.volume.cells(site, self.positions[:1])[1] if self._thin(one.layout, site) else None)
        return Tensor(site, axes, shape, one.layout, grid)

    def _thin(self, layout: str, site: Site) -> bool:
        """Whether some cells of a grid were kept."""
        if not self.thin or layout != "tokens":
            return False
        try:
            self.volume.cells(site, self.positions[:1])
        except (InputError, StoreError):
            return False
        return True


def stacks(store: Store, sites: str | Sequence[str] | None = None, recipe: str | None = None) -> Iterator[Stack]:
    """All that a store holds, or what was asked for of it.

    Raises:
        UnknownName: a recipe or site that is not there.
        StoreError: the store is empty.
    """
    if not store.volumes:
        raise StoreError(f"{store.place.url} holds no activations yet; fill it with: denoscope extract")
    volumes = by_recipe(store.volumes, recipe)
    asked = [sites] if isinstance(sites, str) else sites
    wanted = None if asked is None else [by_site(volumes, site) for site in asked]
    for volume in volumes:
        places = tuple(site for site in volume.sites if wanted is None or site in wanted)
        kept = [condition.draws if condition.reduce == "all" else 1 for condition in volume.conditions]
        for group in volume.table.group_codes[1] if places and len(volume.table) else ():
            for draws in dict.fromkeys(kept):
                numbers = tuple(number for number, count in enumerate(kept) if count == draws)
                yield Stack(volume, group, draws, numbers, places, len(set(kept)) == 1)


_DTYPES: Mapping[type, Any] = {bool: np.bool_, int: np.int64, float: np.float64, str: np.dtypes.StringDType()}
_MISSING: Mapping[type, Any] = {float: np.nan, str: ""}


def _kinds(texts: Sequence[str]) -> dict[str, type]:
    """Facts that are of one plain type wherever they are known; numbers of both kinds, or with gaps, are floats."""
    found: dict[str, set[type]] = {}
    counts: dict[str, int] = {}
    for told in map(json.loads, texts):
        for name, value in told.items():
            found.setdefault(name, set()).add(type(value))
            counts[name] = counts.get(name, 0) + (value is not None)
    kinds: dict[str, type] = {}
    for name, types in found.items():
        types = types - {type(None)}
        gaps = counts[name] < len(texts)
        if types == {str} or types == {float} or types == {int, float} or (types == {int} and gaps):
            kinds[name] = str if types == {str} else float
        elif len(types) == 1 and not gaps and types <= {bool, int}:
            kinds[name] = next(iter(types))
    return kinds


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
