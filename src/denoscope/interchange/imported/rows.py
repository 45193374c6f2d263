"""Features as every format gives them: one entry per picture, loaded when it is due."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from denoscope.core.condition import Condition
from denoscope.interchange.imported.laying import Laying

__all__ = ["Entry", "Part"]

Values = NDArray[Any]


@dataclass(frozen=True)
class Entry:
    """One picture's features.

    Attributes:
        name: of the picture, a path without suffix, or its number where the files have no names.
        load: values by site, each `(channel, row, col)`, `(token, channel)`, `(channel,)` or `(head, query, key)`.
        files: where they lie.
    """

    name: str
    load: Callable[[], Mapping[str, Values]]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Part:
    """Features of one network: what becomes one recipe.

    Attributes:
        label: of the network, in a word.
        entries: in the order of the files.
        condition: under which they were read.
        laying: how pictures were brought to the network's size.
        tokens: sites whose two axes are `(token, channel)`.
        said: what was said, assumed and left unknown, for the recipe.
        lacking: pictures that are left out, to the reason.
    """

    label: str
    entries: Sequence[Entry]
    condition: Condition
    laying: Laying
    tokens: frozenset[str] = frozenset()
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lacking: Mapping[str, str] = field(default_factory=dict[str, str])
