"""Replaying how Stable Diffusion's alignment with people was read (L. Linhardt et al. 2024, arXiv 2403.08469).

Features came from one pass of diffusers' image-to-image pipeline: 100 steps at a strength of the noise in percent
(`denoscope.models.percents`), stopped at the site. Each peculiarity is one switch. Those of the scores stand with the
scores: `ties="published"` of the task `alignment`, the map `published` of `alignability`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from denoscope.core.errors import InputError
from denoscope.models.coordinates import Canvas

if TYPE_CHECKING:
    import torch

    from denoscope.core.condition import Condition
    from denoscope.core.sample import Sample
    from denoscope.models.base import Model
    from denoscope.models.levels import Level

__all__ = ["Linhardt2024", "spoken"]

_SIDE = 512


@dataclass(frozen=True, kw_only=True)
class Linhardt2024:
    """The rules of that extractor, one field per peculiarity; all on unless switched off."""

    posterior_sample: bool = True
    """Latents are a draw from the VAE's posterior. Off: its mode. The draw is made either way, so that this switch
    alone leaves `shared_noise` as it was."""
    shared_noise: bool = True
    """The generator is seeded anew before every image (42 as published), so that all images get one draw of the
    posterior and then one noise. Off: the condition's own noise, and a posterior draw for all images as before."""
    shorter_side: bool = True
    """Images come with their shorter side at 512 pixels (bilinear), in their own shape. Off: the usual canvas."""
    plain_labels: bool = True
    """In prompts, underscores of the fact `object` are spaces and its digits are dropped, so that `chicken1` and
    `chicken2` share a text. Off: the name as it is."""
    conditional_half: bool = True
    """Of a pass with text and guidance the half with the text is read. Off: the first half, which is without."""

    def to_dict(self) -> dict[str, Any]:
        """Every switch by name: what a recipe records."""
        return {"name": "linhardt2024", **asdict(self)}

    def canvas(self, canvas: Canvas | None) -> Canvas:
        """Shorter side at 512 pixels unless a canvas is given."""
        if canvas is not None:
            return canvas
        return Canvas("shorter", _SIDE, filter="bilinear") if self.shorter_side else Canvas()

    def images(self, samples: Sequence[Sample]) -> int:
        """All at once: here no image's chance depends on the others."""
        return max(min(len(samples), _BATCH), 1)

    def batched(self, size: int) -> Self:
        """The same: nothing depends on the batch."""
        return self

    def whole(self, count: int) -> int:
        """The same number: a block may end anywhere."""
        return count

    def check(self, model: Model, conditions: Sequence[Condition]) -> None:
        """Refuse what was never read so.

        Raises:
            InputError: no U-Net, several seeds at once, or more than one draw.
        """
        if type(model.parts.denoiser).__name__ != "UNet2DConditionModel":
            raise InputError(f"compat='linhardt2024' covers U-Nets of Stable Diffusion, not {type(model).__name__}")
        if len({condition.seed for condition in conditions}) > 1:
            raise InputError("compat='linhardt2024' gives every image the chance of one seed; read one seed at a time")
        if any(condition.draws > 1 for condition in conditions):
            raise InputError("compat='linhardt2024' knows one noise per seed; read with draws=1, one seed at a time")

    def told(self, sample: Sample) -> Sample:
        """With the object's name as prompts had it."""
        name = sample.facts.get("object")
        if not self.plain_labels or not isinstance(name, str):
            return sample
        return replace(sample, facts={**sample.facts, "object": spoken(name)})

    def asked(self, condition: Condition) -> Condition:
        """The half that is read."""
        if self.conditional_half or condition.branch != "cond" or not condition.prompt:
            return condition
        return replace(condition, branch="uncond")

    def level(self, model: Model, condition: Condition, first: Condition) -> Level:
        """As everywhere: the pipeline's own `add_noise` is the closed form."""
        return model.levels.at(condition)

    def encode(self, model: Model, pixels: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Latents of a batch, and the noise that all images share, or None.

        Args:
            model: whose VAE.
            pixels: (sample, 3, row, col) in [-1, 1].
            seed: with which the generator is seeded anew before every image.
        """
        posterior, noise = _chance(model, pixels.shape, seed)
        latents = model.encode(pixels, [posterior] * len(pixels) if self.posterior_sample else None)
        return latents, noise if self.shared_noise else None

    def applied(self, model: Model) -> AbstractContextManager[None]:
        """Nothing changes inside the denoiser."""
        return nullcontext()


_BATCH = 8


def spoken(name: str) -> str:
    """An object's name as published prompts had it: underscores as spaces, without digits."""
    return re.sub(r"\d", "", name.replace("_", " "))


def _chance(model: Model, shape: Sequence[int], seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The posterior's draw and then the noise of one image, both (channel, row, col), from a generator of our own."""
    import torch

    cells = (1, model.latent_channels, *(side // model.factor for side in shape[-2:]))
    vae: Any = model.parts.vae
    generator = torch.Generator(model.device).manual_seed(seed)
    drawn = [torch.randn(cells, generator=generator, device=model.device, dtype=kind)[0].float()
             for kind in (vae.dtype, model.dtype)]  # fmt: skip
    return drawn[0], drawn[1]
