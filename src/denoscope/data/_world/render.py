"""Scenes to pictures, masks, depth and part maps."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denoscope.data._world.backgrounds import paint_place, place_depth
from denoscope.data._world.figure import Part
from denoscope.data._world.paint import Canvas, Stamp, planar
from denoscope.data._world.palette import FIXED, OBJECT, PART, Rgb
from denoscope.data._world.scene import Scene, Thing
from denoscope.data._world.sdf import Array, Ellipse, Similarity, saturate

PARTS = (
    *(
        "back",
        "base",
        "beak",
        "body",
        "branch",
        "bumper",
        "cabin",
        "centre",
        "chimney",
        "collar",
        "crown",
        "door",
        "drink",
    ),
    *("ear", "emblem", "eye", "fin", "flag", "foot", "fruit", "gill", "handle", "head", "hull", "leaf", "leg", "light"),
    *(
        "mast",
        "mouth",
        "muzzle",
        "neck",
        "nose",
        "paw",
        "petal",
        "porthole",
        "rim",
        "roof",
        "sail",
        "seat",
        "steam",
        "stem",
    ),
    *("stripe", "tail", "trim", "trunk", "wall", "wheel", "whisker", "window", "wing"),
)
"""Names of the parts; the part map holds 1 + the index."""
_CODE = {name: code for code, name in enumerate(PARTS, start=1)}
_THICKNESS = 0.35
"""An object's depth range as a share of its long side's length in metres."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Per-pixel facts, filled while a scene is painted."""

    mask: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    depth: Array

    def write(self, stamp: Stamp, index: int, code: int, depth: Array) -> None:
        """Claim the pixels whose centres lie inside the stamp."""
        inside = stamp.inside > 0.0
        self.mask[stamp.window][inside] = index
        self.parts[stamp.window][inside] = code
        np.copyto(self.depth[stamp.window], depth, where=inside)


def paint(scene: Scene, size: int) -> NDArray[np.uint8]:
    """The picture alone, (size, size, 3) uint8."""
    return _paint(scene, Canvas(size), None).finish()


def render(scene: Scene, size: int) -> tuple[NDArray[np.uint8], Layers]:
    """The picture and its per-pixel facts."""
    blank = np.zeros((size, size), np.uint8)
    layers = Layers(blank, blank.copy(), place_depth(scene.place, size))
    return _paint(scene, Canvas(size), layers).finish(), layers


def _paint(scene: Scene, canvas: Canvas, layers: Layers | None) -> Canvas:
    paint_place(canvas, scene.place)
    for index in scene.order:
        _shadow(canvas, scene.things[index])
        _Brush(canvas, scene, index).paint(layers)
    return canvas


def _shadow(canvas: Canvas, thing: Thing) -> None:
    x0, _, x1, bottom = thing.box
    half, gap = (x1 - x0) / 2, thing.contact - bottom
    spot = Ellipse(((x0 + x1) / 2, thing.contact - 0.01), half * 0.95, 0.03 + 0.05 * half)
    stamp = canvas.stamp(spot)
    if stamp is not None:
        fade = saturate(stamp.inside * (1.0 / (0.04 * canvas.size)))
        canvas.blend(stamp.window, fade * (0.5 - min(gap, 0.3)), planar((14.0, 14.0, 26.0)))


class _Brush:
    """Paints one thing of a scene."""

    def __init__(self, canvas: Canvas, scene: Scene, index: int) -> None:
        self.canvas, self.thing, self.index = canvas, scene.things[index], index + 1
        size, view = canvas.size, self.thing.view
        self.view = Similarity(view.scale * size, shift=(view.shift[0] * size, view.shift[1] * size))
        self.light = 0.94 if scene.background == "night" else 1.0
        x0, y0, x1, y1 = (v * size for v in self.thing.box)
        self.pixel_box = x0, y0, x1, y1
        self.centre, self.height = ((x0 + x1) / 2, (y0 + y1) / 2), max(y1 - y0, 1.0)
        near = scene.place.ground_depth(min(self.thing.contact, 1.0))
        self.near, self.thick = near, _THICKNESS * self.thing.scale * near
        self.bevel = max(0.045 * self.thing.scale * size, 1.0)
        base = OBJECT[self.thing.colour]
        self.base: Rgb = (base[0] + self.thing.shade[0], base[1] + self.thing.shade[1], base[2] + self.thing.shade[2])

    def paint(self, layers: Layers | None) -> None:
        """All parts in order."""
        skin = self._skin()
        for part in self.thing.figure.parts:
            stamp = self.canvas.stamp(part.shape, self.view)
            if stamp is not None:
                self._paint_part(part, stamp, skin, layers)

    def _paint_part(self, part: Part, stamp: Stamp, skin: Array | None, layers: Layers | None) -> None:
        bulge = saturate(stamp.inside * (1.0 / self.bevel))
        rows = self.canvas.centres[stamp.window[0], None]
        sun = (self.light * part.tone) * (1.06 - 0.2 * (rows - self.centre[1]) / self.height)
        colour = self._colour(part, stamp, skin)
        self.canvas.blend(stamp.window, stamp.cover, colour * (sun * (0.68 + 0.32 * bulge)))
        if layers is not None:
            depth = self.near - self.thick * (0.7 * part.relief + 0.3 * bulge)
            layers.write(stamp, self.index, _CODE[part.name], depth)

    def _colour(self, part: Part, stamp: Stamp, skin: Array | None) -> Array:
        if part.fill == "body" and skin is not None:
            return skin[:, *stamp.window]
        if part.fill in ("body", "base"):
            return planar(self.base)
        name = self.thing.part_colours.get(part.fill)
        return planar(FIXED[part.fill] if name is None else PART[name])

    def _skin(self) -> Array | None:
        """The textured body colour, (3, size, size), set inside the object's box only; None if plain."""
        texture = self.thing.texture
        if texture.kind == "plain":
            return None
        p, (cx, cy), size = self.canvas.centres, self.centre, self.canvas.size
        rows, columns = self.canvas.window(self.pixel_box)
        turn = math.radians(self.thing.rotation)
        field = texture.field(p[None, columns] - cx, p[rows, None] - cy, texture.period * size, turn)
        first, second = planar(self.base), planar(texture.second(self.base))
        skin = np.empty((3, size, size), np.float32)
        skin[:, rows, columns] = first + field * (second - first)
        return skin
