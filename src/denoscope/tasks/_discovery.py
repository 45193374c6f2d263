"""Which of a table's rows are more than chance, many of them at once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from denoscope.measures.significance import false_discovery

__all__ = ["discovered"]

Row = TypeVar("Row", bound=Any)
"""A dataclass with `part`, `score`, `p` and `q`."""


def discovered(rows: Sequence[Row], rate: float = 0.05) -> list[Row]:
    """The same rows with q-values: the false discovery rate over all rows of one part and score."""
    families: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(rows):
        if row.p is not None:
            families.setdefault((row.part, row.score.name), []).append(number)
    made = list(rows)
    for members in families.values():
        q = false_discovery(np.array([rows[number].p for number in members], dtype=np.float64), rate).q
        for number, value in zip(members, q.tolist(), strict=True):
            made[number] = replace(rows[number], q=float(value))
    return made
