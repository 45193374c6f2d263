"""Facts as an index keeps them, and the samples that they pick."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np

from denoscope.core.errors import unknown
from denoscope.store.table import Table

__all__ = ["find", "matches", "parse"]

Facts = dict[str, dict[str, Any]]


class Tabled(Protocol):
    """What has an index."""

    @property
    def table(self) -> Table:
        """One entry per sample."""
        ...


def parse(table: Table) -> Facts:
    """Facts by sample id."""
    return {name: json.loads(text) for name, text in zip(table.ids, table.facts, strict=True)}


def find(volumes: Sequence[Tabled], filters: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the samples whose facts match, as `matches` picks them; a later recipe's facts of a sample win.

    Where the index has a column for each fact that is asked for, nothing else of it is read but the ids.

    Raises:
        UnknownName: a fact that no sample has.
    """
    masks = [_mask(volume.table, filters) for volume in volumes]
    if any(mask is None for mask in masks):
        return matches({name: told for volume in volumes for name, told in parse(volume.table).items()}, filters)
    if len(volumes) == 1 and masks[0] is not None:
        return tuple(volumes[0].table.names(np.flatnonzero(masks[0])))
    pairs = zip(volumes, masks, strict=True)
    picked = {name: hit for volume, mask in pairs for name, hit in zip(volume.table.ids, cast(Any, mask), strict=True)}
    return tuple(name for name, hit in picked.items() if hit)


def _mask(table: Table, filters: Mapping[str, Any]) -> Any:
    """Which samples match, by columns alone; None where a fact has no column."""
    mask = np.ones(len(table), dtype=bool)
    for name, wanted in filters.items():
        column = table.fact(name)
        if column is None:
            return None
        codes, values = column
        fitting = np.array([*(_fits(value, wanted) for value in values), False])
        mask &= fitting[codes]
    return mask


def matches(facts: Facts, filters: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the samples whose facts equal a value, are in a collection, or pass a function.

    Raises:
        UnknownName: a fact that no sample has.
    """
    known = {name for found in facts.values() for name in found}
    for name in filters:
        if name not in known:
            raise unknown("fact", name, sorted(known), "store.facts() (denoscope list STORE)")
    return tuple(
        sample
        for sample, found in facts.items()
        if all(name in found and _fits(found[name], wanted) for name, wanted in filters.items())
    )


def _fits(value: Any, wanted: Any) -> bool:
    if callable(wanted):
        return bool(wanted(value))
    if isinstance(wanted, Collection) and not isinstance(wanted, (str, type(value))):
        return value in cast("Collection[Any]", wanted)
    return value == wanted
