"""What another extractor decides differently: the interface through which it is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import torch

    from denoscope.core.condition import Condition
    from denoscope.core.sample import Sample
    from denoscope.models.base import Model
    from denoscope.models.coordinates import Canvas
    from denoscope.models.levels import Level

__all__ = ["Replay"]


class Replay(Protocol):
    """A frozen dataclass of switches, each of them one rule of an extractor that published numbers were read with.

    A replay decides pixels, latents, noise, level and text. It never touches the model, a scheduler or the global
    random state, and its switches are part of the recipe.
    """

    def to_dict(self) -> dict[str, Any]:
        """Every switch by name: what a recipe records."""
        ...

    def canvas(self, canvas: Canvas | None) -> Canvas:
        """The size policy: the extractor's own unless one is given."""
        ...

    def images(self, samples: Sequence[Sample]) -> int:
        """Images per batch."""
        ...

    def batched(self, size: int) -> Self:
        """With so many images per batch."""
        ...

    def whole(self, count: int) -> int:
        """A number of samples, at least `count`, after which a block may end without a batch being cut."""
        ...

    def check(self, model: Model, conditions: Sequence[Condition]) -> None:
        """Refuse what the extractor cannot do.

        Raises:
            InputError: with the reason.
        """
        ...

    def told(self, sample: Sample) -> Sample:
        """The sample as prompts may name its facts."""
        ...

    def asked(self, condition: Condition) -> Condition:
        """The condition whose text is read for one that was asked for."""
        ...

    def level(self, model: Model, condition: Condition, first: Condition) -> Level:
        """The level of a condition; `first` is the first one of the call."""
        ...

    def encode(self, model: Model, pixels: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Latents of a batch, and the noise that all of it shares (channel, row, col), or None for each image's own.

        Args:
            model: whose VAE.
            pixels: (sample, 3, row, col) in [-1, 1].
            seed: of the conditions.
        """
        ...

    def applied(self, model: Model) -> AbstractContextManager[None]:
        """What changes inside the denoiser, for the length of the `with`."""
        ...
