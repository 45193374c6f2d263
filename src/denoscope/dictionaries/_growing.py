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
_MEMORY = 8
"""Batches whose losses the controller remembers."""


class Growing:
    """Atoms so far, and the rule by which a row becomes one.

    A row's loss is what its pursuit leaves, |x - x_hat|^2 / E|x - mean|^2. A row becomes an atom where its loss is
    above tau and no atom is as like it as `alike`. Tau is given, or such that the rows still to come fill the rest of
    the dictionary: the quantile 1 - (atoms to come) / (rows to come) of recent losses.

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
        tau = self._settings.threshold or self._tau(loss, to_come)
        order = loss.argsort(descending=True, stable=True)
        for row in order[loss[order] > tau].tolist():
            if self.full:
                return
            self._take(rows, row, x[row], float(loss[row]))

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

    def _tau(self, loss: torch.Tensor, to_come: int) -> float:
        """Loss above which as many rows lie as are needed; 0 when these are the last."""
        self._recent = [*self._recent[-_MEMORY + 1 :], loss]
        wanted = self._settings.atoms - self.count
        share = wanted / (to_come + len(loss))
        if not to_come or share >= 1:
            return 0.0
        return float(torch.cat(self._recent).quantile(1 - share))


def _parts(rows: Rows, growing: Growing) -> Iterator[tuple[Rows, int]]:
    """Pieces of a batch that are small while there are few atoms, and how many rows of it follow each."""
    start = 0
    while start < len(rows):
        size = max(_FIRST, growing.count)
        yield rows[start : start + size], max(0, len(rows) - start - size)
        start += size
