"""The jobs that `bench` times: each a verb's inner work on data that are drawn, with its count of operations."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site

if TYPE_CHECKING:
    import torch

__all__ = ["CASES", "Case"]

_T50 = Condition(timestep=50)
_FRAME = Frame(512, 512, 512, 512)


@dataclass(frozen=True)
class Case:
    """One thing to time."""

    unit: str
    """Of work."""
    work: float
    """Units in one run."""
    flops: float
    """Floating-point operations of its matrix products and convolutions, by count."""
    job: Callable[[], Any]
    fp32: bool = True
    """Whether it computes in fp32, or else in the model's precision."""


def _scenes(device: torch.device, small: bool) -> Iterator[Case]:
    """Generated scenes, drawn, encoded, read at one site and noise level, pooled and stored."""
    from denoscope.data.base import open_data
    from denoscope.extract import extract
    from denoscope.models.loading import load
    from denoscope.store.keep import Keep

    model, count = load("embedded", device=str(device)), 8 if small else 64
    data = open_data("menagerie:test", count)
    flops = sum(model.plan(count, "up.1", _T50).flops.values())
    with tempfile.TemporaryDirectory() as folder:
        number = iter(range(1_000_000))

        def job() -> None:
            model.forget()
            out = Path(folder) / str(next(number))
            extract(model, data, "up.1", 50, out=out, keep=Keep("pooled"), shard_size=64, progress=False)

        yield Case("images", count, flops, job, fp32=str(model.dtype) == "torch.float32")


def _matching(device: torch.device, small: bool) -> Iterator[Case]:
    """Keypoints of one picture looked up in another: cosine similarity to all its cells, on the processor."""
    from denoscope.measures.matching import Queries, match

    images, channels, side, points = (4, 32, 8, 10) if small else (16, 640, 32, 200)
    rng = np.random.default_rng(0)
    values = rng.standard_normal((images, channels, side, side), dtype=np.float32)
    rows = _activations(values, "grid", Grid(side, side, 512 / side))
    source = np.repeat(np.arange(images), points)
    target = (source + 1 + rng.integers(images - 1, size=len(source))) % images
    asked = Queries(source, target, rng.uniform(0, 512, (len(source), 2)), np.arange(len(source)))
    flops = 2.0 * len(source) * side**2 * channels
    yield Case("keypoints", len(source), flops, lambda: match([rows], asked))


def _probing(device: torch.device, small: bool) -> Iterator[Case]:
    """A ridge probe of one of ten classes, cross-validated, with its shuffles and intervals, on the processor."""
    from denoscope.tasks.probe import Probe

    images, channels = (60, 8) if small else (2000, 640)
    rng = np.random.default_rng(0)
    labels = np.arange(images) % 10
    values = rng.standard_normal((images, channels), dtype=np.float32)
    values[:, :8] += 0.5 * rng.standard_normal((10, 8), dtype=np.float32)[labels]
    task = Probe(estimator="ridge", shuffles=2)
    facts = [{"category": f"kind {label}"} for label in labels]
    flops = task.folds * (1 + task.shuffles) * 2.0 * images * channels**2
    yield Case("images", images, flops, lambda: task.run(_activations(values, "pooled", None), facts))


def _learning(device: torch.device, small: bool) -> Iterator[Case]:
    """A step of training a top-k autoencoder of sixteen times the channels."""
    import torch

    from denoscope.core.registry import dictionaries
    from denoscope.dictionaries._training.starting import start_of
    from denoscope.dictionaries._training.trainer import Trainer

    channels, atoms, batch, steps = (16, 64, 32, 2) if small else (320, 5120, 2048, 4)
    chance = torch.Generator().manual_seed(0)
    rows = [torch.randn(batch, channels, generator=chance).to(device) for _ in range(steps)]
    kind: Any = dictionaries.get("topk")
    made = kind(atoms=atoms, k=4 if small else 32, batch=batch, cells=10**9, warmup=0.0, device=str(device))
    trainer = Trainer(made.coder(start_of(rows[0], rows[0], made.settings, True)), made.settings)

    def job() -> None:
        for x in rows:
            trainer.step(x, x)

    yield Case("cells", batch * steps, 2.0 * batch * steps * channels * atoms, job)


def _activations(values: Any, layout: Any, grid: Grid | None) -> Activations:
    ids = tuple(map(str, range(len(values))))
    return Activations(Site("up.1"), _T50, values, ids, layout, (_FRAME,) * len(values), grid)


CASES: Mapping[str, Callable[[torch.device, bool], AbstractContextManager[Case]]] = {
    "extraction": contextmanager(_scenes),
    "matching": contextmanager(_matching),
    "probe": contextmanager(_probing),
    "learning": contextmanager(_learning),
}
"""Prepared in a `with`, by name."""
