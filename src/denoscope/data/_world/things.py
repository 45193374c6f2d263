"""The artists of the cup, the chair and the house."""

from denoscope.data._world.figure import Dice, Figure, Sketch
from denoscope.data._world.sdf import Convex, Ellipse, Path, Point, along, block, curve, disc, polar, stroke, wedge

CUP = ("handle", "left_rim", "right_rim", "left_base", "right_base", "steam_tip", "emblem")
CHAIR = ("back_top", "back_middle", "seat_front", "seat_back", "front_foot", "back_foot", "cushion")
HOUSE = ("roof_top", "left_eave", "right_eave", "door", "window", "chimney", "left_base", "right_base")


def cup(dice: Dice) -> Figure:
    """A mug with a round handle and steam."""
    s = Sketch()
    rim, tall = dice.between(0.22, 0.34), dice.between(0.32, 0.62)
    foot, open_ = rim * dice.between(0.66, 1.0), dice.between(0.05, 0.1)
    sway = dice.between(-0.05, 0.05)
    grip, drop = dice.between(0.15, 0.28), dice.between(0.08, 0.3) * tall
    a, b = (rim - 0.03, drop), (along((rim, 0.0), (foot, tall), 0.75)[0] - 0.02, tall * 0.78)
    ends = polar(a, -20, grip), polar(b, 15, grip)
    s.part("handle", _bow((a, *ends, b), dice.between(0.035, 0.048)), "base", 0.9, 0.4)
    s.mark("handle", along(along(a, b, 0.5), along(ends[0], ends[1], 0.5), 0.76))
    lip = (-rim, 0.0), (rim, 0.0)
    s.part("base", Ellipse((sway, tall), foot, open_ * 0.8), "body", 1.0, 0.6)
    s.part("body", Convex((*lip, (foot + sway, tall), (-foot + sway, tall))), "body", 1.0, 0.7)
    emblem = (dice.between(-0.5, 0.4) * foot, tall * dice.between(0.38, 0.7))
    s.part("emblem", disc(emblem, dice.between(0.07, 0.1)), "emblem", 1.0, 0.75)
    s.mark("emblem", emblem)
    s.part("rim", Ellipse((0.0, 0.0), rim, open_), "base", 1.12, 0.8)
    s.part("drink", Ellipse((0.0, 0.008), rim * 0.84, open_ * 0.7), "drink", 1.0, 0.5)
    _steam(s, dice, rim)
    s.mark("left_rim", (-rim + 0.025, 0.005))
    s.mark("right_rim", (rim - 0.025, 0.005))
    s.mark("left_base", (-foot + sway + 0.035, tall - 0.02))
    s.mark("right_base", (foot + sway - 0.035, tall - 0.02))
    return s.figure()


