"""Signed distances of the few shapes the menagerie is drawn with.

Every shape is closed under similarities (`moved`), knows its exact bounds and gives the signed distance
(negative inside) on a grid of pixel centres: `x` is (1, w), `y` is (h, 1), the answer is (h, w) float32.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
"""float32 at run time; the type is wider since a stub takes float32 times a Python float for float64."""
Point = tuple[float, float]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Similarity:
    """p -> scale * R * (flip p) + shift, with y pointing down and flip negating x."""

    scale: float = 1.0
    turn: Point = (1.0, 0.0)
    """Where R takes the x axis: a unit vector."""
    mirror: bool = False
    shift: Point = (0.0, 0.0)

    def point(self, p: Point) -> Point:
        """The image of a point."""
        (c, s), (dx, dy), k = self.turn, self.shift, self.scale
        x, y = -p[0] if self.mirror else p[0], p[1]
        return (c * x - s * y) * k + dx, (s * x + c * y) * k + dy

    def vector(self, v: Point) -> Point:
        """The image of a direction: turned and mirrored, not scaled."""
        (c, s), x = self.turn, -v[0] if self.mirror else v[0]
        return c * x - s * v[1], s * x + c * v[1]


def saturate(values: Array) -> Array:
    """Clip to 0..1 in place: np.clip costs four times as much on small windows."""
    np.maximum(values, 0.0, out=values)
    return np.minimum(values, 1.0, out=values)


class Shape(Protocol):
    """What can be painted."""

    @property
    def bounds(self) -> Bounds:
        """(x0, y0, x1, y1), tight."""
        ...

    def moved(self, by: Similarity) -> "Shape":
        """The same shape elsewhere."""
        ...

    def distance(self, x: Array, y: Array) -> Array:
        """Signed distance in the shape's own units."""
        ...


def join(boxes: Iterable[Bounds]) -> Bounds:
    """The smallest box around all boxes."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _around(points: tuple[Point, ...], radius: float = 0.0) -> Bounds:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs) - radius, min(ys) - radius, max(xs) + radius, max(ys) + radius


@dataclass(frozen=True, slots=True)
class Path:
    """A stroke along a polyline whose radius runs linearly from `r0` to `r1`; one point makes a disc."""

    points: tuple[Point, ...]
    r0: float
    r1: float

    def _radii(self) -> list[float]:
        n = max(len(self.points) - 1, 1)
        return [self.r0 + (self.r1 - self.r0) * k / n for k in range(len(self.points))]

    @property
    def bounds(self) -> Bounds:
        """Tight bounds of the discs at the vertices."""
        if self.r0 == self.r1:
            return _around(self.points, self.r0)
        discs = [(x, y, r) for (x, y), r in zip(self.points, self._radii(), strict=True)]
        low = min(x - r for x, _, r in discs), min(y - r for _, y, r in discs)
        return *low, max(x + r for x, _, r in discs), max(y + r for _, y, r in discs)

    def moved(self, by: Similarity) -> "Path":
        """The stroke elsewhere."""
        return Path(tuple(map(by.point, self.points)), self.r0 * by.scale, self.r1 * by.scale)

    def distance(self, x: Array, y: Array) -> Array:
        """Distance to the nearest segment, less the radius there."""
        if len(self.points) == 1:
            (px, py) = self.points[0]
            return np.sqrt((x - px) ** 2 + (y - py) ** 2) - self.r0
        radii = self._radii()
        ends = zip(self.points, self.points[1:], radii, radii[1:], strict=False)
        return reduce(np.minimum, (_segment(x, y, *end) for end in ends))


def _segment(x: Array, y: Array, a: Point, b: Point, ra: float, rb: float) -> Array:
    ux, uy = b[0] - a[0], b[1] - a[1]
    norm = max(ux * ux + uy * uy, 1e-9)
    px, py = x - a[0], y - a[1]
    h = saturate(px * (ux / norm) + py * (uy / norm))
    dx, dy = px - h * ux, py - h * uy
    d = np.sqrt(dx * dx + dy * dy)
    return d - ra if ra == rb else d - (ra + h * (rb - ra))


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Half-axes `rx` along the unit vector `axis` and `ry` across it."""

    centre: Point
    rx: float
    ry: float
    axis: Point = (1.0, 0.0)

    @property
    def bounds(self) -> Bounds:
        """Exact extent of the turned ellipse."""
        (cx, cy), (ax, ay) = self.centre, self.axis
        w = math.hypot(self.rx * ax, self.ry * ay)
        h = math.hypot(self.rx * ay, self.ry * ax)
        return cx - w, cy - h, cx + w, cy + h

    def moved(self, by: Similarity) -> "Ellipse":
        """The ellipse elsewhere."""
        return Ellipse(by.point(self.centre), self.rx * by.scale, self.ry * by.scale, by.vector(self.axis))

    def distance(self, x: Array, y: Array) -> Array:
        """First-order distance k(k-1)/|grad k| with k = |p/r|: exact on the outline."""
        px, py = x - self.centre[0], y - self.centre[1]
        (ax, ay), rx, ry = self.axis, self.rx, self.ry
        u, v = px * (ax / rx) + py * (ay / rx), py * (ax / ry) - px * (ay / ry)
        uu, vv = u * u, v * v
        k = np.sqrt(uu + vv)
        return k * (k - 1.0) / (np.sqrt(uu * (1 / rx**2) + vv * (1 / ry**2)) + 1e-6)


