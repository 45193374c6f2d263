"""Work on a Ray cluster: actors that each hold what the work needs, and take one numbered part of it after another."""

from __future__ import annotations

import logging
import os
import pickle
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from denoscope.core.errors import DenoscopeError, InputError
from denoscope.core.optional import require

__all__ = ["Do", "Make", "Pool"]

Answer = TypeVar("Answer")
Do = Callable[[int], Answer]
"""Does one part of the work, by its number."""
Make = Callable[[], Do[Answer]]
"""Makes ready for the work, once in each actor; travels there through pickle."""

_WHY = "work on a cluster"
_FRUITLESS = 3
"""Rounds in which no part was finished, after which the work is given up."""
_HELD = 32
"""Answers that are held in memory until those before them have come."""
_AHEAD = 2
"""Parts that an actor is dealt at a time: the one in hand, and the next."""


@dataclass(frozen=True)
class Pool:
    """Actors of a Ray cluster.

    Ray Data deals parts of the work out to them, never more than they can take, and starts actors again where there is
    room. What a dead actor or node had in hand is dealt out again to those that are left.
    """

    workers: int = 2
    """Actors, each with a model of its own."""
    most: int | None = None
    """Up to so many, where the cluster grows; as many as `workers` unless given."""
    cpus: float = 1.0
    """Processor cores of each; a model on a processor uses as many threads."""
    gpus: float = 0.0
    """GPUs of each; with 0.5 two share one."""
    address: str | None = None
    """Of a running cluster (`auto` finds one here); one is started on this machine, and ended, unless given."""

    def __post_init__(self) -> None:
        if self.workers < 1 or (self.most or self.workers) < self.workers:
            raise InputError(f"a pool needs 1 actor or more, and at most no fewer; not {self.workers} to {self.most}")
        if self.cpus < 0 or self.gpus < 0:
            raise InputError("cpus and gpus of an actor cannot be negative")

    def each(self, make: Make[Answer], numbers: Sequence[int]) -> Generator[tuple[int, Answer]]:
        """Do every part of some work, somewhere.

        Args:
            make: makes ready for it in an actor.
            numbers: of the parts. One may be done more than once, where an actor died after it; its answer comes once.

        Yields:
            Number and answer of each part, as they are finished.

        Raises:
            MissingPackage: Ray is not installed.
            DenoscopeError: what an actor raised, as it would have been raised here.
            InputError: actors die again and again before they finish anything.
        """
        ray = require("ray", _WHY, "denoscope[ray]")
        require("ray.data", _WHY, "denoscope[ray]")  # before it is silenced: it sets up its loggers when imported
        left, fruitless, ahead = list(numbers), 0, _AHEAD
        with self._cluster(ray), _quiet() as last:
            sent = ray.put(make)  # once for all actors, those of further rounds too
            while left:
                done: set[int] = set()
                for number, answer in self._round(sent, left, ahead):
                    if number not in done:
                        done.add(number)
                        yield number, answer
                left = [number for number in left if number not in done]
                fruitless = 0 if done else fruitless + 1
                ahead = 1  # a part that kills its actor shall take no other with it again
                if left and fruitless == _FRUITLESS:
                    raise InputError(f"actors died {_FRUITLESS} times over, with {len(left)} of {len(numbers)} parts "
                                     f"left, before they finished any: {last.told}")  # fmt: skip

    def ordered(self, make: Make[Answer], count: int) -> Iterator[Answer]:
        """As `each`, for parts 0 to `count` - 1 and in their order.

        What comes early is held, beyond a few answers on disk: a part whose actor died is done last.
        """
        early: dict[int, Answer] = {}
        due = 0
        with TemporaryDirectory(prefix="denoscope-") as folder:
            for number, answer in self.each(make, range(count)):
                if len(early) < _HELD or number == due:
                    early[number] = answer
                else:
                    (Path(folder) / f"{number}").write_bytes(pickle.dumps(answer, protocol=5))
                while due in early or (Path(folder) / f"{due}").exists():
                    yield early.pop(due) if due in early else _taken(Path(folder) / f"{due}")
                    due += 1

    @contextmanager
    def _cluster(self, ray: Any) -> Generator[None]:
        """Connected, to a cluster that was there or to one of our own."""
        ours = not ray.is_initialized()
        if ours:
            cores = None if self.address else max(os.cpu_count() or 1, int(self.cpus * (self.most or self.workers)))
            ray.init(
                address=self.address or "local", num_cpus=cores, include_dashboard=None if self.address else False,
                log_to_driver=False, logging_level="ERROR", configure_logging=True,
            )  # fmt: skip
        try:
            yield
        finally:
            if ours:
                ray.shutdown()

    def _round(self, sent: Any, numbers: Sequence[int], ahead: int) -> Iterator[tuple[int, Any]]:
        """Number and answer of the parts whose actor lived to give one."""
        data = require("ray.data", _WHY, "denoscope[ray]")
        with _settings(data.DataContext.get_current(), enable_progress_bars=False, max_errored_blocks=-1):
            parts = data.from_items([{"number": number} for number in numbers], override_num_blocks=len(numbers))
            least, most = (min(count, len(numbers)) for count in (self.workers, self.most or self.workers))
            actors = data.ActorPoolStrategy(min_size=least, max_size=most, max_tasks_in_flight_per_actor=ahead)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "`ray_remote_args`")  # nothing stands for it yet
                answers = parts.map(
                    _Actor, fn_constructor_args=([sent], max(1, int(self.cpus))), compute=actors,
                    num_cpus=self.cpus, num_gpus=self.gpus, max_restarts=-1,
                    max_task_retries=0,  # a part does not wait for its dead actor to find room again, perhaps for ever
                )  # fmt: skip
            for row in answers.iter_rows():
                answer = pickle.loads(row["answer"])
                if isinstance(answer, _Fault):
                    raise answer.error
                yield int(row["number"]), answer


