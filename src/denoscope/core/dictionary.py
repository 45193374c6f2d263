"""Directions with an encoder: `x ~ codes @ atoms + bias`."""

from os import PathLike
from typing import Any, Protocol, Self, runtime_checkable

from numpy.typing import NDArray

__all__ = ["Dictionary"]


@runtime_checkable
class Dictionary(Protocol):
    """A set of directions at one site, learned from its activations; registered as `@dictionaries("name")`."""

    @property
    def atoms(self) -> NDArray[Any]:
        """Directions, (atom, channel)."""
        ...

    def encode(self, x: Any) -> Any:
        """Codes (sample, atom) of activations (sample, channel)."""
        ...

    def decode(self, codes: Any) -> Any:
        """Activations (sample, channel) that codes (sample, atom) stand for."""
        ...

    def fit(self, batches: Any) -> Self:
        """Learn from an iterable of activations (sample, channel), and return itself."""
        ...

    def save(self, folder: str | PathLike[str]) -> None:
        """Write weights and parameters."""
        ...

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Read what `save` wrote."""
        ...
