"""The artists of the car, the bus and the boat."""

from denoscope.data._world.figure import Dice, Figure, Sketch
from denoscope.data._world.sdf import Convex, Ellipse, Point, Union, along, block, disc, stroke, wedge

CAR = ("front_wheel", "back_wheel", "headlight", "taillight", "front_window", "back_window", "door_handle")
BUS = ("front_wheel", "back_wheel", "headlight", "taillight", "first_window", "last_window", "door", "roof_front")
BOAT = ("bow", "stern", "mast_top", "mast_base", "sail_corner", "porthole", "flag")


def _wheel(s: Sketch, name: str, centre: Point, radius: float) -> None:
    s.part("wheel", disc(centre, radius), "tyre", 1.0, 0.8)
    s.part("wheel", disc(centre, radius * 0.55), "wheels", 1.0, 0.85)
    s.mark(name, centre)


def car(dice: Dice) -> Figure:
    """A car in profile: bonnet, cabin with two windows, two big wheels."""
    s = Sketch()
    half, deep = dice.between(0.38, 0.54), dice.between(0.12, 0.2)
    tall, wheel = dice.between(0.15, 0.29), dice.between(0.085, 0.14)
    back, front = half * dice.between(-0.95, -0.45), half * dice.between(0.25, 0.8)
    slope = dice.between(0.06, 0.14), dice.between(0.1, 0.2)
    roof = (back + slope[0], -tall), (front - slope[1], -tall)
    cabin = Convex(((back, 0.04), *roof, (front, 0.04)))
    lower = Union(
        (
            stroke((-half + deep / 2, deep / 2), (half - deep / 2, deep / 2), deep / 2),
            block(-half + 0.05, deep / 2, half - 0.05, deep),
        )
    )
    s.part("cabin", cabin, "base", 0.95, 0.4)
    _car_windows(s, dice, (back, front), roof, tall)
    s.part("body", lower, "body", 1.0, 0.6)
    split = along((back, 0.0), (front, 0.0), 0.5)[0]
    s.part("door", stroke((split, 0.02), (split, deep - 0.02), 0.008), "ink", 1.0, 0.6)
    handle = (split - dice.between(0.05, 0.1), deep * dice.between(0.2, 0.4))
    s.part("handle", stroke((handle[0] - 0.025, handle[1]), (handle[0] + 0.025, handle[1]), 0.016), "trim", 1.0, 0.7)
    s.mark("door_handle", handle)
    lamp, rear = (half - 0.035, deep * dice.between(0.25, 0.6)), (-half + 0.03, deep * dice.between(0.25, 0.6))
    s.part("bumper", stroke((half - 0.1, deep), (half - 0.01, deep), 0.025), "trim", 1.0, 0.7)
    s.part("bumper", stroke((-half + 0.01, deep), (-half + 0.1, deep), 0.025), "trim", 1.0, 0.7)
    s.part("light", Ellipse(lamp, 0.032, 0.045), "lights", 1.0, 0.7)
    s.part("light", Ellipse(rear, 0.026, 0.045), "taillights", 1.0, 0.7)
    s.mark("headlight", lamp)
    s.mark("taillight", rear)
    _wheel(s, "back_wheel", (-half * dice.between(0.42, 0.76), deep), wheel)
    _wheel(s, "front_wheel", (half * dice.between(0.42, 0.76), deep), wheel)
    return s.figure()


def _car_windows(s: Sketch, dice: Dice, foot: tuple[float, float], roof: tuple[Point, Point], tall: float) -> None:
    split = dice.between(0.4, 0.6)
    top, low = -tall + 0.035, -0.015
    corners = (foot[0], 0.0), roof[0], roof[1], (foot[1], 0.0)

    def inset(a: Point, b: Point, y: float, dx: float) -> Point:
        return along(a, b, y / -tall)[0] + dx, y

    lb, lt = inset(corners[0], corners[1], low, 0.045), inset(corners[0], corners[1], top, 0.04)
    rb, rt = inset(corners[3], corners[2], low, -0.045), inset(corners[3], corners[2], top, -0.04)
    mb, mt = along(lb, rb, split), along(lt, rt, split)
    for name, quad in (
        ("back_window", (lb, lt, (mt[0] - 0.015, top), (mb[0] - 0.015, low))),
        ("front_window", ((mb[0] + 0.015, low), (mt[0] + 0.015, top), rt, rb)),
    ):
        s.part("window", Convex(quad), "windows", 1.0, 0.4)
        s.mark(name, along(along(quad[0], quad[2], 0.5), along(quad[1], quad[3], 0.5), 0.5))


