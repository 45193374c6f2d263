"""The loop: one stream of rows, one or several dictionaries that learn from it."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from denoscope.core.errors import InputError
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries._chained import Chained
from denoscope.dictionaries._normaliser import Normaliser, normaliser_of
from denoscope.dictionaries._timed import Timed
from denoscope.dictionaries._training.keeping import Keeper
from denoscope.dictionaries._training.sharing import share_of
from denoscope.dictionaries._training.starting import device_of, start_of
from denoscope.dictionaries._training.tracking import tracker_of
from denoscope.dictionaries._training.trainer import Trainer
from denoscope.dictionaries.rows import Rows, joined, rebatched, repeated

__all__ = ["Run", "train"]

_HEAD = 16_384
"""Rows from which normaliser, bias and thresholds are set before training begins."""
_LINES = 500
"""Lines of a log, about."""


def train(
    made: Sequence[Autoencoder], batches: Iterable[Any], keep: Sequence[Path | None] = (), every: int = 1_000_000
) -> None:
    """Let dictionaries learn from the same batches, each as it would alone.

    Args:
        made: with equal `batch`.
        batches: arrays, tensors or `Rows`.
        keep: for each, a folder for its log and checkpoints.
        every: rows between checkpoints.

    Raises:
        InputError: as `Autoencoder.fit`, or batches of unequal size were asked for.
    """
    sizes = {one.settings.batch for one in made}
    if len(sizes) != 1:
        raise InputError(f"dictionaries that learn from one stream need one batch size, not {sorted(sizes)}")
    if every < 1:
        raise InputError(f"every must be at least 1 row, not {every}")
    rows = rebatched(repeated(batches), max(one.settings.cells for one in made), sizes.pop())
    head: list[Rows] = []
    for batch in rows:
        head.append(batch)
        if sum(map(len, head)) >= _HEAD:
            break
    if not head:
        raise InputError("a dictionary needs rows to learn from, and there were none")
    whole = joined(head)
    places = keep or [None] * len(made)
    runs = [Run(one, whole[: one.settings.cells], place, every) for one, place in zip(made, places, strict=True)]
    for batch in chain(head, rows):
        for run in runs:
            run.step(batch)
    for run in runs:
        run.finish()


class Run:
    """One dictionary that learns.

    Args:
        made: what shall know in the end.
        head: the first rows.
        place: folder for log and checkpoints, or None.
        every: rows between checkpoints.
    """

    def __init__(self, made: Autoencoder, head: Rows, place: Path | None, every: int) -> None:
        self._made, settings = made, made.settings
        if made.tied and head.targets is not None:
            raise InputError(f"a {made.name} dictionary explains what it reads; targets are for a transcoder")
        self._share = share_of(settings.device)
        device = self._share.device or device_of(settings.device)
        targets = head.values if head.targets is None else head.targets
        self._before = made.normaliser(head)
        self._after = self._before if head.targets is None else normaliser_of(settings.normaliser, targets)
        self._maps = (_Map(self._before, device), _Map(self._after, device))
        x, y = self._maps[0](head.values, head.timesteps), self._maps[1](targets, head.timesteps)
        self._cut(x, y)
        start = start_of(x, y, settings, made.tied)
        self._trainer = Trainer(made.coder(start), settings, self._share)
        self._keeper = Keeper(place, _identity(made, head), every, self._share.rank == 0)
        told = {"dictionary": made.name, **asdict(settings)}
        asked = settings.track if self._share.rank == 0 else ""
        self._tracker = tracker_of(asked, place, made.name, told)
        self._passed = 0
        self._log_every = max(1, settings.cells // settings.batch // _LINES) * settings.batch
        found = self._keeper.load()
        if found is not None:
            self._trainer.restore(found["trainer"])

    def step(self, batch: Rows) -> None:
        """Learn from a batch, unless it was learned from before, or there were enough."""
        trainer, settings = self._trainer, self._made.settings
        batch = batch[: max(0, settings.cells - self._passed)]
        self._passed += len(batch)
        if not len(batch) or self._passed <= trainer.seen:
            return
        before, mine = trainer.seen, batch[self._share.slice(len(batch))]
        x = self._maps[0](mine.values, mine.timesteps)
        y = x if mine.targets is None else self._maps[1](mine.targets, mine.timesteps)
        numbers = trainer.step(x, y, _sent(mine.timesteps, trainer.device), len(batch))
        if trainer.seen // self._log_every > before // self._log_every:
            self._log(numbers)
        if self._keeper.due(before, trainer.seen):
            self._save()

    def _save(self) -> None:
        """A checkpoint, unless weights are infinite or NaN, which nobody should continue from."""
        if not all(bool(weights.isfinite().all()) for weights in self._trainer.coder.parameters()):
            rate = self._made.settings.rate
            raise InputError(f"training went astray: weights are no longer finite; lower lr ({rate:.2g}) or set clip")
        self._keeper.save(self._trainer.state())

    def _log(self, numbers: dict[str, Tensor]) -> None:
        """One line of the log, here and wherever else it goes."""
        self._keeper.log(self._trainer.seen, numbers)
        if self._made.settings.track:
            self._tracker.log({name: float(value) for name, value in numbers.items()}, self._trainer.seen)

    def _cut(self, *firsts: Tensor) -> None:
        """Say how large normalised values may become, from the first ones."""
        if self._made.settings.cut:
            for one, x in zip(self._maps, firsts, strict=True):
                limit = self._made.settings.cut * float(x.square().mean().sqrt())
                x.clamp_(-limit, limit)
                one.limit = limit

    def finish(self) -> None:
        """Hand over what was learned.

        Raises:
            InputError: it became infinite or NaN.
        """
        self._save()
        self._tracker.close()
        coder = self._trainer.finish()
        self._made.take(coder.raw(), coder.extras(), self._before, self._after)


class _Map:
    """A normaliser on a device."""

    limit: float | None = None
    """Size at which values are cut."""

    def __init__(self, normaliser: Normaliser | Timed | Chained, device: torch.device) -> None:
        self._timed, self._device = None if isinstance(normaliser, Normaliser) else normaliser, device
        if isinstance(normaliser, Normaliser):
            self._mean = torch.from_numpy(normaliser.mean.astype(np.float32)).to(device)
            self._forth = torch.from_numpy(np.asarray(normaliser.forth, dtype=np.float32)).to(device)

    def __call__(self, rows: NDArray[np.float32], timesteps: NDArray[np.float32] | None) -> Tensor:
        made = self._mapped(rows, timesteps)
        return made if self.limit is None else made.clamp_(-self.limit, self.limit)

    def _mapped(self, rows: NDArray[np.float32], timesteps: NDArray[np.float32] | None) -> Tensor:
        if self._timed is not None:
            return torch.from_numpy(self._timed.map(rows, timesteps)).to(self._device)
        x = torch.from_numpy(np.ascontiguousarray(rows)).to(self._device) - self._mean
        return x * self._forth if self._forth.ndim < 2 else x @ self._forth


def _sent(values: NDArray[np.float32] | None, device: torch.device) -> Tensor | None:
    return None if values is None else torch.from_numpy(values).to(device)


def _identity(made: Autoencoder, head: Rows) -> dict[str, Any]:
    """What a checkpoint must agree with."""
    digest = hashlib.sha256(np.ascontiguousarray(head.values).tobytes()).hexdigest()[:16]
    told = {name: value for name, value in asdict(made.settings).items() if name not in ("device", "track")}
    return {"dictionary": made.name, **told, "first rows": digest}
