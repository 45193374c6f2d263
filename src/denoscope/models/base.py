"""A latent diffusion model that can be read and edited at sites.

A family implements five methods: `encode`, `embed`, `noise`, `forward`, `pick`. Nothing above this class knows
which family it has in hand.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.site import Site, SiteInfo, select
from denoscope.models.coordinates import Canvas
from denoscope.models.hooks import Edit, Recorder, Tap, check_readable
from denoscope.models.latents import LatentCache
from denoscope.models.text import Text, TextCache

if TYPE_CHECKING:
    import torch

    from denoscope.core.activations import Activations
    from denoscope.core.sample import Sample
    from denoscope.models.compat import Compat
    from denoscope.models.components import Components
    from denoscope.models.generation import Generation, Inversion
    from denoscope.models.levels import Level, Levels
    from denoscope.models.planner import Plan
    from denoscope.models.siteinfo import SiteTable

__all__ = ["DERIVED", "Model"]

DERIVED = ("x0", "eps", "v")
"""Sites computed from `out`, the noised latents and the level: clean latents, noise, velocity."""


class Model:
    """Base of all families.

    Args:
        parts: denoiser, VAE, text encoders and the training noise schedule.
    """

    levels: Levels
    """The family's noise axis."""

    patch: int = 1
    """Latent cells per token side (2 in patchified transformers)."""

    def __init__(self, parts: Components) -> None:
        self.parts = parts
        self._lock = threading.RLock()
        self._running = False
        self._edits: list[tuple[Tap, Edit]] = []
        self._texts = TextCache(self.embed)
        self.latents = LatentCache()
        self.tables: dict[tuple[int, int], SiteTable] = {}
        """Site tables by canvas (height, width), as they were asked for."""

    # What a family implements ------------------------------------------------------------------------------------

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

    def pick(self) -> Iterable[Tap]:
        """Every tensor that can be read, and how; in the order in which they are computed."""
        raise NotImplementedError

    # Sites -------------------------------------------------------------------------------------------------------

    @cached_property
    def taps(self) -> dict[str, Tap]:
        """Taps by site name, in computation order; ends with `out` and what is derived from it."""
        derived = (Tap(Site(name), "grid", _not_taken, ()) for name in DERIVED)
        return {tap.name: tap for tap in (*self.pick(), *derived)}

    @property
    def sites(self) -> SiteTable:
        """Every site with path, shape, stride, channels and share of FLOPs, at the native size."""
        return self.sites_at()

    def sites_at(self, height: int | None = None, width: int | None = None) -> SiteTable:
        """As `sites`, for a canvas of other sides in pixels."""
        from denoscope.models.siteinfo import site_table

        return site_table(self, height or self.parts.native, width or self.parts.native)

    def select(self, sites: str | Site | Iterable[str | Site]) -> list[Site]:
        """Resolve names, globs, aliases, module paths and `depth@`, in computation order.

        Raises:
            UnknownName: with the nearest names.
            InputError: nothing was asked for.
        """
        patterns = [sites] if isinstance(sites, (str, Site)) else list(sites)
        if not patterns:
            raise InputError("no site was named; list them with: denoscope sites MODEL")
        if any(str(pattern).startswith("depth@") for pattern in patterns):
            return select(patterns, list(self.sites))
        return select(patterns, [SiteInfo(tap.site, (), None, 0.0) for tap in self.taps.values()])

    # Reading -----------------------------------------------------------------------------------------------------

    def read(
        self,
        images: Any,
        sites: str | Site | Iterable[str | Site],
        condition: Condition | None = None,
        *,
        canvas: Canvas | None = None,
        batch_size: int | None = None,
        compat: Compat | str | None = None,
    ) -> dict[str, Activations]:
        """Activations of images at sites under one condition.

        Args:
            images: a sample, PIL image, uint8 RGB array or path, or a sequence of them.
            sites: names, globs or aliases (see `select`).
            condition: noise, text and chance; timestep 50 with the empty prompt unless given.
            canvas: size policy; the longer side at the native size, padded, unless given.
            batch_size: rows per forward; chosen from the model's size unless given.
            compat: replay another extractor, `"sdhelper"`, or some of its switches (`denoscope.models.compat`).

        Returns:
            Site name to activations, rows in the order of `images`.

        Raises:
            UnknownName: a site that does not exist.
            InputError: an image that cannot be read, or a noise level that the model does not have.
        """
        from denoscope.models.reading import read

        return read(self, images, sites, condition or Condition(timestep=50), canvas, batch_size, compat)

    def stream(
        self,
        samples: Sequence[Sample],
        sites: str | Site | Iterable[str | Site],
        conditions: Sequence[Condition],
        *,
        canvas: Canvas | None = None,
        batch_size: int | None = None,
        compat: Compat | str | None = None,
    ) -> Iterator[list[Activations]]:
        """As `read`, batch by batch for several conditions: each image is encoded once, each prompt once.

        Yields:
            For a few samples of one canvas size: one `Activations` per condition and site, on the CPU.
        """
        from denoscope.models.reading import stream

        return stream(self, samples, sites, conditions, canvas, batch_size, compat)

    def canvas(self, canvas: Canvas | None = None) -> Canvas:
        """A size policy with this model's native size and latent cell filled in."""
        return (canvas or Canvas()).for_model(self.parts.native, self.multiple)

    # Editing, generation, inversion, planning --------------------------------------------------------------------

    @contextmanager
    def edit(self, edits: Mapping[str | Site, Edit]) -> Iterator[Model]:
        """Change activations in everything that runs inside the `with`.

        Args:
            edits: site to a function from its tensor (axes as `read` gives them) to one of the same shape.
        """
        added = [(self.taps[site.name], edit) for key, edit in edits.items() for site in self.select(key)]
        for tap, _ in added:
            if tap.put is None:
                raise InputError(f"site {tap.name} can be read but not edited; edit the output that it is made from")
        with self.editing(added):
            yield self

    @contextmanager
    def editing(self, added: Sequence[tuple[Tap, Edit]]) -> Iterator[None]:
        """As `edit`, for taps that need no name."""
        with self._lock:
            before = list(self._edits)
            self._edits.extend(added)
            try:
                yield
            finally:
                self._edits[:] = before

    def generate(self, prompts: str | Sequence[str], **options: Any) -> Generation:
        """Pictures from prompts, with recording: see `denoscope.models.generation.generate`."""
        from denoscope.models.generation import generate

        return generate(self, prompts, **options)

    def invert(self, images: Any, **options: Any) -> Inversion:
        """The noise that leads to given images: see `denoscope.models.generation.invert`."""
        from denoscope.models.generation import invert

        return invert(self, images, **options)

    def snr(self, condition: Condition) -> float:
        """Signal-to-noise ratio of powers under a condition."""
        return math.inf if condition.noise == "none" else self.levels.at(condition).snr

    def plan(
        self,
        samples: Sequence[Sample] | int,
        sites: str | Site | Iterable[str | Site],
        conditions: Condition | Sequence[Condition],
        **options: Any,
    ) -> Plan:
        """What reading would cost, without reading: see `denoscope.models.planner.plan`."""
        from denoscope.models.planner import plan

        return plan(self, samples, sites, conditions, **options)

    # What the floors below and the verbs use -----------------------------------------------------------------------

    def run(
        self,
        taps: Sequence[Tap],
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        texts: Text,
        guidance: float | None = None,
        stop: bool = True,
        check: bool = True,
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
        """One forward with edits applied and taps read: tensors by site name, and the output unless stopped early."""
        import torch

        with self._alone(), torch.no_grad(), _evaluating(self.parts.denoiser):
            if check:
                check_readable(self.parts.denoiser)
            recorder = Recorder(self.parts.denoiser, taps, self._edits, stop)
            output = recorder.run(lambda: self.forward(latents, timesteps, texts, guidance))
        return recorder.values, output

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Other threads wait; the same thread can only be here again from inside an edit, whose hooks it would see."""
        with self._lock:
            if self._running:
                raise InputError("an edit cannot run the model that it edits; read what it needs before")
            self._running = True
            try:
                yield
            finally:
                self._running = False

    def texts(self, prompts: Sequence[str | None]) -> Text:
        """Encoded prompts, each encoded once in this model's life."""
        import torch

        with self._lock, torch.no_grad():
            return self._texts(prompts)

    def forget(self) -> None:
        """Drop cached latents and encoded prompts; the next read encodes again."""
        with self._lock:
            self._texts = TextCache(self.embed)
            self.latents = LatentCache()

    def drop_text(self) -> None:
        """Free the text encoders; prompts that were encoded stay available."""
        for encoder in self.parts.text:
            encoder.encoder = None

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
            place = getattr(getattr(module, "_hf_hook", None), "execution_device", None)
            if place is not None:
                return torch.device(place)
            weight = next(module.parameters(recurse=False), None)
            if weight is not None and not weight.is_meta:
                return weight.device
        return next(self.parts.denoiser.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the denoiser."""
        return next(self.parts.denoiser.parameters()).dtype

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


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """Evaluation mode for the time being; every sub-module gets back the mode that it had."""
    training = [part for part in module.modules() if part.training]
    try:
        if training:
            module.eval()
        yield
    finally:
        for part in training:
            part.training = True


def _not_taken(_: Any) -> Any:
    raise InputError("x0, eps and v are derived from the output of a whole forward")
