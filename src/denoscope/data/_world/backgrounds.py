"""The five places a scene can be set in: how one varies, how it is painted, how far its ground is."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from denoscope.data._world import noise
from denoscope.data._world.figure import Dice
from denoscope.data._world.paint import Canvas, planar
from denoscope.data._world.palette import Rgb, mix
from denoscope.data._world.sdf import Array, Convex, Ellipse, Path, Union, block, disc, stroke

FAR = 30.0
"""Metres to the sky."""


@dataclass(frozen=True, slots=True)
class Place:
    """One background with everything that varies in it."""

    kind: str
    horizon: float
    """Height of the line where the ground ends, in image sides from the top."""
    warmth: float
    """-1 cool .. 1 warm."""
    light: float
    """Brightness factor."""
    shift: tuple[float, float]
    """Start of the noise crops."""
    dice: tuple[float, ...]
    """Uniform draws that place the elements."""

    def ground_depth(self, y: float) -> float:
        """Metres to the ground at height `y` (image sides): 1.2 m eye height, one image side is 1 rad."""
        return 1.0 / (max(y - self.horizon, 0.0) / 1.2 + 1.0 / self.reach)

    @property
    def reach(self) -> float:
        """Metres to the horizon or to the room's wall."""
        return 6.0 if self.kind == "room" else FAR


def sample_place(kind: str, dice: Dice) -> Place:
    """A random place of one kind."""
    horizon = dice.between(0.5, 0.68) if kind == "room" else dice.between(0.38, 0.62)
    shift = dice.unit(), dice.unit()
    return Place(
        kind, horizon, dice.between(-1, 1), dice.between(0.88, 1.08), shift, tuple(dice.unit() for _ in range(16))
    )


def paint_place(canvas: Canvas, place: Place) -> None:
    """Fill the canvas with the place."""
    _PAINTERS[place.kind](canvas, place)


def place_depth(place: Place, size: int) -> Array:
    """(size, size) float32 metres of the empty place."""
    below = np.maximum((np.arange(size) + 0.5) / size - place.horizon, 0.0)
    column = 1.0 / (below / 1.2 + 1.0 / place.reach)
    return np.repeat(column.astype(np.float32)[:, None], size, axis=1)


def _tint(place: Place, colour: Rgb) -> Rgb:
    w = 14.0 * place.warmth
    r, g, b = colour
    return (r + w) * place.light, (g + 0.2 * w) * place.light, (b - w) * place.light


def _bands(canvas: Canvas, place: Place, bands: list[tuple[float, Rgb, Rgb]], rough: float, soft: float) -> None:
    """Vertical colour runs, each from its start to the next, the last one with ground noise."""
    size = canvas.size
    y = canvas.centres / size
    column = np.zeros((3, size, 1), np.float32)
    for k, (start, top, bottom) in enumerate(bands):
        end = bands[k + 1][0] if k + 1 < len(bands) else 1.0
        t = np.clip((y - start) / (end - start), 0.0, 1.0)[None, :, None]
        a, b = planar(_tint(place, top)), planar(_tint(place, bottom))
        cover = np.clip((y - start) * size + 0.5, 0.0, 1.0)[None, :, None] if k else 1.0
        column += cover * (a + t * (b - a) - column)
    first = round(bands[-1][0] * size)
    canvas.pixels[:] = column
    canvas.pixels[:, :first] += soft * noise.soft(size, place.shift)[:first]
    canvas.pixels[:, first:] += rough * noise.grain(size, place.shift)[first:]


def _cloud(canvas: Canvas, x: float, y: float, wide: float, colour: Rgb, opacity: float) -> None:
    puffs = (
        Ellipse((x, y), wide, wide * 0.3),
        disc((x - wide * 0.3, y - wide * 0.2), wide * 0.3),
        disc((x + wide * 0.25, y - wide * 0.25), wide * 0.38),
    )
    canvas.draw(Union(puffs), colour, opacity)


