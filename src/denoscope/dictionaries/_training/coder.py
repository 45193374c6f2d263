"""What an autoencoder is while it learns: weights in normalised units, and a loss."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from denoscope.dictionaries._normaliser import Raw
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries._training.sharing import Share
from denoscope.dictionaries._training.sparse import Codes, columns, decode

__all__ = ["Coder", "Outcome", "Start", "Whole"]


@dataclass(frozen=True)
class Start:
    """Weights before the first step."""

    atoms: Tensor
    """`(atom, target channel)`, of length one."""
    encoder: Tensor
    """`(atom, channel)`."""
    bias: Tensor
    """`(target channel,)`."""
    before: Tensor
    """Pre-activations of some rows, `(row, atom)`, from which thresholds are set."""


@dataclass(frozen=True)
class Whole:
    """What a loss is relative to: of all rows that a step sees, wherever they are."""

    rows: int
    """How many there are."""
    spread: Tensor
    """sum |y - mean|^2 over them."""

    @classmethod
    def of(cls, y: Tensor, share: Share) -> "Whole":
        """From the targets `(row, channel)` that are here, and those of the other processes."""
        rows = share.number(len(y))
        mean = share.total(y.detach().sum(dim=0)) / max(1, rows)
        return cls(rows, share.total((y.detach() - mean).square().sum()).clamp_min(1e-12))

    def part(self, rows: int) -> "Whole":
        """That of some of the rows, as if they varied as much as all do."""
        return Whole(rows, self.spread * rows / max(1, self.rows))


@dataclass(frozen=True)
class Outcome:
    """Of one batch."""

    loss: Tensor
    """What is made smaller."""
    parts: dict[str, Tensor]
    """Numbers for the log, without gradients."""
    active: Tensor
    """Atoms that were active, each once or more."""
    left: Tensor
    """Target minus reconstruction, `(row, channel)`, without gradients."""


class Coder(nn.Module):
    """x_hat = z @ atoms + bias with codes z of x - bias; a method says which codes.

    Args:
        start: weights to begin with.
        settings: of the dictionary.
        tied: whether the bias is taken off before encoding, as in an autoencoder; not where input and target differ.
    """

    def __init__(self, start: Start, settings: AutoencoderSettings, tied: bool = True) -> None:
        super().__init__()
        self.settings, self.tied = settings, tied
        self.share = Share()
        self.atoms, self.encoder = nn.Parameter(start.atoms.clone()), nn.Parameter(start.encoder.clone())
        self.bias = nn.Parameter(start.bias.clone())
        self.encoder_bias = nn.Parameter(start.encoder.new_zeros(len(start.encoder)))

    def forward(
        self, x: Tensor, y: Tensor, dead: Tensor, timesteps: Tensor | None = None, whole: Whole | None = None
    ) -> Outcome:
        """Loss of rows.

        Args:
            x: what is read, `(row, channel)`.
            y: what is explained, `(row, target channel)`.
            dead: numbers of the atoms that have not been active for long.
            timesteps: noise levels of the rows, `(row,)`, for coders that know them.
            whole: of all rows that the step sees, where these are not all of them.
        """
        self.whole = whole or Whole.of(y, self.share)
        inner = self.inner(x, timesteps)
        before = self.before(inner)
        goal = self.goal(y, inner)
        codes, extra = self.codes(inner, before, goal)
        misfit, left = self.misfit(codes, goal, y)
        rescue = self._rescue(inner, before, left.detach(), dead)
        active = codes.values.detach() > 0
        counted = self.share.total(active.sum()) / self.whole.rows
        parts = {"fvu": self.relative(left.detach()), "aux": rescue.detach(), "l0": counted}
        loss = misfit + extra + self.settings.aux * rescue
        return Outcome(loss, parts, codes.places.where[active], left.detach())

    def inner(self, x: Tensor, timesteps: Tensor | None) -> Tensor:
        """What the encoder reads."""
        return x - self.bias if self.tied else x

    @torch.no_grad()
    def before(self, inner: Tensor) -> Tensor:
        """All pre-activations `(row, atom)`, in the precision that was asked for; without gradients."""
        kind = torch.bfloat16 if self.settings.precision == "bf16" else inner.dtype
        return torch.addmm(self.gate_bias().to(kind), inner.to(kind), self.encoder.T.to(kind))

    def gate_bias(self) -> Tensor:
        """What is added to the pre-activations that decide who is active."""
        return self.encoder_bias

    def codes(self, inner: Tensor, before: Tensor, goal: Tensor) -> tuple[Codes, Tensor]:
        """Codes with gradients, and what the method adds to the loss."""
        raise NotImplementedError

    def goal(self, y: Tensor, inner: Tensor) -> Tensor:
        """What atoms and bias have to explain of a target."""
        return y

    def misfit(self, codes: Codes, goal: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Fraction of the target's variance that is left, and what is left of each row."""
        left = goal - decode(codes, self.atoms) - self.bias
        return self.relative(left), left

    def relative(self, left: Tensor) -> Tensor:
        """sum |left|^2 / sum |y - mean|^2 over all rows."""
        return self.share.total(left.square().sum()) / self.whole.spread

    def _rescue(self, inner: Tensor, before: Tensor, left: Tensor, dead: Tensor) -> Tensor:
        """AuxK: how badly dead atoms explain what is left, relative to its size; 0 while none is dead."""
        if not len(dead) or not self.settings.aux:
            return left.new_zeros(())
        codes = columns(inner, self.encoder, self.gate_bias(), dead, before).relu()
        most = min(len(dead), self.settings.aux_k or max(1, left.shape[1] // 2))
        if most < len(dead):
            kept, where = codes.topk(most, dim=1)
            codes = torch.zeros_like(codes).scatter(1, where, kept)
        sums = [part.square().sum() for part in (left - codes @ self.atoms[dead], left)]
        return self.share.total(sums[0]) / self.share.total(sums[1]).clamp_min(1e-12)

    def pace(self, name: str) -> float:
        """How many times as fast as the others a weight learns."""
        return 1.0

    @torch.no_grad()
    def tidy(self) -> None:
        """Atoms back to length one."""
        self.atoms /= self.atoms.norm(dim=1, keepdim=True).clamp_min(1e-8)

    @torch.no_grad()
    def untangle(self) -> None:
        """Take off the part of the gradient that would only change an atom's length."""
        grad = self.atoms.grad
        if grad is not None:
            grad.addcmul_(self.atoms, (grad * self.atoms).sum(dim=1, keepdim=True), value=-1)

    @torch.no_grad()
    def restart(self, atoms: Tensor, directions: Tensor) -> None:
        """Dead atoms begin again along directions `(atom, target channel)` of length one (Bricken et al. 2023)."""
        alive = torch.ones(len(self.atoms), dtype=torch.bool, device=atoms.device).index_fill_(0, atoms, False)
        lengths = self.encoder[alive].norm(dim=1)
        length = 0.2 * (lengths.mean() if len(lengths) else lengths.new_ones(()))
        self.atoms[atoms] = directions
        if directions.shape[1] == self.encoder.shape[1]:
            self.encoder[atoms] = directions * length
        self.encoder_bias[atoms] = 0

    def raw(self) -> Raw:
        """Weights in normalised units, on the host."""
        bias = _host(self.bias)
        centre = bias if self.tied else _host(self.encoder.new_zeros(self.encoder.shape[1]))
        return Raw(_host(self.atoms), _host(self.encoder), bias, _host(self.encoder_bias), centre)

    def extras(self) -> dict[str, Any]:
        """Further weights of the method by name, in normalised units, as arrays on the host."""
        return {}


def _host(weight: Tensor) -> Any:
    return weight.detach().cpu().double().numpy()
