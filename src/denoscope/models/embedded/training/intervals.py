"""Figures with 95 % intervals over pictures and one value per evaluation seed."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Figure", "mean_figure", "proportion", "ratio_figure"]

_Z = 1.959964


@dataclass(frozen=True)
class Figure:
    """A value, its 95 % interval, how many pictures or pairs it is over, and its values per seed."""

    value: float
    low: float
    high: float
    n: int
    seeds: tuple[float, ...]
    unit: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Rounded to four digits, for JSON."""
        rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}
        return rounded | {"seeds": [round(v, 4) for v in self.seeds]}


def proportion(parts: list[NDArray[np.bool_]]) -> Figure:
    """Share of true values over all seeds, Wilson's interval."""
    pooled = np.concatenate(parts)
    n, p = max(len(pooled), 1), float(pooled.mean()) if len(pooled) else 0.0
    centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
    seeds = tuple(float(x.mean()) if len(x) else 0.0 for x in parts)
    return Figure(p, max(float(centre - half), 0.0), min(float(centre + half), 1.0), len(pooled), seeds)


def mean_figure(parts: list[NDArray[np.float64]], unit: str = "") -> Figure:
    """Mean over all pictures with a bootstrap interval over pictures."""
    return _bootstrap(parts, [np.ones_like(x) for x in parts], unit)


def ratio_figure(parts: list[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Figure:
    """sum(a) / sum(b) over all pictures with a bootstrap interval over pictures."""
    return _bootstrap([a for a, _ in parts], [b for _, b in parts], "")


def _bootstrap(over: list[NDArray[np.float64]], under: list[NDArray[np.float64]], unit: str) -> Figure:
    a, b = np.concatenate(over), np.concatenate(under)
    draws = np.random.default_rng(0).integers(len(a), size=(1000, len(a)))
    ratios = a[draws].sum(1) / b[draws].sum(1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    seeds = tuple(float(x.sum() / y.sum()) for x, y in zip(over, under, strict=True))
    return Figure(float(a.sum() / b.sum()), float(low), float(high), len(a), seeds, unit)