def _meadow(canvas: Canvas, place: Place) -> None:
    h, d = place.horizon, place.dice
    sky = (108.0, 178.0, 240.0), (206.0, 232.0, 250.0)
    _bands(canvas, place, [(0.0, *sky), (h, (126.0, 196.0, 84.0), (70.0, 150.0, 52.0))], 7.0, 3.0)
    for x, y in ((d[0], d[1]), (d[2], d[3])):
        _cloud(canvas, x, (0.08 + 0.6 * y) * h, 0.1 + 0.08 * y, (252.0, 252.0, 255.0), 0.85)
    for k, x in enumerate((d[4] * 0.5, 0.5 + d[5] * 0.5)):
        hill = Ellipse((x, h + 0.02), 0.35 + 0.2 * d[6 + k], 0.06 + 0.1 * d[8 + k])
        canvas.draw(hill, _tint(place, (104.0, 178.0, 90.0) if k else (92.0, 168.0, 96.0)))
    canvas.draw(block(0.0, h + 0.015, 1.0, h + 0.05), _tint(place, (122.0, 192.0, 82.0)))
    for k in range(6):
        x, y = (d[k] * 7.3) % 1.0, h + 0.1 + ((d[k + 6] * 5.1) % 1.0) * (0.88 - h)
        canvas.draw(disc((x, y), 0.008 + 0.012 * (y - h)), (255.0, 250.0, 214.0), 0.9)


def _beach(canvas: Canvas, place: Place) -> None:
    h, d = place.horizon, place.dice
    sea = max(h - 0.1 - 0.1 * d[0], 0.2)
    sky = (134.0, 206.0, 244.0), (250.0, 236.0, 206.0)
    water = (30.0, 120.0, 182.0), (96.0, 206.0, 210.0)
    _bands(canvas, place, [(0.0, *sky), (sea, *water), (h, (240.0, 216.0, 156.0), (222.0, 186.0, 122.0))], 4.0, 2.0)
    canvas.draw(disc((d[1], sea * (0.25 + 0.5 * d[2])), 0.06 + 0.03 * d[3]), (255.0, 244.0, 190.0))
    foam = tuple((k / 8, h + 0.012 * math.sin(6.3 * (d[4] + k * (0.15 + 0.2 * d[5])))) for k in range(9))
    canvas.draw(Path(foam, 0.013, 0.013), (252.0, 254.0, 252.0), 0.9)
    for k in (6, 8):
        y = sea + (0.25 + 0.5 * d[k]) * (h - sea)
        canvas.draw(stroke((d[k + 1] - 0.1, y), (d[k + 1] + 0.1, y), 0.006), (210.0, 240.0, 244.0), 0.7)
    for k in (10, 12):
        y = h + 0.12 + d[k] * (0.85 - h)
        canvas.draw(Ellipse((d[k + 1], y), 0.03, 0.015), _tint(place, (202.0, 160.0, 110.0)))


def _night(canvas: Canvas, place: Place) -> None:
    h, d = place.horizon, place.dice
    sky = (10.0, 12.0, 40.0), (52.0, 44.0, 100.0)
    _bands(canvas, place, [(0.0, *sky), (h, (66.0, 78.0, 108.0), (48.0, 58.0, 86.0))], 3.0, 2.0)
    moon, r = (0.1 + 0.8 * d[0], h * (0.2 + 0.35 * d[1])), 0.06 + 0.035 * d[2]
    canvas.draw(disc(moon, r * 1.7), (120.0, 116.0, 150.0), 0.25)
    canvas.draw(disc(moon, r), (250.0, 244.0, 206.0))
    canvas.draw(disc((moon[0] + r * 0.3, moon[1] - r * 0.2), r * 0.22), (222.0, 214.0, 176.0))
    for k in range(12):
        x, y = (d[k] * 9.7) % 1.0, ((d[(k + 5) % 16] * 6.1) % 1.0) * h * 0.92
        canvas.draw(disc((x, y), 0.006 + 0.006 * d[k]), (255.0, 252.0, 226.0), 0.95)
    wide, tall = 0.4 + 0.3 * d[14], 0.05 + 0.07 * d[15]
    arc = [math.pi * k / 8 for k in range(9)]
    ridge = Convex(tuple((d[13] + wide * math.cos(a), h - tall * math.sin(a)) for a in arc))
    canvas.draw(ridge, (24.0, 26.0, 56.0))


