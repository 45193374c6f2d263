"""The menagerie's colours: eight names for objects, more for their parts; sRGB in 0..255."""

import math

Rgb = tuple[float, float, float]

OBJECT: dict[str, Rgb] = {
    "red": (208.0, 36.0, 40.0),
    "orange": (245.0, 130.0, 22.0),
    "yellow": (246.0, 214.0, 48.0),
    "green": (44.0, 150.0, 62.0),
    "blue": (38.0, 88.0, 216.0),
    "purple": (130.0, 50.0, 176.0),
    "pink": (250.0, 142.0, 190.0),
    "brown": (118.0, 72.0, 38.0),
}

PART: dict[str, Rgb] = OBJECT | {
    "white": (248.0, 248.0, 244.0),
    "cream": (246.0, 228.0, 188.0),
    "grey": (138.0, 140.0, 146.0),
    "black": (34.0, 32.0, 38.0),
    "cyan": (70.0, 205.0, 220.0),
    "navy": (24.0, 36.0, 96.0),
    "lime": (170.0, 225.0, 60.0),
}

FIXED: dict[str, Rgb] = {
    "ink": (26.0, 24.0, 30.0),
    "paper": (252.0, 252.0, 250.0),
    "steam": (236.0, 240.0, 246.0),
    "tyre": (44.0, 44.0, 50.0),
}


def mix(a: Rgb, b: Rgb, t: float) -> Rgb:
    """The colour at fraction `t` of the way from a to b."""
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])


def contrasting(colour: str, least: float = 120.0) -> tuple[str, ...]:
    """The part colours at least `least` (Euclidean, 0..255) away from an object's colour."""
    return tuple(name for name, rgb in PART.items() if math.dist(rgb, OBJECT[colour]) >= least)


CONTRASTING: dict[str, tuple[str, ...]] = {name: contrasting(name) for name in OBJECT}
