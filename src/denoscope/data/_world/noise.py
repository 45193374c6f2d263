"""Two fixed smooth noise fields, computed once per image size on first use."""

from functools import cache

import numpy as np

from denoscope.data._world.sdf import Array

_SPAN = 2.0
"""The fields cover this many image sides in both directions, so that crops differ."""


@cache
def _field(size: int, low: float, high: float, flat: float) -> Array:
    """Unit-variance noise, a sum of 48 plane waves of `low`..`high` cycles per image; `flat` squeezes rows."""
    rng = np.random.Generator(np.random.Philox(20))
    along = (np.arange(int(_SPAN * size)) + 0.5) / size
    total = np.zeros((along.size, along.size))
    for _ in range(48):
        radius, angle, phase = rng.uniform(low, high), rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
        fx, fy = radius * np.cos(angle), radius * np.sin(angle) * flat
        total += np.cos(2 * np.pi * (fx * along[None, :] + fy * along[:, None]) + phase)
    return (total / np.sqrt(24.0)).astype(np.float32)


def soft(size: int, shift: tuple[float, float]) -> Array:
    """Broad clouds: a (size, size) crop that starts at `shift`, each in [0, 1) image sides."""
    return _crop(_field(size, 1.0, 4.0, 1.6), size, shift)


def grain(size: int, shift: tuple[float, float]) -> Array:
    """Ground texture of 6-14 cycles per image, a (size, size) crop that starts at `shift`."""
    return _crop(_field(size, 6.0, 14.0, 1.8), size, shift)


def _crop(field: Array, size: int, shift: tuple[float, float]) -> Array:
    x, y = (int(s * 32) * size // 32 for s in shift)
    return field[y : y + size, x : x + size]
