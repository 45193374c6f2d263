"""Sampling and inversion with recording: one deterministic sampler for every family.

Song et al. 2021 (DDIM, eq. 12 with eta = 0): x' = alpha' x0 + sigma' e, where (x0, e) is what the output says. For a
rectified flow this is the Euler step. Run towards more noise it inverts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from denoscope.core.activations import Activations
from denoscope.core.condition import LAST_TIMESTEP, Condition
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame
from denoscope.core.moment import Branch
from denoscope.models.chance import gaussian
from denoscope.models.coordinates import Canvas, lay
from denoscope.models.images import as_samples
from denoscope.models.levels import Level
from denoscope.models.moments import acting
from denoscope.models.schedules import schedule
from denoscope.models.siteinfo import grid_of
from denoscope.models.text import Text

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from denoscope.core.site import Site
    from denoscope.models.base import Model
    from denoscope.models.hooks import Edit, Tap
    from denoscope.models.textmaps import TextMaps

__all__ = ["Generation", "Inversion", "generate", "invert"]

Recorded = dict[str, Activations]


@dataclass(frozen=True, eq=False)
class Generation:
    """Pictures and what was read on the way.

    Attributes:
        images: uint8 RGB (sample, row, col, 3).
        latents: final latents (sample, channel, row, col), fp32 on the CPU.
        prompts: one per sample.
        timesteps: of each denoising step, most noise first.
        activations: for each recorded step, in order: site name to activations (the branch with the prompt).
        recorded: index into `timesteps` of each entry of `activations`.
    """

    images: NDArray[np.uint8]
    latents: torch.Tensor
    prompts: tuple[str, ...]
    timesteps: tuple[float, ...]
    activations: list[Recorded] = field(default_factory=list[Recorded])
    recorded: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Inversion:
    """The noise that leads to given images, and how well it leads back.

    Attributes:
        noise: latents at the noisiest level (sample, channel, row, col), fp32 on the CPU.
        latents: the images' own latents.
        reconstruction: latents after sampling back from `noise`.
        error: relative L2 distance of `reconstruction` from `latents`, (sample,).
        psnr: of the decoded reconstruction against the decoded latents, dB, (sample,).
        timesteps: visited, least noise first.
    """

    noise: torch.Tensor
    latents: torch.Tensor
    reconstruction: torch.Tensor
    error: NDArray[np.float64]
    psnr: NDArray[np.float64]
    timesteps: tuple[float, ...]


def generate(
    model: Model,
    prompts: str | Sequence[str],
    *,
    steps: int | None = None,
    guidance: float | None = None,
    negative: str = "",
    seed: int = 0,
    height: int | None = None,
    width: int | None = None,
    record: str | Site | Sequence[str | Site] = (),
    at: Sequence[int] | None = None,
    edits: Mapping[str | Site, Edit] | None = None,
    watch: TextMaps | None = None,
    decode: bool = True,
) -> Generation:
    """Sample pictures, reading sites at every or selected denoising steps.

    Args:
        model: the model.
        prompts: one per picture.
        steps: denoising steps; the checkpoint's own number unless given.
        guidance: classifier-free scale (1 or less turns it off, as in diffusers), or the embedded guidance of
            distilled models.
        negative: text of the unconditional branch; an empty one is zeros where the checkpoint says so (SDXL).
        seed: names the starting noise, together with the picture's index.
        height, width: of the pictures in pixels; native unless given.
        record: sites to read.
        at: which steps to read (0 is the noisiest); all unless given.
        edits: changes to activations, as for `Model.edit`; those that have a method `at` are asked at every step what
            they do there (see `denoscope.core.moment`).
        watch: takes in at every step where the prompts' tokens are looked at from (see `denoscope.models.textmaps`).
        decode: make pictures of the latents at the end; without, they have no rows and columns.

    Raises:
        InputError: no prompt, a step that does not exist, or sides that are no multiple of the latent cell.
    """
    steps = model.parts.steps if steps is None else steps
    guidance = model.parts.guidance if guidance is None else guidance
    texts = (prompts,) if isinstance(prompts, str) else tuple(prompts)
    if not texts:
        raise InputError("give at least one prompt")
    if seed < 0:
        raise InputError(f"seed must be at least 0, not {seed}")
    shape = _latent_shape(model, height, width)
    levels = schedule(model, steps, shape)
    taps = [model.taps[site.name] for site in model.select(record)] if record else []
    wanted = _steps(at, steps) if taps else ()
    guided = _Guided(model, texts, negative, guidance)
    x = _start(model, shape, len(texts), seed)
    activations: list[Recorded] = []
    placed = model.placed(edits or {})
    for index, (level, after) in enumerate(pairwise(levels)):
        with model.editing(acting(model, placed, guided.rows, tuple(x.shape), level.timestep, (index, steps))):
            output, values = guided(x, level, taps if index in wanted else (), watch)
        if index in wanted:
            activations.append(_recorded(model, taps, values, x, level, texts, seed))
        x = _step(model, output, x, level, after)
    images = _pictures(model, x) if decode else np.zeros((len(texts), 0, 0, 3), dtype=np.uint8)
    return Generation(images, x.cpu(), texts, tuple(level.timestep for level in levels[:-1]), activations, wanted)


def invert(
    model: Model,
    images: Any,
    *,
    steps: int = 50,
    prompt: str = "",
    canvas: Canvas | None = None,
    until: float = LAST_TIMESTEP,
) -> Inversion:
    """DDIM inversion (Song et al. 2021, section 4.3; flows: the Euler ODE run backwards), with its error.

    Args:
        model: the model.
        images: as for `Model.read`; all must share one canvas size.
        steps: from the clean latents to `until`; the error falls with their number.
        prompt: text during inversion and reconstruction (no guidance).
        canvas: size policy.
        until: timestep of the noisiest level, 1 ... 999.
    """
    import torch

    if not 0 < until <= LAST_TIMESTEP:
        raise InputError(f"inversion must end at a timestep in 1 ... {LAST_TIMESTEP}, not {until:g}")
    if steps < 1:
        raise InputError(f"inversion needs at least one step, not {steps}")
    samples = as_samples(images)
    laid = [lay(sample.image, model.canvas(canvas))[0] for sample in samples]
    if len({image.shape for image in laid}) > 1:
        raise InputError("images of several canvas sizes cannot be inverted together; use policy pad, stretch or crop")
    pixels = torch.from_numpy(np.stack(laid)).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        clean = model.encode(pixels)
    levels = [model.levels.at(Condition(clean=True)), *map(model.levels.timestep, np.linspace(0, until, steps + 1)[1:])]
    guided = _Guided(model, (prompt,) * len(samples), "", 1.0)
    noise = _follow(guided, model, clean, levels)
    back = _follow(guided, model, noise, levels[::-1])
    error = (back - clean).flatten(1).norm(dim=1) / clean.flatten(1).norm(dim=1)
    psnr = _psnr(model, back, clean)
    visited = tuple(level.timestep for level in levels)
    return Inversion(noise.cpu(), clean.cpu(), back.cpu(), error.double().cpu().numpy(), psnr, visited)


class _Guided:
    """The denoiser under a prompt, with classifier-free guidance where the model was not distilled with one."""

    def __init__(self, model: Model, prompts: Sequence[str], negative: str, guidance: float) -> None:
        self._model = model
        self._scale = 1.0 if model.distilled or guidance <= 1 else guidance
        self._embedded = guidance if model.distilled else None
        self._rows = len(prompts)
        guided: list[Branch] = ["cond", "uncond"] if self._scale != 1 else ["cond"]
        self.rows: tuple[tuple[Branch, int], ...] = tuple(
            (branch, picture) for branch in guided for picture in range(self._rows)
        )
        """What each row that the denoiser runs on is for: its branch, and its picture."""
        text = model.texts(list(prompts))
        zeros = negative == "" and model.parts.pipeline.get("force_zeros_for_empty_prompt", False)
        without: list[str | None] = [None if zeros else negative] * len(prompts)
        self._text = Text.cat([text, model.texts(without)]) if self._scale != 1 else text

    def __call__(
        self, x: torch.Tensor, level: Level, taps: Sequence[Tap], watch: TextMaps | None = None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The guided output, and the tapped tensors of the rows with the prompt."""
        import torch

        rows = torch.cat([x, x]) if self._scale != 1 else x
        times = torch.full((len(rows),), level.timestep)
        watched = watch.taps([branch for branch, _ in self.rows]) if watch is not None else []
        values, output = self._model.run([*taps, *watched], rows, times, self._text, self._embedded, stop=False)
        assert output is not None
        if watch is not None:
            watch.add({tap.name: values.pop(tap.name) for tap in watched}, tuple(x.shape), range(self._rows))
        output = output.float()
        if self._scale != 1:
            with_prompt, without = output.chunk(2)
            output = without + self._scale * (with_prompt - without)
        return output, {name: value[: self._rows].cpu() for name, value in values.items()}


