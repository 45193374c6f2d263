"""The artists of the tree and the flower."""

from denoscope.data._world.figure import Dice, Figure, Sketch
from denoscope.data._world.sdf import Convex, Ellipse, Path, Point, Union, along, axis, curve, disc, polar, stroke

TREE = ("top", "left_crown", "right_crown", "fruit", "branch", "trunk_top", "trunk_base")
FLOWER = ("centre", "top_petal", "left_petal", "right_petal", "leaf", "stem_middle", "stem_base")


def tree(dice: Dice) -> Figure:
    """A tree: a trunk with a side branch, and a round crown or a stack of conifer triangles."""
    s = Sketch()
    lean, trunk = dice.between(-0.15, 0.15), dice.between(0.17, 0.46)
    thick = dice.between(0.05, 0.085)
    base, fork = (0.0, 0.5), (lean, 0.5 - trunk)
    foot = Convex(
        ((-thick * 1.4, 0.5), (thick * 1.4, 0.5), (lean + thick, fork[1] - 0.08), (lean - thick, fork[1] - 0.08))
    )
    side, height = (1 if dice.chance(0.5) else -1), dice.between(0.35, 0.8)
    knot = along(base, fork, height)
    twig = polar(knot, -90 + side * dice.between(35, 65), dice.between(0.2, 0.34))
    s.part("branch", stroke(knot, twig, thick * 0.55, thick * 0.35), "trunk", 0.9, 0.3)
    s.part("branch", disc(twig, dice.between(0.05, 0.075)), "base", 0.9, 0.3)
    s.part("trunk", foot, "trunk", 1.0, 0.5)
    s.mark("branch", twig)
    s.mark("trunk_base", (base[0], base[1] - 0.03))
    s.mark("trunk_top", (fork[0], fork[1] + 0.03))
    crown = _conifer if dice.chance(0.4) else _round_crown
    crown(s, dice, fork)
    return s.figure()


def _round_crown(s: Sketch, dice: Dice, fork: Point) -> None:
    wide, tall = dice.between(0.22, 0.4), dice.between(0.2, 0.34)
    centre = (fork[0] + dice.between(-0.14, 0.14), fork[1] - tall + 0.05)
    lobes = [Ellipse(centre, wide * 0.8, tall)]
    for turn in (-165, -115, -65, -15):
        spot = axis(turn + dice.between(-18, 18))
        place = centre[0] + spot[0] * wide * 0.75, centre[1] + spot[1] * tall * 0.75
        lobes.append(Ellipse(place, wide * 0.42, tall * 0.46))
    s.part("crown", Union(tuple(lobes), 0.04), "body", 1.0, 0.8)
    s.mark("top", (centre[0], centre[1] - tall * 0.85))
    s.mark("left_crown", (centre[0] - wide * 0.85, centre[1]))
    s.mark("right_crown", (centre[0] + wide * 0.85, centre[1]))
    _fruit(s, dice, (centre[0] + dice.between(-0.6, 0.6) * wide, centre[1] + dice.between(-0.6, 0.7) * tall))


def _conifer(s: Sketch, dice: Dice, fork: Point) -> None:
    wide, tall = dice.between(0.22, 0.38), dice.between(0.46, 0.76)
    foot, bend = fork[1] + 0.02, dice.between(-0.09, 0.09)
    tops = [foot - tall * f for f in (0.52, 0.78, 1.0)]
    for level, top in enumerate(tops):
        low, half = foot - tall * (0.0, 0.3, 0.58)[level], wide * (1.0, 0.78, 0.55)[level]
        x = fork[0] + bend * level
        tier = Convex(
            ((x - half, low), (x - half, low - 0.022), (x + bend * 0.5, top), (x + half, low - 0.022), (x + half, low))
        )
        s.part("crown", tier, "body", (0.86, 0.94, 1.02)[level], 0.8)
    s.mark("top", (fork[0] + bend * 2.45, tops[2] + 0.055))
    s.mark("left_crown", (fork[0] - wide * 0.85, foot - 0.03))
    s.mark("right_crown", (fork[0] + wide * 0.85, foot - 0.03))
    _fruit(s, dice, (fork[0] + bend + dice.between(-0.3, 0.3) * wide, foot - dice.between(0.08, 0.7) * tall))


def _fruit(s: Sketch, dice: Dice, place: Point) -> None:
    s.part("fruit", disc(place, 0.055), "fruit", 1.0, 1.0)
    s.mark("fruit", place)


def flower(dice: Dice) -> Figure:
    """A flower: a curved stem with a leaf, petals around a round centre."""
    s = Sketch()
    head = (dice.between(-0.32, 0.32), dice.between(-0.3, 0.06))
    base, bow = (0.0, 0.5), (dice.between(-0.2, 0.2), dice.between(0.05, 0.3))
    stem = curve(base, bow, head, 0.032, 0.028)
    s.part("stem", stem, "stem", 1.0, 0.3)
    s.mark("stem_base", (0.0, 0.49))
    s.mark("stem_middle", stem.points[3])
    side = 1 if dice.chance(0.5) else -1
    root, aim = stem.points[1 + int(dice.unit() * 3)], -90 + side * dice.between(28, 78)
    length = dice.between(0.22, 0.42)
    middle, end = polar(root, aim, length * 0.5), polar(root, aim, length)
    s.part("leaf", Ellipse(middle, length * 0.52, 0.075, axis(aim)), "stem", 1.1, 0.6)
    s.part("leaf", Path((root, end), 0.008, 0.006), "stem", 0.7, 0.6)
    s.mark("leaf", along(end, root, 0.12))
    _blossom(s, dice, head)
    return s.figure()


def _blossom(s: Sketch, dice: Dice, head: Point) -> None:
    count, reach, squash = 5 + int(dice.unit() * 4), dice.between(0.16, 0.29), dice.between(0.6, 1.0)
    turn, core, broad = dice.between(0, 360), dice.between(0.085, 0.13), dice.between(0.4, 0.52)
    spots = [polar((0.0, 0.0), turn + 360 * k / count, reach) for k in range(count)]
    tips: list[Point] = []
    for k, (x, y) in enumerate(spots):
        middle, d = (head[0] + 0.72 * x, head[1] + 0.72 * y * squash), axis(turn + 360 * k / count)
        norm = (d[0] ** 2 + (d[1] * squash) ** 2) ** 0.5
        shape = Ellipse(middle, reach * 0.62 * norm, reach * broad * 5.4 / count, (d[0] / norm, d[1] * squash / norm))
        s.part("petal", shape, "body", 1.0 if k % 2 else 0.9, 0.7)
        tips.append((head[0] + 1.05 * x, head[1] + 1.05 * y * squash))
    s.part("centre", Ellipse(head, core, core * squash), "centre", 1.0, 1.0)
    s.mark("centre", head)
    s.mark("top_petal", min(tips, key=lambda p: p[1]))
    s.mark("left_petal", min(tips, key=lambda p: p[0]))
    s.mark("right_petal", max(tips, key=lambda p: p[0]))
