"""The four body textures: fields in 0..1 that say where an object shows its second colour."""

import math
from dataclasses import dataclass

import numpy as np

from denoscope.data._world.figure import Dice
from denoscope.data._world.palette import Rgb, mix
from denoscope.data._world.sdf import Array, saturate

TEXTURES = ("plain", "striped", "dotted", "checkered")


@dataclass(frozen=True, slots=True)
class Texture:
    """A pattern fixed to an object: it turns with the object and starts at its centre."""

    kind: str
    period: float
    """Of the pattern, in image sides: at least a tenth."""
    angle: float
    """Radians, against the object's own axes."""
    phase: tuple[float, float]
    dark: bool
    """Whether the second colour is darker than the first."""

    def second(self, colour: Rgb) -> Rgb:
        """The pattern's second colour."""
        return mix(colour, (20.0, 16.0, 34.0), 0.66) if self.dark else mix(colour, (255.0, 252.0, 240.0), 0.76)

    def field(self, x: Array, y: Array, period: float, angle: float) -> Array:
        """The second colour's share at px offsets x (1, w), y (h, 1) from the centre, (h, w); `period` in px."""
        c, s = math.cos(self.angle + angle) / period, math.sin(self.angle + angle) / period
        u, v = c * x + s * y + self.phase[0], c * y - s * x + self.phase[1]
        return _FIELDS[self.kind](u, v, period)


def sample_texture(kind: str, dice: Dice, scale: float) -> Texture:
    """A random pattern of one kind for an object of the given size (image sides)."""
    low, high = {"striped": (0.2, 0.26), "dotted": (0.19, 0.24), "checkered": (0.28, 0.36)}.get(kind, (0.2, 0.3))
    period = max(dice.between(low, high) * scale, 0.1 if kind != "checkered" else 0.13)
    turn = dice.between(-math.pi / 2, math.pi / 2) if kind == "striped" else dice.between(-0.5, 0.5)
    return Texture(kind, period, turn, (dice.unit(), dice.unit()), dice.chance(0.5))


def _striped(u: Array, v: Array, period: float) -> Array:
    return saturate(0.5 + (np.abs(u % 1.0 - 0.5) - 0.27) * period)


def _dotted(u: Array, v: Array, period: float) -> Array:
    row = np.floor(v)
    du, dv = (u + 0.5 * row) % 1.0 - 0.5, v - row - 0.5
    return saturate(0.5 + (0.31 - np.sqrt(du * du + dv * dv)) * period)


def _checkered(u: Array, v: Array, period: float) -> Array:
    du, dv = np.abs(u % 1.0 - 0.5) - 0.25, np.abs(v % 1.0 - 0.5) - 0.25
    edge = np.minimum(np.abs(du), np.abs(dv))
    return saturate(0.5 + np.copysign(edge, du * dv) * period)


_FIELDS = {"striped": _striped, "dotted": _dotted, "checkered": _checkered}
