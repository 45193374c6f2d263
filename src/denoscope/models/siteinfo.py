"""What can be read from a model, with shapes and the share of the work up to there, without running it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from denoscope.core.frame import Grid
from denoscope.core.site import Site, SiteInfo
from denoscope.models.base import DERIVED

if TYPE_CHECKING:
    import torch

    from denoscope.models.base import Model
    from denoscope.models.hooks import Tap

__all__ = ["SiteTable", "site_table"]


class SiteTable(Sequence[SiteInfo]):
    """The sites of one model at one canvas size; prints as a table."""

    def __init__(self, rows: Sequence[SiteInfo], total: float) -> None:
        self._rows = tuple(rows)
        self.flops = total
        """Floating-point operations of the denoiser for one image (2 per multiply-accumulate)."""

    @overload
    def __getitem__(self, index: int) -> SiteInfo: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SiteInfo]: ...
    def __getitem__(self, index: int | slice) -> SiteInfo | Sequence[SiteInfo]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[SiteInfo]:
        return iter(self._rows)

    def __str__(self) -> str:
        width = max(len(info.name) for info in self._rows)
        head = f"{'site':{width}}  {'shape':>16}  {'stride':>6}  {'FLOPs':>6}  path"
        return "\n".join([head, *(_line(info, width) for info in self._rows)])

    __repr__ = __str__


def _line(info: SiteInfo, width: int) -> str:
    shape = " x ".join(map(str, info.shape))
    stride = f"{info.stride:g}" if info.stride else "-"
    return f"{info.name:{width}}  {shape:>16}  {stride:>6}  {info.share:6.1%}  {info.site.path}"


def site_table(model: Model, height: int, width: int) -> SiteTable:
    """Shapes and FLOPs of every site for one canvas, from a forward of the denoiser's twin on the meta device."""
    if (height, width) not in model.tables:
        model.tables[height, width] = _measure(model, height, width)
    return model.tables[height, width]


def _measure(model: Model, height: int, width: int) -> SiteTable:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    twin = meta_twin(model)
    work: dict[str, float] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    counter = FlopCounterMode(display=False)

    def counted(tap: Tap) -> Tap:
        """The tap, noting how much was computed before it."""

        def take(calls: Any) -> torch.Tensor:
            work[tap.name] = counter.get_total_flops()
            value = tap.take(calls)
            shapes[tap.name] = tuple(value.shape[1:])
            return value

        return replace(tap, take=take)

    latents = torch.empty(1, model.latent_channels, height // model.factor, width // model.factor, device="meta")
    with counter:
        taps = [counted(tap) for tap in twin.taps.values()]
        twin.run(taps, latents, torch.zeros(1, device="meta"), twin.embed([None]), stop=False, check=False)
        total = counter.get_total_flops()
    rows = [
        SiteInfo(tap.site, shapes[tap.name], grid_of(model, tap, latents.shape), work[tap.name] / total)
        for tap in model.taps.values()
        if tap.name in shapes
    ]
    rows += [replace(rows[-1], site=Site(name), share=1.0) for name in DERIVED]
    return SiteTable(rows, total)


def meta_twin(model: Model) -> Model:
    """The model with a denoiser of the same configuration that has shapes but no weights."""
    import torch

    denoiser: Any = model.parts.denoiser
    if model.device.type == "meta":
        return model
    with torch.device("meta"):
        twin = type(denoiser).from_config(denoiser.config)
    return type(model)(replace(model.parts, denoiser=twin.eval()))


def grid_of(model: Model, tap: Tap, latents: Sequence[int]) -> Grid | None:
    """The cells of a site for latents of (..., rows, cols); tokens are patches of them."""
    if tap.scale is None:
        return None
    scale = tap.scale * (1 if tap.kind == "grid" else model.patch)
    rows, cols = (-(-side // scale) for side in latents[-2:])
    return Grid(rows, cols, float(model.factor * scale))
