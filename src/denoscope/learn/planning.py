"""What a training will cost, found out on a short trial: seconds by part, memory, disk, and what would cost less."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from denoscope.core.errors import InputError
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.rows import Rows, joined
from denoscope.dictionaries.shuffle import room_for
from denoscope.learn.work import Work, prepared
from denoscope.store.room import SHARE, bytes_told, free_bytes

__all__ = ["Budget", "plan"]

_TRIAL = 2.0
"""Seconds that reading is tried for, and at least one block."""
_STEPS = 6
"""Steps of training that are timed, after a first one."""
_TIMES = 3
"""Times that they are timed, of which the shortest counts: other work on the machine only adds."""
_ROWS = 8192
"""Cells that are tried at most."""
_RIVALS = 3
"""Dictionaries, about, that the held-out cells are encoded with."""
_STATE = 4
"""Numbers that training keeps per weight: itself, its gradient and Adam's two moments."""
_LEADING = 0.6
"""Share of the time from which a part is said to be the one to change."""


@dataclass(frozen=True)
class Budget:
    """Time, memory and disk of one training.

    Attributes:
        cells: that are learned from.
        images: images, or pictures in the making, that are read for them; each as often as it is.
        turns: passes over all training images.
        seconds: by part: `reading` (forwards, or the disk), `training`, `measuring` (held-out images).
        memory: bytes by part.
        disk: bytes that are written: dictionary, and checkpoints where they are kept.
        stored: bytes that a store of the training images' cells takes, or would take, in bf16.
        free: bytes that are free on the disk; None where that cannot be said.
        proposals: what would cost less.
    """

    cells: int
    images: int
    turns: float
    seconds: dict[str, float]
    memory: dict[str, int]
    disk: int
    stored: int
    free: int | None
    proposals: tuple[str, ...] = ()

    @property
    def bottleneck(self) -> str:
        """The part that takes longest."""
        return max(self.seconds, key=self.seconds.__getitem__)

    def to_dict(self) -> dict[str, Any]:
        """Every figure by name."""
        return {**asdict(self), "bottleneck": self.bottleneck}

    def __str__(self) -> str:
        total = sum(self.seconds.values()) or 1.0
        parts = ", ".join(f"{part} {_span(span)} ({span / total:.0%})" for part, span in self.seconds.items())
        memory = ", ".join(f"{part} {bytes_told(size)}" for part, size in self.memory.items())
        free = "" if self.free is None else f"; {bytes_told(self.free)} are free"
        return "\n".join(
            [
                f"learns  from {self.cells:,} cells: {self.images:,} images read, {self.turns:.3g} times each",
                f"time    {_span(total)}: {parts}; {self.bottleneck} dominates",
                f"memory  {memory}",
                f"disk    {bytes_told(self.disk)}{free}; a store of these cells in bf16: {bytes_told(self.stored)}",
                *(f"better  {proposal}" for proposal in self.proposals),
            ]
        )


def plan(
    *asked: Any, out: str | Path | None = None, keep: str | Path | None = None, buffer: float = 256.0, **named: Any
) -> Budget:
    """What `learn` would cost with the same arguments: some cells are read, and trained on for a few steps.

    Args:
        asked: as for `learn`.
        out: folder that it would save to.
        keep: folder that it would keep checkpoints in.
        buffer: MB of the shuffle buffer.
        named: as for `learn`.

    Raises:
        UnknownName, InputError, StoreError: as `learn`.
    """
    work = prepared(*asked, **named)
    rows, per_cell = _read(work)
    tried, step = _trained(work, rows)
    encoding = _timed(lambda: tried.encode(rows.values[: min(len(rows), 1024)])) / min(len(rows), 1024)
    source, (train, test) = work.source, work.source.counts
    held = test * source.per_image * len(source.conditions)
    turns = work.goal / source.per_turn
    per_image = source.per_turn / train
    weights = sum(weight.nbytes for weight in tried.weights.values())
    several = _STATE if isinstance(work.made, Autoencoder) else 1
    row = sum(part.nbytes for part in (rows.values, rows.timesteps, rows.places) if part is not None) // len(rows)
    held_seconds = held * per_cell * per_image / (source.per_image * _levels(work)) + held * encoding * _RIVALS
    budget = Budget(
        cells=work.goal,
        images=round(train * turns),
        turns=turns,
        seconds={"reading": work.goal * per_cell, "training": work.goal * step, "measuring": held_seconds},
        memory={
            **_model(work),
            "shuffle buffer": min(room_for(rows, buffer), source.per_turn, work.goal if work.most else 2**62) * row,
            "dictionary in training": several * weights,
            "one step": 2 * 4 * work.batch * len(tried.atoms),
        },
        disk=weights * (1 + (2 * _STATE if keep is not None else 0)),
        stored=train * source.per_image * len(source.conditions) * rows.values.shape[1] * 2,
        free=free_bytes(out or keep or (work.place.place.url if work.place is not None else ".")),
    )
    return replace(budget, proposals=_proposals(budget, work))


