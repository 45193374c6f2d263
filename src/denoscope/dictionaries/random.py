"""Random directions: what any dictionary is held against."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from denoscope.core.errors import InputError
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._pursuing import Pursuing, PursuitSettings, drawn
from denoscope.dictionaries.base import rows_of

__all__ = ["RandomAtoms", "RandomSettings"]


@dataclass(frozen=True)
class RandomSettings(PursuitSettings):
    """Parameters of `RandomAtoms`."""


@dictionaries("random")
class RandomAtoms(Pursuing):
    """Directions drawn uniformly on the sphere, with codes by pursuit around the mean: a baseline.

    Nothing but the mean is learned. Many random atoms explain much by their number alone; what a learned dictionary
    explains beyond them is what it learned.
    """

    name: ClassVar[str] = "random"
    Settings: ClassVar[type[Any]] = RandomSettings

    def fit(self, batches: Iterable[Any]) -> Self:
        """Read the batches once, for their mean.

        Raises:
            InputError: no rows, NaN or infinite values.
        """
        count, total = 0, 0.0
        for rows in rows_of(batches):
            count, total = count + len(rows), total + rows.sum(axis=0, dtype="f8")
        if not count:
            raise InputError("a dictionary needs rows to learn from, and there were none")
        self.weights = drawn(self.settings, self.settings.atoms, total / count).weights  # pyright: ignore
        return self
