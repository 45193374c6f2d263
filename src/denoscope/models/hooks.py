"""Reading and editing tensors while a denoiser runs, leaving it exactly as it was found.

Hooks live in a `with` and are removed in `finally`. The forward ends as soon as the last wanted tensor has been
seen: an exception that only `Recorder` catches. What a hook returns replaces the module's output, so readers
return None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from denoscope.core.errors import InputError
from denoscope.core.site import Site

if TYPE_CHECKING:
    import torch
    from torch import nn

    from denoscope.models.attention import Looks
    from denoscope.models.kernels import Sums

__all__ = ["COMPILED", "Call", "Calls", "Edit", "Looking", "Recorder", "Tap", "check_readable", "output_tap", "runs_on"]

COMPILED = "a torch.compile'd denoiser hides its tensors; pass the original module (._orig_mod)"

Kind = Literal["grid", "tokens", "map"]
Edit = Callable[["torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True)
class Call:
    """One call of one module: what went in and what came out (None before it ran).

    `sums` are those of its attention kernel, (row, head, query), where a tap listens to it and the kernel tells them.
    """

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    output: Any
    sums: torch.Tensor | None = None

    def input(self, position: int, name: str) -> Any:
        """An argument, however it was passed."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name)


Calls = Mapping[str, Call]
Looking = Callable[[Calls], "Looks"]
Take = Callable[[Mapping[str, Call]], "torch.Tensor"]
Put = Callable[[Call, "torch.Tensor"], Any]


@dataclass(frozen=True)
class Tap:
    """How one site's tensor is taken from the calls of one or several modules.

    Attributes:
        site: canonical name and the module path it is read at.
        kind: axes of one sample: `grid` (channel, row, col), `tokens` (token, channel), `map` (head, query, key).
        take: the tensor, from the calls of `needs` by path.
        needs: module paths that must have run; the last to run completes the tap.
        put: what the module at `site.path` must return instead, given its call and the edited tensor; None where
            a site cannot be written.
        before: read when the module is entered rather than left.
        scale: how much coarser its cells are than latent cells; None where tokens do not lie on the canvas.
        looks: of attention from image cells to text: its queries and keys, so that a share can be told without the map.
        kernel: of joint attention: the module that runs it, which is listened to if it is among `needs`.
    """

    site: Site
    kind: Kind
    take: Take
    needs: tuple[str, ...]
    put: Put | None = None
    before: bool = False
    scale: int | None = 1
    looks: Looking | None = None
    kernel: str | None = None

    @property
    def name(self) -> str:
        """Canonical name of the site."""
        return self.site.name


def output_tap(name: str, path: str, kind: Kind = "grid", scale: int | None = 1, index: int | None = None) -> Tap:
    """The tap of a module's output, or of one element of the tuple that it returns.

    Args:
        name: canonical name of the site.
        path: module path.
        kind: axes of the tensor.
        scale: latent cells per cell of the site; None for tokens that do not lie on the canvas.
        index: element of a returned tuple; None takes a plain tensor, or the first element of a tuple.
    """

    def take(calls: Mapping[str, Call]) -> torch.Tensor:
        output = calls[path].output
        return output[index or 0] if isinstance(output, tuple) else output

    def put(call: Call, value: torch.Tensor) -> Any:
        if not isinstance(call.output, tuple):
            return value
        place = index or 0
        return (*call.output[:place], value, *call.output[place + 1 :])

    return Tap(Site(name, path), kind, take, (path,), put, scale=scale)


class _Enough(BaseException):
    """All wanted tensors were seen; nothing outside this module catches it."""


