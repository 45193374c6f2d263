"""How often the atoms of a dictionary are active: a histogram, drawn by hand, as every report on atoms has one."""

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.figures.style import COLOURS

__all__ = ["frequencies"]

_WIDE, _HIGH, _LEFT, _TOP, _BOTTOM, _RIGHT = 480, 230, 46, 12, 44, 24
"""Pixels of the drawing, and of its margins."""
_STEPS = 4
"""Bars per power of ten."""


def frequencies(shares: Mapping[str, ArrayLike]) -> bytes:
    """SVG: how many atoms are active in which share of the cells, on a logarithmic scale; never active ones are told.

    Args:
        shares: name of a dictionary or noise level to the share of the cells in which each atom is active, `(atom,)`;
            the first is filled, others are outlined.

    Raises:
        ValueError: nothing to draw.
    """
    known = {name: np.asarray(values, dtype=np.float64) for name, values in shares.items()}
    alive = np.concatenate([values[values > 0] for values in known.values()])
    low = min(-1, int(np.floor(np.log10(alive.min())))) if len(alive) else -3
    edges = np.linspace(low, 0, -_STEPS * low + 1)
    counts = {name: np.histogram(np.log10(values[values > 0]), edges)[0] for name, values in known.items()}
    tall = max(1, max(int(rows.max()) for rows in counts.values()))
    across = _LEFT + (_WIDE - _LEFT - _RIGHT) * (edges - low) / -low
    parts = [_stairs(rows, across, tall, place) for place, rows in enumerate(counts.values())]
    ticks = "".join(_tick(power, across[_STEPS * (power - low)]) for power in range(low, 1))
    base = _HIGH - _BOTTOM
    heights = "".join(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{told}</text>'
                      for y, told in ((base, 0), (_TOP, tall)))  # fmt: skip
    side = f'width="{_WIDE}" height="{_HIGH + 10 + 18 * len(known)}"'
    legend = "".join(_legend(place, name, known[name]) for place, name in enumerate(known))
    middle = (_WIDE + _LEFT - _RIGHT) / 2, (_TOP + base) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {side} font-family="system-ui, sans-serif" font-size="12" '
        'fill="currentColor"><style>svg{color:#1a1a1a}@media(prefers-color-scheme:dark){svg{color:#e6e6e6}}</style>'
        f"{''.join(parts)}{ticks}{heights}"
        f'<path d="M{_LEFT} {_TOP}V{base}H{_WIDE - _RIGHT}" fill="none" stroke="currentColor"/>'
        f'<text x="{middle[0]}" y="{_HIGH - 8}" text-anchor="middle">share of the cells in which an atom is '
        f"active</text>"
        f'<text text-anchor="middle" transform="translate(14 {middle[1]}) rotate(-90)">atoms</text>{legend}</svg>'
    ).encode()


def _stairs(rows: NDArray[Any], across: NDArray[Any], tall: int, place: int) -> str:
    """The outline of a histogram; the first is filled."""
    base = _HIGH - _BOTTOM
    tops = base - (base - _TOP) * rows / tall
    steps = "".join(f"V{y:.1f}H{x:.1f}" for y, x in zip(tops, across[1:], strict=True))
    colour = COLOURS[place % len(COLOURS)]
    paint = f'fill="{colour}" fill-opacity="0.75"' if not place else f'fill="none" stroke="{colour}" stroke-width="2"'
    return f'<path d="M{across[0]:.1f} {base}{steps}V{base}" {paint}/>'


def _tick(power: int, x: float) -> str:
    base = _HIGH - _BOTTOM
    return (f'<path d="M{x:.1f} {base}v4" stroke="currentColor"/><text x="{x:.1f}" y="{base + 18}" '
            f'text-anchor="middle">{10.0 ** (2 + power):g} %</text>')  # fmt: skip


def _legend(place: int, name: str, values: NDArray[Any]) -> str:
    y, dead = _HIGH + 18 * place + 12, int((values == 0).sum())
    colour = COLOURS[place % len(COLOURS)]
    return (f'<rect x="{_LEFT}" y="{y - 9}" width="12" height="10" fill="{colour}"/><text x="{_LEFT + 18}" y="{y}">'
            f"{escape(name)}: {dead} of {len(values)} never active</text>")  # fmt: skip
