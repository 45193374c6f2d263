"""What a machine can do at best: matrix products and copies in memory, measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["Ceilings", "Rate", "ceilings", "rate_of"]

_SIDE = {"cuda": 8192}
_COPIED = {"cuda": 1 << 30}


@dataclass(frozen=True)
class Rate:
    """Units of work per second: the median of some runs, the least, the most, and how many runs."""

    median: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Ceilings:
    """Of one device."""

    matmul: Rate
    """Floating-point operations per second of one large matrix product (2 per multiply-accumulate)."""
    dtype: str
    """Of that product: that in which a model runs there by default."""
    matmul_fp32: Rate
    """The same in fp32, in which dictionaries learn and tasks count."""
    bandwidth: Rate
    """Bytes per second of one large copy, read and written."""


def rate_of(job: Callable[[], Any], work: float, device: torch.device, seconds: float = 1.0, least: int = 3) -> Rate:
    """How fast a job is done, warmed up by one run that does not count.

    Args:
        job: does `work` units each time.
        work: units.
        device: is waited for at the end of each run.
        seconds: begin no further run after so many.
        least: runs at any rate.
    """
    _timed(job, device)
    begun, times = time.perf_counter(), [_timed(job, device)]
    while len(times) < least or time.perf_counter() - begun < seconds:
        times.append(_timed(job, device))
    return Rate(work / median(times), work / max(times), work / min(times), len(times))


def _timed(job: Callable[[], Any], device: torch.device) -> float:
    begun = time.perf_counter()
    job()
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)
    return time.perf_counter() - begun


def ceilings(device: torch.device, dtype: torch.dtype, small: bool = False) -> Ceilings:
    """Measured now.

    Args:
        device: that is measured.
        dtype: of the product.
        small: sizes that take no time and say little.
    """
    import torch

    product = _product(device, dtype, small)
    plain = product if dtype == torch.float32 else _product(device, torch.float32, small)
    count = 1 << 20 if small else _COPIED.get(device.type, 1 << 28)
    source = torch.ones(count // 4, device=device)
    target = torch.empty_like(source)
    copy = _rate(lambda: target.copy_(source), 2.0 * count, device, small)
    return Ceilings(product, str(dtype).removeprefix("torch."), plain, copy)


def _product(device: torch.device, dtype: torch.dtype, small: bool) -> Rate:
    import torch

    side = 128 if small else _SIDE.get(device.type, 2048)
    a, b = (torch.rand(side, side, device=device).to(dtype) for _ in range(2))
    return _rate(lambda: a @ b, 2.0 * side**3, device, small)


def _rate(job: Callable[[], Any], work: float, device: torch.device, small: bool) -> Rate:
    return rate_of(job, work, device, 0.0 if small else 1.5)
