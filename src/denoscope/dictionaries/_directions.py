"""Where an edit takes its direction and its site from."""

import math
from os import PathLike
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.dictionaries.temporal import Temporal

__all__ = ["Source", "Vector", "direction_of", "finite", "host", "opened", "place_of", "read_at", "unit"]

Vector = NDArray[np.float32]
Source = Learned | str | PathLike[str] | ArrayLike
"""A dictionary, the folder of one, or a vector `(channel,)`."""


def direction_of(source: Source, atom: int | None, site: str | Site | None) -> tuple[Vector, Vector, Site]:
    """Unit vector, the point that coordinates are counted from, and the site."""
    source = opened(source)
    if not isinstance(source, Learned):
        if atom is not None:
            raise InputError("a vector has no atoms; leave out atom=")
        vector = host(source).astype(np.float32)
        return unit(vector), np.zeros_like(vector), place_of(site, None)
    count = len(source.atoms)
    if atom is None or not 0 <= atom < count:
        raise InputError(f"say which atom, 0 ... {count - 1}; got {atom}")
    return unit(source.atoms[atom]), source.bias, place_of(site, source.site)


def opened(source: Source) -> Learned | ArrayLike:
    """A dictionary that is read from its folder, or what was given."""
    return load_dictionary(source) if isinstance(source, (str, PathLike)) else source


def read_at(made: Learned, timestep: float) -> Learned:
    """What a dictionary is at one noise level: another one where its encoder knows the noise."""
    return cast("Any", made).at(timestep) if isinstance(made, Temporal) else made


def finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise InputError(f"{name} must be a finite number, not {value}")
    return float(value)


def unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    if vector.ndim != 1 or not np.isfinite(length) or not length:
        raise InputError(f"a direction is a finite vector (channel,) that is not zero; got shape {vector.shape}")
    return vector / np.float32(length)


def place_of(site: str | Site | None, own: Site | None) -> Site:
    if site is None and own is None:
        raise InputError('nothing says where to edit; give site="up.1" or another (see model.sites)')
    return own if site is None and own is not None else site if isinstance(site, Site) else Site.parse(str(site))


def host(values: Any) -> NDArray[Any]:
    """As an array."""
    return np.asarray(values.detach().cpu().float() if hasattr(values, "detach") else values)
