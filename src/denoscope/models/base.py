"""A latent diffusion model that can be read and edited at sites.

A family implements the five methods of `Family`; nothing above `Model` knows which one it has in hand.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.site import Site, SiteInfo, select
from denoscope.models.coordinates import Canvas
from denoscope.models.family import DERIVED, Family
from denoscope.models.hooks import Edit, Tap
from denoscope.models.latents import LatentCache
from denoscope.models.running import Runner
from denoscope.models.text import Text, TextCache

if TYPE_CHECKING:
    import torch

    from denoscope.core.activations import Activations
    from denoscope.core.sample import Sample
    from denoscope.models.components import Components
    from denoscope.models.generation import Generation, Inversion
    from denoscope.models.planner import Plan
    from denoscope.models.replay import Replay
    from denoscope.models.siteinfo import SiteTable

__all__ = ["DERIVED", "Model"]


class Model(Family):
    """Base of all families: reads, edits, generates and inverts.

    Args:
        parts: denoiser, VAE, text encoders and the training noise schedule.
    """

    def __init__(self, parts: Components) -> None:
        super().__init__(parts)
        self._runner = Runner()
        self._texts = TextCache(self.embed)
        self.latents = LatentCache()
        self.tables: dict[tuple[int, int], SiteTable] = {}
        """Site tables by canvas (height, width), as they were asked for."""

    @property
    def sites(self) -> SiteTable:
        """Every site with path, shape, stride, channels and share of FLOPs, at the native size."""
        return self.sites_at()

    def sites_at(self, height: int | None = None, width: int | None = None) -> SiteTable:
        """As `sites`, for a canvas of other sides in pixels.

        Raises:
            InputError: a side that is no multiple of the model's latent cell.
        """
        from denoscope.models.siteinfo import site_table

        sides = [self.parts.native if side is None else side for side in (height, width)]
        for side in sides:
            Canvas(size=side, multiple=self.multiple)
        return site_table(self, *sides)

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

    def read(
        self,
        images: Any,
        sites: str | Site | Iterable[str | Site],
        condition: Condition | None = None,
        *,
        canvas: Canvas | None = None,
        batch_size: int | None = None,
        compat: Replay | str | None = None,
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
        samples: Iterable[Sample],
        sites: str | Site | Iterable[str | Site],
        conditions: Sequence[Condition],
        *,
        canvas: Canvas | None = None,
        batch_size: int | None = None,
        compat: Replay | str | None = None,
    ) -> Iterator[list[Activations]]:
        """As `read`, batch by batch for several conditions: each image is encoded once, each prompt once.

        Samples are taken as they are needed, and may come from an iterator that reads them meanwhile.

        Yields:
            For a few samples of one canvas size: one `Activations` per condition and site, on the CPU.
        """
        from denoscope.models.reading import stream

        return stream(self, samples, sites, conditions, canvas, batch_size, compat)

    def canvas(self, canvas: Canvas | None = None) -> Canvas:
        """A size policy with this model's native size and latent cell filled in."""
        if canvas is not None and not isinstance(canvas, Canvas):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"a canvas is made like Canvas(size=512); got {canvas!r}")
        return (canvas or Canvas()).for_model(self.parts.native, self.multiple)

    @contextmanager
    def edit(self, edits: Mapping[str | Site, Edit]) -> Generator[Model]:
        """Change activations in everything that runs inside the `with`.

        Args:
            edits: site to a function from its tensor (axes as `read` gives them) to one of the same shape.
        """
        with self.editing(self.placed(edits)):
            yield self

    def placed(self, edits: Mapping[str | Site, Edit]) -> list[tuple[Tap, Edit]]:
        """Each edit with where it acts, in order.

        Raises:
            UnknownName: no such site.
            InputError: a site that can only be read.
        """
        added = [(self.taps[site.name], edit) for key, edit in edits.items() for site in self.select(key)]
        for tap, _ in added:
            if tap.put is None:
                raise InputError(f"site {tap.name} can be read but not edited; edit the output that it is made from")
        return added

    @contextmanager
    def editing(self, added: Sequence[tuple[Tap, Edit]]) -> Generator[None]:
        """As `edit`, for taps that need no name."""
        with self._runner.editing(added):
            yield

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
        return self._runner(
            self.parts.denoiser, lambda: self.forward(latents, timesteps, texts, guidance), taps, stop, check
        )

    def texts(self, prompts: Sequence[str | None]) -> Text:
        """Encoded prompts, each encoded once in this model's life."""
        import torch

        with self._runner.lock, torch.no_grad():
            return self._texts(prompts)

    def compile(self) -> None:
        """Compile the denoiser's repeated blocks from now on: see `denoscope.models.compiling`.

        Raises:
            InputError: no compiler is here, or the denoiser cannot be compiled.
        """
        from denoscope.models.compiling import Regions

        self._runner.regions = Regions(self.parts.denoiser)
        self.parts.recipe = {**self.parts.recipe, "compiled": "inductor"}

    def forget(self) -> None:
        """Drop cached latents and encoded prompts; the next read encodes again."""
        with self._runner.lock:
            self._texts = TextCache(self.embed)
            self.latents = LatentCache()

    def drop_text(self) -> None:
        """Free the text encoders; prompts that were encoded stay available."""
        for encoder in self.parts.text:
            encoder.encoder = None