def _bow(p: tuple[Point, Point, Point, Point], radius: float) -> Path:
    ts = [k / 7 for k in range(8)]
    weights = [((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3) for t in ts]
    points = tuple(
        (sum(w * q[0] for w, q in zip(ws, p, strict=True)), sum(w * q[1] for w, q in zip(ws, p, strict=True)))
        for ws in weights
    )
    return Path(points, radius, radius)


def _steam(s: Sketch, dice: Dice, rim: float) -> None:
    place, height, sway = dice.between(-0.4, 0.1) * rim, dice.between(0.14, 0.42), dice.between(-0.2, 0.2)
    for k, x in enumerate((place, place + 0.5 * rim)):
        low, top = (x, -0.06), (x + sway, -0.06 - height * (1.0 - 0.25 * k))
        kink = (x + 0.16 * (1 if sway < 0 else -1), (low[1] + top[1]) / 2)
        plume = curve(low, kink, top, 0.026, 0.018, 4)
        s.part("steam", plume, "steam", 1.0, 0.6)
        if k == 0:
            s.mark("steam_tip", top)


def chair(dice: Dice) -> Figure:
    """A chair seen from the side and a little from the front: backrest, seat, four legs."""
    s = Sketch()
    deep, yaw, rise = dice.between(0.28, 0.42), dice.between(0.2, 0.34), dice.between(0.1, 0.18)
    tall, leg = dice.between(0.32, 0.64), dice.between(0.24, 0.46)
    recline, splay = dice.between(-0.02, 0.18), dice.between(0.0, 0.08)
    behind = dice.chance(0.4)
    far = (yaw if behind else -yaw, -rise)

    def back_of(p: Point) -> Point:
        """The same point on the chair's far side."""
        return p[0] + far[0], p[1] + far[1]

    front, rear = (deep / 2 + 0.12, 0.0), (-deep / 2 + 0.12, 0.0)
    feet = (front[0] + splay, leg), (rear[0] - splay, leg)
    for root, foot in ((back_of(front), back_of(feet[0])), (back_of(rear), back_of(feet[1]))):
        s.part("leg", stroke(root, foot, 0.036, 0.032), "base", 0.7, 0.1)
    top = (rear[0] - recline, -tall)
    seat = (rear, back_of(rear), back_of(front), front)
    if behind:
        s.part("seat", Convex(seat), "cushion", 1.0, 0.4)
    panel = (rear, back_of(rear), back_of(top), top)
    s.part("back", Convex(panel), "body", 1.0, 0.4)
    s.part("back", Path((rear, top, back_of(top)), 0.034, 0.034), "base", 0.85, 0.45)
    for root, foot, name in ((rear, feet[1], "back_foot"), (front, feet[0], "front_foot")):
        s.part("leg", stroke(root, foot, 0.042, 0.036), "base", 0.95, 0.8)
        s.part("foot", disc((foot[0], foot[1] - 0.01), 0.046), "feet", 1.0, 0.85)
        s.mark(name, (foot[0], foot[1] - 0.01))
    if not behind:
        s.part("seat", Convex(seat), "cushion", 1.0, 0.7)
    s.part("seat", stroke(rear, front, 0.036), "base", 1.0, 0.9)
    s.mark("back_top", along(top, back_of(top), 0.5))
    s.mark("back_middle", along(along(rear, back_of(top), 0.5), along(top, back_of(rear), 0.5), 0.5))
    s.mark("seat_front", front)
    s.mark("seat_back", rear)
    s.mark("cushion", along(rear, back_of(front), 0.75 if behind else 0.5))
    return s.figure()


def house(dice: Dice) -> Figure:
    """A house: walls, a gable roof, a chimney, a door and a window with bars."""
    s = Sketch()
    half, wall = dice.between(0.23, 0.4), dice.between(0.26, 0.48)
    over, peak = dice.between(0.05, 0.11), (dice.between(-0.16, 0.16), -dice.between(0.2, 0.46))
    if dice.chance(0.5):
        _annex(s, dice, half, wall)
    left, right = (-half - over, 0.03), (half + over, 0.03)
    stack = along(peak, right if dice.chance(0.5) else left, dice.between(0.4, 0.65))
    high, wide = stack[1] - dice.between(0.12, 0.2), dice.between(0.04, 0.055)
    s.part("chimney", block(stack[0] - wide, high, stack[0] + wide, stack[1] + 0.12), "chimney", 1.0, 0.3)
    s.mark("chimney", (stack[0], high + 0.04))
    s.part("wall", block(-half, 0.0, half, wall), "body", 1.0, 0.6)
    s.part(
        "roof", Convex(((left[0], 0.05), (left[0], 0.01), peak, (right[0], 0.01), (right[0], 0.05))), "roof", 1.0, 0.8
    )
    side, tall = (1 if dice.chance(0.5) else -1), dice.between(0.19, 0.27)
    x, pane = side * half * dice.between(0.3, 0.6), dice.between(0.065, 0.09)
    s.part("door", block(x - 0.07, wall - tall, x + 0.07, wall), "door", 1.0, 0.7)
    s.part("door", disc((x + 0.04, wall - tall * 0.45), 0.014), "paper", 1.0, 0.7)
    s.mark("door", (x, wall - tall / 2))
    spot = (-side * half * dice.between(0.35, 0.6), dice.between(0.36, 0.6) * wall)
    _window(s, spot, pane)
    s.mark("roof_top", (peak[0], peak[1] + 0.05))
    s.mark("left_eave", (left[0] + 0.06, left[1] - 0.02))
    s.mark("right_eave", (right[0] - 0.06, right[1] - 0.02))
    s.mark("left_base", (-half + 0.025, wall - 0.025))
    s.mark("right_base", (half - 0.025, wall - 0.025))
    return s.figure()


def _annex(s: Sketch, dice: Dice, half: float, wall: float) -> None:
    side, top = (1 if dice.chance(0.5) else -1), wall * dice.between(0.3, 0.5)
    end = side * (half + dice.between(0.14, 0.3))
    s.part("wall", block(min(side * half * 0.9, end), top, max(side * half * 0.9, end), wall), "body", 0.85, 0.5)
    s.part(
        "roof",
        wedge((side * half * 0.9, top - 0.1), (end + side * 0.05, top + 0.03), (side * half * 0.9, top + 0.03), 0.03),
        "roof",
        0.9,
        0.55,
    )


def _window(s: Sketch, spot: Point, pane: float) -> None:
    x, y = spot
    s.part("window", block(x - pane - 0.02, y - pane - 0.02, x + pane + 0.02, y + pane + 0.02), "paper", 1.0, 0.7)
    s.part("window", block(x - pane, y - pane, x + pane, y + pane), "windows", 1.0, 0.7)
    s.part("window", stroke((x, y - pane), (x, y + pane), 0.012), "paper", 1.0, 0.7)
    s.part("window", stroke((x - pane, y), (x + pane, y), 0.012), "paper", 1.0, 0.7)
    s.mark("window", (x, y))
