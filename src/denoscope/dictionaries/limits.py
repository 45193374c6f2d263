"""Where and when an edit acts, and how far: steps, noise levels, branches of guidance, parts of the picture, doses."""

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError, unknown
from denoscope.core.frame import Frame
from denoscope.core.moment import Moment, at
from denoscope.core.site import Site
from denoscope.dictionaries._layout import back, channels_last
from denoscope.dictionaries.base import like
from denoscope.measures.geometry import coverage

__all__ = ["Dose", "Limits", "Weighted", "Within", "dose", "within"]

Array = NDArray[Any]
Side = Literal["both", "cond", "uncond"]
_SIDES = ("both", "cond", "uncond")


@dataclass(frozen=True, eq=False)
class Limits:
    """Where and when; None stands for everywhere and always."""

    steps: tuple[int, int] | None = None
    """denoising steps, the first and the one after the last, counted from 0, the noisiest"""
    timesteps: tuple[float, float] | None = None
    """noise levels, the lowest and the highest, 0 to 1000; the same part of the way for any number of steps"""
    branch: Side = "both"
    """under guidance: the rows with the prompt (cond), those with the negative one (uncond), or both"""
    box: tuple[float, float, float, float] | None = None
    """left, top, right and bottom edge in pixels of the picture"""
    mask: Array | None = None
    """boolean (row, col) in pixels of the picture, or (picture, row, col), one for each"""
    cells: Array | None = None
    """weights 0 to 1 of the site's cells, (row, col)"""


@dataclass(frozen=True, eq=False)
class Weighted:
    """x + w (e(x) - x): an edit with a weight for each row and cell; where it is 0 not a bit of x changes.

    Attributes:
        edit: e.
        weights: w, `(row or 1, rows, cols)`, or `(row or 1, 1, 1)` for all cells.
    """

    edit: Any
    weights: Array

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        changed = self.edit(x)
        if changed is x:
            return x
        cells, moved = channels_last(x), channels_last(changed)
        weights = like(_fitted(self.weights, tuple(cells.shape)), cells)
        mixed = _choose(weights == 1, moved, cells + weights * (moved - cells))
        return back(_choose(weights == 0, cells, mixed), x)


@dataclass(frozen=True, eq=False)
class Within:
    """An edit that acts in some steps, branches or parts of the picture only.

    Attributes:
        site: where.
        edit: what it does there.
        limits: when, for which rows, at which cells.
    """

    site: Site
    edit: Any
    limits: Limits

    def __call__(self, x: Any) -> Any:
        """The changed tensor, where the cells alone are limited.

        Raises:
            InputError: the limits need to know more than a tensor tells.
        """
        told = [one.name for one in fields(Limits) if one.name != "cells" and self._told(one.name)]
        if told:
            raise InputError(f"limits by {', '.join(told)} are known while pictures are made; in read, limit by cells")
        return self.edit(x) if self.limits.cells is None else Weighted(self.edit, self.limits.cells[None])(x)

    def at(self, moment: Moment) -> Any:
        """The edit as it acts at a moment, None where it does not.

        Raises:
            InputError: limits that leave nothing: steps that do not come, a branch that is not run, cells that are not
                on the picture.
        """
        self._check(moment)
        inner = at(self.edit, moment) if self._timely(moment) else None
        if inner is None:
            return None
        cells, rows = self.region(moment), self._rows(moment)
        if cells is None and rows.all():
            return inner
        weights = np.ones((1, 1, 1)) if cells is None else cells
        return Weighted(inner, rows[:, None, None] * weights)

    def region(self, moment: Moment) -> Array | None:
        """Share of each cell that the part of the picture covers, `(row of the batch or 1, rows, cols)`; None for all.

        Raises:
            InputError: cells that do not lie on the picture, or a mask of another size.
        """
        limits = self.limits
        if limits.cells is not None:
            return limits.cells[None]
        masks = self.pixels((moment.height, moment.width))
        if masks is None:
            return None
        if moment.grid is None:
            raise InputError(f"what {self.site} holds does not lie on the picture; no box or mask can be told there")
        if masks.ndim == 2:
            return coverage(masks, _frame(moment), moment.grid)[None]
        if len(masks) != max(moment.pictures) + 1:
            raise InputError(f"{len(masks)} masks do not fit {max(moment.pictures) + 1} pictures")
        shares = np.stack([coverage(mask, _frame(moment), moment.grid) for mask in masks])
        return shares[list(moment.pictures)]

    def _told(self, name: str) -> bool:
        value = getattr(self.limits, name)
        return value is not None and not (isinstance(value, str) and value == "both")

    def pixels(self, shape: tuple[int, ...]) -> Array | None:
        """The part of pictures of a shape (row, col) that box or mask mark, `(row, col)` or `(picture, row, col)`.

        Raises:
            InputError: a mask of another size, or a box beside the picture.
        """
        if self.limits.box is not None:
            return _boxed(self.limits.box, shape)
        mask = self.limits.mask
        if mask is not None and mask.shape[-2:] != shape:
            raise InputError(f"a mask of {mask.shape[-2:]} does not fit pictures of {shape[0]} x {shape[1]}")
        return mask

    def _timely(self, moment: Moment) -> bool:
        first, after = self.limits.steps or (0, moment.steps)
        low, high = self.limits.timesteps or (-np.inf, np.inf)
        return first <= moment.step < after and low <= moment.timestep <= high

    def _rows(self, moment: Moment) -> Array:
        """Which rows of the batch are changed, `(row,)`."""
        return np.array([self.limits.branch in ("both", branch) for branch in moment.branches])

    def _check(self, moment: Moment) -> None:
        if self.limits.steps is not None and self.limits.steps[0] >= moment.steps:
            raise InputError(f"an edit from step {self.limits.steps[0]} on never acts: there are {moment.steps} steps")
        if not self._rows(moment).any():
            raise InputError(
                f"without guidance no row is {self.limits.branch!r}; set guidance above 1, or branch='both'"
            )


