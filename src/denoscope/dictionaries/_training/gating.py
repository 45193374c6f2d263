"""Coders that keep what exceeds a threshold of each atom: JumpReLU and Gated."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from denoscope.dictionaries._training.coder import Coder, Start
from denoscope.dictionaries._training.sparse import Codes, above, decode, picked

if TYPE_CHECKING:
    from denoscope.dictionaries.gated import GatedSettings
    from denoscope.dictionaries.jumprelu import JumpReLUSettings

__all__ = ["GatedCoder", "JumpReLUCoder", "jump", "step"]

_PACE = 10.0
"""Rate of thresholds, relative to that of all other weights."""


class JumpReLUCoder(Coder):
    """z H(z - theta), and weight (L0 / k - 1)^2; thresholds learn by a kernel of width `bandwidth` around them."""

    def __init__(self, start: Start, settings: "JumpReLUSettings", tied: bool = True) -> None:
        super().__init__(start, settings, tied)
        first = _threshold(start.before, settings.k)
        self.sparsity = settings.sparsity
        self.log_threshold = nn.Parameter(start.bias.new_full((len(start.atoms),), float(first.log())))
        self.width = settings.bandwidth or float(start.before.std()) / 5

    def codes(self, inner: Tensor, before: Tensor, goal: Tensor) -> tuple[Codes, Tensor]:
        """Codes with gradients; how far their number is from k."""
        theta = self.log_threshold.exp()
        places = above(before, theta.detach() - self.width / 2)
        z, limit = picked(inner, self.encoder, self.encoder_bias, places, before), theta[places.where]
        active = self.share.total(step(z, limit, self.width).sum()) / self.whole.rows
        excess = self.sparsity * (active / self.settings.k - 1).square()
        return Codes(jump(z, limit, self.width), places), excess

    def pace(self, name: str) -> float:
        """Thresholds have to keep up with pre-activations that grow and shrink while everything learns."""
        return _PACE if name == "log_threshold" else 1.0

    def extras(self) -> dict[str, Any]:
        """Thresholds `(atom,)`."""
        return {"threshold": self.log_threshold.detach().exp().cpu().double().numpy()}


class GatedCoder(Coder):
    """z = [p + gate > 0] relu(p e^r + magnitude), p = encoder (x - bias); |relu(p + gate)|_1 keeps the gates shut.

    A reconstruction by the gates alone, with atoms that do not learn from it, keeps them meaningful. The weight of the
    L1 penalty is moved until k codes are active on average.
    """

    log_weight: Tensor

    def __init__(self, start: Start, settings: "GatedSettings", tied: bool = True) -> None:
        super().__init__(start, settings, tied)
        first = _threshold(start.before, settings.k)
        with torch.no_grad():
            self.encoder_bias -= first
        self.log_gain = nn.Parameter(torch.zeros_like(self.encoder_bias))
        self.magnitude = nn.Parameter(torch.zeros_like(self.encoder_bias))
        self.register_buffer("log_weight", torch.log(self.encoder_bias.new_tensor(settings.sparsity)))

    def codes(self, inner: Tensor, before: Tensor, goal: Tensor) -> tuple[Codes, Tensor]:
        """Codes with gradients; the L1 penalty and what the gates alone leave."""
        places = above(before, before.new_zeros(()))
        gate = picked(inner, self.encoder, self.encoder_bias, places, before)
        p = gate - self.encoder_bias[places.where]
        values = (p * self.log_gain.exp()[places.where] + self.magnitude[places.where]).relu()
        shut = self.log_weight.exp() * self.share.total(gate.sum()) / self.whole.rows
        alone = goal - decode(Codes(gate, places), self.atoms.detach()) - self.bias.detach()
        if self.training:
            self._steer(self.share.number(len(gate)) / self.whole.rows)
        return Codes(values, places), shut + self.relative(alone)

    def _steer(self, active: float) -> None:
        """A heavier penalty while too many are active, a lighter one while too few."""
        self.log_weight += 0.02 * max(-1.0, min(1.0, active / self.settings.k - 1))

    def extras(self) -> dict[str, Any]:
        """Gain and bias of the magnitudes `(atom,)`."""
        gain = self.log_gain.detach().exp().cpu().double().numpy()
        return {"gain": gain, "magnitude": self.magnitude.detach().cpu().double().numpy()}


def jump(z: Tensor, theta: Tensor, width: float) -> Tensor:
    """z H(z - theta); d/dtheta is -theta / width within half a width of the threshold (Rajamanoharan et al. 2024)."""
    return _Jump.apply(z, theta, width)


def step(z: Tensor, theta: Tensor, width: float) -> Tensor:
    """H(z - theta); d/dtheta is -1 / width within half a width of the threshold, d/dz is 0."""
    return _Step.apply(z, theta, width)


def _threshold(before: Tensor, k: int) -> Tensor:
    """What k pre-activations of a row exceed on average; positive."""
    share = min(before.numel(), max(1, k * len(before)))
    return before.flatten().topk(share).values[-1].clamp_min(1e-4)


class _Jump(Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, theta: Tensor, width: float) -> Tensor:
        ctx.save_for_backward(z, theta)
        ctx.width = width
        return z * (z > theta)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        z, theta = ctx.saved_tensors
        near = (z - theta).abs() < ctx.width / 2
        return grads[0] * (z > theta), -grads[0] * near * theta / ctx.width, None


class _Step(Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, theta: Tensor, width: float) -> Tensor:
        ctx.save_for_backward(z, theta)
        ctx.width = width
        return (z > theta).to(z.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        z, theta = ctx.saved_tensors
        near = (z - theta).abs() < ctx.width / 2
        return None, -grads[0] * near / ctx.width, None
