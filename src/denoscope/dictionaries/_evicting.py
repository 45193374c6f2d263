"""Which atom of a full dictionary can go: the one that explains least and is most like another."""

import torch

from denoscope.measures.pursuit import Pursued

__all__ = ["Usage"]

_NEAREST = 64
"""Atoms whose likeness to the others is computed anew before one of them goes."""
_YOUNG = 4
"""An atom stays until it was seen by as many rows as it takes each atom to be picked so often, on average."""


class Usage:
    """What each atom has explained since it became one, and how like the others it is.

    Worth = (energy of its codes per row) x (1 - largest cosine with another atom): an atom that is hardly picked, or in
    whose place another would be, is worth little.

    Args:
        atoms: places in the dictionary.
        k: codes of one row.
        device: where the atoms lie.
    """

    def __init__(self, atoms: int, k: int, device: torch.device) -> None:
        self._energy = torch.zeros(atoms, device=device, dtype=torch.float64)
        self._born = torch.zeros(atoms, device=device, dtype=torch.int64)
        self._nearest = torch.zeros(atoms, device=device)
        self._rows = 0
        self._grace = max(1, _YOUNG * atoms // k)

    def saw(self, found: Pursued) -> None:
        """Count rows and their codes."""
        self._rows += len(found.codes)
        self._energy.index_add_(0, found.where.reshape(-1), found.codes.reshape(-1).double().square())

    def born(self, place: int, cosines: torch.Tensor) -> None:
        """An atom has come; cosines with those that are there already, by size, `(atom,)`, its own left out.

        Args:
            place: of the atom.
            cosines: with the atoms that are there; at `place` what it is does not matter.
        """
        self._energy[place], self._born[place] = 0, self._rows
        others = cosines.clone()
        if place < len(others):
            others[place] = 0
        self._nearest[: len(others)] = torch.maximum(self._nearest[: len(others)], others)
        self._nearest[place] = others.max() if len(others) else 0.0

    def least(self, atoms: torch.Tensor, signed: bool) -> int | None:
        """The atom that is worth least; None while all are young.

        Args:
            atoms: of the dictionary, `(atom, channel)`.
            signed: whether an atom can stand for its opposite.
        """
        age = self._rows - self._born[: len(atoms)]
        old = torch.nonzero(age >= self._grace)[:, 0]
        if not len(old):
            return None
        rate = self._energy[old] / age[old]
        near = old[(rate * (1 - self._nearest[old])).argsort(stable=True)[:_NEAREST]]
        cosines = atoms[near] @ atoms.T
        cosines = cosines.abs() if signed else cosines
        cosines[torch.arange(len(near)), near] = 0
        self._nearest[near] = cosines.max(dim=1).values.clamp(0, 1)
        worth = self._energy[near] / age[near] * (1 - self._nearest[near])
        return int(near[worth.argmin()])