@dataclass(frozen=True, eq=False)
class Dose:
    """x + amount (e(x) - x): an edit done in part, or more than once.

    Attributes:
        site: where.
        edit: e.
        amount: 0 changes nothing, 1 is the edit.
    """

    site: Site
    edit: Any
    amount: float

    def __call__(self, x: Any) -> Any:
        """The changed tensor; at 0 the very same one."""
        if not self.amount:
            return x
        changed = self.edit(x)
        if self.amount == 1 or changed is x:
            return changed
        cells = channels_last(x)
        return back(cells + self.amount * (channels_last(changed) - cells), x)

    def at(self, moment: Moment) -> "Dose | None":
        """The same of the edit as it acts at a moment; None where it does not."""
        inner = at(self.edit, moment) if self.amount else None
        return None if inner is None else Dose(self.site, inner, self.amount)


def within(
    edit: Any,
    *,
    steps: tuple[int, int] | None = None,
    timesteps: tuple[float, float] | None = None,
    branch: Side = "both",
    box: tuple[float, float, float, float] | None = None,
    mask: ArrayLike | None = None,
    cells: ArrayLike | None = None,
) -> Within:
    """An edit in some denoising steps, branches of guidance or parts of the picture only.

    At a site whose cells are larger than pixels, a cell that a box or mask covers in part is changed in that part.

    Args:
        edit: made by `add`, `ablate`, `patch` and so on.
        steps: the first one, and the one after the last, counted from 0, the noisiest: (0, 5) is the first five.
        timesteps: lowest and highest noise level, 0 ... 1000: (600, 1000) is the early part for any number of steps.
        branch: under guidance, rows with the prompt (`cond`), with the negative one (`uncond`), or `both`.
        box: (left, top, right, bottom) in pixels of the picture.
        mask: boolean `(row, col)` in pixels of the picture, or `(picture, row, col)`.
        cells: weights 0 ... 1 of the site's own cells, `(row, col)`.

    Raises:
        InputError: something that has no site, or limits that leave nothing.
        UnknownName: another branch.
    """
    if branch not in _SIDES:
        raise unknown("branch", branch, _SIDES, "help(denoscope.within)")
    if sum(part is not None for part in (box, mask, cells)) > 1:
        raise InputError("give one of box, mask and cells")
    if steps is not None and not 0 <= steps[0] < steps[1]:
        raise InputError(f"steps are the first one and the one after the last, counted from 0, not {steps}")
    if timesteps is not None and not timesteps[0] <= timesteps[1]:
        raise InputError(f"timesteps are the lowest and the highest noise level, not {timesteps}")
    if box is not None and not (np.isfinite(box).all() and box[0] < box[2] and box[1] < box[3]):
        raise InputError(f"a box is left, top, right, bottom in pixels, not {box}")
    limits = Limits(
        steps, timesteps, branch, box, _part("mask", mask, (2, 3), bool), _part("cells", cells, (2,), float)
    )
    return Within(_site(edit), edit, limits)


def dose(edit: Any, amount: float) -> Dose:
    """An edit done in part, or more than once: what `sweep` varies.

    Args:
        edit: any edit of one site.
        amount: 0 changes nothing, bit by bit; 1 is the edit; an ablation at 2 turns the coordinate round.

    Raises:
        InputError: something that has no site, or no finite amount.
    """
    if not np.isfinite(amount):
        raise InputError(f"a dose must be a finite number, not {amount}")
    return Dose(_site(edit), edit, float(amount))


def _site(edit: Any) -> Site:
    found = getattr(edit, "site", None)
    if not callable(edit) or found is None:
        raise InputError(f"an edit is made by add, ablate, clamp or patch, or has .site; got {edit!r}")
    return found if isinstance(found, Site) else Site.parse(str(found))


def _part(name: str, values: ArrayLike | None, axes: tuple[int, ...], kind: type) -> Array | None:
    if values is None:
        return None
    found = np.asarray(values, dtype=kind)
    if found.ndim not in axes or not found.any() or found.min() < 0 or found.max() > 1:
        raise InputError(f"{name} of shape {found.shape} mark no part of a picture: (row, col), somewhere more than 0")
    return found


def _boxed(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> Array:
    """The pixels whose centre lies in a box."""
    left, top, right, bottom = box
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    found = (x > left) & (x < right) & (y > top) & (y < bottom)
    if not found.any():
        raise InputError(f"no pixel of a picture of {shape[0]} x {shape[1]} lies in the box {box}")
    return found


def _frame(moment: Moment) -> Frame:
    return Frame(moment.width, moment.height, moment.width, moment.height)


def _fitted(weights: Array, shape: tuple[int, ...]) -> Array:
    """Weights `(row, rows, cols)` for cells of a shape `(row, ..., channel)`.

    Raises:
        InputError: other cells.
    """
    rows = weights.shape[0]
    if weights.shape[1:] == (1, 1):
        return weights.reshape(rows, *[1] * (len(shape) - 1))
    laid = weights.reshape(rows, -1, 1) if len(shape) == 3 else weights[..., None]
    if len(shape) < 3 or laid.shape[1:-1] != shape[1:-1]:
        raise InputError(f"weights of {weights.shape[1:]} cells do not fit a tensor of cells {shape[1:-1]}")
    return laid


def _choose(which: Any, first: Any, second: Any) -> Any:
    return np.where(which, first, second) if isinstance(which, np.ndarray) else first.where(which, second)
