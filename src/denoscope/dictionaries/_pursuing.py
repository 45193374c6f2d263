"""What dictionaries share whose codes are pursued, atom by atom, because they have no encoder."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError, unknown
from denoscope.dictionaries.base import Learned, like
from denoscope.measures.pursuit import EXACT, Method, Pursued, Screen, pursue
from denoscope.measures.pursuit_steps import STEPS

__all__ = ["Pursuing", "PursuitSettings", "drawn"]


@dataclass(frozen=True)
class PursuitSettings:
    """Parameters that all pursued dictionaries share."""

    atoms: int = 1024
    """Directions that are kept."""
    k: int = 32
    """Atoms that explain one cell, at most: L0."""
    pursuit: Method = "orthogonal"
    """How codes are found: matching, gradient (as published for ITDA) or orthogonal, which explains more with the same
    atoms."""
    signed: bool = True
    """Whether codes may be negative; without, matching and gradient pursuit explain less, orthogonal there is none."""
    candidates: int = 0
    """Atoms that are set aside for several picks before all are compared again; 0 compares all before every pick."""
    cells: int = 100_000
    """Cells to learn from; those that are stored are read again until there were as many."""
    batch: int = 1024
    """Cells per step."""
    seed: int = 0
    """Of whatever is drawn."""
    device: str = field(default="", kw_only=True)
    """Where to learn: cpu, cuda, mps; the best there is unless given."""

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.atoms:
            raise InputError(f"k must lie in 1 ... atoms ({self.atoms}), not {self.k}")
        if min(self.cells, self.batch) < 1 or min(self.seed, self.candidates) < 0:
            raise InputError("cells and batch must be at least 1, seed and candidates must not be negative")
        if self.pursuit not in STEPS:
            raise unknown("pursuit", self.pursuit, STEPS, "help(denoscope.measures.pursuit.pursue)")
        if self.pursuit == "orthogonal" and not self.signed:
            raise InputError(
                "orthogonal pursuit has signed codes; ask for matching or gradient to have none below zero"
            )

    @property
    def screen(self) -> Screen:
        """How often all atoms are compared."""
        return Screen(self.candidates) if self.candidates else EXACT


class Pursuing(Learned):
    """x_hat = codes @ atoms + bias, where codes are found by pursuit of x - bias."""

    Settings: ClassVar[type[Any]] = PursuitSettings

    def pursued(self, x: Any) -> Pursued:
        """Which atoms explain rows `(sample, channel)`, in the order of the picks, and what they leave."""
        told = self.settings
        centred = x - like(self.bias, x)
        return pursue(centred, like(self.atoms, x), told.k, told.pursuit, signed=told.signed, screen=told.screen)

    def random(self, mean: NDArray[np.float32]) -> Learned | None:
        """Atoms drawn on the sphere, pursued alike."""
        return drawn(self.settings, len(self.atoms), mean)

    def _encode(self, x: Any) -> Any:
        return self.pursued(x).dense()


def drawn(settings: PursuitSettings, count: int, mean: NDArray[np.float32]) -> Learned:
    """A dictionary of `count` random directions around `mean`."""
    from denoscope.dictionaries.random import RandomAtoms

    shared = PursuitSettings.__dataclass_fields__
    twin = RandomAtoms(**{name: getattr(settings, name) for name in shared} | {"atoms": count})
    atoms = np.random.default_rng((settings.seed, 3)).normal(size=(count, mean.size))
    unit = atoms / np.linalg.norm(atoms, axis=1, keepdims=True)
    twin.weights = {"atoms": unit.astype(np.float32), "bias": mean.astype(np.float32)}
    return twin
