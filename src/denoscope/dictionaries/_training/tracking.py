"""Where the numbers of the log go besides: TensorBoard, trackio, or what a user brings along."""

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from denoscope.core.errors import InputError, unknown
from denoscope.core.optional import require

__all__ = ["TRACKERS", "Maker", "Tracker", "tracker_of"]


class Tracker(Protocol):
    """Receives each line of the log."""

    def log(self, numbers: Mapping[str, float], seen: int) -> None:
        """Numbers after so many rows."""
        ...

    def close(self) -> None:
        """Nothing comes any more."""
        ...


Maker = Callable[[Path | None, str, Mapping[str, Any]], Tracker]
"""From the folder of log and checkpoints, the name of the dictionary and its settings."""


class _TensorBoard:
    """Scalars for `tensorboard --logdir FOLDER`, by rows seen; what a resumed run had told later is dropped."""

    def __init__(self, folder: Path | None, name: str, told: Mapping[str, Any]) -> None:
        if folder is None:
            raise InputError("tensorboard needs a folder to write to; name one with keep")
        writer = require("torch.utils.tensorboard", "track training with TensorBoard", "tensorboard").SummaryWriter
        self._name, self._open = name, lambda seen: writer(str(folder), purge_step=seen)
        self._writer: Any = None

    def log(self, numbers: Mapping[str, float], seen: int) -> None:
        self._writer = self._writer or self._open(seen)
        for name, value in numbers.items():
            self._writer.add_scalar(f"{self._name}/{name}", value, seen)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class _Trackio:
    """A run of the project `denoscope` for `trackio show`, named after the folder or the dictionary."""

    def __init__(self, folder: Path | None, name: str, told: Mapping[str, Any]) -> None:
        start = require("trackio", "track training with trackio").init
        named = folder.name if folder else name
        with redirect_stdout(sys.stderr):
            self._run = start(project="denoscope", name=named, config=dict(told), resume="allow", embed=False)

    def log(self, numbers: Mapping[str, float], seen: int) -> None:
        self._run.log(dict(numbers), step=seen)

    def close(self) -> None:
        with redirect_stdout(sys.stderr):
            self._run.finish()


class _Nowhere:
    """Nothing besides the log."""

    def log(self, numbers: Mapping[str, float], seen: int) -> None:
        pass

    def close(self) -> None:
        pass


TRACKERS: dict[str, Maker] = {"tensorboard": _TensorBoard, "trackio": _Trackio}


def tracker_of(asked: str, folder: Path | None, name: str, told: Mapping[str, Any]) -> Tracker:
    """The tracker of a name, or `package.module:maker` of one's own; none for an empty name.

    Raises:
        UnknownName: none is called that.
        MissingPackage: it is not installed.
        InputError: there is no such maker.
    """
    if not asked:
        return _Nowhere()
    if ":" not in asked:
        if asked not in TRACKERS:
            raise unknown("tracker", asked, TRACKERS, "help(denoscope.dictionaries._training.tracking)")
        return TRACKERS[asked](folder, name, told)
    module, _, maker = asked.partition(":")
    try:
        return getattr(import_module(module), maker)(folder, name, told)
    except (ModuleNotFoundError, AttributeError) as error:
        raise InputError(f"no tracker can be made by {asked!r} ({error}); it is package.module:maker") from None
