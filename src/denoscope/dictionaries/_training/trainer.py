"""The loop's one step, for every method: optimiser, schedule, constraint on atoms, averages, what is dead."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries._training.coder import Coder, Outcome, Whole
from denoscope.dictionaries._training.sharing import Share

__all__ = ["Trainer"]


class Trainer:
    """Changes a coder, and holds all state that this takes.

    Args:
        coder: what learns.
        settings: of the dictionary.
        share: what other processes do of the work.
    """

    def __init__(self, coder: Coder, settings: AutoencoderSettings, share: Share | None = None) -> None:
        self.coder, self.settings = coder.train(), settings
        self._shared = coder.share = share or Share()
        self.seen = 0
        """Rows until now."""
        self._silent = torch.zeros(len(coder.atoms), dtype=torch.int64, device=coder.atoms.device)
        groups = [{"params": [weights], "pace": coder.pace(name)} for name, weights in coder.named_parameters()]
        self._optimiser = torch.optim.Adam(groups, lr=settings.rate, eps=6.25e-10, fused=True)
        self._mean = _copied(coder) if settings.ema else {}
        self._steps = 0

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.coder.atoms.device

    def step(
        self, x: Tensor, y: Tensor, timesteps: Tensor | None = None, counted: int | None = None
    ) -> dict[str, Tensor]:
        """One step of Adam on rows; numbers for the log.

        Args:
            x: what is read, `(row, channel)`.
            y: what is explained, `(row, target channel)`.
            timesteps: noise levels `(row,)`, for coders that know them.
            counted: as how many rows these count, over all processes; each as one unless given.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self.settings.rate * group["pace"] * self.share()
        self._optimiser.zero_grad(set_to_none=True)
        dead = (self._silent >= self.settings.dead_after).nonzero()[:, 0]
        whole = Whole.of(y, self._shared)
        made = list(self._parts(x, y, timesteps, dead, whole))
        length = self._update()
        self._count(torch.cat([one.active for one in made]), [one.left for one in made], counted or whole.rows)
        weights = [one.share for one in made]
        numbers = _mixed([{"loss": one.loss, **one.parts} for one in made], weights)
        return {**numbers, "dead": dead.new_tensor(len(dead)), "gradient": length}

    def _parts(self, x: Tensor, y: Tensor, timesteps: Tensor | None, dead: Tensor, whole: Whole) -> Iterator["_Part"]:
        """Outcomes of the parts of a batch, whose gradients add up."""
        count = max(1, min(self.settings.accumulate, whole.rows // self._shared.count))
        levels = [None] * count if timesteps is None else timesteps.tensor_split(count)
        for one, goal, level in zip(x.tensor_split(count), y.tensor_split(count), levels, strict=True):
            rows = whole.rows if count == 1 else self._shared.number(len(one))
            made: Outcome = self.coder(one, goal, dead, level, whole.part(rows))
            (made.loss * (rows / whole.rows)).backward()
            yield _Part(rows / whole.rows, made.loss.detach(), made.parts, made.active, made.left)

    def _update(self) -> Tensor:
        self._shared.summed([weights.grad for weights in self.coder.parameters() if weights.grad is not None])
        self.coder.untangle()
        length = clip_grad_norm_(self.coder.parameters(), self.settings.clip or math.inf)
        self._optimiser.step()
        self.coder.tidy()
        self._steps += 1
        if self._mean:
            self._average()
        return length

    @torch.no_grad()
    def _average(self) -> None:
        """Running mean of the weights, without the pull of where it began."""
        decay = self.settings.ema
        weight = (1 - decay) / (1 - decay**self._steps)
        for name, weights in self.coder.named_parameters():
            self._mean[name].lerp_(weights, weight)

    def _count(self, active: Tensor, left: list[Tensor], rows: int) -> None:
        before, self.seen = self.seen, self.seen + rows
        fired = torch.zeros_like(self._silent).index_fill_(0, active, 1)
        self._silent = torch.where(self._shared.total(fired) > 0, 0, self._silent + rows)
        every = self.settings.resample
        if every and self.seen // every > before // every:
            self._resample(self._shared.gathered(torch.cat(left)))

    @torch.no_grad()
    def _resample(self, left: Tensor) -> None:
        """Dead atoms start again at what is left of rows that are drawn by its squared length (Bricken et al. 2023)."""
        dead = (self._silent >= self.settings.dead_after).nonzero()[:, 0][: len(left)]
        weights = left.square().sum(dim=1).double().cpu()
        if not len(dead) or not bool(weights.sum() > 0):
            return
        chance = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.seen)
        replace = int((weights > 0).sum()) < len(dead)
        which = torch.multinomial(weights, len(dead), replace, generator=chance).to(left.device)
        self.coder.restart(dead, left[which] / left[which].norm(dim=1, keepdim=True).clamp_min(1e-12))
        self._silent[dead] = 0
        for weights in (self.coder.atoms, self.coder.encoder, self.coder.encoder_bias):
            for moment in ("exp_avg", "exp_avg_sq"):
                self._optimiser.state[weights][moment][dead] = 0

    def share(self) -> float:
        """Of the learning rate, now: warm-up, then as the schedule says."""
        done = self.seen / self.settings.cells
        warm = self.settings.warmup
        rest = 1 - (max(done, warm) - warm) / (1 - warm)
        shapes = {
            "constant": 1.0,
            "linear": 0.1 + 0.9 * rest,
            "cosine": 0.1 + 0.45 * (1 - math.cos(math.pi * rest)),
            "trapezoid": max(0.1, min(1.0, (1 - done) / 0.2)),
        }
        return min(1.0, (done + 1e-3) / warm if warm else 1.0, shapes[self.settings.schedule])

    def finish(self) -> Coder:
        """The coder, with averaged weights where an average was kept."""
        if self._mean:
            with torch.no_grad():
                for name, weights in self.coder.named_parameters():
                    weights.copy_(self._mean[name])
            self.coder.tidy()
        return self.coder.eval()

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "coder": self.coder.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "silent": self._silent,
            "mean": self._mean,
            "seen": self.seen,
            "steps": self._steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where `state` was taken."""
        self.coder.load_state_dict(state["coder"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._silent = state["silent"].to(self.device)
        self._mean = {name: weights.to(self.device) for name, weights in state["mean"].items()}
        self.seen, self._steps = state["seen"], state["steps"]


@dataclass(frozen=True, eq=False)
class _Part:
    """What one part of a batch came to."""

    share: float
    loss: Tensor
    parts: dict[str, Tensor]
    active: Tensor
    left: Tensor


def _mixed(parts: Sequence[dict[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """Means of numbers, weighted."""
    if len(parts) == 1:
        return parts[0]
    return {name: torch.stack([one[name] * w for one, w in zip(parts, shares, strict=True)]).sum() for name in parts[0]}


def _copied(coder: Coder) -> dict[str, Tensor]:
    return {name: weights.detach().clone() for name, weights in coder.named_parameters()}
