"""Which of several processes this one is, where a launcher started them on one task."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from denoscope.core.errors import InputError

__all__ = ["Rank", "rank"]


@dataclass(frozen=True)
class Rank:
    """One process of several that run the same command."""

    number: int = 0
    """Of this process, from 0."""
    count: int = 1
    """Processes."""
    local: int = 0
    """Of this process among those of its machine: which accelerator is its own."""

    @property
    def first(self) -> bool:
        """Whether this is the one that talks."""
        return self.number == 0

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.count == 1

    def order(self, pieces: int) -> list[int]:
        """Numbers of pieces of work in the order in which this process tries them: its own, then those of the next."""
        turns = ((self.number + step) % self.count for step in range(self.count))
        return [piece for turn in turns for piece in range(turn, pieces, self.count)]


def rank(environment: Mapping[str, str] = os.environ) -> Rank:
    """As `torchrun` and `accelerate launch` tell it: RANK, WORLD_SIZE and LOCAL_RANK; alone where they tell nothing.

    Raises:
        InputError: they tell something else than numbers that fit one another.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    if not all(environment.get(name) for name in names[:2]):
        return Rank()
    told = {name: environment.get(name) or environment["RANK"] for name in names}
    if not all(value.isdecimal() for value in told.values()) or int(told["RANK"]) >= int(told["WORLD_SIZE"]):
        said = ", ".join(f"{name}={value}" for name, value in told.items())
        raise InputError(f"a launcher says {said}; a rank is a number below the number of processes")
    return Rank(*(int(told[name]) for name in names))