def _follow(guided: _Guided, model: Model, x: torch.Tensor, levels: Sequence[Level]) -> torch.Tensor:
    for level, after in pairwise(levels):
        x = _step(model, guided(x, level, ())[0], x, level, after)
    return x


def _step(model: Model, output: torch.Tensor, x: torch.Tensor, level: Level, after: Level) -> torch.Tensor:
    clean, noise = model.levels.solve(output, x, level)
    return after.alpha * clean + after.sigma * noise


def _start(model: Model, shape: tuple[int, int, int], count: int, seed: int) -> torch.Tensor:
    import torch

    return torch.stack([gaussian(shape, seed, f"generate/{i}") for i in range(count)]).to(model.device)


def _latent_shape(model: Model, height: int | None, width: int | None) -> tuple[int, int, int]:
    sides = [side or model.parts.native for side in (height, width)]
    for side in sides:
        if side % model.multiple:
            raise InputError(f"sides of a picture must be multiples of {model.multiple} pixels; got {side}")
    return model.latent_channels, sides[0] // model.factor, sides[1] // model.factor


def _steps(at: Sequence[int] | None, steps: int) -> tuple[int, ...]:
    if at is None:
        return tuple(range(steps))
    for index in at:
        if not -steps <= index < steps:
            raise InputError(f"there is no denoising step {index}; they are 0 ... {steps - 1}")
    return tuple(sorted({index % steps for index in at}))


