"""Edits as they act at one step of sampling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from denoscope.core.moment import Branch, Moment, at
from denoscope.models.siteinfo import grid_of

if TYPE_CHECKING:
    from denoscope.models.base import Model
    from denoscope.models.hooks import Edit, Tap

__all__ = ["acting"]


def acting(
    model: Model,
    placed: Iterable[tuple[Tap, Edit]],
    rows: Sequence[tuple[Branch, int]],
    latents: Sequence[int],
    timestep: float,
    step: tuple[int, int],
) -> list[tuple[Tap, Edit]]:
    """The edits that act at a step, each as it acts there.

    Args:
        model: that is run.
        placed: edits with where they act.
        rows: branch and picture of each row of the batch.
        latents: shape of the latents (sample, channel, row, col).
        timestep: noise level.
        step: its number, and how many there are.
    """
    branches, pictures = zip(*rows, strict=True)
    height, width = (side * model.factor for side in latents[-2:])
    found: list[tuple[Tap, Edit]] = []
    for tap, edit in placed:
        moment = Moment(*step, timestep, branches, pictures, height, width, grid_of(model, tap, latents))
        if (as_it_acts := at(edit, moment)) is not None:
            found.append((tap, as_it_acts))
    return found
