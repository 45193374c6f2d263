"""What a denoiser was handed, as a baseline: the VAE's latents, in the cells of a site."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import DenoscopeError, InputError
from denoscope.core.frame import Frame, Grid
from denoscope.core.imported import imported_from
from denoscope.core.recipe import Recipe
from denoscope.core.task import Pictures
from denoscope.evaluate.patches import Baseline, filled, patches

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["latents", "model_of"]

Array = NDArray[Any]

_FINE = 4
"""Latents of a cell per side, at most."""
_IMAGES = 8
"""Images that are encoded at a time."""


def latents(recipe: Recipe) -> Baseline:
    """The latents of each cell without noise: up to 4 x 4 area means of every channel, as many as there are in a cell.

    Pictures are encoded anew, by the model and on the canvas that the recipe names.

    Raises:
        InputError: that model cannot be loaded any more, or has other weights now.
    """
    model = model_of(recipe, "the baseline 'latents'", "VAE")

    def fill(batch: Activations, pictures: Pictures) -> Activations:
        known = dict(zip(dict.fromkeys(batch.ids), _encoded(model, recipe, batch, pictures), strict=True))

        def cells(name: str, frame: Frame, grid: Grid) -> Array:
            code = known[name]
            rows, cols = code.shape[:2]
            sides = frame.canvas_width, frame.canvas_height
            fine = min(max(round(rows / grid.rows), 1), _FINE)
            return patches(code, Frame(cols, rows, *sides, sides[0] / cols, sides[1] / rows), grid, fine)

        return filled(batch, cells)

    return fill


def model_of(recipe: Recipe, why: str, part: str) -> "Model":
    """The model that a recipe names.

    Args:
        recipe: of what was read.
        why: it is needed, as the beginning of a sentence.
        part: of the model that is needed.

    Raises:
        InputError: it cannot be loaded any more, or has other weights now.
    """
    from denoscope.models.loading import load

    told = recipe.model
    name = told.get("toy") or told.get("name")
    try:
        if program := imported_from(told):
            raise InputError(f"its features were imported from files of {program}, which hold no model")
        if name is None:
            raise InputError("its recipe names no model")
        model = load(str(name), revision=told.get("revision"))
    except DenoscopeError as error:
        raise InputError(f"{why} needs the {part} of the model that {recipe.digest} was read with: {error}") from None
    if any(model.recipe.get(key) != told.get(key) for key in ("weights", "revision", "seed")):
        raise InputError(f"{why}: {name} has other weights now than when {recipe.digest} was read")
    return model


def _encoded(model: "Model", recipe: Recipe, batch: Activations, pictures: Pictures) -> Iterator[Array]:
    """Latents `(row, col, channel)` of each picture of a batch, in order."""
    frames = dict(zip(batch.ids, batch.frames, strict=True))
    names = list(frames)
    for start in range(0, len(names), _IMAGES):
        yield from _some(model, recipe, {name: frames[name] for name in names[start : start + _IMAGES]}, pictures)


def _some(model: "Model", recipe: Recipe, frames: dict[str, Frame], pictures: Pictures) -> Sequence[Array]:
    import torch

    from denoscope.models.coordinates import Canvas, lay

    canvas = model.canvas(Canvas(**recipe.canvas))
    laid = [lay(pictures(name), canvas) for name in frames]
    if [frame for _, frame in laid] != list(frames.values()):
        raise InputError("pictures were laid on the canvas in another way than the recipe says")
    with torch.no_grad():
        found = model.latents(np.stack([image for image, _ in laid]), model.parts.vae, model.encode)
    return list(found.permute(0, 2, 3, 1).cpu().numpy())
