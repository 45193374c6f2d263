"""What is known of each row: the facts that a store keeps, and those that only the data set has."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from denoscope.core.errors import InputError
from denoscope.core.sample import DataSet, Image, Sample
from denoscope.core.task import Facts
from denoscope.data._pictures import Shots
from denoscope.data.base import open_data
from denoscope.store.volume import Volume

__all__ = ["BUDGET", "Reopened", "known", "reopened"]

log = logging.getLogger(__name__)

BUDGET = 1 << 30
"""Bytes of arrays that are kept between looks; what does not fit is read again from the data set."""


class Reopened:
    """The samples of a data set by id, found in the order in which they are asked for.

    Args:
        samples: the data set that a store was made from.
        ids: that will be asked for.
    """

    def __init__(self, samples: DataSet, ids: Sequence[str]) -> None:
        self._samples = samples
        self._wanted = frozenset(ids)
        told: Sequence[str] = getattr(samples, "ids", ())
        self._places = {name: place for place, name in enumerate(told)}
        self._next = len(told)
        self._kept: dict[tuple[str, str], Any] = {}
        self._bytes = 0
        self._last: tuple[str, Mapping[str, Any]] = ("", {})

    def sample(self, name: str) -> Sample:
        """One sample.

        Raises:
            InputError: the data set has changed and does not hold it any more.
        """
        if name in self._places:
            return self._samples[self._places[name]]
        while self._next < len(self._samples):
            found, self._next = self._samples[self._next], self._next + 1
            self._places[found.id] = self._next - 1
            if found.id == name:
                return found
        raise InputError(f"the data set has no sample {name!r} any more; give the one that was read with data=")

    def picture(self, name: str) -> Image:
        """The RGB picture of a sample."""
        return self.sample(name).image

    def fact(self, name: str, fact: str) -> Any:
        """One fact of a sample, `"image"` being its picture; None where the sample lacks it."""
        key = (name, fact)
        if key not in self._kept:
            value = self.sample(name).image if fact == "image" else self._facts(name).get(fact)
            size = value.nbytes if isinstance(value, np.ndarray) else 0
            if self._bytes + size > BUDGET:
                return value
            self._kept[key], self._bytes = value, self._bytes + size
        return self._kept[key]

    def _facts(self, name: str) -> Mapping[str, Any]:
        """Facts of a sample; where the data set knows them apart from the picture, that is not decoded."""
        if isinstance(self._samples, Shots) and name in self._places:
            return self._samples.facts(self._places[name])
        if self._last[0] != name:
            self._last = (name, self.sample(name).facts)
        return self._last[1]


class _Row(Mapping[str, Any]):
    """One row's facts; those of the data set are read when they are looked at."""

    def __init__(self, plain: Mapping[str, Any], name: str, arrays: Sequence[str], source: Reopened) -> None:
        self._plain, self._name, self._arrays, self._source = plain, name, tuple(arrays), source

    def __getitem__(self, key: str) -> Any:
        return self._source.fact(self._name, key) if key in self._arrays else self._plain[key]

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys([*self._plain, *self._arrays])

    def __len__(self) -> int:
        return len({*self._plain, *self._arrays})


def reopened(volume: Volume, data: DataSet | Sequence[Sample] | str | None, why: str) -> Reopened:
    """The data set behind a recipe.

    Args:
        volume: the recipe's folder.
        data: the data set itself, or its spec, where the store cannot tell.
        why: it is needed, as the end of "is needed for ...".

    Raises:
        InputError: the store was made from samples in memory, and none are given; or the data set is another one.
    """
    plan = volume.plan
    spec = data if data is not None else plan.data if plan else None
    if spec is None:
        raise InputError(
            f"the data set is needed for {why}, but {volume.recipe.digest} was made from samples in memory; "
            "give them with data="
        )
    samples = open_data(spec, plan.samples if plan and isinstance(spec, str) else None)
    told, found = volume.recipe.data.get("fingerprint"), getattr(samples, "fingerprint", None)
    if isinstance(found, str) and told and told != found:
        raise InputError(f"{spec} is not the data set that {volume.recipe.digest} was made from: its pictures differ")
    return Reopened(samples, volume.table.ids)


def known(
    plain: Mapping[str, Mapping[str, Any]], ids: Sequence[str], arrays: Sequence[str], source: Callable[[], Reopened]
) -> Facts:
    """The facts of rows, in order.

    Args:
        plain: facts that the store keeps, by sample id.
        ids: sample of each row.
        arrays: facts that only the data set has.
        source: opens the data set; called only when there are such facts.
    """
    if not arrays:
        return [plain[name] for name in ids]
    opened = source()
    rows = {name: _Row(plain[name], name, arrays, opened) for name in dict.fromkeys(ids)}
    return [rows[name] for name in ids]
