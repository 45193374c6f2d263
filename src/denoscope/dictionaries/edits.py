"""Edits: changes to a site's activations along a direction, for `Model.edit`, `generate` and the verb `steer`.

An edit knows its `site` and is a function from a tensor to one of equal shape, type and device. It reads
`(sample, channel, row, col)`, `(sample, token, channel)` and `(sample, channel)`, as arrays or tensors, changes every
cell alike and computes in fp32. Directions have length one, so that strengths are lengths in units of the activations.
Where and when an edit acts, `limits` says; `patches` holds those that put in another run.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from denoscope.core.errors import InputError, unknown
from denoscope.core.moment import Moment, at
from denoscope.core.site import Site
from denoscope.dictionaries._directions import Source, Vector, direction_of, finite, opened
from denoscope.dictionaries._layout import back, channels_last
from denoscope.dictionaries.attaching import base_of
from denoscope.dictionaries.base import like

__all__ = ["Add", "Chain", "Clamp", "Exchange", "Scale", "ablate", "add", "by_site", "clamp", "replace", "scale"]

Unit = Literal["activations", "norm"]
_UNITS = ("activations", "norm")


@dataclass(frozen=True, eq=False)
class Add:
    """x + strength * u, at every cell; with the unit `norm`, x + strength * R * u.

    R is the root of the mean square length of the cells of one picture, as they arrive: at each step and in each branch
    anew, as activations grow and shrink on the way.
    """

    site: Site
    direction: Vector
    strength: float
    unit: Unit = "activations"
    base: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """what the direction was learned on, compared with the model where it is attached"""

    def __call__(self, x: Any) -> Any:
        """The changed tensor; at strength 0 the very same one."""
        if not self.strength:
            return x
        cells = _wide(x, self.direction)
        size = _rms(cells) if self.unit == "norm" else 1.0
        return back(cells + self.strength * size * like(self.direction, cells), x)


@dataclass(frozen=True, eq=False)
class Clamp:
    """x + (value - (x - centre) . u) u: the coordinate along u is `value` at every cell, everything else stays."""

    site: Site
    direction: Vector
    value: float
    centre: Vector
    base: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """what the direction was learned on, compared with the model where it is attached"""

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        cells = _wide(x, self.direction)
        return back(cells + (self.value - _along(self, cells)) * like(self.direction, cells), x)


@dataclass(frozen=True, eq=False)
class Scale:
    """x + (factor - 1) ((x - centre) . u) u: the coordinate along u is multiplied, everything else stays."""

    site: Site
    direction: Vector
    factor: float
    centre: Vector
    base: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """what the direction was learned on, compared with the model where it is attached"""

    def __call__(self, x: Any) -> Any:
        """The changed tensor; at a factor of 1 the very same one."""
        if self.factor == 1:
            return x
        cells = _wide(x, self.direction)
        return back(cells + (self.factor - 1) * _along(self, cells) * like(self.direction, cells), x)


@dataclass(frozen=True, eq=False)
class Exchange:
    """x + ((x - centre) . u) (gain v - u): what a cell has of one direction it gets of another."""

    site: Site
    direction: Vector
    other: Vector
    gain: float
    centre: Vector
    base: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """what the direction was learned on, compared with the model where it is attached"""

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        cells = _wide(x, self.direction)
        change = self.gain * like(self.other, cells) - like(self.direction, cells)
        return back(cells + _along(self, cells) * change, x)


@dataclass(frozen=True, eq=False)
class Chain:
    """Several edits of one site, the first one first."""

    site: Site
    edits: tuple[Any, ...]

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        for edit in self.edits:
            x = edit(x)
        return x

    def at(self, moment: Moment) -> "Chain | None":
        """Those that act at a moment, as they act there."""
        acting = tuple(found for edit in self.edits if (found := at(edit, moment)) is not None)
        return Chain(self.site, acting) if acting else None


def add(
    source: Source,
    atom: int | None = None,
    *,
    strength: float,
    unit: Unit = "activations",
    site: str | Site | None = None,
) -> Add:
    """Push every cell along a direction: x + strength * u.

    Args:
        source: a dictionary, the folder of one, or a vector, which is brought to length one.
        atom: which atom of the dictionary.
        strength: Euclidean length of the change of each cell; negative pushes back.
        unit: of the strength. `activations`: as they are; an atom's codes are in the same unit, so the report's table
            of a dictionary says what is usual. `norm`: the root mean square length of the picture's cells at this
            step, so that 0.5 is half as long as a cell, at any site and noise level.
        site: where; the dictionary's own site unless given.

    Raises:
        InputError: no such atom, no direction, or nothing says at which site.
        UnknownName: another unit.
    """
    if unit not in _UNITS:
        raise unknown("unit", unit, _UNITS, "help(denoscope.add)")
    source = opened(source)
    direction, _, place = direction_of(source, atom, site)
    return Add(place, direction, finite("strength", strength), unit, base_of(source))


def clamp(source: Source, atom: int | None = None, *, value: float, site: str | Site | None = None) -> Clamp:
    """Set the coordinate along a direction, counted from the dictionary's bias (from zero for a vector).

    Args:
        source, atom, site: as for `add`.
        value: the coordinate, in units of the activations.
    """
    source = opened(source)
    direction, centre, place = direction_of(source, atom, site)
    return Clamp(place, direction, finite("value", value), centre, base_of(source))


def ablate(source: Source, atom: int | None = None, *, site: str | Site | None = None) -> Clamp:
    """Take a direction out by projection: the coordinate along it becomes 0, counted as for `clamp`.

    Args:
        source, atom, site: as for `add`.
    """
    return clamp(source, atom, value=0.0, site=site)


def scale(source: Source, atom: int | None = None, *, factor: float, site: str | Site | None = None) -> Scale:
    """Multiply the coordinate along a direction, counted as for `clamp`; `splice` multiplies codes instead.

    Args:
        source, atom, site: as for `add`.
        factor: 0 takes it out, 1 leaves it, -1 turns it round.
    """
    source = opened(source)
    direction, centre, place = direction_of(source, atom, site)
    return Scale(place, direction, finite("factor", factor), centre, base_of(source))


def replace(
    source: Source,
    atom: int | None = None,
    *,
    by: Source,
    by_atom: int | None = None,
    gain: float = 1.0,
    site: str | Site | None = None,
) -> Exchange:
    """Put one direction in the place of another: what a cell has of the first becomes as much of the second.

    Args:
        source, atom, site: the direction that goes, as for `add`.
        by, by_atom: the one that comes, from the same place.
        gain: how much of it for each unit that goes.

    Raises:
        InputError: as for `add`, or directions of different widths.
    """
    source = opened(source)
    direction, centre, place = direction_of(source, atom, site)
    other, _, _ = direction_of(by, by_atom, place)
    if other.shape != direction.shape:
        raise InputError(f"a direction of {direction.size} channels cannot be replaced by one of {other.size}")
    return Exchange(place, direction, other, finite("gain", gain), centre, base_of(source))


def by_site(edits: Iterable[Any]) -> dict[str | Site, Any]:
    """Edits as `Model.edit` takes them; those of one site are composed in the order given.

    Raises:
        InputError: something that has no site.
    """
    groups: dict[str, list[Any]] = {}
    for edit in edits:
        if not callable(edit) or getattr(edit, "site", None) is None:
            raise InputError(f"an edit is made by add, ablate, clamp or patch, or has .site; got {edit!r}")
        groups.setdefault(str(getattr(edit, "site", "")), []).append(edit)
    return {name: Chain(Site.parse(name), tuple(found)) for name, found in groups.items()}


def _wide(x: Any, direction: Vector) -> Any:
    """Cells `(..., channel)` in fp32 at least, checked against a direction."""
    if len(x.shape) not in (2, 3, 4) or x.shape[1 if len(x.shape) == 4 else -1] != direction.size:
        raise InputError(f"a direction of {direction.size} channels does not fit a tensor of shape {tuple(x.shape)}")
    return channels_last(x)


def _along(edit: Clamp | Scale | Exchange, cells: Any) -> Any:
    """Coordinates `(..., 1)` along the edit's direction, counted from its centre."""
    found = ((cells - like(edit.centre, cells)) * like(edit.direction, cells)).sum(-1)
    return np.expand_dims(found, -1) if isinstance(found, np.ndarray) else found[..., None]


def _rms(cells: Any) -> Any:
    """Root of the mean square length of each sample's cells, `(sample, 1, ..., 1)`."""
    lengths = (cells**2).sum(-1).reshape(len(cells), -1)
    return (lengths.mean(1) ** 0.5).reshape(-1, *[1] * (len(cells.shape) - 1))
