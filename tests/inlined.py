"""A pool whose actors are in this process; what they are given and what they answer goes through pickle."""

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from denoscope.pool import Pool


def inlined(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replace `Pool.each`: the last part is done first. The numbers of all parts that are asked for are returned."""
    asked: list[int] = []

    def each(self: Pool, make: Any, numbers: Sequence[int]) -> Iterator[tuple[int, Any]]:
        asked.extend(numbers)
        actors = [pickle.loads(pickle.dumps(make))() for _ in range(self.workers)]
        for place, number in enumerate(reversed(numbers)):
            yield number, pickle.loads(pickle.dumps(actors[place % self.workers](number)))

    monkeypatch.setattr(Pool, "each", each)
    return asked
