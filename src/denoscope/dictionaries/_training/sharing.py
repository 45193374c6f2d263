"""One batch for several processes: each takes a part of its rows, and every sum runs over all of them.

Losses are written as functions of sums over rows. A sum that is shared has the value of all processes together and
hands gradients on to the rows that are here; gradients are then added up. So any number of processes gives the weights
that one process gives with the same batches, up to the order of additions.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed
from torch.autograd import Function

__all__ = ["Share", "share_of"]

Made = TypeVar("Made")


class Share:
    """What one process does of the work: all of it."""

    rank: int = 0
    """Number of this process."""
    count: int = 1
    """Processes."""
    device: torch.device | None = None
    """Where this process has to compute, if that is not free."""

    def slice(self, rows: int) -> slice:
        """Which rows of a batch this process takes."""
        return slice(rows * self.rank // self.count, rows * (self.rank + 1) // self.count)

    def total(self, x: Tensor) -> Tensor:
        """Sum over processes; gradients go to the part that is here."""
        return x

    def number(self, here: int) -> int:
        """Sum over processes of a number."""
        return here

    def gathered(self, x: Tensor) -> Tensor:
        """Rows of all processes, one after the other, without gradients."""
        return x.detach()

    def summed(self, gradients: Iterable[Tensor]) -> None:
        """Add up over processes, in place."""

    def dealt(self, pieces: Sequence[Callable[[], Made]]) -> Iterator[Made]:
        """What pieces of work make, in order: each is done by one process, which sends it to the others."""
        for piece in pieces:
            yield piece()


class _Several(Share):
    """A part of the work of a group of processes that `torch.distributed` knows."""

    def __init__(self, device: torch.device) -> None:
        self.rank, self.count = distributed.get_rank(), distributed.get_world_size()
        self.device = device

    def total(self, x: Tensor) -> Tensor:
        """Sum over processes; gradients go to the part that is here."""
        return _Total.apply(x)

    def number(self, here: int) -> int:
        """Sum over processes of a number."""
        return int(self.total(torch.tensor(here, device=self.device)))

    def gathered(self, x: Tensor) -> Tensor:
        """Rows of all processes, one after the other, without gradients."""
        sizes = [x.new_zeros(1, dtype=torch.int64) for _ in range(self.count)]
        distributed.all_gather(sizes, torch.tensor([len(x)], device=x.device))
        longest = max(int(size) for size in sizes)
        padded = x.new_zeros((longest, *x.shape[1:]))
        padded[: len(x)] = x.detach()
        parts = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(parts, padded)
        return torch.cat([part[: int(size)] for part, size in zip(parts, sizes, strict=True)])

    def summed(self, gradients: Iterable[Tensor]) -> None:
        """Add up over processes, in place."""
        for gradient in gradients:
            distributed.all_reduce(gradient)

    def dealt(self, pieces: Sequence[Callable[[], Made]]) -> Iterator[Made]:
        """What pieces of work make, in order: each is done by one process, which sends it to the others."""
        for start in range(0, len(pieces), self.count):
            turn = pieces[start : start + self.count]
            mine = turn[self.rank]() if self.rank < len(turn) else None
            for owner in range(len(turn)):
                sent = [mine if owner == self.rank else None]
                distributed.broadcast_object_list(sent, src=owner, device=self.device)
                yield sent[0]  # pyright: ignore[reportReturnType]


class _Total(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        made = x.detach().clone()
        distributed.all_reduce(made)
        return made

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        return grads[0]


def share_of(device: str) -> Share:
    """This process' part: all, unless `accelerate launch` or torchrun started several.

    Args:
        device: that was asked for; `cpu` lets processes talk to one another without a GPU.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Share()
    from accelerate import PartialState

    state = PartialState(cpu=device == "cpu" or not torch.cuda.is_available())
    return _Several(torch.device(state.device or "cpu"))
