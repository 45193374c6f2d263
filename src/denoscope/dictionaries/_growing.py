"""How a dictionary of data points grows: cells that its atoms explain badly become atoms."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from denoscope.dictionaries._training.starting import device_of
from denoscope.dictionaries.rows import Rows
from denoscope.measures.pursuit import pursue

if TYPE_CHECKING:
    from denoscope.dictionaries.itda import ITDASettings

__all__ = ["Growing"]

_FIRST = 32
"""Rows that are looked at together while there are few atoms."""
_LAST = 0.05
"""Share of the rows that is kept for filling what is left."""
_MEMORY = 8
"""Batches whose losses the controller remembers."""


class Growing:
    """Atoms so far, and the rule by which a row becomes one.

    A row's loss is what its pursuit leaves, |x - x_hat|^2 / E|x - mean|^2. A row becomes an atom where it is chosen and
    no atom is as like it as `alike`. Chosen are rows whose loss is above the given threshold; without one, a controller
    chooses so many that the rows still to come fill the dictionary: s = (atoms to come) / (rows to come) of them, drawn
    with a chance s loss / E loss, or those above the quantile 1 - s of recent losses.

    Args:
        settings: of the dictionary.
        mean: `(channel,)`.
        power: E|x - mean|^2.
    """

    def __init__(self, settings: "ITDASettings", mean: NDArray[np.float32], power: float) -> None:
        self._settings, self._power = settings, power
        device = device_of(settings.device)
        self._mean = torch.from_numpy(mean).to(device)
        self._atoms = torch.zeros(settings.atoms, mean.size, device=device)
        self._recent: list[torch.Tensor] = []
        self._chance = torch.Generator().manual_seed(settings.seed)
        self.count = 0
        """Atoms so far."""
        self.losses: list[float] = []
        """Loss of each atom when it became one."""
        self.births: list[tuple[Any, Any, Any]] = []
        """Sample, cell and timestep of each atom; None where a row does not say."""
        self.refused = 0
        """Rows whose loss was above tau but that were too like an atom."""

    @property
    def full(self) -> bool:
        """Whether there are as many atoms as were asked for."""
        return self.count >= self._settings.atoms

    def atoms(self) -> NDArray[np.float32]:
        """`(atom, channel)`, of length one."""
        return self._atoms[: self.count].cpu().numpy()

    def read(self, rows: Rows, to_come: int) -> None:
        """Let rows become atoms.

        Args:
            rows: a batch.
            to_come: rows that follow it.
        """
        for part, rest in _parts(rows, self):
            if self.full:
                return
            self._grow(part, rest + to_come)

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        """What pursuit leaves of centred rows, relative to the mean squared length."""
        if not self.count:
            return x.square().sum(dim=1) / self._power
        told = self._settings
        known = self._atoms[: self.count]
        k = min(told.k, self.count)
        left = pursue(x, known, k, told.pursuit, signed=told.signed, screen=told.screen).left
        return left.square().sum(dim=1) / self._power

    def _grow(self, rows: Rows, to_come: int) -> None:
        x = torch.from_numpy(rows.values).to(self._mean.device) - self._mean
        loss = self.loss(x)
        for row in self._chosen(loss, to_come):
            if self.full:
                return
            self._take(rows, row, x[row], float(loss[row]))

    def _chosen(self, loss: torch.Tensor, to_come: int) -> list[int]:
        """Rows that shall become atoms, those first that shall most."""
        worst = loss.argsort(descending=True, stable=True)
        tau = self._settings.threshold
        if not tau:
            self._recent = [*self._recent[-_MEMORY + 1 :], loss]
            share = self._share(to_come + len(loss))
            recent = torch.cat(self._recent)
            if share < 1 and self._settings.choose == "loss":
                chance = torch.rand(len(loss), generator=self._chance).to(loss.device)
                return torch.nonzero(loss * share > chance * recent.mean())[:, 0].tolist()
            tau = float(recent.quantile(1 - share)) if share < 1 else 0.0
        return worst[loss[worst] > tau].tolist()

    def _share(self, rows: int) -> float:
        """Of the rows that shall become atoms; 1 or more when few are left, which fill what chance left open."""
        return (self._settings.atoms - self.count) / max(1, rows - int(_LAST * self._settings.cells))

    def _take(self, rows: Rows, row: int, x: torch.Tensor, loss: float) -> None:
        length = float(x.norm())
        if not length:
            return
        atom = x / length
        if self.count and self._alike(atom) >= self._settings.alike:
            self.refused += 1
            return
        self._atoms[self.count] = atom
        self.count += 1
        self.losses.append(loss)
        sample, cell = (None, None) if rows.places is None else rows.places[row].item()
        self.births.append((sample, cell, None if rows.timesteps is None else float(rows.timesteps[row])))

    def _alike(self, atom: torch.Tensor) -> float:
        """Largest cosine with an atom, by size where codes have signs."""
        cosines = self._atoms[: self.count] @ atom
        return float((cosines.abs() if self._settings.signed else cosines).max())


def _parts(rows: Rows, growing: Growing) -> Iterator[tuple[Rows, int]]:
    """Pieces of a batch that are small while there are few atoms, and how many rows of it follow each."""
    start = 0
    while start < len(rows):
        size = max(_FIRST, growing.count)
        yield rows[start : start + size], max(0, len(rows) - start - size)
        start += size
