"""The loop that both training stages share: steps against a clock, meetings, averaging, records, checkpoints."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from denoscope.models.embedded.training.flat import FlatNetwork
from denoscope.models.embedded.training.records import load_checkpoint, record, save_checkpoint
from denoscope.models.embedded.training.workers import Meeting

__all__ = ["Clock", "load_ema", "train"]


@dataclass(frozen=True)
class Clock:
    """How long a stage runs and how its learning rate moves with time."""

    seconds: float
    """time to train for, over all resumptions"""
    peak: float
    """learning rate after the warm-up"""
    final: float = 0.0
    """learning rate at the end"""
    hold: float = 0.0
    """share of the time at the peak before the decay"""
    warmup: float = 10.0
    """seconds of linear warm-up"""
    cosine: bool = False
    """half a cosine instead of a straight line down"""
    ema: float = 0.998
    """decay of the averaged weights, per step of one worker"""
    checkpoint: float = 180.0
    """seconds between checkpoints"""
    report: float = 60.0
    """seconds between lines of the log"""

    def rate(self, elapsed: float) -> float:
        """Learning rate after `elapsed` seconds."""
        done = min(max((elapsed / self.seconds - self.hold) / (1.0 - self.hold), 0.0), 1.0)
        fall = 0.5 * (1.0 - math.cos(math.pi * done)) if self.cosine else done
        return min(1.0, elapsed / self.warmup) * (self.peak + (self.final - self.peak) * fall)


class _Progress:
    """What the leading worker keeps: averaged weights, running means, counters."""

    def __init__(self, stage: str, folder: Path, clock: Clock, master: Tensor) -> None:
        self.stage, self.folder, self.clock = stage, folder, clock
        self.ema, self.sums, self.number = master.clone(), {}, 0
        self.images = self.images_reported = self.steps = 0
        self.reported = self.saved = 0.0

    def add(self, values: dict[str, float]) -> None:
        self.number += 1
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def met(self, master: Tensor, steps: int, workers: int, batch: int) -> None:
        self.steps += steps
        self.images += steps * batch
        decay = min(self.clock.ema, (1 + self.steps) / (100 + self.steps)) ** (steps / workers)
        self.ema.lerp_(master, 1.0 - decay)

    def report(self, elapsed: float, rate: float) -> None:
        means = {name: value / max(self.number, 1) for name, value in self.sums.items()}
        speed = (self.images - self.images_reported) / max(elapsed - self.reported, 1e-9)
        self.images_reported, self.reported, self.sums, self.number = self.images, elapsed, {}, 0
        record(
            self.folder / "training_log.jsonl", self.stage, elapsed=elapsed, images=self.images, steps=self.steps,
            lr=rate, images_per_second=speed, **means,
        )  # fmt: skip

    def save(self, flat: FlatNetwork, elapsed: float) -> None:
        master, m, v = flat.state()
        self.saved = elapsed
        save_checkpoint(
            self.folder / f"{self.stage}.pt", master=master, m=m, v=v, ema=self.ema,
            local_steps=flat.steps, steps=self.steps, images=self.images, elapsed=elapsed,
        )  # fmt: skip


def _resume(flat: FlatNetwork, progress: _Progress, start: Path | None) -> float:
    """Continue this stage's checkpoint, or begin from another stage's; returns the seconds already trained."""
    own = load_checkpoint(progress.folder / f"{progress.stage}.pt")
    found = own or (load_checkpoint(start) if start else None)
    if found is None:
        return 0.0
    for vector, name in zip(flat.state(), ("master", "m", "v"), strict=True):
        vector.copy_(found[name])
    flat.steps = found["local_steps"]
    flat.refresh()
    progress.ema.copy_(found["ema"])
    progress.steps, progress.images = found["steps"], found["images"]
    return found["elapsed"] if own else 0.0


def train(
    stage: str,
    meeting: Meeting,
    flat: FlatNetwork,
    clock: Clock,
    batch: int,
    loss: Callable[[], tuple[Tensor, dict[str, float]]],
    folder: Path,
    start: Path | None = None,
) -> None:
    """Train until the clock runs out; `loss` draws a batch and returns its loss and the values to log."""
    progress = _Progress(stage, folder, clock, flat.master)
    before = _resume(flat, progress, start)
    progress.images_reported, progress.reported, progress.saved = progress.images, before, before
    meeting.in_turn(lambda: _forget(loss()[0], flat))
    began = time.monotonic() - before
    stop = before >= clock.seconds
    while not stop:
        elapsed = time.monotonic() - began
        value, values = loss()
        value.backward()
        norm = flat.step(clock.rate(elapsed))
        progress.add({"loss": float(value.detach()), "gradient": norm, **values})
        if meeting.count():
            total, stop = meeting.average(flat.state(), elapsed >= clock.seconds)
            flat.refresh()
            if meeting.rank == 0:
                progress.met(flat.master, total, meeting.workers, batch)
                _leave_traces(progress, flat, elapsed, stop)


def _leave_traces(progress: _Progress, flat: FlatNetwork, elapsed: float, stop: bool) -> None:
    if stop or elapsed - progress.reported >= progress.clock.report:
        progress.report(elapsed, progress.clock.rate(elapsed))
    if stop or elapsed - progress.saved >= progress.clock.checkpoint:
        progress.save(flat, elapsed)


def _forget(value: Tensor, flat: FlatNetwork) -> None:
    """Run one backward pass, so that everything is compiled, and drop its gradients."""
    value.backward()
    for p in flat.parameters:
        p.grad = None


def load_ema(modules: list[torch.nn.Module], checkpoint: Path) -> None:
    """Put a checkpoint's averaged fp32 weights into the modules, in place."""
    flat = FlatNetwork(modules, torch.float32)
    flat.put(torch.load(checkpoint, weights_only=True)["ema"])