@dataclass(frozen=True, slots=True)
class Convex:
    """A convex polygon, its corners in order."""

    points: tuple[Point, ...]

    @property
    def bounds(self) -> Bounds:
        """Extent of the corners."""
        return _around(self.points)

    def moved(self, by: Similarity) -> "Convex":
        """The polygon elsewhere."""
        return Convex(tuple(map(by.point, self.points)))

    def distance(self, x: Array, y: Array) -> Array:
        """The largest signed distance to an edge's line (corners stay sharp outside)."""
        pairs = list(zip(self.points, self.points[1:] + self.points[:1], strict=True))
        turn = math.copysign(1.0, sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs))
        return reduce(np.maximum, (_line(x, y, a, b, turn) for a, b in pairs))


def _line(x: Array, y: Array, a: Point, b: Point, turn: float) -> Array:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = turn * max(math.hypot(dx, dy), 1e-9)
    nx, ny = dy / length, -dx / length
    return (x - a[0]) * nx + (y - a[1]) * ny


@dataclass(frozen=True, slots=True)
class Union:
    """Several shapes as one, melted together over the length `blend`."""

    shapes: tuple[Shape, ...]
    blend: float = 0.0

    @property
    def bounds(self) -> Bounds:
        """Bounds of all members."""
        return join(s.bounds for s in self.shapes)

    def moved(self, by: Similarity) -> "Union":
        """The union elsewhere."""
        return Union(tuple(s.moved(by) for s in self.shapes), self.blend * by.scale)

    def distance(self, x: Array, y: Array) -> Array:
        """Polynomial smooth minimum of the members' distances."""
        fields = (s.distance(x, y) for s in self.shapes)
        return reduce(np.minimum if self.blend == 0.0 else self._smooth, fields)

    def _smooth(self, a: Array, b: Array) -> Array:
        h = np.maximum(self.blend - np.abs(a - b), 0.0)
        return np.minimum(a, b) - h * h * (0.25 / self.blend)


def wedge(a: Point, tip: Point, b: Point, blunt: float = 0.022) -> Convex:
    """A triangle from the edge a-b to a tip that is cut off `blunt` wide, so that it survives sampling."""
    share = min(blunt / max(math.dist(a, b), 1e-9), 0.9)
    return Convex((a, along(tip, a, share), along(tip, b, share), b))


def disc(centre: Point, radius: float) -> Path:
    """A filled circle."""
    return Path((centre,), radius, radius)


def stroke(a: Point, b: Point, r0: float, r1: float | None = None) -> Path:
    """A straight stroke with round ends."""
    return Path((a, b), r0, r0 if r1 is None else r1)


def curve(a: Point, b: Point, c: Point, r0: float, r1: float, segments: int = 6) -> Path:
    """A stroke along the quadratic Bezier curve with control points a, b, c."""
    ts = [k / segments for k in range(segments + 1)]
    weights = [((1 - t) ** 2, 2 * t * (1 - t), t * t) for t in ts]
    points = tuple((p * a[0] + q * b[0] + r * c[0], p * a[1] + q * b[1] + r * c[1]) for p, q, r in weights)
    return Path(points, r0, r1)


def block(x0: float, y0: float, x1: float, y1: float) -> Convex:
    """An upright rectangle."""
    return Convex(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))


def polar(origin: Point, degrees: float, length: float) -> Point:
    """The point at an angle (0 right, 90 down) and distance from the origin."""
    a = math.radians(degrees)
    return origin[0] + length * math.cos(a), origin[1] + length * math.sin(a)


def axis(degrees: float) -> Point:
    """The unit vector at an angle (0 right, 90 down)."""
    return polar((0.0, 0.0), degrees, 1.0)


def along(a: Point, b: Point, t: float) -> Point:
    """The point at fraction `t` of the way from a to b."""
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])
