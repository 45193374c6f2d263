"""From images to activations: one encode per image, one embedding per prompt, the fewest forwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.recipe import Recipe
from denoscope.core.sample import fingerprint
from denoscope.models.base import DERIVED
from denoscope.models.chance import gaussian
from denoscope.models.compat import compat_of
from denoscope.models.coordinates import Canvas, lay
from denoscope.models.copying import Copies, Landing, sent
from denoscope.models.images import as_samples
from denoscope.models.levels import Level
from denoscope.models.rows import Batch, Row, joined, labelled, rows_of

if TYPE_CHECKING:
    import torch

    from denoscope.core.sample import Sample
    from denoscope.core.site import Site
    from denoscope.models.base import Model
    from denoscope.models.hooks import Tap
    from denoscope.models.replay import Replay
    from denoscope.models.text import Text

__all__ = ["buckets", "default_batch", "encoded", "forward", "handed", "level_of", "read", "rows_at_once", "stream"]

_AHEAD = {"cuda": 1}
"""Batches that a device is given before the one before them is handed over; a CPU has no time to spare."""


def read(
    model: Model,
    images: Any,
    sites: Any,
    condition: Condition,
    canvas: Canvas | None,
    batch_size: int | None,
    compat: Replay | str | None = None,
) -> dict[str, Activations]:
    """See `Model.read`."""
    samples = as_samples(images)
    wanted = model.select(sites)
    pieces: dict[str, list[Activations]] = {site.name: [] for site in wanted}
    order: list[int] = []
    for indices, group in _stream(model, samples, wanted, [condition], canvas, batch_size, compat):
        copies = condition.draws if condition.reduce == "all" else 1
        order += [index * copies + copy for index in indices for copy in range(copies)]
        for activations in group:
            pieces[activations.site.name].append(activations)
    recipe = _recipe(model, samples, wanted, condition, canvas, compat)
    place = np.argsort(order)
    return {name: replace(joined(parts).select(place), recipe=recipe) for name, parts in pieces.items()}


def _recipe(
    model: Model,
    samples: Sequence[Sample],
    sites: Sequence[Site],
    condition: Condition,
    canvas: Canvas | None,
    compat: Replay | str | None,
) -> Recipe:
    replayed = compat_of(compat, None)
    return Recipe(
        model={**model.recipe, "compat": replayed.to_dict()} if replayed else model.recipe,
        data={"fingerprint": fingerprint(samples)},
        canvas=asdict(model.canvas(canvas)),
        sites=tuple(sorted(site.name for site in sites)),
        conditions=(condition.to_dict(),),
    )


def stream(
    model: Model,
    samples: Iterable[Sample],
    sites: Any,
    conditions: Sequence[Condition],
    canvas: Canvas | None,
    batch_size: int | None,
    compat: Replay | str | None = None,
) -> Iterator[list[Activations]]:
    """See `Model.stream`."""
    for _, group in _stream(model, samples, model.select(sites), conditions, canvas, batch_size, compat):
        yield group


def default_batch(model: Model, canvas: Canvas) -> int:
    """Rows per forward that keep a device busy without filling it; from parameters and latent cells.

    The CPU's budget is three rows of SD-1.5 at 512 px: on two cores (fp32, six timesteps, twice in turn) a row took
    2.9 s alone, 2.4 s with two or three together, 2.4 to 2.6 s with six. The accelerators' is an estimate that
    nothing was measured for.
    """
    assert canvas.size is not None
    cells = (canvas.size / model.factor) ** 2
    weights = sum(weight.numel() for weight in model.parts.denoiser.parameters())
    budget, most = (1.1e13, 32) if model.device.type == "cpu" else (2e14, 256)
    return int(min(max(budget / (weights * cells), 1), most))


def rows_at_once(model: Model, canvas: Canvas, asked: int | None) -> int:
    """Rows per forward: as asked, else `default_batch`.

    Raises:
        InputError: fewer than one.
    """
    if asked is None:
        return default_batch(model, canvas)
    if asked < 1:
        raise InputError(f"batch size must be at least 1, not {asked}")
    return asked


def _stream(
    model: Model,
    samples: Iterable[Sample],
    sites: Sequence[Site],
    conditions: Sequence[Condition],
    canvas: Canvas | None,
    batch_size: int | None,
    replayed: Replay | str | None,
) -> Iterator[tuple[list[int], list[Activations]]]:
    for condition in conditions:
        if not isinstance(condition, Condition):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"a condition is made like Condition(timestep=50); got {condition!r}")
    compat = compat_of(replayed, batch_size)
    laid_on = model.canvas(compat.canvas(canvas) if compat else canvas)
    if compat:
        compat.check(model, conditions)
    levels = [level_of(model, condition, conditions[0], compat) for condition in conditions]
    rows = rows_at_once(model, laid_on, batch_size)
    per_sample = sum(condition.draws * (2 if condition.branch == "diff" else 1) for condition in conditions)
    images = max(rows // max(per_sample, 1), 1)
    if compat:
        samples = whole = list(samples)
        images = compat.images(whole) if whole else 1
    copies = Copies(model.device)
    begun: deque[tuple[list[int], _Begun]] = deque()
    for indices, few in buckets(samples, laid_on, images):
        batch = encoded(model, few, laid_on, compat, conditions[0].seed)
        begun.append((indices, _begin(model, batch, sites, conditions, levels, rows, copies)))
        if len(begun) > _AHEAD.get(model.device.type, 0):
            yield _ended(model, conditions, *begun.popleft())
    while begun:
        yield _ended(model, conditions, *begun.popleft())


def buckets(samples: Iterable[Sample], canvas: Canvas, size: int) -> Iterator[tuple[list[int], list[Sample]]]:
    """Samples that share a canvas size with their numbers, `size` together as soon as they are there.

    What is together does not depend on the sizes between; the last of each size, which may be fewer, come at the end.
    """
    from denoscope.models.coordinates import frame_of

    waiting: dict[tuple[int, int], list[tuple[int, Sample]]] = {}
    for number, sample in enumerate(samples):
        frame = frame_of(sample.image.shape[1], sample.image.shape[0], canvas)
        same = waiting.setdefault((frame.canvas_height, frame.canvas_width), [])
        same.append((number, sample))
        if len(same) == size:
            yield [place for place, _ in same], [one for _, one in same]
            same.clear()
    for _, same in sorted(waiting.items()):
        if same:
            yield [place for place, _ in same], [one for _, one in same]


def level_of(model: Model, condition: Condition, first: Condition, compat: Replay | None = None) -> Level:
    """Noise level of a condition, and the timestep that the denoiser is told."""
    level = compat.level(model, condition, first) if compat else model.levels.at(condition)
    if condition.noise == "none":
        level = replace(level, alpha=1.0, sigma=0.0)
    return level if condition.label is None else replace(level, timestep=condition.label)


def encoded(
    model: Model, samples: Sequence[Sample], canvas: Canvas, compat: Replay | None = None, seed: int = 0
) -> Batch:
    """Images of one canvas size, laid on it and encoded."""
    import torch

    laid = [lay(sample.image, canvas) for sample in samples]
    canvases = np.stack([image for image, _ in laid])
    frames = tuple(frame for _, frame in laid)
    with torch.no_grad():
        if compat is None:
            return Batch(samples, frames, model.latents(canvases, model._vae(), model.encode))
        pixels = torch.from_numpy(canvases).permute(0, 3, 1, 2).float() / 127.5 - 1
        told = [compat.told(sample) for sample in samples]
        return Batch(told, frames, *compat.encode(model, pixels, seed), compat)


@dataclass(frozen=True)
class _Begun:
    """A batch whose passes were asked for; their tensors may still be on the way."""

    batch: Batch
    rows: Sequence[Row]
    taps: Sequence[Tap]
    landings: Sequence[Landing]


def _begin(
    model: Model,
    batch: Batch,
    sites: Sequence[Site],
    conditions: Sequence[Condition],
    levels: Sequence[Level],
    size: int,
    copies: Copies,
) -> _Begun:
    asked = [batch.compat.asked(one) for one in conditions] if batch.compat else conditions
    rows = rows_of(batch.samples, asked)
    taps = [model.taps[site.name] for site in sites]
    landings: list[Landing] = []
    for _, same in groupby(rows, key=lambda row: conditions[row.condition].guidance):
        together = list(same)
        for start in range(0, len(together), size):
            chunk = together[start : start + size]
            landings.append(copies(_launch(model, batch, taps, chunk, conditions, levels)))
    return _Begun(batch, rows, taps, landings)


def _ended(
    model: Model, conditions: Sequence[Condition], indices: list[int], begun: _Begun
) -> tuple[list[int], list[Activations]]:
    found = [landing.values() for landing in begun.landings]
    return indices, [
        labelled(model, begun.batch, tap, [values[tap.name] for values in found], begun.rows, index, condition)
        for index, condition in enumerate(conditions)
        for tap in begun.taps
    ]


def forward(
    model: Model,
    batch: Batch,
    taps: Sequence[Tap],
    rows: Sequence[Row],
    conditions: Sequence[Condition],
    levels: Sequence[Level],
) -> dict[str, torch.Tensor]:
    """Tensors by site for some rows, on the CPU."""
    values = _launch(model, batch, taps, rows, conditions, levels)
    return {name: value.cpu() for name, value in values.items()}


def _launch(
    model: Model,
    batch: Batch,
    taps: Sequence[Tap],
    rows: Sequence[Row],
    conditions: Sequence[Condition],
    levels: Sequence[Level],
) -> dict[str, torch.Tensor]:
    """Tensors by site for some rows, on the model's device, which may not have computed them yet."""
    row_levels = [levels[row.condition] for row in rows]
    noised, timesteps, texts = handed(model, batch, rows, conditions, levels)
    read = [tap for tap in taps if tap.name not in DERIVED]
    whole = len(read) < len(taps)
    guidance = conditions[rows[0].condition].guidance
    with batch.compat.applied(model) if batch.compat else nullcontext():
        values, output = model.run(read, noised, timesteps, texts, guidance, stop=not whole)
    if whole:
        assert output is not None
        values |= _derived(model, output.float(), noised, row_levels, [t.name for t in taps if t.name in DERIVED])
    return values


