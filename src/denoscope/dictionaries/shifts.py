"""Pushes that differ from cell to cell and from one noise level to the next: what a prompt's word changes, added on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError, unknown
from denoscope.core.moment import Moment, at
from denoscope.core.site import Site
from denoscope.dictionaries._directions import finite, host, place_of
from denoscope.dictionaries._layout import back, channels_last
from denoscope.dictionaries.base import like
from denoscope.dictionaries.edits import Chain, Unit
from denoscope.dictionaries.limits import dose, within

__all__ = ["ByNoise", "Shift", "opposed", "shift"]

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Shift:
    """x + strength * d, with a vector d of its own for each cell; with the unit `norm`, x + strength * R * d.

    R is the ratio of root mean square lengths of the picture's cells to those of d, so that at strength 0.5 the change
    is half as long as the activations, as for `add`.

    Attributes:
        site: where.
        values: d with channels last, `(row, col, channel)`, `(token, channel)` or `(channel,)` for all cells alike.
        strength: how much of it.
        unit: of the strength.
    """

    site: Site
    values: Array
    strength: float
    unit: Unit = "activations"

    def __call__(self, x: Any) -> Any:
        """The changed tensor; at strength 0 the very same one.

        Raises:
            InputError: a tensor of other cells or channels.
        """
        if not self.strength:
            return x
        cells = channels_last(x)
        shape = tuple(cells.shape[1:])
        fits = shape[-1:] == self.values.shape if self.values.ndim == 1 else shape == self.values.shape
        if not fits:
            raise InputError(f"a shift of {self.values.shape} does not fit cells of {shape} at {self.site}")
        size = self._size(cells) if self.unit == "norm" else 1.0
        return back(cells + self.strength * size * like(self.values, cells), x)

    def _size(self, cells: Any) -> Any:
        """R of each picture, `(sample, 1, ..., 1)`."""
        own = float(np.square(self.values, dtype=np.float64).sum(axis=-1).mean()) ** 0.5
        lengths = (cells**2).sum(-1).reshape(len(cells), -1)
        return ((lengths.mean(1) ** 0.5) / own).reshape(-1, *[1] * (len(cells.shape) - 1))


@dataclass(frozen=True, eq=False)
class ByNoise:
    """An edit for each of some noise levels; at a step that of the nearest one acts.

    Attributes:
        site: where.
        timesteps: noise levels, 0 ... 1000.
        edits: one for each.
    """

    site: Site
    timesteps: tuple[float, ...]
    edits: tuple[Any, ...]

    def __call__(self, x: Any) -> Any:
        """The changed tensor, where there is one edit only.

        Raises:
            InputError: there are several, and nothing says which noise it is.
        """
        only, *others = self.edits
        if others:
            raise InputError("which edit acts depends on the noise; use this one in generate or steer, not in read")
        return only(x)

    def at(self, moment: Moment) -> Any:
        """The edit of the nearest noise level, as it acts at the moment."""
        gaps = [abs(one - moment.timestep) for one in self.timesteps]
        return at(self.edits[int(np.argmin(gaps))], moment)


def shift(
    values: ArrayLike | Mapping[float, ArrayLike],
    *,
    strength: float = 1.0,
    unit: Unit = "activations",
    site: str | Site,
) -> Shift | ByNoise:
    """Push every cell its own way: x + strength * d.

    Args:
        values: d as a site's tensor of one sample is laid out, `(channel, row, col)`, `(token, channel)` or
            `(channel,)`; or one for each of some noise levels, `{timestep: d}`.
        strength: how much of it; negative pushes back.
        unit: `activations`: d as it is. `norm`: d made as long as the picture's cells, in root mean squares.
        site: where.

    Raises:
        InputError: values that are not finite or all zero, or of another shape.
        UnknownName: another unit.
    """
    if unit not in ("activations", "norm"):
        raise unknown("unit", unit, ("activations", "norm"), "help(denoscope.shift)")
    place, amount = place_of(site, None), finite("strength", strength)
    if not isinstance(values, Mapping):
        return Shift(place, _laid(values), amount, unit)
    levels = cast("Mapping[float, ArrayLike]", values)
    if not levels:
        raise InputError("a shift by noise level needs one level or more")
    edits = tuple(Shift(place, _laid(one), amount, unit) for one in levels.values())
    return ByNoise(place, tuple(map(float, levels)), edits)


def opposed(edit: Any) -> Chain:
    """Under guidance: the edit in rows with the prompt, its opposite in those with the negative one.

    Guidance g makes the output u + g (c - u): what both rows share passes once, what differs g times. An edit of both
    rows is therefore the weakest, of the rows with the prompt g times that, opposed 2 g - 1 times (the variant for base
    models of 2410.22366).

    Raises:
        InputError: something that has no site.
    """
    own = within(edit, branch="cond")
    return Chain(own.site, (own, within(dose(edit, -1.0), branch="uncond")))


def _laid(values: ArrayLike) -> Array:
    """One sample with its channels last."""
    found = np.asarray(host(values), dtype=np.float32)
    if found.ndim not in (1, 2, 3) or not np.isfinite(found).all() or not found.any():
        raise InputError(f"a shift is finite, not zero, and laid out as a sample of the site; got shape {found.shape}")
    return np.ascontiguousarray(np.moveaxis(found, 0, -1)) if found.ndim == 3 else found
