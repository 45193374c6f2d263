"""A bridge to nnsight: sites inside its traces, and what a trace saved as activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.core.recipe import Recipe
from denoscope.core.sample import fingerprint
from denoscope.models.hooks import Call, Tap, check_readable
from denoscope.models.images import as_samples
from denoscope.models.reading import encoded, handed, level_of
from denoscope.models.rows import Batch, Row, labelled, rows_of

if TYPE_CHECKING:
    import torch

    from denoscope.core.activations import Activations
    from denoscope.core.sample import Sample
    from denoscope.core.site import Site
    from denoscope.models.base import Model
    from denoscope.models.coordinates import Canvas

__all__ = ["Bridge", "Prepared", "bridge"]


@dataclass(frozen=True)
class Prepared:
    """Pictures that are ready for one forward, and what is needed to label what comes out of it.

    Attributes:
        args: what the forward takes: noised latents, timesteps, texts, guidance.
        samples: the pictures, in order.
        condition: noise, text and chance.
    """

    args: tuple[Any, ...]
    samples: Sequence[Sample]
    condition: Condition
    canvas: Canvas
    batch: Batch
    rows: Sequence[Row]


class Bridge:
    """A model inside nnsight, with its sites.

    In a trace, `self.read(site)` is the tensor that `model.read` gives, bit by bit, with its gradient; what is given to
    `self.write(site, value)` takes its place. Several sites are read in the order in which the model computes them, as
    nnsight wants it; `self.envoy(site)` is nnsight's own handle. Outside of traces the model reads as before, and
    `close` takes nnsight's controllers off again.

    Args:
        model: what `load` gave.

    Attributes:
        root: the `nnsight.NNsight` around the forward; the denoiser is `root.denoiser`.

    Raises:
        MissingPackage: nnsight is not installed.
        InputError: a denoiser whose tensors cannot be seen, as when it is compiled.
    """

    def __init__(self, model: Model) -> None:
        nnsight = require("nnsight", "trace a model with it", "denoscope[nnsight]")
        check_readable(model.parts.denoiser)
        self.model = model
        self.root: Any = nnsight.NNsight(_forward_of(model))
        self._seen: dict[str, _Call] = {}

    def prepare(self, images: Any, condition: Condition | None = None, *, canvas: Canvas | None = None) -> Prepared:
        """Lay pictures on the canvas, encode and noise them, as `model.read` does; all in one batch.

        Args:
            images: as for `model.read`, of one canvas size.
            condition: timestep 50 with the empty prompt unless given.
            canvas: size policy; the model's own unless given.

        Raises:
            InputError: canvases of several sizes.
        """
        asked, samples = condition or Condition(timestep=50), as_samples(images)
        laid_on = self.model.canvas(canvas)
        batch = encoded(self.model, samples, laid_on)
        rows = rows_of(samples, [asked])
        levels = [level_of(self.model, asked, asked)]
        args = (*handed(self.model, batch, rows, [asked], levels), asked.guidance)
        return Prepared(args, samples, asked, laid_on, batch, rows)

    def trace(self, inputs: Prepared) -> Any:
        """nnsight's trace of one forward: `with bridge.trace(inputs): value = bridge.read("up.1").save()`."""
        self._seen = {}
        return self.root.trace(*inputs.args)

    def tap(self, site: str | Site) -> Tap:
        """How a site's tensor is taken from the modules' calls.

        Raises:
            UnknownName: no such site.
            InputError: several sites, or one that is made from the output and the noise level.
        """
        found = self.model.select(site)
        if len(found) != 1:
            raise InputError(f"{site!s} means {len(found)} sites; in a trace they are read one by one")
        tap = self.model.taps[found[0].name]
        if not tap.needs:
            raise InputError(f"{tap.name} is computed from `out` after the forward; read `out`, or use model.read")
        return tap

    def path(self, site: str | Site) -> str:
        """The module of a site, from `root` on, as in `denoiser.up_blocks.1`."""
        return f"denoiser.{self.tap(site).site.path}"

    def envoy(self, site: str | Site) -> Any:
        """nnsight's handle of the module of a site, with `.input`, `.output`, `.skip` and `.source`."""
        return self._envoy(self.tap(site).site.path)

    def read(self, site: str | Site) -> torch.Tensor:
        """Inside a trace: the tensor at a site, axes as `model.read` gives them."""
        tap = self.tap(site)
        return tap.take(self._calls(tap))

    def write(self, site: str | Site, value: torch.Tensor) -> None:
        """Inside a trace: put another tensor at a site, for everything that is computed from it.

        Raises:
            InputError: a site that can only be read.
        """
        tap = self.tap(site)
        if tap.put is None:
            raise InputError(f"site {tap.name} can be read but not edited; edit the output that it is made from")
        call = self._call(tap.site.path)
        put: Any = tap.put
        if tap.before:
            call.envoy.inputs = call.inputs = put(call, value)
        else:
            call.envoy.output = call.output = put(call, value)

    def activations(self, inputs: Prepared, values: Mapping[str | Site, torch.Tensor]) -> dict[str, Activations]:
        """Saved tensors as labelled activations, with frames, cells and recipe, as `model.read` gives them.

        Args:
            inputs: that were traced.
            values: saved tensors by site.
        """
        taps = {self.tap(site).name: (self.tap(site), value) for site, value in values.items()}
        recipe = Recipe(
            model={**self.model.recipe, "read through": "nnsight"},
            data={"fingerprint": fingerprint(inputs.samples)},
            canvas=asdict(inputs.canvas),
            sites=tuple(sorted(taps)),
            conditions=(inputs.condition.to_dict(),),
        )
        return {name: replace(self._labelled(inputs, tap, value), recipe=recipe) for name, (tap, value) in taps.items()}

    def close(self) -> None:
        """Leave the model's modules as they were before."""
        for module in self.root._module.modules():
            for name in [name for name, value in vars(module).items() if _nnsights(value)]:
                del module.__dict__[name]

    def _labelled(self, inputs: Prepared, tap: Tap, value: torch.Tensor) -> Activations:
        if len(value) != len(inputs.rows):
            raise InputError(f"{tap.name}: {len(value)} rows were saved where {len(inputs.rows)} were traced")
        chunks = [value.detach().cpu()]
        return labelled(self.model, inputs.batch, tap, chunks, inputs.rows, 0, inputs.condition)

    def _calls(self, tap: Tap) -> dict[str, Call]:
        """The calls that a tap is taken from, looked at in the order in which they happen: nnsight never goes back."""
        paths = [tap.site.path] if tap.before else list(dict.fromkeys(tap.needs))
        calls: dict[str, Any] = {path: self._call(path) for path in paths}
        if len(paths) > 1:
            around = [path for path in paths if any(other.startswith(f"{path}.") for other in paths)]
            for path in around:
                _ = calls[path].inputs
            for path in paths:
                _ = None if path in around else calls[path].output
        return calls

    def _call(self, path: str) -> _Call:
        if path not in self._seen:
            self._seen[path] = _Call(self._envoy(path))
        return self._seen[path]

    def _envoy(self, path: str) -> Any:
        return self.root.get(f"denoiser.{path}" if path else "denoiser")


