"""Cells and lines of Markdown tables."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["line", "value"]


def line(cells: Sequence[str]) -> str:
    """One row."""
    return f"| {' | '.join(cells)} |"


def value(row: Mapping[str, Any]) -> str:
    """A number with its interval, where it has one."""
    if row["low"] == row["high"]:
        return f"{row['value']:.3f}"
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
