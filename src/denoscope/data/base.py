"""From a word to images with facts: `open_data("menagerie:test")`, `open_data("/some/folder")`."""

import logging
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from denoscope.core.decode import BrokenSample
from denoscope.core.errors import InputError
from denoscope.core.registry import data
from denoscope.core.sample import DataSet, Sample, fingerprint

__all__ = ["Head", "ahead", "identity", "open_data", "parse_spec", "read", "spell"]

log = logging.getLogger(__name__)

_THREADS = 8
_OF = "@"
"""Between the words of a data set made of another one (registered with `of=True`), and the other one's spec."""


class Head:
    """The first `count` samples of a data set, none of them touched before it is asked for."""

    def __init__(self, samples: DataSet, count: int) -> None:
        self._samples = samples
        self._count = min(count, len(samples))
        self.parallel = bool(getattr(samples, "parallel", False))
        if names := getattr(samples, "ids", None):
            self.ids = tuple(names[: self._count])
        if labels := getattr(samples, "labels", None):
            self.labels = tuple(labels[: self._count])
        own = getattr(samples, "fingerprint", None)
        if isinstance(own, str):
            self.fingerprint = own if count >= len(samples) else sha256(f"{own}[:{count}]".encode()).hexdigest()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int, /) -> Sample:
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._samples[index % self._count]


def open_data(spec: str | Path | DataSet | Sequence[Sample], limit: int | None = None) -> DataSet:
    """A data set by its spec.

    Args:
        spec: `name`, `name:argument` (`menagerie:test`, `folder:/some/path`), the path of a folder or picture, or
            a sequence of samples, which passes through.
        limit: at most so many samples, from the front.

    Raises:
        UnknownName: no data set, or no split, of that name.
        InputError: a path that does not exist or holds no pictures, or a limit below 1.
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1, not {limit}")
    if not isinstance(spec, (str, Path)):
        if not hasattr(spec, "__len__") or not hasattr(spec, "__getitem__"):
            raise InputError(f"data are a name, a path or a sequence of Sample(id, image, facts), not {spec!r}")
        samples = cast("DataSet", spec)
        return samples if limit is None else Head(samples, limit)
    name, argument = parse_spec(spec)
    samples = data.get(name)(argument, limit)
    return samples if limit is None or len(samples) <= limit else Head(samples, limit)


def spell(spec: str | Path | DataSet | Sequence[Sample]) -> str | None:
    """The spec by which `open_data` finds the same data from any working folder; None for samples in memory."""
    if not isinstance(spec, (str, Path)):
        return None
    name, argument = parse_spec(spec)
    if card := data.entry(name).facts.get("card"):
        return card.spell(name, argument)
    if name == "folder" and argument:
        argument = str(Path(argument).expanduser().absolute())
    if inner := _inner(name, argument):
        argument = f"{inner[0]}{_OF}{spell(inner[1])}"
    return name if argument is None else f"{name}:{argument}"


def identity(spec: str | Path | DataSet | Sequence[Sample], samples: DataSet) -> dict[str, Any]:
    """What a recipe says of the data: name, fingerprint, number of samples. Where a folder lies is not part of it."""
    return {"name": _plain(spec), "fingerprint": fingerprint(samples), "count": len(samples)}


def _plain(spec: str | Path | DataSet | Sequence[Sample]) -> str:
    """The spec without a path."""
    if not isinstance(spec, (str, Path)):
        return "samples"
    name, argument = parse_spec(spec)
    if card := data.entry(name).facts.get("card"):
        return card.plain(name, argument)
    if inner := _inner(name, argument):
        argument = f"{inner[0]}{_OF}{_plain(inner[1])}"
    return name if argument is None or name == "folder" else f"{name}:{argument}"


def _inner(name: str, argument: str | None) -> tuple[str, str] | None:
    """The words and the other spec of a data set that is made of another one."""
    words, at, spec = (argument or "").rpartition(_OF)
    return (words, spec) if at and spec and data.entry(name).facts.get("of") else None


def read(samples: DataSet, indices: Sequence[int]) -> tuple[list[Sample], dict[str, str]]:
    """Some samples in order, and those that turned out broken: id to reason. A broken one ends nothing.

    Data sets that say `parallel = True` are read by several threads at once.
    """
    broken: dict[str, str] = {}
    return list(ahead(samples, indices, broken)), broken


def ahead(samples: DataSet, indices: Sequence[int], broken: dict[str, str]) -> Generator[Sample]:
    """As `read`, one after the other: while the caller works on one, the next are read by other threads.

    One thread, unless the data set says `parallel = True`. Close it (`contextlib.closing`) when not all are taken.

    Args:
        samples, indices: what is read, in this order.
        broken: filled with id and reason of those that turned out broken.
    """
    with ThreadPoolExecutor(_THREADS if getattr(samples, "parallel", False) else 1) as pool:
        waiting = deque(pool.submit(_try, samples, index) for index in indices)
        try:
            while waiting:
                item = waiting.popleft().result()
                if isinstance(item, Sample):
                    yield item
                else:
                    broken[item.id] = item.reason
                    log.warning("skipped %s: %s", item.id, item.reason)
        finally:
            for future in waiting:
                future.cancel()


def _try(samples: DataSet, index: int) -> Sample | BrokenSample:
    try:
        return samples[index]
    except BrokenSample as error:
        return error if error.id else BrokenSample(error.reason, str(index))


def parse_spec(spec: str | Path) -> tuple[str, str | None]:
    """Name and argument; a bare path is a folder unless a data set has that name."""
    text = str(spec)
    name, colon, argument = text.partition(":")
    if isinstance(spec, Path) or (name not in data and (Path(text).expanduser().exists() or _looks_like_path(text))):
        return "folder", text
    return data.entry(name).name, argument if colon else None


def _looks_like_path(text: str) -> bool:
    return text.startswith((".", "~", "/")) or text.endswith("/")