def _taken(path: Path) -> Any:
    """What a file held, which is gone now."""
    held = pickle.loads(path.read_bytes())
    path.unlink()
    return held


@dataclass(frozen=True)
class _Fault:
    """What was raised in an actor."""

    error: Exception

    @classmethod
    def of(cls, error: Exception) -> _Fault:
        """As it is, where it is ours and can travel; otherwise its account."""
        told = "".join(traceback.format_exception(error))
        try:
            travelled = pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001 (whatever a foreign error does when it is pickled)
            travelled = RuntimeError(f"{type(error).__name__}: {error}")
        if not isinstance(error, DenoscopeError):
            travelled.add_note(f"In an actor:\n{told}")
        return cls(travelled)


class _Actor:
    """What one actor does. A fault is an answer, so that it ends the work at once and a death alone is tried again."""

    def __init__(self, sent: Sequence[Any], threads: int) -> None:
        ray = require("ray", _WHY, "denoscope[ray]")
        self._do: Do[Any] | _Fault
        try:
            require("torch", _WHY).set_num_threads(threads)
            self._do = ray.get(sent[0])()
        except Exception as error:  # noqa: BLE001 (it is raised again where the work was asked for)
            self._do = _Fault.of(error)

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        number = int(row["number"])
        try:
            answer = self._do if isinstance(self._do, _Fault) else self._do(number)
        except Exception as error:  # noqa: BLE001
            answer = _Fault.of(error)
        return {"number": number, "answer": pickle.dumps(answer, protocol=5)}


class _Last(logging.Handler):
    """The last error that Ray Data told."""

    told = "Ray told nothing"

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line of it."""
        error = record.exc_info[1] if record.exc_info else None
        self.told = " ".join(str(error or record.getMessage()).split())[:300]


@contextmanager
def _quiet() -> Generator[_Last]:
    """Ray Data's account of lost parts is kept, not printed: they are dealt out again."""
    log, last = logging.getLogger("ray.data"), _Last(logging.ERROR)
    with ExitStack() as after:
        after.callback(log.setLevel, log.level)
        after.callback(setattr, log, "propagate", log.propagate)
        after.callback(setattr, log, "handlers", list(log.handlers))
        log.setLevel(logging.ERROR)
        log.propagate, log.handlers = False, [last]
        yield last


@contextmanager
def _settings(context: Any, **values: Any) -> Generator[None]:
    """Ray Data's settings for a while; they are the process' own."""
    before = {name: getattr(context, name) for name in values}
    for name, value in values.items():
        setattr(context, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)
