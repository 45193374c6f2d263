"""Edits that put in the activations of another run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.core.moment import Moment
from denoscope.core.site import Site
from denoscope.dictionaries._directions import host, place_of

__all__ = ["Patch", "Replay", "patch"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Patch:
    """Other values instead of x, at every cell or where a mask says so.

    Attributes:
        site: where.
        values: `(sample, ...)` as the site's tensor. While pictures are made each row gets the values of its picture,
            in every branch; elsewhere they are repeated where the denoiser runs on more rows. One sample is for all.
        cells: which cells are replaced, `(row, col)` or `(token,)`; all when None.
    """

    site: Site
    values: Array
    cells: NDArray[np.bool_] | None = None

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        if self.values.shape[1:] != tuple(x.shape[1:]) or x.shape[0] % self.values.shape[0]:
            raise InputError(f"a patch of {self.values.shape} does not fit {tuple(x.shape)} at {self.site}")
        repeats = [x.shape[0] // self.values.shape[0], *[1] * (len(x.shape) - 1)]
        other = _copied(np.tile(self.values, repeats), x)
        if self.cells is None:
            return other
        mask = self.cells[None, None] if len(x.shape) == 4 else self.cells[None, :, None]
        return np.where(mask, other, x) if isinstance(x, np.ndarray) else other.where(x.new_tensor(mask).bool(), x)

    def at(self, moment: Moment) -> "Patch":
        """With a row of values for each row of the batch.

        Raises:
            InputError: not as many samples as pictures.
        """
        if len(self.values) == 1:
            return self
        if len(self.values) != max(moment.pictures) + 1:
            raise InputError(f"values of {len(self.values)} samples do not fit {max(moment.pictures) + 1} pictures")
        return replace(self, values=self.values[list(moment.pictures)])


@dataclass(frozen=True, eq=False)
class Replay:
    """A run put into another, step by step.

    Attributes:
        site: where.
        steps: what to put in at each denoising step.
    """

    site: Site
    steps: tuple[Patch, ...]

    def __call__(self, x: Any) -> Any:
        """Refused: only the sampler knows which step it is.

        Raises:
            InputError: always.
        """
        raise InputError("a run is put into another step by step; use it in generate or steer, not in read")

    def at(self, moment: Moment) -> Patch:
        """The patch of a step.

        Raises:
            InputError: the runs have different numbers of steps.
        """
        if moment.steps != len(self.steps):
            raise InputError(f"a run of {len(self.steps)} recorded steps does not fit one of {moment.steps} steps")
        return self.steps[moment.step].at(moment)


def patch(
    values: Activations | Sequence[Activations] | ArrayLike,
    *,
    site: str | Site | None = None,
    cells: ArrayLike | None = None,
) -> Patch | Replay:
    """Put in the activations of another run.

    Args:
        values: activations, or an array shaped as the site's tensor; or a list of activations, one for each denoising
            step, such as `[step["up.1"] for step in generation.activations]`.
        site: where; the activations' own site unless given.
        cells: boolean, `(row, col)` or `(token,)`: only these cells are replaced.

    Raises:
        InputError: cells that do not fit, or nothing says at which site.
    """
    if isinstance(values, (list, tuple)) and values and all(isinstance(one, Activations) for one in values):
        run = cast("Sequence[Activations]", values)
        steps = tuple(_patch(one, site, cells) for one in run)
        return Replay(steps[0].site, steps)
    return _patch(cast("Activations | ArrayLike", values), site, cells)


def _patch(values: Activations | ArrayLike, site: str | Site | None, cells: ArrayLike | None) -> Patch:
    own = values.site if isinstance(values, Activations) else None
    array = values.numpy() if isinstance(values, Activations) else host(values)
    mask = None if cells is None else np.asarray(cells, dtype=np.bool_)
    if mask is not None and mask.shape != (array.shape[2:] if array.ndim == 4 else array.shape[1:2]):
        raise InputError(f"cells of shape {mask.shape} do not fit values of shape {array.shape}")
    return Patch(place_of(site, own), np.asarray(array), mask)


def _copied(values: Array, x: Any) -> Any:
    """An array as x is."""
    return values.astype(x.dtype) if isinstance(x, np.ndarray) else x.new_tensor(values)
