"""What a family of checkpoints implements, and what follows from its networks alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.models.hooks import Tap, runs_on
from denoscope.models.levels import check_length

if TYPE_CHECKING:
    import torch

    from denoscope.models.components import Components
    from denoscope.models.levels import Level, Levels
    from denoscope.models.text import Text
    from denoscope.models.words import TextPart

__all__ = ["DERIVED", "Family"]

DERIVED = ("x0", "eps", "v")
"""Sites computed from `out`, the noised latents and the level: clean latents, noise, velocity."""


class Family:
    """A denoiser with the networks around it: the five methods of a family, its taps, sizes and precision.

    Args:
        parts: denoiser, VAE, text encoders and the training noise schedule.

    Raises:
        InputError: a noise schedule that has not 1000 timesteps.
    """

    levels: Levels
    """The family's noise axis."""

    patch: int = 1
    """Latent cells per token side (2 in patchified transformers)."""

    def __init__(self, parts: Components) -> None:
        check_length(parts.scheduler)
        self.parts = parts

    def encode(self, canvas: torch.Tensor, sample: Sequence[torch.Tensor] | None = None) -> torch.Tensor:
        """Images to latents: the mode of the VAE's posterior, shifted and scaled as its configuration says.

        Args:
            canvas: (sample, 3, row, col) in [-1, 1].
            sample: standard normal tensors, one per sample, to draw from the posterior instead.

        Returns:
            (sample, channel, row, col), fp32.
        """
        import torch

        vae: Any = self._vae()
        posterior = vae.encode(canvas.to(self.device, vae.dtype)).latent_dist
        latents = posterior.mean.float()
        if sample is not None:
            latents = latents + posterior.std.float() * torch.stack(list(sample)).to(latents.device)
        return (latents - self._shift) * self._scale

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents to images, (sample, 3, row, col) fp32, about [-1, 1]; the inverse of `encode`."""
        vae: Any = self._vae()
        return vae.decode((latents / self._scale + self._shift).to(self.device, vae.dtype)).sample.float()

    def embed(self, prompts: Sequence[str | None]) -> Text:
        """Encode prompts; None stands for zeros and must not touch an encoder."""
        raise NotImplementedError

    def noise(self, latents: torch.Tensor, noise: torch.Tensor, levels: Sequence[Level]) -> torch.Tensor:
        """The forward process, x = alpha x0 + sigma e, with one level per row; (row, channel, row, col) fp32."""
        alpha = latents.new_tensor([level.alpha for level in levels]).view(-1, 1, 1, 1)
        sigma = latents.new_tensor([level.sigma for level in levels]).view(-1, 1, 1, 1)
        return alpha * latents + sigma * noise

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: Text, guidance: float | None = None
    ) -> torch.Tensor:
        """One call of the denoiser.

        Args:
            latents: noised latents, (row, channel, row, col).
            timesteps: 0 ... 1000 in the family's axis, (row,).
            text: one row each.
            guidance: embedded guidance, for models that were distilled with it.

        Returns:
            The prediction in latent layout, (row, channel, row, col).
        """
        raise NotImplementedError

    def text_parts(self) -> Sequence[TextPart]:
        """Which tokenizers fill which columns of the context, for words to be found there; none without text."""
        return ()

    def pick(self) -> Iterable[Tap]:
        """Every tensor that can be read, and how; in the order in which they are computed."""
        raise NotImplementedError

    @cached_property
    def taps(self) -> dict[str, Tap]:
        """Taps by site name, in computation order; ends with `out` and what is derived from it."""
        derived = (Tap(Site(name), "grid", _not_taken, ()) for name in DERIVED)
        return {tap.name: tap for tap in (*self.pick(), *derived)}

    @property
    def recipe(self) -> Mapping[str, Any]:
        """What identifies the weights and their precision, for `Recipe.model`."""
        networks = {"dtype": self.parts.denoiser, "vae_dtype": self.parts.vae}
        dtypes = {name: _dtype(network) for name, network in networks.items() if network is not None}
        return {**self.parts.recipe, "family": type(self).__name__, **dtypes}

    @property
    def device(self) -> torch.device:
        """Where the denoiser runs, also while its weights lie elsewhere."""
        import torch

        for module in self.parts.denoiser.modules():
            place = runs_on(module)
            if place is not None:
                return torch.device(place)
            weight = next(module.parameters(recurse=False), None)
            if weight is not None and not weight.is_meta:
                return weight.device
        return next(self.parts.denoiser.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the denoiser."""
        weights = self.parts.denoiser.parameters()
        return next(weight.dtype for weight in weights if weight.is_floating_point())  # 4-bit weights are packed bytes

    @property
    def config(self) -> Any:
        """Configuration of the denoiser."""
        return self.parts.denoiser.config

    @property
    def distilled(self) -> bool:
        """Whether guidance is an input of the denoiser instead of a second forward."""
        embedded = getattr(self.config, "guidance_embeds", False)
        return bool(embedded or getattr(self.config, "time_cond_proj_dim", None) is not None)

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        return int(self.config.in_channels)

    @cached_property
    def factor(self) -> int:
        """Canvas pixels per latent cell."""
        vae: Any = self.parts.vae
        return 2 ** (len(vae.config.block_out_channels) - 1) if vae is not None else 8

    @property
    def multiple(self) -> int:
        """Canvas sides are multiples of this many pixels."""
        return self.factor * self.patch

    def _vae(self) -> Any:
        if self.parts.vae is None:
            raise InputError("this model was loaded without its VAE; it can be asked for shapes but not read images")
        return self.parts.vae

    @property
    def _scale(self) -> float:
        return float(self._vae().config.scaling_factor)

    @property
    def _shift(self) -> float:
        return float(getattr(self._vae().config, "shift_factor", None) or 0.0)


def _dtype(network: Any) -> str:
    return str(network.dtype).removeprefix("torch.")


def _not_taken(_: Any) -> Any:
    raise InputError("x0, eps and v are derived from the output of a whole forward")