class Recorder:
    """Runs a denoiser and keeps the tensors of some taps.

    Args:
        denoiser: the module that is run.
        taps: what is read.
        edits: tap and function pairs, applied in order before anything is read downstream.
        stop: end the forward once every tap has fired.
        keep: what to do with each tensor as it appears; by default a detached copy.
        seen: called with the tap's name when it fires (for counting work up to there).
    """

    def __init__(
        self,
        denoiser: nn.Module,
        taps: Sequence[Tap],
        edits: Sequence[tuple[Tap, Edit]] = (),
        stop: bool = True,
        keep: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        self._denoiser = denoiser
        self._taps = taps
        self._edits = edits
        self._stop = stop
        self._keep = keep or _copy
        self._calls: dict[str, Call] = {}
        self._waiting: dict[str, set[str]] = {}
        self._readers: dict[str, int] = {}
        self._ears: dict[str, Sums] = {}
        self.values: dict[str, torch.Tensor] = {}

    def run(self, forward: Callable[[], Any]) -> Any:
        """Call `forward`; its result, or None when it was stopped early."""
        self.values, self._calls = {}, {}
        self._waiting = {tap.name: set(tap.needs) for tap in self._taps}
        self._readers = Counter(path for tap in self._taps if not tap.before for path in dict.fromkeys(tap.needs))
        with self._hooked():
            try:
                return forward()
            except _Enough:
                return None
            finally:
                self._calls = {}

    @contextmanager
    def _hooked(self) -> Iterator[None]:
        modules = dict(self._denoiser.named_modules())
        handles: list[Any] = []
        try:
            for tap, edit in self._edits:
                handles.append(_write_hook(modules[tap.site.path], tap, edit))
            for path in dict.fromkeys(path for tap in self._taps if not tap.before for path in tap.needs):
                hook = self._after(path)
                handles.append(modules[path].register_forward_hook(hook, with_kwargs=True))
            for tap in self._taps:
                if tap.before:
                    hook = self._before(tap)
                    handles.append(modules[tap.site.path].register_forward_pre_hook(hook, with_kwargs=True))
            handles += self._listening(modules)
            yield
        finally:
            for handle in handles:
                handle.remove()
            for ear in self._ears.values():
                ear.close()

    def _listening(self, modules: Mapping[str, nn.Module]) -> list[Any]:
        """Begin to listen whenever a module is entered that a tap wants to hear; its other hook ends it."""
        kernels = dict.fromkeys(tap.kernel for tap in self._taps if tap.kernel and tap.kernel in tap.needs)
        if not kernels:
            return []
        from denoscope.models.kernels import Sums

        self._ears = {path: Sums() for path in kernels}
        return [modules[path].register_forward_pre_hook(ear.open) for path, ear in self._ears.items()]

    def _after(self, path: str) -> Callable[..., None]:
        interested = [tap for tap in self._taps if not tap.before and path in tap.needs]

        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            sums = self._ears[path].close() if path in self._ears else None
            if self._readers[path]:
                self._calls[path] = Call(module, args, kwargs, output, sums)
                self._arrived(path, interested)

        return hook

    def _before(self, tap: Tap) -> Callable[..., None]:
        path = tap.site.path

        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self.values[tap.name] = self._keep(tap.take({path: Call(module, args, kwargs, None)}))
            self._done(tap)

        return hook

    def _arrived(self, path: str, taps: Iterable[Tap]) -> None:
        for tap in taps:
            waiting = self._waiting.get(tap.name)
            if waiting is None:
                continue
            waiting.discard(path)
            if not waiting:
                self.values[tap.name] = self._keep(tap.take(self._calls))
                self._release(tap)
                self._done(tap)

    def _release(self, tap: Tap) -> None:
        """Let go of calls that no other tap waits for, so that what one block computed is not held to the end."""
        for path in dict.fromkeys(tap.needs):
            self._readers[path] -= 1
            if not self._readers[path]:
                self._calls.pop(path, None)

    def _done(self, tap: Tap) -> None:
        self._waiting.pop(tap.name, None)
        if self._stop and not self._waiting:
            raise _Enough


def _copy(value: torch.Tensor) -> torch.Tensor:
    return value.detach().clone()


def _write_hook(module: nn.Module, tap: Tap, edit: Edit) -> Any:
    """Register a hook that replaces the tensor of `tap` by `edit` of it."""
    put, path = tap.put, tap.site.path
    if put is None:
        raise InputError(f"site {tap.name} can be read but not edited; edit the module output it is made from")

    def after(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        call = Call(module, args, kwargs, output)
        return put(call, _edited(tap, edit, tap.take({path: call})))

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(module, args, kwargs, None)
        return put(call, _edited(tap, edit, tap.take({path: call})))

    if tap.before:
        return module.register_forward_pre_hook(before, with_kwargs=True)
    return module.register_forward_hook(after, with_kwargs=True)


def _edited(tap: Tap, edit: Edit, value: torch.Tensor) -> torch.Tensor:
    new = edit(value)
    if new.shape != value.shape:
        raise InputError(f"the edit of {tap.name} returned shape {tuple(new.shape)}, not {tuple(value.shape)}")
    return new.to(value.dtype)


def check_readable(denoiser: nn.Module) -> None:
    """Refuse a denoiser whose hooks would not see what its forward computes.

    Raises:
        InputError: it was compiled, lies on the meta device without being offloaded, or its attention was fused.
    """
    offloaded = hasattr(denoiser, "_hf_hook")
    for path, module in denoiser.named_modules():
        own = vars(module)
        offloaded = offloaded or "_hf_hook" in own or runs_on(module) is not None
        if own.get("_compiled_call_impl") is not None or type(module).__name__ == "OptimizedModule":
            raise InputError(COMPILED)
        if _fused(module):
            raise InputError(f"fused attention at {path} hides query, key and value; call unfuse_qkv_projections()")
        if "forward" in own and "_hf_hook" not in own and not (_only_grouped(module) or _traced(own["forward"])):
            raise InputError(f"the forward of {path or 'the denoiser'} was patched; remove the patch before reading")
    if not offloaded and any(weight.is_meta for weight in denoiser.parameters()):
        raise InputError("the denoiser lies on the meta device and has no weights; load a checkpoint to read it")


def runs_on(module: nn.Module) -> Any:
    """Device to which hooks of accelerate or diffusers bring a module when it runs; None without such hooks."""
    place = getattr(getattr(module, "_hf_hook", None), "execution_device", None)
    group = _hooks(module).get(_GROUPED)
    return place if group is None else group.group.onload_device


_GROUPED = "group_offloading"


def _hooks(module: nn.Module) -> Mapping[str, Any]:
    """What diffusers has put around a module's forward, by its names."""
    registry = vars(module).get("_diffusers_hook")
    return {} if registry is None else registry.hooks


def _only_grouped(module: nn.Module) -> bool:
    """Whether diffusers' group offloading is all that is around a forward: it moves weights and changes no value."""
    return set(_hooks(module)) == {_GROUPED}


def _traced(forward: Any) -> bool:
    """Whether nnsight has put its controller before a forward: outside of its traces it changes nothing."""
    return type(forward).__module__.startswith("nnsight.")


def _fused(module: nn.Module) -> bool:
    """Whether one matrix makes query, key and value. `Attention` keeps its flag after unfusing; its processor tells."""
    if type(module).__name__ == "Attention":
        return type(getattr(module, "processor", None)).__name__.startswith("Fused")
    return bool(vars(module).get("fused_projections", False))
