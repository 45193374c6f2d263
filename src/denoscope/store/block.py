"""The activations of one block of samples on their way into a shard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.frame import Frame
from denoscope.core.recipe import Recipe
from denoscope.core.sample import Sample
from denoscope.store.keep import Keep, Kept
from denoscope.store.shard import Tensor

__all__ = ["Block", "plain"]

Row = dict[str, Any]


@dataclass(frozen=True)
class _Chunk:
    """Some rows of one tensor, in the order in which the model gave them."""

    kept: Kept
    ids: tuple[str, ...]
    draws: tuple[int, ...]


class Block:
    """Collects what a model gives for a block of samples, batch by batch and in any order.

    Rows end up in the order of the samples, so that a shard does not depend on how the model batched them.

    Args:
        recipe: names sites, conditions and what is kept.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.keep = Keep.from_dict(recipe.keep)
        self.bytes = 0
        self._numbers = {Condition.from_dict(values): i for i, values in enumerate(recipe.conditions)}
        self._sites = set(recipe.sites)
        self._chunks: dict[tuple[str, int, str], list[_Chunk]] = {}
        self._frames: dict[str, Frame] = {}

    def add(self, activations: Activations) -> None:
        """Take some samples' values at one site under one condition.

        Raises:
            InputError: a site or condition that the recipe does not name.
        """
        site, number = activations.site.name, self._numbers.get(activations.condition)
        if site not in self._sites or number is None:
            raise InputError(f"{activations.site} under {activations.condition} is not part of the recipe")
        kept = self.keep(activations)
        self.bytes += sum(array.nbytes for array in kept.arrays.values())
        group = self.keep.group(activations.frames[0])
        draws = activations.draws or (0,) * len(activations)
        self._chunks.setdefault((site, number, group), []).append(_Chunk(kept, activations.ids, draws))
        self._frames.update(zip(activations.ids, activations.frames, strict=True))

    def rows(self, samples: Sequence[Sample]) -> list[Row]:
        """Index entries of the samples: id, group, row within the group, frame and storable facts.

        Raises:
            InputError: two samples share an id.
            StoreError: the model left a sample out.
        """
        counts: dict[str, int] = {}
        rows: list[Row] = []
        for sample in samples:
            if sample.id not in self._frames:
                raise StoreError(f"the model gave nothing for sample {sample.id!r}")
            frame = self._frames[sample.id]
            group = self.keep.group(frame)
            row = counts.setdefault(group, 0)
            counts[group] += 1
            facts = plain(sample.facts)
            rows.append({"id": sample.id, "group": group, "row": row, "frame": list(frame.values), "facts": facts})
        if len({row["id"] for row in rows}) < len(rows):
            raise InputError("two samples share an id; ids must be unique within a data set")
        return rows

    def tensors(self, rows: Sequence[Row]) -> list[Tensor]:
        """The tensors of a shard, keyed `site|condition number|group`, made when they are due."""
        tensors: list[Tensor] = []
        orders = {group: _order(rows, group) for group in {row["group"] for row in rows}}
        for site, number, group in sorted(self._chunks):
            chunks, order = self._chunks[site, number, group], orders[group]
            for name in chunks[0].kept.arrays:
                if name == "cells" and number != min(n for s, n, g in self._chunks if (s, g) == (site, group)):
                    continue
                key = {"values": f"{site}|{number}|{group}", "scales": f"{site}|{number}|{group}|scales"}
                label = key.get(name, f"{site}|cells|{group}")
                tensors.append(_tensor(label, self.keep.codes[name], name, chunks, order))
        return tensors


def _order(rows: Sequence[Row], group: str) -> dict[str, int]:
    return {row["id"]: row["row"] for row in rows if row["group"] == group}


def _tensor(key: str, code: str, name: str, chunks: Sequence[_Chunk], order: Mapping[str, int]) -> Tensor:
    count = sum(len(chunk.ids) for chunk in chunks)
    draws = 1 + max(max(chunk.draws) for chunk in chunks)
    shape = chunks[0].kept.arrays[name].shape[1:]
    if any(chunk.kept.arrays[name].shape[1:] != shape for chunk in chunks):
        raise StoreError(f"the model gave {key} in several shapes for one canvas size")
    places = {order[i] * draws + draw for chunk in chunks for i, draw in zip(chunk.ids, chunk.draws, strict=True)}
    if not count == len(places) == len(order) * draws:
        raise StoreError(f"the model gave {count} rows of {key} where {len(order) * draws} were due")
    kept = chunks[0].kept
    facts: dict[str, Any] = {"layout": kept.layout, "grid": list(kept.grid) if kept.grid else None, "draws": draws}
    single = name == "cells"
    rows = len(order) if single else count
    return Tensor(key, code, (rows, *shape), lambda: _assemble(name, chunks, order, 1 if single else draws), facts)


def _assemble(name: str, chunks: Sequence[_Chunk], order: Mapping[str, int], draws: int) -> NDArray[Any]:
    """Rows in the order of the samples, the draws of a sample side by side."""
    first = chunks[0].kept.arrays[name]
    out = np.empty((len(order) * draws, *first.shape[1:]), dtype=first.dtype)
    for chunk in chunks:
        pairs = zip(chunk.ids, chunk.draws, strict=True)
        out[[order[i] * draws + min(draw, draws - 1) for i, draw in pairs]] = chunk.kept.arrays[name]
    return out


_ABSENT = object()


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that an index can hold: scalars, text, and lists and mappings of them.

    Arrays (masks, depth, keypoints) stay with the data set; numbers that JSON does not know become None.
    """
    kept = {str(name): _plain(value) for name, value in facts.items()}
    return {name: value for name, value in kept.items() if value is not _ABSENT}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Mapping):
        return plain(cast("Mapping[Any, Any]", value))
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in cast("Sequence[Any]", value)]
        return _ABSENT if any(item is _ABSENT for item in items) else items
    return _ABSENT
