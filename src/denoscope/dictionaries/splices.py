"""Edits that put in what a dictionary makes of the activations, in whole or in part."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.core.moment import Moment
from denoscope.core.site import Site
from denoscope.dictionaries._directions import read_at
from denoscope.dictionaries._layout import back, channels_last
from denoscope.dictionaries.base import Learned, like, load_dictionary

__all__ = ["Level", "Splice", "level", "splice"]


@dataclass(frozen=True, eq=False)
class Splice:
    """decode(c'(x)) + keep (x - decode(encode(x))), where c' are the codes, those of some atoms times a factor.

    With `keep` = 1 what the dictionary does not explain stays, so that a factor of 1 for all atoms changes nothing;
    with 0 the reconstruction alone goes on, which is how its faithfulness is measured.

    Attributes:
        site: where.
        dictionary: that reads and writes.
        factors: atom to what its codes are multiplied by; 0 takes it out.
        keep: share of the reconstruction's error that goes on.
    """

    site: Site
    dictionary: Learned
    factors: Mapping[int, float] = field(default_factory=dict[int, float])
    keep: float = 0.0

    def __call__(self, x: Any) -> Any:
        """The changed tensor, of equal shape, type and device; the very same one where nothing is to change."""
        if self.keep == 1 and all(factor == 1 for factor in self.factors.values()):
            return x
        cells = channels_last(x)
        wide = cells.reshape(-1, cells.shape[-1])
        codes = self.dictionary.encode(wide)
        made = self.dictionary.decode(self._scaled(codes))
        if self.keep:
            made = made + self.keep * (wide - self.dictionary.decode(codes))
        return back(made.reshape(cells.shape), x)

    def at(self, moment: Moment) -> "Splice":
        """With a temporal dictionary as it is at the moment's noise level; otherwise itself."""
        return replace(self, dictionary=read_at(self.dictionary, moment.timestep))

    def _scaled(self, codes: Any) -> Any:
        if not self.factors:
            return codes
        factors = np.ones(codes.shape[1], dtype=np.float32)
        factors[list(self.factors)] = list(self.factors.values())
        return codes * like(factors, codes)


@dataclass(frozen=True, eq=False)
class Level:
    """The same vector at every cell: mean ablation, what is left when a site says nothing about the picture."""

    site: Site
    vector: NDArray[np.float32]

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        cells = channels_last(x)
        if cells.shape[-1] != self.vector.size:
            raise InputError(f"a vector of {self.vector.size} channels does not fit {tuple(x.shape)} at {self.site}")
        return back(cells * 0 + like(self.vector, cells), x)


def splice(
    source: Learned | str | PathLike[str],
    *,
    factors: Mapping[int, float] | None = None,
    keep: float = 0.0,
    site: str | Site | None = None,
) -> Splice:
    """Put a dictionary's reconstruction in place of the activations.

    Args:
        source: a dictionary, or the folder of one.
        factors: atom to what its codes are multiplied by: 0 takes it out, 2 doubles it, -1 turns it round.
        keep: share of what the dictionary does not explain that goes on, 0 ... 1.
        site: where; the dictionary's own site unless given.

    Raises:
        InputError: an atom that does not exist, a factor that is no number, or nothing says where.
    """
    made = source if isinstance(source, Learned) else load_dictionary(source)
    told, count = dict(factors or {}), len(made.atoms)
    if any(not 0 <= atom < count for atom in told) or not np.isfinite(list(told.values())).all():
        raise InputError(f"factors name atoms 0 ... {count - 1} and numbers, not {told}")
    if not 0 <= keep <= 1:
        raise InputError(f"keep is a share, 0 ... 1, not {keep:g}")
    return Splice(_place(site, made), made, told, float(keep))


def level(vector: Any, site: str | Site) -> Level:
    """Mean ablation: a vector `(channel,)` at every cell.

    Raises:
        InputError: no finite vector.
    """
    found = np.asarray(vector, dtype=np.float32)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise InputError(f"a level is a finite vector (channel,), not {found.shape}")
    return Level(site if isinstance(site, Site) else Site.parse(str(site)), found)


def _place(site: str | Site | None, made: Learned) -> Site:
    found = made.site if site is None else site
    if found is None:
        raise InputError('nothing says where to edit; give site="up.1" or another (see model.sites)')
    return found if isinstance(found, Site) else Site.parse(str(found))
