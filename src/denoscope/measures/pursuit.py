"""Pursuit: a few atoms of a dictionary that explain a vector, chosen one after the other.

x ~ sum_s w_s d_s with at most k atoms d_s of length one. Each step picks the atom that is most like what is left, and
the method says how the codes w follow (`pursuit_steps`): matching, gradient or orthogonal pursuit.

The work is in torch for a reason: one code runs on a processor and on an accelerator, and arrays pass in and out
without a copy. Torch itself is loaded when something is pursued, so that this floor stays light.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from denoscope.core.errors import InputError, unknown
from denoscope.core.optional import require
from denoscope.measures.pursuit_steps import STEPS

__all__ = ["EXACT", "Method", "Pursued", "Screen", "pursue"]

Method: TypeAlias = Literal["matching", "gradient", "orthogonal"]

_BLOCK = 2**24
"""Correlations that are held at once."""
_CACHED = 2**22
"""Gathered numbers that a processor works on together."""
_GROUP = 16
"""Atoms whose strongest is looked for first."""
_OFF = 1e-2
"""By how much an atom's length may differ from one: half precision rounds."""


@dataclass(frozen=True)
class Screen:
    """How often a vector is compared with the whole dictionary.

    With `picks = 1` before every pick: exact. Otherwise the `candidates` atoms most like what is left are set aside,
    some picks are made among them, and only then the whole dictionary is looked at again: after 1, 1, 2, 2, 3, 3, ...
    picks, up to `picks`. The first picks change what is left most, above all where atoms are data points and many are
    alike: on cells of the embedded model, equal rounds of four picks left up to 8 % more unexplained than an exact
    pursuit, growing ones (128 candidates) less than 0.5 %.
    """

    candidates: int = 128
    """Atoms that are set aside."""
    picks: int = 4
    """Atoms that are picked among them, at most, before the whole dictionary is compared again."""

    def __post_init__(self) -> None:
        if self.picks < 1 or self.candidates < 1:
            raise InputError(f"candidates and picks must be at least 1, not {self.candidates} and {self.picks}")

    def rounds(self, k: int) -> list[int]:
        """Picks after each comparison with the whole dictionary, k in all."""
        sizes: list[int] = []
        while k:
            sizes.append(min(k, self.picks, 1 + len(sizes) // 2))
            k -= sizes[-1]
        return sizes


EXACT = Screen(1, 1)
"""The whole dictionary before every pick."""


@dataclass(frozen=True, eq=False)
class Pursued:
    """What was found for each vector.

    Attributes:
        where: index of each atom that was picked, `(sample, k)`, in the order of the picks.
        codes: `(sample, k)`; 0 where no atom was needed or its code was clipped. An index that stands twice in a row
            of matching pursuit adds both codes.
        left: what no atom explains, x - codes @ atoms, `(sample, channel)`.
        atoms: size of the dictionary.
        beaten: the certificate of a screen: share of the comparisons with the whole dictionary, of those that follow
            several picks, whose strongest atom was not among those set aside, so that one more pick without the
            comparison would have been another. Earlier picks are others in fewer vectors. 0 when exact.
    """

    where: Any
    codes: Any
    left: Any
    atoms: int
    beaten: float

    def dense(self) -> Any:
        """Codes of all atoms, `(sample, atom)`."""
        if isinstance(self.codes, np.ndarray):
            full = np.zeros((len(self.codes), self.atoms), dtype=self.codes.dtype)
            for where, codes in zip(self.where.T, self.codes.T, strict=True):
                full[np.arange(len(full)), where] += codes
            return full
        return self.codes.new_zeros(len(self.codes), self.atoms).scatter_add_(1, self.where, self.codes)


def pursue(
    x: Any, atoms: Any, k: int, method: Method = "gradient", *, signed: bool = True, screen: Screen = EXACT
) -> Pursued:
    """The atoms that explain each vector, and their codes.

    Args:
        x: `(sample, channel)`, array or tensor, with the dictionary's bias already taken off; half precision is
            computed in single.
        atoms: directions of length one, `(atom, channel)`, of the same kind and on the same device.
        k: picks for each vector; the number of codes that are not zero is at most k.
        method: `matching`, `gradient` (as good as orthogonal to 1 or 2 % where atoms are unlike each other, and behind
            it where many are alike and k is not small against the channels) or `orthogonal`.
        signed: whether codes may be negative. Non-negative codes explain less, much less where atoms are data points;
            there is no non-negative orthogonal pursuit.
        screen: how often the whole dictionary is compared; the result's `beaten` says what that may have cost.

    Raises:
        InputError: shapes that do not fit, atoms that are not of length one, k below 1, NaN or infinite values.
        UnknownName: another method.
    """
    torch = require("torch", "pursue atoms")
    if method not in STEPS:
        raise unknown("pursuit", method, STEPS, "help(denoscope.measures.pursuit.pursue)")
    if method == "orthogonal" and not signed:
        raise InputError("orthogonal pursuit has signed codes; ask for matching or gradient to have none below zero")
    with torch.no_grad():
        rows, directions = _checked(x, atoms, k)
        length = rows.norm(dim=1, keepdim=True)
        length = length.where(length > 0, 1.0)
        rows = rows / length
        size = _rows_at_once(rows, len(directions), k, screen)
        parts = [
            _pursued(rows[start : start + size], directions, k, method, signed, screen)
            for start in range(0, max(len(rows), 1), size)
        ]
        where, codes, left = (torch.cat([part[i] for part in parts]) for i in range(3))
        compared = len(rows) * sum(size > 1 for size in screen.rounds(k)[:-1])
        beaten = sum(part[3] for part in parts) / max(1, compared)
        codes, left = codes * length, left * length
    if isinstance(x, np.ndarray):
        where, codes, left = where.numpy(), codes.numpy(), left.numpy()
    return Pursued(where, codes, left, len(directions), float(beaten))


def _pursued(x: Any, atoms: Any, k: int, method: str, signed: bool, screen: Screen) -> tuple[Any, Any, Any, int]:
    """One block of rows: where, codes, left, and how often the screen was beaten."""
    torch = require("torch", "pursue atoms")
    size = _near(x, (k + screen.candidates) * x.shape[1])
    steps = [STEPS[method](part, k, signed) for part in x.split(size)]
    held = x.new_empty(size * min(len(atoms), screen.candidates), x.shape[1])
    near, beaten = None, 0
    for picks in screen.rounds(k):
        likeness = torch.cat([step.left for step in steps]) @ atoms.T
        found = _strongest(likeness, min(len(atoms), screen.candidates) if picks > 1 else 1, signed)
        values = likeness.gather(1, found)
        if near is not None:
            useful = (values[:, 0].abs() if signed else values[:, 0]) > steps[0].floor
            beaten += int((useful & (found[:, :1] != near).all(dim=1)).sum())
        for step, which, first in zip(steps, found.split(size), values.split(size), strict=True):
            _round(step, which, _gathered(atoms, which, held), first, picks)
        near = found if picks > 1 else None
    where, codes, left = zip(*((step.where, step.codes(), step.left) for step in steps), strict=True)
    return torch.cat(where), torch.cat(codes), torch.cat(left), beaten


def _round(step: Any, near: Any, held: Any, likeness: Any, picks: int) -> None:
    """Let the method take in the candidates most like what is left, one after the other.

    Args:
        step: the method's state.
        near: index of each candidate, `(sample, candidate)`.
        held: their directions, `(sample, candidate, channel)`.
        likeness: with what is left now, `(sample, candidate)`.
        picks: how many are taken in.
    """
    for pick in range(picks):
        if pick:
            likeness = (held @ step.left[:, :, None])[:, :, 0]
        size = likeness.abs() if step.signed else likeness
        best = size.argmax(dim=1, keepdim=True)
        live = size.gather(1, best)[:, 0] > step.floor
        atom = held.gather(1, best[:, :, None].expand(-1, -1, held.shape[2]))[:, 0]
        step.add(near.gather(1, best)[:, 0], atom, likeness.gather(1, best)[:, 0] * live, live)


def _gathered(atoms: Any, which: Any, held: Any) -> Any:
    """Directions `(sample, candidate, channel)` in memory that is used again and again."""
    torch = require("torch", "pursue atoms")
    room = held[: which.numel()]
    torch.index_select(atoms, 0, which.reshape(-1), out=room)
    return room.view(*which.shape, atoms.shape[1])


def _strongest(values: Any, count: int, signed: bool) -> Any:
    """Where the `count` largest of each row are, strongest first: exact, but groups of atoms are compared first."""
    torch = require("torch", "pursue atoms")
    rows, width = values.shape
    groups = width // _GROUP
    if groups <= 2 * count:
        return (values.abs() if signed else values).topk(count, dim=1).indices
    grouped = values[:, : groups * _GROUP].unflatten(1, (_GROUP, groups))
    best = torch.maximum(grouped.amax(dim=1), -grouped.amin(dim=1)) if signed else grouped.amax(dim=1)
    members = best.topk(count, dim=1).indices[:, :, None] + groups * torch.arange(_GROUP, device=values.device)
    rest = torch.arange(groups * _GROUP, width, device=values.device).expand(rows, -1)
    which = torch.cat([members.flatten(1), rest], dim=1)
    inside = values.gather(1, which)
    return which.gather(1, (inside.abs() if signed else inside).topk(count, dim=1).indices)


def _rows_at_once(x: Any, atoms: int, k: int, screen: Screen) -> int:
    """So that neither correlations nor, on an accelerator, gathered atoms need much memory."""
    gathered = 1 if x.device.type == "cpu" else (k + screen.candidates) * x.shape[1]
    return max(1, (_BLOCK if x.device.type == "cpu" else 8 * _BLOCK) // max(atoms, gathered))


def _near(x: Any, numbers: int) -> int:
    """Rows, of so many numbers each, that are worked on together: as a processor's cache holds, an accelerator all."""
    return max(1, len(x) if x.device.type != "cpu" else min(len(x), _CACHED // numbers))


def _checked(x: Any, atoms: Any, k: int) -> tuple[Any, Any]:
    """Both as tensors of one floating type, on the device of x."""
    torch = require("torch", "pursue atoms")
    rows, directions = (
        torch.from_numpy(np.ascontiguousarray(v)) if isinstance(v, np.ndarray) else v for v in (x, atoms)
    )
    if rows.ndim != 2 or directions.ndim != 2 or rows.shape[1] != directions.shape[1] or not len(directions):
        raise InputError(f"wanted (sample, channel) and (atom, channel), got {tuple(x.shape)} and {tuple(atoms.shape)}")
    if k < 1:
        raise InputError(f"k must be at least 1, not {k}")
    dtype = torch.promote_types(torch.promote_types(rows.dtype, directions.dtype), torch.float32)
    rows, directions = rows.to(dtype), directions.to(dtype)
    off = float((directions.norm(dim=1) - 1).abs().max())
    if not (off < torch.inf and torch.isfinite(rows.norm(dim=1)).all()):
        raise InputError("activations or atoms hold NaN or infinite values; they cannot be pursued")
    if off > _OFF:
        raise InputError(f"atoms must be of length one; one is off by {off:.3g}")
    return rows, directions
