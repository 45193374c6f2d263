"""How a dictionary of data points grows: cells that its atoms explain badly become atoms."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from denoscope.dictionaries._evicting import Usage
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
_MOST = 0.25
"""Of the rows that may take another atom's place, at most: the last ones shall not turn everything over."""
_MEMORY = 8
"""Batches whose losses the controller remembers."""


class Growing:
    """Atoms so far, and the rule by which a row becomes one.

    A row's loss is what its pursuit leaves, |x - x_hat|^2 / E|x - mean|^2. A row becomes an atom where it is chosen and
    no atom is as like it as `alike`. Chosen are rows whose loss is above the given threshold; without one, a controller
    chooses so many that the rows still to come fill the dictionary: s = (atoms to come) / (rows to come) of them, drawn
    with a chance s loss / E loss, or those above the quantile 1 - s of recent losses.

    With `renew`, a full dictionary goes on: a chosen row takes the place of the atom that is worth least (`Usage`), up
    to `renew` times the number of atoms, and the controller leaves as large a part of the rows for that.

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
        self._usage = Usage(settings.atoms, settings.k, device) if settings.renew else None
        self.count = 0
        """Atoms so far."""
        self.losses: list[float] = []
        """Loss of each atom when it became one."""
        self.births: list[tuple[Any, Any, Any]] = []
        """Sample, cell and timestep of each atom; None where a row does not say."""
        self.refused = 0
        """Rows whose loss was above tau but that were too like an atom."""
        self.exchanged = 0
        """Rows that took the place of another atom."""

    @property
    def done(self) -> bool:
        """Whether no further row can become an atom."""
        return self.full and self._renewals <= 0

    @property
    def _renewals(self) -> int:
        """Atoms that may still be exchanged."""
        return round(self._settings.renew * self._settings.atoms) - self.exchanged

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
            if self.done:
                return
            self._grow(part, rest + to_come)

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        """What pursuit leaves of centred rows, relative to the mean squared length."""
        if not self.count:
            return x.square().sum(dim=1) / self._power
        told = self._settings
        known = self._atoms[: self.count]
        k = min(told.k, self.count)
        found = pursue(x, known, k, told.pursuit, signed=told.signed, screen=told.screen)
        if self._usage is not None:
            self._usage.saw(found)
        left = found.left
        return left.square().sum(dim=1) / self._power

    def _grow(self, rows: Rows, to_come: int) -> None:
        x = torch.from_numpy(rows.values).to(self._mean.device) - self._mean
        loss = self.loss(x)
        full = self.full
        for row in self._chosen(loss, to_come):
            if self.done or self.full != full:
                return
            self._take(rows, row, x[row], float(loss[row]))

    def _chosen(self, loss: torch.Tensor, to_come: int) -> list[int]:
        """Rows that shall become atoms, those first that shall most; of a full dictionary, rows drawn by their loss."""
        worst = loss.argsort(descending=True, stable=True)
        tau = self._settings.threshold
        if not tau or self.full:
            self._recent = [*self._recent[-_MEMORY + 1 :], loss]
            share = self._share(to_come + len(loss))
            recent = torch.cat(self._recent)
            if share < 1 and (self.full or self._settings.choose == "loss"):
                chance = torch.rand(len(loss), generator=self._chance).to(loss.device)
                drawn = (loss * share > chance * recent.mean()) & (loss > tau)
                return torch.nonzero(drawn)[:, 0].tolist()
            tau = float(recent.quantile(1 - share)) if share < 1 else 0.0
        return worst[loss[worst] > tau].tolist()

    def _share(self, rows: int) -> float:
        """Of the rows that shall become atoms; 1 or more when few are left, which fill what chance left open."""
        told = self._settings
        if self.full:
            return min(_MOST, self._renewals / max(1, rows))
        later = int((_LAST + told.renew / (1 + told.renew)) * told.cells)
        return (told.atoms - self.count) / max(1, rows - later)

    def _take(self, rows: Rows, row: int, x: torch.Tensor, loss: float) -> None:
        length = float(x.norm())
        if not length:
            return
        atom = x / length
        cosines = self._cosines(atom)
        if self.count and float(cosines.max()) >= self._settings.alike:
            self.refused += 1
            return
        place = self._place()
        if place is None:
            return
        self._atoms[place] = atom
        if self._usage is not None:
            self._usage.born(place, cosines)
        sample, cell = (None, None) if rows.places is None else rows.places[row].item()
        birth = (sample, cell, None if rows.timesteps is None else float(rows.timesteps[row]))
        self.losses[place : place + 1], self.births[place : place + 1] = [loss], [birth]

    def _place(self) -> int | None:
        """Where an atom can be put: the next place, or that of the atom that is worth least."""
        if not self.full:
            self.count += 1
            return self.count - 1
        place = None if self._usage is None else self._usage.least(self._atoms, self._settings.signed)
        self.exchanged += place is not None
        return place

    def _cosines(self, atom: torch.Tensor) -> torch.Tensor:
        """With the atoms that are there, by size where codes have signs."""
        cosines = self._atoms[: self.count] @ atom
        return cosines.abs() if self._settings.signed else cosines


def _parts(rows: Rows, growing: Growing) -> Iterator[tuple[Rows, int]]:
    """Pieces of a batch that are small while there are few atoms, and how many rows of it follow each."""
    start = 0
    while start < len(rows):
        size = max(_FIRST, growing.count)
        yield rows[start : start + size], max(0, len(rows) - start - size)
        start += size
