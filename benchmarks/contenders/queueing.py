"""A cluster as three queues: a driver that deals parts out, actors that compute, a storage that they share."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["AHEAD", "Cluster", "limits", "seconds"]

AHEAD = 2
"""Parts that an actor is dealt at a time, as `denoscope.pool` does."""


@dataclass(frozen=True)
class Cluster:
    """What one actor needs, and what all share."""

    compute: Sequence[float]
    """Seconds that an actor computes on a part, as measured; a part's are drawn from them."""
    dealt: float
    """Seconds of the driver for each part, one part after the other."""
    written: float
    """Bytes of each part."""
    bandwidth: float
    """Bytes per second of the storage, all actors together."""
    loaded: float = 0.0
    """Bytes that each actor reads from it before its first part."""
    start: float = 0.0
    """Seconds of each actor before its first part, apart from reading."""

    @property
    def alone(self) -> float:
        """Seconds of a part with one actor in a steady state."""
        return max(float(np.mean(self.compute)) + self.written / self.bandwidth, self.dealt)


def limits(cluster: Cluster) -> dict[str, float]:
    """Parts per second that the driver can deal, that the storage can take, and that one actor makes."""
    storage = cluster.bandwidth / cluster.written if cluster.written else float("inf")
    driver = 1 / cluster.dealt if cluster.dealt else float("inf")
    return {"driver": driver, "storage": storage, "actor": 1 / cluster.alone}


def seconds(cluster: Cluster, actors: int, parts: int, seed: int = 0) -> float:
    """From the call to the last part, simulated event by event.

    The driver deals parts one after the other, an actor has the part in hand and one more, and writes are served one
    after the other at full bandwidth, which gives the throughput of sharing it.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.choice(np.asarray(cluster.compute, dtype=np.float64), parts)
    write, left, done, now = cluster.written / cluster.bandwidth, parts, 0, 0.0
    driver = storage = 0.0
    begun = 0
    held, busy = [0] * actors, [False] * actors
    events: list[tuple[float, int, int, str]] = []  # an actor with nothing in hand goes before one that asks ahead
    for actor in range(actors):
        storage += cluster.loaded / cluster.bandwidth
        heapq.heappush(events, (storage + cluster.start, 0, actor, "asks"))
    while done < parts:
        now, _, actor, what = heapq.heappop(events)
        if what == "asks" and left:
            left -= 1
            driver = max(now, driver) + cluster.dealt
            heapq.heappush(events, (driver, 0, actor, "dealt"))
        elif what == "computed":
            storage = max(now, storage) + write
            heapq.heappush(events, (storage, 0, actor, "written"))
        elif what in ("dealt", "written"):
            held[actor] += what == "dealt"
            busy[actor] &= what != "written"
            done += what == "written"
        if held[actor] and not busy[actor]:
            held[actor] -= 1
            busy[actor] = True
            heapq.heappush(events, (now + float(drawn[begun]), 0, actor, "computed"))
            begun += 1
            heapq.heappush(events, (now, 1, actor, "asks"))
    return now