def bus(dice: Dice) -> Figure:
    """A bus in profile: a long tall box with a row of windows, a door and two wheels."""
    s = Sketch()
    half, tall = 0.5, dice.between(0.3, 0.52)
    top, wheel = -tall / 2, dice.between(0.065, 0.09)
    low = tall / 2
    corner = 0.05
    box = Union(
        (
            stroke((-half + corner, top + corner), (half - corner, top + corner), corner),
            block(-half, top + corner, half, low),
        )
    )
    s.part("body", box, "body")
    belt = dice.between(0.52, 0.68)
    y0, y1 = top + 0.06, top + tall * belt
    s.part("stripe", block(-half, y1 + 0.02, half, y1 + 0.06), "stripe", 1.0, 0.55)
    count, wide = 3 + int(dice.unit() * 4), dice.between(0.09, 0.14)
    door = half - 0.05 - wide * dice.between(1.0, 2.2)
    start, gap = -half + dice.between(0.03, 0.1), 0.03
    pitch = (door - gap - start) / count
    for k in range(count):
        x = start + k * pitch
        s.part("window", block(x, y0, x + pitch - gap, y1 - 0.01), "windows", 1.0, 0.6)
    s.mark("last_window", (start + (pitch - gap) / 2, (y0 + y1) / 2))
    s.mark("first_window", (start + (count - 1) * pitch + (pitch - gap) / 2, (y0 + y1) / 2))
    s.part("door", block(door, y0 + 0.02, door + wide, low - 0.02), "doors", 1.0, 0.6)
    s.part("door", stroke((door + wide / 2, y0 + 0.03), (door + wide / 2, low - 0.03), 0.008), "ink", 1.0, 0.6)
    s.mark("door", (door + wide / 2, (y0 + low) / 2))
    lamp, rear = (half - 0.035, low - dice.between(0.05, 0.1)), (-half + 0.03, low - dice.between(0.05, 0.1))
    s.part("light", disc(lamp, 0.03), "lights", 1.0, 0.7)
    s.part("light", disc(rear, 0.026), "taillights", 1.0, 0.7)
    s.mark("headlight", lamp)
    s.mark("taillight", rear)
    s.mark("roof_front", (half - 0.03, top + 0.035))
    _wheel(s, "back_wheel", (-half * dice.between(0.4, 0.78), low), wheel)
    _wheel(s, "front_wheel", (half * dice.between(0.1, 0.5), low), wheel)
    return s.figure()


def boat(dice: Dice) -> Figure:
    """A sailing boat: hull, mast, a big triangular sail, a jib and a flag."""
    s = Sketch()
    half, deep = dice.between(0.36, 0.48), dice.between(0.16, 0.24)
    rake, mast = dice.between(0.06, 0.18), dice.between(-0.14, 0.16)
    height = dice.between(0.5, 0.78)
    lean = dice.between(-0.09, 0.09)
    top, base = (mast + lean, -height), (mast, 0.0)
    s.part("mast", stroke((mast, 0.05), top, 0.018), "mast", 1.0, 0.4)
    boom = -dice.between(0.03, 0.1)
    reach = dice.between(0.26, 0.42)
    clew = (max(mast - reach, -half), boom - dice.between(0.0, 0.12))
    peak = along(base, top, dice.between(0.82, 0.94))
    s.part("sail", wedge((mast - 0.025, boom), clew, (peak[0] - 0.025, peak[1]), 0.03), "sail", 1.0, 0.6)
    s.mark("sail_corner", along(clew, (mast, -0.35 * height), 0.16))
    tack = (min(mast + dice.between(0.2, 0.36), half + 0.05), boom)
    head = along(base, top, dice.between(0.55, 0.8))
    s.part("sail", wedge((mast + 0.03, boom), tack, (head[0] + 0.025, head[1]), 0.03), "base", 1.05, 0.5)
    wave = (top[0] - dice.between(0.1, 0.17), top[1] + dice.between(-0.03, 0.09))
    s.part("flag", wedge(top, wave, (top[0], top[1] + 0.09)), "flag", 1.0, 0.5)
    s.mark("flag", along(wave, (top[0], top[1] + 0.05), 0.5))
    bow, stern = (half + rake, -dice.between(0.0, 0.05)), (-half, 0.0)
    hull = Convex((stern, bow, (bow[0] - 0.01, bow[1] + 0.03), (half * 0.62, deep), (-half * 0.78, deep)))
    s.part("hull", hull, "body", 1.0, 0.8)
    s.part(
        "trim", stroke((stern[0] + 0.02, stern[1] + 0.015), (bow[0] - 0.06, bow[1] + 0.02), 0.024), "trim", 1.0, 0.85
    )
    hole = (dice.between(-0.6, 0.5) * half, deep * dice.between(0.45, 0.6))
    s.part("porthole", disc(hole, 0.048), "portholes", 1.0, 0.9)
    s.mark("porthole", hole)
    s.mark("bow", (bow[0] - 0.04, bow[1] + 0.02))
    s.mark("stern", (stern[0] + 0.03, stern[1] + 0.03))
    s.mark("mast_top", along(top, base, 0.03))
    s.mark("mast_base", base)
    return s.figure()
