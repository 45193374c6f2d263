"""Rows of a forward: which sample under which condition, and how they become activations again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.models.siteinfo import grid_of

if TYPE_CHECKING:
    import torch

    from denoscope.core.condition import Condition
    from denoscope.core.frame import Frame
    from denoscope.core.sample import Sample
    from denoscope.models.base import Model
    from denoscope.models.hooks import Tap
    from denoscope.models.replay import Replay

__all__ = ["Batch", "Row", "joined", "labelled", "rows_of"]


@dataclass(frozen=True)
class Row:
    """One row of a forward: which sample under which condition, draw and text."""

    sample: int
    condition: int
    draw: int
    prompt: str | None


@dataclass(frozen=True)
class Batch:
    """A few images of one canvas size, encoded."""

    samples: Sequence[Sample]
    frames: tuple[Frame, ...]
    latents: torch.Tensor
    noise: torch.Tensor | None = None
    """One noise for all of them, where another extractor is replayed."""
    compat: Replay | None = None


def rows_of(samples: Sequence[Sample], conditions: Sequence[Condition]) -> list[Row]:
    """Condition by condition, sample by sample, draw by draw, with the prompt before the negative."""
    return [
        Row(i, c, draw, prompt)
        for c, condition in enumerate(conditions)
        for i, sample in enumerate(samples)
        for draw in range(condition.draws)
        for prompt in _prompts(sample, condition)
    ]


def _prompts(sample: Sample, condition: Condition) -> list[str | None]:
    def meant(text: str) -> str | None:
        return None if text == "" and condition.empty == "zeros" else text

    with_prompt, without = meant(condition.text_for(sample.facts)), meant(condition.negative)
    return {"cond": [with_prompt], "uncond": [without], "diff": [with_prompt, without]}[condition.branch]


def labelled(
    model: Model,
    batch: Batch,
    tap: Tap,
    chunks: Sequence[torch.Tensor],
    rows: Sequence[Row],
    index: int,
    condition: Condition,
) -> Activations:
    """One condition's rows of one site, with branches and draws reduced as it asks."""
    import torch

    everything = chunks[0] if len(chunks) == 1 else torch.cat(list(chunks))
    values = everything[[n for n, row in enumerate(rows) if row.condition == index]]
    if condition.branch == "diff":
        values = values[0::2] - values[1::2]
    values, copies = _reduced(values, condition)
    return Activations(
        tap.site,
        condition,
        values,
        tuple(sample.id for sample in batch.samples for _ in range(copies)),
        tap.kind,
        tuple(frame for frame in batch.frames for _ in range(copies)),
        grid_of(model, tap, batch.latents.shape),
        tuple(draw for _ in batch.samples for draw in range(copies)),
    )


def _reduced(values: torch.Tensor, condition: Condition) -> tuple[torch.Tensor, int]:
    """Values with the draws of a sample reduced, and how many rows a sample has left."""
    if condition.draws == 1:
        return values, 1
    if condition.reduce == "all":
        return values, condition.draws
    draws = values.unflatten(0, (-1, condition.draws)).float()
    reduced = draws.mean(1) if condition.reduce == "mean" else draws.var(1)
    return reduced.to(values.dtype), 1


def joined(parts: Sequence[Activations]) -> Activations:
    """Batches of one site put together.

    Raises:
        InputError: their canvases differ in size, so that their values cannot share one array.
    """
    import torch

    first = parts[0]
    if any(part.shape[1:] != first.shape[1:] for part in parts):
        sizes = sorted({"x".join(map(str, part.shape[1:])) for part in parts})
        raise InputError(
            f"images of several canvas sizes give {first.site} values of shapes {', '.join(sizes)}; "
            "read them one size at a time, choose canvas policy pad, stretch or crop, or use stream"
        )
    return replace(
        first,
        values=first.values if len(parts) == 1 else torch.cat([part.values for part in parts]),
        ids=tuple(id for part in parts for id in part.ids),
        frames=tuple(frame for part in parts for frame in part.frames),
        draws=tuple(draw for part in parts for draw in part.draws),
    )
