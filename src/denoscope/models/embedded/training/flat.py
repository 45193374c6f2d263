"""A network whose weights lie in one vector: bf16 weights to compute with, fp32 masters to optimise."""

import torch
from torch import Tensor, nn

__all__ = ["FlatNetwork"]


def _as_stored(flat: Tensor, like: Tensor) -> Tensor:
    """A view of `flat` with the shape of `like`; 4-d weights keep the channels innermost."""
    if like.dim() != 4:
        return flat.view(like.shape)
    o, i, h, w = like.shape
    return flat.view(o, h, w, i).permute(0, 3, 1, 2)


class FlatNetwork:
    """AdamW over one fp32 vector whose rounded copy backs every parameter of the modules.

    m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,  w <- w - lr m^ / (sqrt(v^) + eps); g is clipped to norm 1.
    """

    def __init__(self, modules: list[nn.Module], dtype: torch.dtype, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self.parameters = [p for module in modules for p in module.parameters()]
        self.sizes = [p.numel() for p in self.parameters]
        self.master = torch.zeros(sum(self.sizes))
        self.low = torch.zeros(len(self.master), dtype=dtype)
        self.grad = torch.zeros(len(self.master))
        self._adopt()
        self.master.grad = self.grad
        self.optimizer = torch.optim.AdamW([self.master], lr=0.0, betas=betas, weight_decay=0.0, fused=True)
        self.optimizer.state[self.master] = {
            "step": torch.zeros(()),
            "exp_avg": torch.zeros_like(self.master),
            "exp_avg_sq": torch.zeros_like(self.master),
        }
        self._grads = self._views(self.grad)

    def _views(self, flat: Tensor) -> list[Tensor]:
        return [_as_stored(f, p) for f, p in zip(flat.split(self.sizes), self.parameters, strict=True)]

    def _adopt(self) -> None:
        masters, lows = self._views(self.master), self._views(self.low)
        for p, master, low in zip(self.parameters, masters, lows, strict=True):
            master.copy_(p.data)
            low.copy_(p.data)
            p.data = low

    def state(self) -> list[Tensor]:
        """The vectors that make up the optimiser's state: masters, first and second moments."""
        moments = self.optimizer.state[self.master]
        return [self.master, moments["exp_avg"], moments["exp_avg_sq"]]

    @property
    def steps(self) -> int:
        """Optimiser steps taken."""
        return int(self.optimizer.state[self.master]["step"])

    @steps.setter
    def steps(self, value: int) -> None:
        self.optimizer.state[self.master]["step"].fill_(value)

    def step(self, lr: float, clip: float = 1.0) -> float:
        """One update from the parameters' gradients, which are then dropped; returns the gradient's norm."""
        for view, p in zip(self._grads, self.parameters, strict=True):
            if p.grad is None:
                view.zero_()
            else:
                view.copy_(p.grad)
                p.grad = None
        norm = float(self.grad.norm())
        if norm > clip:
            self.grad.mul_(clip / norm)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self.refresh()
        return norm

    def refresh(self) -> None:
        """Round the masters into the weights that compute."""
        self.low.copy_(self.master)

    def put(self, vector: Tensor) -> None:
        """Set the masters, e.g. to an average, and refresh the weights."""
        self.master.copy_(vector)
        self.refresh()
