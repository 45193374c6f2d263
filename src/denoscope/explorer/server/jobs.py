"""The queue: one thread does the work, everybody may watch it, and what was finished is on disk."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from denoscope.core.errors import DenoscopeError, InputError, StoreError, UnknownName
from denoscope.explorer.server.journal import Journal
from denoscope.explorer.server.protocol import Cancelled, Watch
from denoscope.explorer.server.shapes import ExtractAsk, GenerateAsk, Job, JobResult
from denoscope.explorer.server.steershapes import SteerAsk

__all__ = ["ENDED", "Jobs"]

log = logging.getLogger(__name__)

ENDED = ("done", "failed", "cancelled")
"""States that a job never leaves."""
MOST_WAITING = 100
"""Jobs that may wait at a time."""
INTERRUPTED = "interrupted: the server was stopped; what was read until then is in the store, and asking again goes on"

_PATIENCE = 60.0
"""Seconds that a stopping server waits for the pass in hand."""

Work = Callable[[ExtractAsk | GenerateAsk | SteerAsk, Watch], JobResult]


class Jobs:
    """Jobs by id. Changes of state go to a journal before anybody sees them; progress is only told.

    Args:
        path: of the journal.
        work: does one job, in the worker thread.
    """

    def __init__(self, path: Path, work: Work) -> None:
        self._journal = Journal(path)
        self._work = work
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._stops: dict[str, threading.Event] = {}
        self._watchers: list[Callable[[], None]] = []
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._recover()

    def start(self) -> None:
        """Begin to work; also again, after `close`."""
        self._closing.clear()
        self._queue = queue.SimpleQueue()
        for job in self._jobs.values():
            if job.state == "queued":
                self._queue.put(job.id)
        self._thread = threading.Thread(target=self._serve, name="denoscope-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell the worker to stop between two passes, and every watcher that nothing more comes."""
        self._closing.set()
        for stop in list(self._stops.values()):
            stop.set()
        self._queue.put(None)
        self._tell()

    def close(self) -> None:
        """Stop, wait for the pass in hand, and record what was not finished as interrupted."""
        self.stop()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        for job in self.all():
            if job.state not in ENDED:
                self._change(job.id, state="failed", message=INTERRUPTED)

    # Asking ------------------------------------------------------------------------------------------------------

    def all(self) -> list[Job]:
        """Every job, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def get(self, name: str) -> Job:
        """One job.

        Raises:
            UnknownName: there is none of that id.
        """
        with self._lock:
            if name in self._jobs:
                return self._jobs[name]
        raise UnknownName(f"no job {name[:60]!r}; list them with: GET /api/jobs")

    def add(self, ask: ExtractAsk | GenerateAsk | SteerAsk) -> Job:
        """Put a job into the queue.

        Raises:
            InputError: too many are waiting.
        """
        if sum(job.state == "queued" for job in self.all()) >= MOST_WAITING:
            raise InputError(f"{MOST_WAITING} jobs are waiting already; cancel some or wait")
        job = Job(
            id=uuid4().hex, kind=ask.kind, state="queued", done=0, total=0, eta=None, message="waiting", created=_now(),
            ask=ask,
        )  # fmt: skip
        self._journal.append(job.model_dump(mode="json"))
        with self._lock:
            self._jobs[job.id] = job
            self._stops[job.id] = threading.Event()
        self._queue.put(job.id)
        self._tell()
        return job

    def cancel(self, name: str) -> Job:
        """Stop a job: at once when it waits, between two passes when it runs; one that has ended stays as it is.

        Raises:
            UnknownName: there is none of that id.
        """
        job = self.get(name)
        if job.state in ENDED:
            return job
        self._stops[name].set()
        with self._lock:
            waiting = self._jobs[name].state == "queued"
        return self._change(name, state="cancelled", message="cancelled") if waiting else self.get(name)

    def watch(self, woken: Callable[[], None]) -> Callable[[], None]:
        """Have a function called after every change, from any thread; returns the function that ends it."""
        with self._lock:
            self._watchers.append(woken)

        def end() -> None:
            with self._lock:
                self._watchers.remove(woken)

        return end

    @property
    def closing(self) -> bool:
        """Whether the server is about to end."""
        return self._closing.is_set()

    # The worker --------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while (name := self._queue.get()) is not None:
            if self.closing:
                return
            if self.get(name).state == "queued":
                self._do(name)

    def _do(self, name: str) -> None:
        """One job to its end, whatever happens in it."""
        self._change(name, state="running", message="starting")
        try:
            result = self._work(self.get(name).ask, _Progress(self, name, self._stops[name]))
            total = self.get(name).total
            self._change(name, state="done", message=result.note or "done", result=result, eta=None, done=total)
        except Cancelled:
            if self.closing:
                self._change(name, state="failed", message=INTERRUPTED, eta=None)
            else:
                self._change(name, state="cancelled", message="cancelled", eta=None)
        except DenoscopeError as error:
            self._change(name, state="failed", message=_line(error), eta=None)
        except Exception as error:
            log.exception("job %s failed", name)
            self._change(name, state="failed", message=f"{type(error).__name__}: {_line(error)}", eta=None)

    def progress(self, name: str, **values: Any) -> None:
        """Take what a running job tells; not written to disk."""
        with self._lock:
            self._jobs[name] = self._jobs[name].model_copy(update=values)
        self._tell()

    def _change(self, name: str, **values: Any) -> Job:
        """A new state, on disk first. A job that has ended keeps its end."""
        with self._lock:
            if self._jobs[name].state in ENDED:
                return self._jobs[name]
            job = self._jobs[name].model_copy(update=values)
            self._record(job)
            self._jobs[name] = job
        self._tell()
        return job

    def _record(self, job: Job) -> None:
        """On disk; a full disk does not end the worker, and the next start then reports the job as interrupted."""
        try:
            self._journal.append(job.model_dump(mode="json"))
        except StoreError as error:
            log.error("job %s is %s, but its record is lost: %s", job.id, job.state, error)

    def _tell(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for woken in watchers:
            woken()

    def _recover(self) -> None:
        """Jobs of earlier runs: the last record of each counts, and what has no end was interrupted."""
        for record in self._journal.fresh():
            try:
                job = Job(**record)
                self._jobs[job.id] = job
            except ValidationError:
                log.warning("%s holds a job of another version", self._journal.path.name)
        for job in list(self._jobs.values()):
            if job.state not in ENDED:
                self._jobs[job.id] = job.model_copy(update={"state": "failed", "message": INTERRUPTED, "eta": None})


class _Progress:
    """The `Watch` of one job."""

    def __init__(self, jobs: Jobs, name: str, stop: threading.Event) -> None:
        self._jobs, self._name, self._stop = jobs, name, stop
        self._started: tuple[float, int] | None = None

    def tell(self, done: int, total: int, message: str = "") -> None:
        """Say how much is done; the time left is told from the rate since the first word."""
        if self._stop.is_set():
            raise Cancelled
        now = time.monotonic()
        if self._started is None or done < self._started[1]:
            self._started = (now, done)
        since, first = self._started
        eta = (now - since) / (done - first) * (total - done) if done > first else None
        said = {"message": message} if message else {}
        self._jobs.progress(self._name, done=done, total=total, eta=eta, **said)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:400] or "no reason given"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