def bridge(model: Model) -> Bridge:
    """A loaded model inside nnsight, with sites for names.

    `scope.prepare(images, condition)` encodes and noises pictures as `model.read` does. In `with scope.trace(inputs)`,
    `scope.read(site)` is the tensor that `model.read` gives, bit by bit and with its gradient,
    `scope.write(site, value)` puts another in its place, and `scope.envoy(site)` is nnsight's handle of the module
    behind it.
    `scope.activations(inputs, {site: saved})` labels what was saved; `scope.close()` leaves the model as it was.

    Args:
        model: what `load` gave.

    Raises:
        MissingPackage: nnsight is not installed.
    """
    return Bridge(model)


def _nnsights(value: Any) -> bool:
    return type(value).__module__.startswith("nnsight.")


class _Call:
    """A `Call` whose parts nnsight is asked for when they are looked at, each once in a trace."""

    sums = None

    def __init__(self, envoy: Any) -> None:
        self.envoy, self.module = envoy, envoy._module

    @cached_property
    def inputs(self) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Arguments, positional and by name."""
        return self.envoy.inputs

    @cached_property
    def output(self) -> Any:
        """What the module returned, or what was written in its place."""
        return self.envoy.output

    @property
    def args(self) -> tuple[Any, ...]:
        """Positional arguments."""
        return self.inputs[0]

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """Arguments by name."""
        return self.inputs[1]

    def input(self, position: int, name: str) -> Any:
        """An argument, however it was passed."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name)


def _forward_of(model: Model) -> Any:
    """A module that runs one forward of a model as `model.read` runs it, the denoiser being its child."""
    from torch import nn

    class Forward(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.denoiser = model.parts.denoiser

        def forward(self, latents: Any, timesteps: Any, texts: Any, guidance: float | None = None) -> Any:
            return model.forward(latents, timesteps, texts, guidance)

    return Forward()
