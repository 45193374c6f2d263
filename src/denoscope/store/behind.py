"""Writing one shard while the next is made."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from denoscope.core.errors import DenoscopeError
from denoscope.core.sample import Sample
from denoscope.store.writer import Work

__all__ = ["Behind"]

log = logging.getLogger(__name__)


class Behind:
    """A thread that commits shards, at most one at a time: memory holds two of them, the written and the made.

    A shard is claimed until it is written, and is renamed into place whole, so that whoever is killed leaves what he
    would have left without the thread. The end of the `with` waits for the last one.

    Raises:
        StoreError: no space or no permission; with the next commit, or at the end of the `with`.
    """

    def __enter__(self) -> Behind:
        self._thread = ThreadPoolExecutor(1, "denoscope-write")
        self._due: Future[None] | None = None
        return self

    def commit(self, work: Work, samples: Sequence[Sample], skipped: Mapping[str, str], device: str) -> None:
        """As `Work.commit`, without waiting for this shard, but for the one before."""
        self._wait()
        work.hand_over()
        self._due = self._thread.submit(_commit, work, samples, skipped, device)

    def _wait(self) -> None:
        due, self._due = self._due, None
        if due is not None:
            due.result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._wait()
        except DenoscopeError as late:
            if error is None:
                raise
            log.warning("a shard was lost as well: %s", late)
        finally:
            self._thread.shutdown()


def _commit(work: Work, samples: Sequence[Sample], skipped: Mapping[str, str], device: str) -> None:
    try:
        work.commit(samples, skipped, device)
    finally:
        work.release()
