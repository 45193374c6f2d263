"""Edits that take out what does not belong to the picture: a subspace, some channels, cells that are too long.

As those of `edits` they know their `site` and map a tensor to one of equal shape, type and device. `matched` makes the
control: a change of the same size, cell by cell, that has another direction or another place.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError, unknown
from denoscope.core.moment import Moment, at
from denoscope.core.site import Site
from denoscope.dictionaries._layout import back, channels_last
from denoscope.measures.anomalies import norm_scores

__all__ = ["Matched", "Remove", "Silence", "Tame", "matched", "remove", "silence", "tame"]

Array = NDArray[Any]
Control = Literal["direction", "cell", "place"]


@dataclass(frozen=True, eq=False)
class Remove:
    """x - V'V (x - m): in the subspace spanned by the rows of V every cell has the coordinates of m.

    Attributes:
        site: where.
        basis: V, orthonormal rows `(rank, channel)`.
        centre: m, `(channel,)`.
    """

    site: Site
    basis: Array
    centre: Array

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        cells = channels_last(x)
        basis, centre = _like(self.basis, cells, self.site), _like(self.centre, cells, self.site)
        return back(cells - (cells - centre) @ basis.T @ basis, x)


@dataclass(frozen=True, eq=False)
class Silence:
    """x with some channels set to fixed values at every cell."""

    site: Site
    channels: tuple[int, ...]
    values: Array

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        cells = channels_last(x)
        if max(self.channels) >= cells.shape[-1]:
            raise InputError(f"{self.site} has {cells.shape[-1]} channels, no channel {max(self.channels)}")
        made = cells.copy() if isinstance(cells, np.ndarray) else cells.clone()
        made[..., list(self.channels)] = _like(self.values, cells)
        return back(made, x)


@dataclass(frozen=True, eq=False)
class Tame:
    """Cells that the norm rule flags are brought to the median length of their image; their direction stays.

    Attributes:
        site: where.
        z, loud: robust z-score, and length in medians, from which a cell is flagged.
    """

    site: Site
    z: float
    loud: float

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        cells = channels_last(x)
        if len(cells.shape) < 3:
            raise InputError(f"{self.site} has no cells that could be longer than others")
        flat = cells.reshape(cells.shape[0], -1, cells.shape[-1])
        factors = np.stack([self._factors(norms) for norms in np.linalg.norm(_host(flat), axis=2)])
        return back((flat * _like(factors, flat)[..., None]).reshape(cells.shape), x)

    def _factors(self, norms: Array) -> Array:
        """What each cell of one image is multiplied by, `(cell,)`."""
        flagged = norm_scores(norms, np.ones(len(norms), dtype=bool), self.z, self.loud) >= 1
        return np.where(flagged, np.median(norms) / np.maximum(norms, 1e-30), 1.0)


@dataclass(frozen=True, eq=False)
class Matched:
    """A control for another edit e: x + T(e(x) - x), where T keeps the length of every cell's change.

    `direction`: T turns the channels by one random rotation, the same at every cell and step. `cell`: every cell moves
    as far towards another cell of its image, which is a direction that activations do vary in. `place`: T deals the
    changes anew over the cells of the image.

    Attributes:
        site: where.
        edit: e.
        control: which T.
        seed: of the rotation, or of the dealing.
    """

    site: Site
    edit: Any
    control: Control
    seed: int

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        cells = channels_last(x)
        change = channels_last(self.edit(x)) - cells
        if self.control == "direction":
            return back(cells + change @ _like(_rotation(change.shape[-1], self.seed), change), x)
        flat = change.reshape(change.shape[0], -1, change.shape[-1])
        order = np.random.default_rng((self.seed, 7)).permutation(flat.shape[1])
        if self.control == "place":
            moved = flat[:, order.tolist()]
        else:
            own, other = cells.reshape(flat.shape), np.empty_like(order)
            other[order] = np.roll(order, 1)
            moved = _towards(own[:, other.tolist()] - own, flat)
        return back(cells + moved.reshape(change.shape), x)

    def at(self, moment: Moment) -> "Matched | None":
        """The control of the edit as it acts at a moment; None where it does not."""
        inner = at(self.edit, moment)
        return None if inner is None else Matched(self.site, inner, self.control, self.seed)


def remove(basis: ArrayLike, *, site: str | Site, centre: ArrayLike | None = None) -> Remove:
    """Take a subspace out at every cell.

    Args:
        basis: rows that span it, `(rank, channel)`, or one direction `(channel,)`; made orthonormal here.
        site: where.
        centre: whose coordinates every cell gets, `(channel,)`, such as the mean of all cells; zeros unless given.

    Raises:
        InputError: no direction, or rows that depend on one another.
    """
    rows = np.atleast_2d(np.asarray(basis, dtype=np.float64))
    if rows.ndim != 2 or not np.isfinite(rows).all() or np.linalg.matrix_rank(rows) < len(rows):
        raise InputError(f"a subspace is spanned by finite, independent rows (rank, channel); got shape {rows.shape}")
    mean = np.zeros(rows.shape[1]) if centre is None else np.asarray(centre, dtype=np.float64)
    if mean.shape != rows.shape[1:]:
        raise InputError(f"a centre of shape {mean.shape} does not fit directions of {rows.shape[1]} channels")
    return Remove(_site(site), np.linalg.qr(rows.T)[0].T, mean)


def silence(channels: ArrayLike, *, site: str | Site, values: ArrayLike = 0.0) -> Silence:
    """Set some channels to fixed values at every cell, such as their means.

    Args:
        channels: numbers of them.
        site: where.
        values: one for all, or one for each.

    Raises:
        InputError: no channel, a negative one, or values of another number.
    """
    numbers = tuple(int(number) for number in np.atleast_1d(np.asarray(channels)))
    if not numbers or min(numbers) < 0 or len(set(numbers)) < len(numbers):
        raise InputError(f"name one channel or more, each once and counted from 0, not {numbers}")
    try:
        told = np.broadcast_to(np.asarray(values, dtype=np.float64), len(numbers)).copy()
    except ValueError:
        raise InputError(f"{len(numbers)} channels need one value or {len(numbers)}") from None
    return Silence(_site(site), numbers, told)


def tame(*, site: str | Site, z: float = 6.0, loud: float = 2.0) -> Tame:
    """Shorten cells that are far longer than the others of their image, at every step anew.

    Args:
        site: where; it must have cells.
        z: robust z-score of the norm from which a cell is shortened.
        loud: length, in medians of the image, that it must have as well.

    Raises:
        InputError: thresholds that are not positive.
    """
    if z <= 0 or loud <= 0:
        raise InputError(f"cells are too long from positive thresholds on, not z = {z:g} and loud = {loud:g}")
    return Tame(_site(site), float(z), float(loud))


def matched(edit: Any, control: Control = "direction", *, seed: int = 0) -> Matched:
    """The control of an edit: as large a change at every cell, in another direction, or the same changes elsewhere.

    Args:
        edit: any edit of one site.
        control: `direction` (random), `cell` (towards another cell of the image) or `place` (at random ones).
        seed: of the draw.

    Raises:
        InputError: something that has no site.
        UnknownName: another control.
    """
    known = ("direction", "cell", "place")
    if control not in known:
        raise unknown("control", control, known, "help(denoscope.dictionaries.repairs.matched)")
    if not callable(edit) or getattr(edit, "site", None) is None:
        raise InputError(f"a control is made of an edit that has .site; got {edit!r}")
    return Matched(_site(getattr(edit, "site", "")), edit, control, seed)


def _towards(ways: Any, changes: Any) -> Any:
    """Vectors along `ways` as long as `changes`, `(sample, cell, channel)`; none where there is no way."""
    lengths, sizes = ((values**2).sum(-1, keepdims=True) ** 0.5 for values in (ways, changes))
    return ways * (sizes / (lengths + 1e-30))


def _rotation(channels: int, seed: int) -> Array:
    """A random rotation `(channel, channel)`, uniform over all (Stewart 1980)."""
    q, r = np.linalg.qr(np.random.default_rng((seed, 8)).normal(size=(channels, channels)))
    return q * np.sign(np.diag(r))


def _site(site: str | Site) -> Site:
    return site if isinstance(site, Site) else Site.parse(str(site))


def _like(values: Array, cells: Any, site: Site | None = None) -> Any:
    """An array in the type and on the device of some cells."""
    if site is not None and values.shape[-1] != cells.shape[-1]:
        raise InputError(f"directions of {values.shape[-1]} channels do not fit {cells.shape[-1]} channels at {site}")
    return values.astype(cells.dtype) if isinstance(cells, np.ndarray) else cells.new_tensor(values)


def _host(values: Any) -> Array:
    return values if isinstance(values, np.ndarray) else values.detach().cpu().numpy()
