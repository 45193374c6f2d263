"""What a word of the prompt changes at a site, cell by cell and step by step: directions that steer without it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["levelled", "worded"]

Array = NDArray[np.float32]
Maps = dict[float, Array]


def worded(
    model: "Model",
    towards: Sequence[str],
    against: Sequence[str],
    sites: str | Sequence[str],
    *,
    steps: int = 10,
    seed: int = 0,
    **options: Any,
) -> dict[str, Maps]:
    """Mean difference of activations between two sets of prompts, from the same noise, at each step of sampling.

    Args:
        model: loaded.
        towards: prompts with the word.
        against: as many without it, or with others in its place; the k-th of both share their noise.
        sites: names, globs or aliases.
        steps: of sampling; each gives one noise level.
        seed: of the noise.
        options: further ones of `Model.generate`, such as `guidance`, `height` and `width`.

    Returns:
        For each site `{timestep: (channel, row, col)}`, or `(token, channel)`, ready for `shift`; `levelled` makes one
        vector of each map.

    Raises:
        InputError: sets of different sizes, or none.
    """
    if not towards or len(towards) != len(against):
        raise InputError(f"two sets of prompts are compared in pairs; got {len(towards)} and {len(against)}")
    means: list[list[Mapping[str, Array]]] = []
    for prompts in (towards, against):
        run = model.generate(list(prompts), record=sites, steps=steps, seed=seed, **options)
        means.append([{name: _mean(block) for name, block in found.items()} for found in run.activations])
        levels = run.timesteps
    return {
        name: {level: own[name] - other[name] for level, own, other in zip(levels, *means, strict=True)}
        for name in means[0][0]
    }


def levelled(maps: Mapping[float, Array]) -> Maps:
    """Each map's mean over its cells, `(channel,)`: one direction for all of them."""
    return {level: values.mean(axis=(1, 2) if values.ndim == 3 else 0) for level, values in maps.items()}


def _mean(block: Any) -> Array:
    found = block.on_grid() if block.grid is not None else block
    return found.numpy().astype(np.float32).mean(axis=0)