def _room(canvas: Canvas, place: Place) -> None:
    h, d = place.horizon, place.dice
    wall = mix((226.0, 200.0, 178.0), (196.0, 206.0, 190.0), d[0])
    _bands(
        canvas,
        place,
        [(0.0, wall, mix(wall, (255.0, 255.0, 255.0), 0.2)), (h, (172.0, 128.0, 90.0), (148.0, 102.0, 66.0))],
        3.0,
        1.5,
    )
    for k in range(7):
        x = (k + d[1]) / 7
        canvas.draw(stroke((0.5 + (x - 0.5) * 1.0, h), (0.5 + (x - 0.5) * 2.4, 1.0), 0.004), (112.0, 76.0, 50.0), 0.7)
    canvas.draw(block(0.0, h - 0.04, 1.0, h), _tint(place, (246.0, 242.0, 232.0)))
    x, y, w, t = 0.15 + 0.7 * d[2], h * (0.25 + 0.2 * d[3]), 0.1 + 0.06 * d[4], 0.08 + 0.05 * d[5]
    canvas.draw(block(x - w, y - t, x + w, y + t), (104.0, 76.0, 58.0))
    canvas.draw(block(x - w + 0.02, y - t + 0.02, x + w - 0.02, y + t - 0.02), _tint(place, (196.0, 214.0, 222.0)))
    canvas.draw(Ellipse((x + (d[6] - 0.5) * w, y + t * 0.4), w * 0.45, t * 0.4), _tint(place, (150.0, 176.0, 160.0)))
    rug = Ellipse((0.2 + 0.6 * d[7], h + 0.6 * (1.0 - h)), 0.3 + 0.2 * d[8], 0.06 + 0.06 * d[9])
    canvas.draw(rug, mix((196.0, 168.0, 150.0), (140.0, 150.0, 168.0), d[10]), 0.8)


def _snow(canvas: Canvas, place: Place) -> None:
    h, d = place.horizon, place.dice
    _bands(
        canvas,
        place,
        [(0.0, (158.0, 178.0, 208.0), (222.0, 228.0, 240.0)), (h, (206.0, 218.0, 236.0), (224.0, 231.0, 244.0))],
        5.0,
        3.0,
    )
    for k in range(3):
        x, top, wide = (k + d[k]) / 3, h * (0.2 + 0.5 * d[k + 3]), 0.2 + 0.15 * d[k + 6]
        canvas.draw(
            Convex(((x - wide, h), (x, top), (x + wide, h))),
            _tint(place, (122.0, 134.0, 164.0) if k % 2 else (104.0, 118.0, 152.0)),
        )
        cap = 0.34
        low = top + cap * (h - top)
        canvas.draw(Convex(((x - wide * cap, low), (x, top), (x + wide * cap, low))), (246.0, 248.0, 255.0))
    canvas.draw(Ellipse((d[9], h + 0.04), 0.6, 0.05 + 0.03 * d[10]), _tint(place, (210.0, 221.0, 238.0)))
    for k in range(8):
        x, y = (d[k] * 8.3) % 1.0, (d[k + 8] * 3.7) % 1.0
        canvas.draw(disc((x, y), 0.009), (255.0, 255.0, 255.0), 0.9)


_PAINTERS: dict[str, Callable[[Canvas, Place], None]] = {
    "meadow": _meadow,
    "beach": _beach,
    "night": _night,
    "room": _room,
    "snow": _snow,
}
BACKGROUNDS = tuple(_PAINTERS)
