"""Codes of which few are not zero, and the two products of an autoencoder whose gradients touch only those.

Dense, a step costs six products of size rows x atoms x channels; here it costs one (the encoder's forward pass), and
the others shrink to rows x active x channels.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import embedding_bag

from denoscope.dictionaries._training.sharing import Share

__all__ = ["Codes", "Places", "above", "columns", "decode", "picked", "top", "top_of_batch"]

_WIDE = 4
"""First guess of how many times k one row may hold of a batch's codes."""


@dataclass(frozen=True, eq=False)
class Places:
    """Which atoms are looked at in which rows: `rows` and `where`, `(entry,)`, in order of rows."""

    rows: Tensor
    where: Tensor
    shape: tuple[int, int]
    """(row, atom)."""

    @cached_property
    def starts(self) -> Tensor:
        """Where each row begins, `(row,)`."""
        return torch.searchsorted(self.rows, torch.arange(self.shape[0], device=self.rows.device))

    @cached_property
    def by_atom(self) -> tuple[Tensor, Tensor, Tensor]:
        """Entries in order of atoms, the row of each, and where each atom begins."""
        order = torch.argsort(self.where, stable=True)
        atoms = torch.arange(self.shape[1], device=self.where.device)
        return order, self.rows[order], torch.searchsorted(self.where[order], atoms)

    def only(self, kept: Tensor) -> "Places":
        """Those entries that a boolean `(entry,)` keeps."""
        return Places(self.rows[kept], self.where[kept], self.shape)

    def mixed(self, values: Tensor, table: Tensor) -> Tensor:
        """sum_i values[b, i] table[i] for each row b."""
        return embedding_bag(self.where, table, self.starts, mode="sum", per_sample_weights=values)

    def gathered(self, values: Tensor, table: Tensor) -> Tensor:
        """sum_b values[b, i] table[b] for each atom i, in an order that does not depend on the device's mood."""
        order, rows, starts = self.by_atom
        return embedding_bag(rows, table, starts, mode="sum", per_sample_weights=values[order])


@dataclass(frozen=True, eq=False)
class Codes:
    """Values `(entry,)` at their places; zero everywhere else."""

    values: Tensor
    places: Places

    def only(self, kept: Tensor) -> Self:
        """Those entries that a boolean `(entry,)` keeps."""
        return type(self)(self.values[kept], self.places.only(kept))

    def dense(self) -> Tensor:
        """As a matrix `(row, atom)`."""
        made = self.values.new_zeros(self.places.shape)
        return made.index_put((self.places.rows, self.places.where), self.values)


def decode(codes: Codes, atoms: Tensor) -> Tensor:
    """codes @ atoms; the gradient of an atom is summed over the rows in which it is active."""
    return _Taught.apply(codes.places.mixed(codes.values, atoms.detach()), atoms, codes)


def picked(inner: Tensor, encoder: Tensor, bias: Tensor, places: Places, before: Tensor | None = None) -> Tensor:
    """Pre-activations inner @ encoder.T + bias at some places, with gradients that touch only these.

    Args:
        inner: `(row, channel)`.
        encoder: `(atom, channel)`.
        bias: `(atom,)`.
        places: the entries that are wanted.
        before: all pre-activations `(row, atom)`, where they are at hand.
    """
    if before is None:
        with torch.no_grad():
            before = inner @ encoder.T + bias
    return _Picked.apply(inner, encoder, bias, places, before)


def columns(inner: Tensor, encoder: Tensor, bias: Tensor, atoms: Tensor, before: Tensor) -> Tensor:
    """Pre-activations of some atoms `(atom,)` in every row, out of all those at hand; gradients touch only these."""
    return _Columns.apply(inner, encoder, bias, atoms, before)


def top(before: Tensor, k: int) -> Places:
    """The k largest entries of each row, the largest first."""
    where = before.topk(k, dim=1).indices
    rows = torch.arange(len(before), device=before.device).repeat_interleave(k)
    return Places(rows, where.flatten(), (before.shape[0], before.shape[1]))


