"""One vector per picture at sites and noise levels, in real sampling runs and after noising what is clean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.frame import Frame
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.models.chance import gaussian
from denoscope.models.levels import Level
from denoscope.models.reading import encoded, rows_at_once
from denoscope.models.siteinfo import grid_of

if TYPE_CHECKING:
    import torch

    from denoscope.models.base import Model

__all__ = ["How", "Spot", "Trajectories"]

How = Literal["cells", "means"]
Spot = tuple[str, int, How]
"""Site, number of the step, and whether rows are single cells or means over cells."""
Vectors = dict[Spot, NDArray[np.float64]]


@dataclass(frozen=True)
class Trajectories:
    """Reads a model at sites, at steps of its sampling runs.

    Attributes:
        model: that is read.
        sites: where.
        levels: of all steps of a run, most noise first.
        steps: those that are read.
        guidance: of the runs; noised latents are told the same where a model was distilled with one.
        seed: of noise and of the cells that are drawn.
        batch_size: rows per forward.
    """

    model: "Model"
    sites: tuple[Site, ...]
    levels: tuple[Level, ...]
    steps: tuple[int, ...]
    guidance: float
    seed: int = 0
    batch_size: int | None = None

    def sampled(self, prompts: Sequence[str], seed: int, advance: Any) -> tuple[Vectors, "torch.Tensor"]:
        """What pictures in the making hold, and their final latents `(picture, channel, row, col)`."""
        import torch

        found, latents = _Gathered((self.seed, 0, seed)), list[torch.Tensor]()
        for start, some in self._few(prompts, 2 if self.guidance > 1 else 1):
            made = self.model.generate(
                some, steps=len(self.levels), guidance=self.guidance, seed=seed + start, record=self.sites,
                at=self.steps, decode=False,
            )  # fmt: skip
            for step, recorded in zip(self.steps, made.activations, strict=True):
                for site in self.sites:
                    found.add(site, step, recorded[site.name])
            latents.append(made.latents)
            advance(len(some))
        return found.vectors(), torch.cat(latents)

    def noised(self, latents: "torch.Tensor", prompts: Sequence[str], advance: Any) -> Vectors:
        """What the same levels of noise make of clean latents."""
        found = _Gathered((self.seed, 1))
        for start, some in self._few(prompts, 1):
            few = latents[start : start + len(some)]
            frames = (self._whole(few),) * len(some)
            self._read(found, few, frames, some, [f"{self.seed}/{start + place}" for place in range(len(some))])
            advance(len(some))
        return found.vectors()

    def of_images(self, samples: Sequence[Sample], prompts: Sequence[str], advance: Any) -> Vectors:
        """What they make of images."""
        found, canvas = _Gathered((self.seed, 2)), self.model.canvas(None)
        for start, some in self._few(prompts, 1):
            batch = encoded(self.model, samples[start : start + len(some)], canvas)
            self._read(found, batch.latents, batch.frames, some, [sample.id for sample in batch.samples])
            advance(len(some))
        return found.vectors()

    def _few(self, prompts: Sequence[str], branches: int) -> Iterator[tuple[int, list[str]]]:
        size = max(1, rows_at_once(self.model, self.model.canvas(None), self.batch_size) // branches)
        yield from ((start, list(prompts[start : start + size])) for start in range(0, len(prompts), size))

    def _read(
        self, found: "_Gathered", latents: Any, frames: tuple[Frame, ...], prompts: list[str], names: Sequence[str]
    ) -> None:
        import torch

        model, clean = self.model, latents.to(self.model.device)
        taps, texts = [model.taps[site.name] for site in self.sites], model.texts(prompts)
        embedded = self.guidance if model.distilled else None
        for step in self.steps:
            level = self.levels[step]
            noise = torch.stack([gaussian(tuple(clean.shape[1:]), self.seed, f"{name}/{step}") for name in names])
            noised = model.noise(clean, noise.to(clean.device), [level] * len(names)).contiguous()
            times = torch.full((len(names),), level.timestep)
            values, _ = model.run(taps, noised, times, texts, embedded)
            for tap in taps:
                grid = grid_of(model, tap, noised.shape)
                read = Activations(
                    tap.site, Condition(clean=True), values[tap.name].cpu(), tuple(names), tap.kind, frames, grid
                )
                found.add(tap.site, step, read)

    def _whole(self, latents: Any) -> Frame:
        height, width = (side * self.model.factor for side in latents.shape[-2:])
        return Frame(width, height, width, height)


class _Gathered:
    """Rows as they come: for each picture the mean over its cells, and one cell by chance.

    Args:
        seed: of that chance, another for each sample: equal places in two samples would make them more alike than two
            are.
    """

    def __init__(self, seed: tuple[int, ...]) -> None:
        self._chance = np.random.default_rng((7, *seed))
        self._rows: dict[Spot, list[NDArray[np.float64]]] = {}

    def add(self, site: Site, step: int, read: Activations) -> None:
        """Pictures at a site and step."""
        flat = read.tokens()
        values = flat.numpy().astype(np.float64)
        on = np.ones(values.shape[:2], dtype=bool) if flat.grid is None else flat.mask.reshape(values.shape[:2])
        for cells, mask in zip(values, on, strict=True):
            kept = cells[mask]
            self._rows.setdefault((site.name, step, "means"), []).append(kept.mean(axis=0))
            self._rows.setdefault((site.name, step, "cells"), []).append(kept[self._chance.integers(len(kept))])

    def vectors(self) -> Vectors:
        """`(picture, channel)` at each spot."""
        return {spot: np.stack(rows) for spot, rows in self._rows.items()}
