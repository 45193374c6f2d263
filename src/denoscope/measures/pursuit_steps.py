"""How codes follow a pick: matching, gradient and orthogonal pursuit.

Each is a state of a block of vectors: `where` holds the picks, `left` what no atom explains, `codes()` the codes, and
`add` takes one more atom in for every vector that has not arrived. S are the atoms of a vector's picks, r what is left.
"""

from typing import Any, ClassVar

from denoscope.core.optional import require

__all__ = ["STEPS", "Gradient", "Matching", "Orthogonal"]

_FLOOR = 8
"""Rounding errors below which a likeness is none."""
_TINY = 1e-30
"""Squared length below which there is nothing to divide by."""
_DEPENDENT = 1e-3
"""Length of an atom's part outside the picked ones below which it says nothing new."""


class _Step:
    """Picks and what they leave.

    Args:
        x: vectors of length one, `(sample, channel)`.
        k: picks that are made at most.
        signed: whether codes may be negative.
    """

    name: ClassVar[str]

    def __init__(self, x: Any, k: int, signed: bool) -> None:
        self.x, self.left, self.signed = x, x.clone(), signed
        self.where = x.new_zeros((len(x), k)).long()
        self.floor = _FLOOR * require("torch", "pursue atoms").finfo(x.dtype).eps
        """Likeness to what is left that rounding alone may leave."""
        self.made = 0
        self._codes = x.new_zeros((len(x), k))

    def add(self, which: Any, atom: Any, value: Any, live: Any) -> None:
        """One more pick.

        Args:
            which: index of the atom, `(sample,)`.
            atom: its direction, `(sample, channel)`.
            value: its correlation with what is left, `(sample,)`; 0 where not live.
            live: `(sample,)`, false where nothing is left to explain.
        """
        self.where[:, self.made] = which
        self._take(which, atom, value, live)
        self.made += 1

    def codes(self) -> Any:
        """`(sample, k)`."""
        return self._codes

    def _take(self, which: Any, atom: Any, value: Any, live: Any) -> None:
        raise NotImplementedError


class Matching(_Step):
    """Matching pursuit (Mallat and Zhang 1993): w_i = d_i . r, r <- r - w_i d_i. An atom can be picked again."""

    name = "matching"

    def _take(self, which: Any, atom: Any, value: Any, live: Any) -> None:
        self._codes[:, self.made] = value
        self.left = self.left - value[:, None] * atom


class Gradient(_Step):
    """Gradient pursuit (Blumensath and Davies 2008): all codes follow the gradient, as far as is best along it.

    g = S r, c = g S, w <- w + (g.g / c.c) g, since c.r = g.g. Non-negative: w is clipped at 0 after each step; a
    clipped atom stays among the picks and may come back. Where no further atom would help, or the same one is picked
    again, the step is all there is.
    """

    name = "gradient"

    def __init__(self, x: Any, k: int, signed: bool) -> None:
        super().__init__(x, k, signed)
        self._held = x.new_zeros((len(x), k, x.shape[1]))

    def _take(self, which: Any, atom: Any, value: Any, live: Any) -> None:
        new = live & (self.where[:, : self.made] != which[:, None]).all(dim=1)
        self._held[:, self.made] = atom * new[:, None]
        held, codes = self._held[:, : self.made + 1], self._codes[:, : self.made + 1]
        g = (held @ self.left[:, :, None])[:, :, 0]
        c = (g[:, None, :] @ held)[:, 0]
        steep, along = g.square().sum(dim=1), c.square().sum(dim=1)
        step = (steep > self.floor**2) * steep / along.clamp_min(_TINY)
        codes += step[:, None] * g
        if self.signed:
            self.left = self.left - step[:, None] * c
        else:
            codes.clamp_(min=0)
            self.left = self.x - (codes[:, None, :] @ held)[:, 0]


class Orthogonal(_Step):
    """Orthogonal matching pursuit (Pati et al. 1993): codes are the least-squares ones, so that S r = 0.

    By Gram-Schmidt, twice over: Q has the picks' directions without those before, S' = Q' R, and R w = Q x is solved
    once at the end. An atom that lies in the span of the picks is left out.
    """

    name = "orthogonal"

    def __init__(self, x: Any, k: int, signed: bool) -> None:
        super().__init__(x, k, signed)
        self._basis = x.new_zeros((len(x), k, x.shape[1]))
        self._mixed = x.new_zeros((len(x), k, k))
        self._along = x.new_zeros((len(x), k, 1))

    def _take(self, which: Any, atom: Any, value: Any, live: Any) -> None:
        basis, at = self._basis[:, : self.made], self.made
        first = basis @ atom[:, :, None]
        rest = atom - (first.mT @ basis)[:, 0]
        second = basis @ rest[:, :, None]
        rest = rest - (second.mT @ basis)[:, 0]
        length = rest.norm(dim=1)
        new = live & (length > _DEPENDENT)
        direction = rest * (new / length.clamp_min(_DEPENDENT))[:, None]
        along = (direction * self.left).sum(dim=1)
        self._basis[:, at], self._along[:, at, 0] = direction, along
        self._mixed[:, :at, at] = (first + second)[:, :, 0] * new[:, None]
        self._mixed[:, at, at] = length.where(new, length.new_ones(()))
        self.left = self.left - along[:, None] * direction

    def codes(self) -> Any:
        """`(sample, k)`: R w = Q x, from the last pick to the first."""
        rest, codes = self._along[:, :, 0].clone(), self._codes
        for at in reversed(range(self.made)):
            codes[:, at] = rest[:, at] / self._mixed[:, at, at]
            rest -= codes[:, at, None] * self._mixed[:, :, at]
        return codes


STEPS: dict[str, type[_Step]] = {kind.name: kind for kind in (Matching, Gradient, Orthogonal)}