def top_of_batch(before: Tensor, k: int, share: Share | None = None) -> Places:
    """The rows x k largest entries of the whole batch, exactly, whichever rows they are in.

    Args:
        before: `(row, atom)`.
        k: entries of a row, on average.
        share: with which the batch is one that several processes hold; equal entries at the end are all kept then.
    """
    share = share or Share()
    count, atoms = before.shape
    wanted = k * share.number(count)
    width = min(atoms, _WIDE * k)
    while True:
        values, where = before.topk(width, dim=1)
        largest = values.flatten().topk(min(values.numel(), wanted), sorted=False).values
        bound = (largest if share.count == 1 else share.gathered(largest).topk(wanted, sorted=False).values).min()
        if width == atoms or not bool(share.total((values[:, -1] >= bound).any().int())):
            break
        width = min(atoms, 2 * width)
    kept = (values >= bound).flatten()
    if share.count == 1:
        kept = torch.zeros_like(kept).index_fill_(0, values.flatten().topk(wanted, sorted=False).indices, True)
    rows = torch.arange(count, device=before.device).repeat_interleave(width)
    return Places(rows[kept], where.flatten()[kept], (count, atoms))


def above(before: Tensor, floor: Tensor) -> Places:
    """Entries that are larger than `floor`, `(atom,)` or a number."""
    over = before - floor
    width = int((over > 0).sum(dim=1).max()) if len(over) else 0
    if 4 * width > over.shape[1]:
        rows, where = (over > 0).nonzero(as_tuple=True)
        return Places(rows, where, (before.shape[0], before.shape[1]))
    values, where = over.topk(max(width, 1), dim=1)
    rows, place = (values > 0).nonzero(as_tuple=True)
    return Places(rows, where[rows, place], (before.shape[0], before.shape[1]))


class _Taught(Function):
    """Hands a reconstruction through, and its gradient to the atoms that made it."""

    @staticmethod
    def forward(ctx: Any, made: Tensor, atoms: Tensor, codes: Codes) -> Tensor:
        ctx.codes = codes
        return made.view_as(made)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad,) = grads
        codes = ctx.codes
        taught = codes.places.gathered(codes.values.detach(), grad) if ctx.needs_input_grad[1] else None
        return grad, taught, None


class _Picked(Function):
    """Entries of inner @ encoder.T + bias."""

    @staticmethod
    def forward(ctx: Any, inner: Tensor, encoder: Tensor, bias: Tensor, places: Places, before: Tensor) -> Tensor:
        ctx.save_for_backward(inner, encoder)
        ctx.places = places
        return before[places.rows, places.where].to(inner.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad,) = grads
        inner, encoder = ctx.saved_tensors
        places, needs = ctx.places, ctx.needs_input_grad
        d_inner = places.mixed(grad, encoder) if needs[0] else None
        d_encoder = places.gathered(grad, inner) if needs[1] else None
        d_bias = places.gathered(grad, torch.ones_like(inner[:, :1]))[:, 0] if needs[2] else None
        return d_inner, d_encoder, d_bias, None, None


class _Columns(Function):
    """Columns of inner @ encoder.T + bias."""

    @staticmethod
    def forward(ctx: Any, inner: Tensor, encoder: Tensor, bias: Tensor, atoms: Tensor, before: Tensor) -> Tensor:
        ctx.save_for_backward(inner, encoder, atoms)
        return before[:, atoms].to(inner.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad,) = grads
        inner, encoder, atoms = ctx.saved_tensors
        needs = ctx.needs_input_grad
        d_inner = grad @ encoder[atoms] if needs[0] else None
        d_encoder = torch.zeros_like(encoder).index_copy_(0, atoms, grad.T @ inner) if needs[1] else None
        d_bias = encoder.new_zeros(len(encoder)).index_copy_(0, atoms, grad.sum(dim=0)) if needs[2] else None
        return d_inner, d_encoder, d_bias, None, None