def _levels(work: Work) -> int:
    """Levels that one image gives cells of in a pass."""
    return max(1, round(work.source.per_turn / (work.source.counts[0] * work.source.per_image)))


def _read(work: Work) -> tuple[Rows, float]:
    """Some cells, and the seconds that each took.

    Raises:
        InputError: there are none.
    """
    found: list[Rows] = []
    started = time.perf_counter()
    for block in work.source.blocks(0):
        found.append(block)
        if time.perf_counter() - started > _TRIAL or sum(map(len, found)) >= _ROWS:
            break
    spent = time.perf_counter() - started
    if not sum(map(len, found)):
        raise InputError("a dictionary needs rows to learn from, and there were none")
    rows = joined(found)
    return rows[:_ROWS], spent / len(rows)


def _trained(work: Work, rows: Rows) -> tuple[Learned, float]:
    """A dictionary of the same settings after a few steps, and seconds for each further cell."""
    if "cells" not in type(work.made.settings).__dataclass_fields__:
        made = _like(work.made, 0)
        return made, _timed(lambda: made.fit([rows])) / len(rows)
    few, many = _like(work.made, work.batch), _like(work.made, (1 + _STEPS) * work.batch)
    short = min(_timed(lambda: few.fit([rows])) for _ in range(_TIMES))
    if short > _TRIAL:
        return few, short / work.batch
    long = min(_timed(lambda: many.fit([rows])) for _ in range(_TIMES))
    return many, max(long - short, 0.1 * long) / (_STEPS * work.batch)


def _like(made: Learned, cells: int) -> Learned:
    """Another of the same settings, for so many cells."""
    settings = made.settings
    if "cells" in type(settings).__dataclass_fields__:
        settings = replace(settings, cells=cells)
    return type(made)(settings)


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _model(work: Work) -> dict[str, int]:
    """Bytes of a model's weights, where one is read."""
    parts: Any = getattr(getattr(work.source, "model", None), "parts", None)
    if parts is None:
        return {}
    networks = [parts.denoiser, parts.vae, *(encoder.encoder for encoder in parts.text)]
    weights = [weight for network in networks if network is not None for weight in network.parameters()]
    return {"model": sum(weight.numel() * weight.element_size() for weight in weights)}


def _proposals(budget: Budget, work: Work) -> tuple[str, ...]:
    """What would cost less, where one part leads or the disk is short."""
    total, source = sum(budget.seconds.values()), work.source
    share = {part: span / total for part, span in budget.seconds.items()}
    room = None if budget.free is None else SHARE * budget.free
    found: list[str] = []
    if source.cheap and room is not None and budget.stored > room:
        found.append("such a store fills most of the disk: name the model and --data instead, and nothing is stored")
    if not source.cheap and share["reading"] > _LEADING:
        found += _cheaper_reading(budget, work, room)
    if share["training"] > _LEADING and isinstance(work.made, Autoencoder):
        found.append("training: --precision bf16, fewer --atoms, or fewer --cells")
    if share["measuring"] > _LEADING:
        found.append("measuring: a smaller --held-out")
    if work.goal > 20 * source.per_turn:
        found.append(f"every image is read {budget.turns:.0f} times: more images tell more than more passes")
    return tuple(found)


def _cheaper_reading(budget: Budget, work: Work, room: float | None) -> Sequence[str]:
    """Of a model."""
    source, found = work.source, list[str]()
    kept = int(getattr(source, "kept", source.per_image))
    if kept < source.per_image:
        fewer = source.per_image / kept
        found.append(
            f"--cells-per-image {source.per_image} takes all cells of a forward: {fewer:.3g} times fewer images"
        )
    if budget.turns > 2 and (room is None or budget.stored < room):
        found.append(
            f"a store takes {bytes_told(budget.stored)} and is read {budget.turns:.3g} times: denoscope extract, once"
        )
    dtype = str(getattr(source, "model", None) and getattr(source.model, "dtype", ""))  # pyright: ignore[reportAttributeAccessIssue]
    if dtype.endswith("float32"):
        found.append("half precision of the model: load(NAME, dtype='bf16'), where the device computes in it")
    return found


def _span(seconds: float) -> str:
    """As `3.2 s`, `5 min` or `2.1 h`."""
    if seconds < 90:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.3g} min" if seconds < 5400 else f"{seconds / 3600:.3g} h"