def _recorded(
    model: Model,
    taps: Sequence[Tap],
    values: Mapping[str, torch.Tensor],
    x: torch.Tensor,
    level: Level,
    prompts: Sequence[str],
    seed: int,
) -> Recorded:
    height, width = (side * model.factor for side in x.shape[-2:])
    frames = (Frame(width, height, width, height),) * len(prompts)
    ids = tuple(f"generate/{seed}/{i}/{prompt}" for i, prompt in enumerate(prompts))
    told = min(level.timestep, LAST_TIMESTEP + 1)
    condition = Condition(timestep=told, prompt="{prompt}", seed=seed, noise="none")
    return {
        tap.name: Activations(
            tap.site, condition, values[tap.name], ids, tap.kind, frames, grid_of(model, tap, x.shape)
        )
        for tap in taps
    }


def _pictures(model: Model, latents: torch.Tensor) -> NDArray[np.uint8]:
    return np.concatenate(list(_decoded(model, latents)))


def _decoded(model: Model, latents: torch.Tensor) -> Iterator[NDArray[np.uint8]]:
    import torch

    for few in latents.split(8):
        with torch.no_grad():
            pixels = (model.decode(few).clamp(-1, 1) + 1) * 127.5
        yield pixels.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def _psnr(model: Model, ours: torch.Tensor, theirs: torch.Tensor) -> NDArray[np.float64]:
    pictures = [_pictures(model, latents).astype(np.float64) for latents in (ours, theirs)]
    error = ((pictures[0] - pictures[1]) ** 2).mean(axis=(1, 2, 3))
    return 10 * np.log10(255**2 / np.maximum(error, 1e-10))