def handed(
    model: Model, batch: Batch, rows: Sequence[Row], conditions: Sequence[Condition], levels: Sequence[Level]
) -> tuple[torch.Tensor, torch.Tensor, Text]:
    """What the denoiser is handed for some rows: noised latents, timesteps and texts."""
    import torch

    latents = batch.latents[[row.sample for row in rows]]
    noise = sent(torch.stack([_noise(batch, row, conditions[row.condition]) for row in rows]), latents.device)
    row_levels = [levels[row.condition] for row in rows]
    noised = model.noise(latents, noise, row_levels).contiguous()
    timesteps = torch.tensor([level.timestep for level in row_levels], dtype=torch.float32)
    return noised, timesteps, model.texts([row.prompt for row in rows])


def _noise(batch: Batch, row: Row, condition: Condition) -> torch.Tensor:
    if batch.noise is not None:
        return batch.noise
    shape = tuple(batch.latents.shape[1:])
    sample = "shared" if condition.noise == "shared" else batch.samples[row.sample].id
    return gaussian(shape, condition.seed, sample, row.draw)


def _derived(
    model: Model, output: torch.Tensor, noised: torch.Tensor, levels: Sequence[Level], names: Sequence[str]
) -> dict[str, torch.Tensor]:
    import torch

    rows: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for out, x, level in zip(output, noised, levels, strict=True):
        clean, noise = model.levels.solve(out, x, level)
        found = {"x0": clean, "eps": noise, "v": model.levels.velocity(clean, noise, level)}
        for name in names:
            rows[name].append(found[name])
    return {name: torch.stack(parts) for name, parts in rows.items()}
