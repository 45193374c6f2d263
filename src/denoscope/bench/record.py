"""A timed run: what machine it was, what it could do at best, and how fast each case was."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denoscope.bench.ceilings import Ceilings, Rate, ceilings, rate_of
from denoscope.core.errors import unknown

if TYPE_CHECKING:
    import torch

__all__ = ["Bench", "Timing", "bench", "machine_of", "recorded"]

SECONDS = 6.0
"""For one case, unless three runs take longer."""


@dataclass(frozen=True)
class Timing:
    """How fast one case was."""

    case: str
    unit: str
    rate: Rate
    """Units per second."""
    of_matmul: float
    """Share of the measured rate in one large matrix product, by counted operations; the count leaves out all that is
    no product or convolution."""


@dataclass(frozen=True)
class Bench:
    """One run on one machine."""

    machine: str
    cores: int
    threads: int
    """That torch computes with."""
    device: str
    """`cpu`, `cuda` or `mps`."""
    versions: dict[str, str]
    ceilings: Ceilings
    timings: tuple[Timing, ...]
    seconds: float
    """That all of it took."""
    load: float | None = None
    """Processes that wanted a core when it began (load average of a minute); None where the system does not tell."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Bench:
        """What `to_dict` wrote."""
        known = dict(told["ceilings"])
        dtype = known.pop("dtype")
        limits = Ceilings(dtype=dtype, **{name: Rate(**value) for name, value in known.items()})
        timings = tuple(Timing(**{**one, "rate": Rate(**one["rate"])}) for one in told["timings"])
        return cls(**{**told, "ceilings": limits, "timings": timings})

    def over(self, other: Bench) -> dict[str, float]:
        """Rate over that of another run, by case and ceiling."""
        theirs = other.rates
        return {name: rate.median / theirs[name].median for name, rate in self.rates.items() if name in theirs}

    @property
    def rates(self) -> dict[str, Rate]:
        """Of ceilings and cases, by name."""
        limits = {"matmul": self.ceilings.matmul, "matmul fp32": self.ceilings.matmul_fp32}
        return {**limits, "bandwidth": self.ceilings.bandwidth, **{one.case: one.rate for one in self.timings}}


def bench(
    device: str | None = None, cases: Sequence[str] | None = None, seconds: float = SECONDS, small: bool = False
) -> Bench:
    """Time denoscope on this machine, in about half a minute.

    Args:
        device: `cpu`, `cuda`, `mps`; the best there is unless given.
        cases: some of `denoscope.bench.cases.CASES`; all unless given.
        seconds: for each case, unless three runs take longer.
        small: sizes that take no time and say little.

    Raises:
        UnknownName: no such case.
        InputError: the device does not exist here.
    """
    import torch

    from denoscope.bench.cases import CASES
    from denoscope.models.precision import choose_device, choose_dtypes

    for name in cases or ():
        if name not in CASES:
            raise unknown("case", name, CASES, "denoscope bench --help")
    begun, place, load = time.perf_counter(), choose_device(device), _load()
    limits = ceilings(place, choose_dtypes(place, None, {})["denoiser"], small)
    timings = tuple(_timing(name, place, limits, seconds, small) for name in cases or CASES)
    versions = {name: version(name) for name in ("denoscope", "torch", "diffusers", "numpy")}
    spent = time.perf_counter() - begun
    threads = torch.get_num_threads()
    return Bench(machine_of(place), os.cpu_count() or 1, threads, place.type, versions, limits, timings, spent, load)


def _timing(name: str, device: torch.device, limits: Ceilings, seconds: float, small: bool) -> Timing:
    from denoscope.bench.cases import CASES

    with CASES[name](device, small) as case:
        rate = rate_of(case.job, case.work, device, seconds)
    limit = limits.matmul_fp32 if case.fp32 else limits.matmul
    return Timing(name, case.unit, rate, rate.median * case.flops / case.work / limit.median)


def recorded() -> tuple[Bench, ...]:
    """The runs that the package carries, made by `denoscope bench --json` on quiet machines."""
    told = json.loads(files("denoscope.bench").joinpath("recorded.json").read_text(encoding="utf-8"))
    return tuple(Bench.from_dict(one) for one in told)


def _load() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def machine_of(device: torch.device) -> str:
    """Name of the processor, or of the GPU."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
