"""Replaying what sdhelper 1.0.0 computes: each of its known defects is one switch.

Published numbers of the seeds were measured with that extractor. `compat="sdhelper"` turns every switch on;
`Compat(unit_range=False)` turns one off. Nothing here touches the model, a scheduler or the global random state:
each defect is written as what it does to pixels, noise, level or added embedding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from denoscope.core.errors import InputError, unknown
from denoscope.models.compat_linhardt import Linhardt2024
from denoscope.models.coordinates import Canvas
from denoscope.models.hooks import output_tap

if TYPE_CHECKING:
    import torch

    from denoscope.core.condition import Condition
    from denoscope.core.sample import Sample
    from denoscope.models.base import Model
    from denoscope.models.levels import Level
    from denoscope.models.replay import Replay

__all__ = ["NAMES", "Compat", "compat_of"]

_UNET, _SD3 = "UNet2DConditionModel", "SD3Transformer2DModel"
_ADDED = output_tap("add", "add_embedding", "tokens", None)


@dataclass(frozen=True, kw_only=True)
class Compat:
    """The rules of sdhelper 1.0.0 (J. Loos, 2025), one field per defect; all on unless switched off."""

    unit_range: bool = True
    """U-Nets: the VAE is given [0, 1] instead of [-1, 1], so that black arrives as mid-grey."""
    shared_noise: bool = True
    """All images of a batch get one noise tensor, drawn under the seed after the posterior draw of the whole batch;
    so it depends on the batch's size, the image's size and the device. Off: the condition's own noise."""
    posterior_sample: bool = True
    """Latents are a draw from the VAE's posterior, in one draw for the whole batch. Off: its mode. The draw is made
    either way, so that this switch alone leaves `shared_noise` as it was."""
    double_scaling: bool = True
    """U-Nets with an Euler scheduler: latents, already noised at variance 1, are multiplied by sqrt(ab) once more. The
    scheduler's step index is sticky: the factor belongs to the first timestep that was ever asked of it."""
    drop_conditioning: bool = True
    """SDXL: pooled text and size and crop ids are not added to the time embedding."""
    sd3_step_index: bool = True
    """SD3: timestep t means entry 999 - t of a 1000-step schedule to which the shift of 3 was applied twice, so that
    timestep 50 is noise level 143.5 of 1000."""
    sticky_timestep: int | None = None
    """First timestep that the session asked for, which decides `double_scaling`; None: the first one of this call."""
    batch: int = 20
    """Images per batch, where no `batch_size` is given; 1 as soon as the images differ in size."""

    def to_dict(self) -> dict[str, Any]:
        """Every switch by name: what a recipe records."""
        return {"name": "sdhelper", **asdict(self)}

    def canvas(self, canvas: Canvas | None) -> Canvas:
        """The size policy: stretched to a square unless given, as `resize=` does."""
        return canvas or Canvas("stretch")

    def images(self, samples: Sequence[Sample]) -> int:
        """Images per batch, which here decides their noise."""
        sizes = {sample.image.shape[:2] for sample in samples}
        return 1 if len(sizes) > 1 else self.batch

    def batched(self, size: int) -> Self:
        """With so many images sharing their chance."""
        return replace(self, batch=size)

    def told(self, sample: Sample) -> Sample:
        """As it is."""
        return sample

    def asked(self, condition: Condition) -> Condition:
        """As it is."""
        return condition

    def whole(self, count: int) -> int:
        """The next multiple of the batch, so that blocks of so many samples leave the batches as they are."""
        return -(-count // self.batch) * self.batch

    def check(self, model: Model, conditions: Sequence[Condition]) -> None:
        """Refuse what sdhelper cannot do.

        Raises:
            InputError: a family that it does not read, several seeds at once, or more than one draw.
        """
        if _kind(model) not in (_UNET, _SD3):
            raise InputError(f"compat='sdhelper' covers U-Nets and SD3, not {type(model).__name__}")
        if len({condition.seed for condition in conditions}) > 1:
            raise InputError("compat='sdhelper' draws a batch's chance from one seed; read one seed at a time")
        if any(condition.draws > 1 for condition in conditions):
            raise InputError("compat='sdhelper' knows one noise per seed; read with draws=1, one seed at a time")

    def level(self, model: Model, condition: Condition, first: Condition) -> Level:
        """The level of a condition; `first` is the one that a sticky scheduler met first."""
        if _kind(model) == _SD3:
            return self._sd3_level(model, condition)
        level = model.levels.at(condition)
        if not self.double_scaling or not _scales(model.parts.scheduler):
            return level
        sticky = first if self.sticky_timestep is None else first.at(timestep=self.sticky_timestep)
        factor = model.levels.at(sticky).alpha
        return replace(level, alpha=level.alpha * factor, sigma=level.sigma * factor)

    def _sd3_level(self, model: Model, condition: Condition) -> Level:
        if condition.timestep is None or not self.sd3_step_index:
            return model.levels.at(condition)
        if not 0 <= condition.timestep <= 999 or condition.timestep % 1:
            raise InputError(f"compat='sdhelper' indexes a schedule: {condition.timestep:g} is no step in 0 ... 999")
        shift = float(model.parts.scheduler.get("shift", 1.0))
        least = _shifted(1e-3, shift)
        sigma = float(np.float32(_shifted(least + (1 - least) * condition.timestep / 999, shift)))
        return model.levels.timestep(1000 * sigma)

    def encode(self, model: Model, pixels: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Latents of a batch, and the noise that all of it shares (channel, row, col), or None.

        Args:
            model: whose VAE.
            pixels: (sample, 3, row, col) in [-1, 1].
            seed: of the batch's generator.
        """
        if self.unit_range and _kind(model) == _UNET:
            pixels = (pixels + 1) / 2
        posterior, noise = _chance(model, pixels.shape, seed)
        latents = model.encode(pixels, list(posterior) if self.posterior_sample else None)
        return latents, noise if self.shared_noise else None

    @contextmanager
    def applied(self, model: Model) -> Iterator[None]:
        """What changes inside the denoiser: SDXL's added embedding becomes zero, as if it were never added."""
        if not self.drop_conditioning or getattr(model.parts.denoiser, "add_embedding", None) is None:
            yield
            return
        with model.editing([(_ADDED, lambda value: value.new_zeros(value.shape))]):
            yield


NAMES: Mapping[str, Replay] = {"sdhelper": Compat(), "linhardt2024": Linhardt2024()}
"""What `compat=` accepts by name."""


def compat_of(compat: Replay | str | None, batch_size: int | None = None) -> Replay | None:
    """The switches that a name stands for, with the batch that was asked for.

    Raises:
        UnknownName: no extractor of that name is replayed.
    """
    if compat is None:
        return None
    if isinstance(compat, str):
        if compat not in NAMES:
            raise unknown("compat", compat, NAMES, "denoscope.models.compat.NAMES")
        compat = NAMES[compat]
    return compat.batched(batch_size) if batch_size else compat


def _kind(model: Model) -> str:
    return type(model.parts.denoiser).__name__


def _scales(scheduler: Mapping[str, Any]) -> bool:
    """Whether the pipeline's scheduler divides its input by sqrt(sigma^2 + 1)."""
    return str(scheduler.get("_class_name", "")).startswith("Euler")


def _shifted(sigma: float, shift: float) -> float:
    """Timestep shift of Esser et al. 2024, eq. 23."""
    return shift * sigma / (1 + (shift - 1) * sigma)


def _chance(model: Model, shape: Sequence[int], seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The draws that follow `torch.manual_seed(seed)`, from a generator of our own.

    First the posterior's, (sample, channel, row, col) in the VAE's precision, then one noise, (channel, row, col) in
    the denoiser's. `randn_like` fills memory in the order of its model, and latents of images that came as
    (row, col, channel) keep that order: hence channels last.
    """
    import torch

    sides = [side // model.factor for side in shape[-2:]]
    cells = (model.latent_channels, *sides)
    vae: Any = model.parts.vae
    generator = torch.Generator(model.device).manual_seed(seed)
    posterior = torch.randn((shape[0], *cells), generator=generator, device=model.device, dtype=vae.dtype)
    noise = torch.empty((1, *cells), device=model.device, dtype=model.dtype, memory_format=torch.channels_last)
    noise.normal_(generator=generator)
    return posterior.float(), noise[0].float()
