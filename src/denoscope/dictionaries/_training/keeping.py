"""What training leaves on disk while it runs: a log of one JSON object per line, and a checkpoint to continue from."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import torch
from torch import Tensor

from denoscope.core.errors import InputError, StoreError

__all__ = ["Keeper"]

_LOG, _CHECKPOINT = "training.jsonl", "checkpoint.pt"


@dataclass
class Keeper:
    """Writes to a folder; with none, nothing.

    Attributes:
        folder: where `training.jsonl` and `checkpoint.pt` lie.
        identity: what a checkpoint must have been made with to be continued.
        every: rows between checkpoints.
        writes: whether this process writes, or only reads.
    """

    folder: Path | None
    identity: dict[str, Any]
    every: int
    writes: bool = True

    def load(self) -> dict[str, Any] | None:
        """The checkpoint, if one lies there.

        Raises:
            StoreError: it cannot be read.
            InputError: it was made with other settings.
        """
        if self.folder is None or not (self.folder / _CHECKPOINT).exists():
            return None
        try:
            found = cast("dict[str, Any]", torch.load(self.folder / _CHECKPOINT, map_location="cpu", weights_only=True))
            told = found["identity"]
        except (RuntimeError, OSError, EOFError, ValueError, KeyError, UnpicklingError) as error:
            why = str(error).splitlines()[0].split(". ")[0] if str(error) else type(error).__name__
            raise StoreError(
                f"the checkpoint in {self.folder} cannot be read ({why}); remove it to begin anew"
            ) from None
        differ = [name for name in self.identity if told.get(name) != self.identity[name]]
        if differ:
            which = ", ".join(f"{name} {told.get(name)}, not {self.identity[name]}" for name in differ)
            raise InputError(f"the checkpoint in {self.folder} was made with {which}; give another folder")
        self._cut(int(found["trainer"]["seen"]))
        return found

    def save(self, trainer: dict[str, Any]) -> None:
        """Replace the checkpoint, whole or not at all."""
        if self.folder is None or not self.writes:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        half = self.folder / f"{_CHECKPOINT}.{os.getpid()}.half"
        torch.save({"identity": self.identity, "trainer": trainer}, half)
        half.replace(self.folder / _CHECKPOINT)

    def due(self, before: int, seen: int) -> bool:
        """Whether a checkpoint was passed."""
        return self.folder is not None and seen // self.every > before // self.every

    def log(self, seen: int, numbers: dict[str, Tensor]) -> None:
        """Append one line."""
        if self.folder is None or not self.writes:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        line = {"seen": seen} | {name: float(value) for name, value in numbers.items()}
        with (self.folder / _LOG).open("a") as out:
            out.write(json.dumps(line) + "\n")

    def _cut(self, seen: int) -> None:
        """Drop what was logged after the checkpoint, so that nothing is told twice."""
        place = cast("Path", self.folder) / _LOG
        if self.writes and place.exists():
            lines = [line for line in place.read_text().splitlines() if _seen(line) <= seen]
            place.write_text("".join(f"{line}\n" for line in lines))


def _seen(line: str) -> float:
    try:
        return json.loads(line)["seen"]
    except (ValueError, KeyError, TypeError):
        return float("inf")
