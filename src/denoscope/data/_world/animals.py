"""The artists of the cat, the dog, the bird and the fish."""

from denoscope.data._world.figure import Dice, Figure, Sketch
from denoscope.data._world.sdf import (
    Convex,
    Ellipse,
    Path,
    Point,
    Union,
    along,
    axis,
    curve,
    disc,
    polar,
    stroke,
    wedge,
)

CAT = ("left_ear", "right_ear", "left_eye", "right_eye", "nose", "tail_tip", "front_paw", "back_paw")
DOG = ("ear", "eye", "nose", "collar", "front_paw", "back_paw", "tail_base", "tail_tip")
BIRD = ("beak", "eye", "breast", "wing_tip", "tail_tip", "left_foot", "right_foot")
FISH = ("mouth", "eye", "top_fin", "belly_fin", "tail_base", "tail_top", "tail_bottom")


def cat(dice: Dice) -> Figure:
    """A seated cat, three-quarter view: pointed ears, whiskers, a long curled tail."""
    s = Sketch()
    ground = 0.5
    haunch = (dice.between(-0.2, 0.0), dice.between(0.24, 0.31))
    neck = polar(haunch, dice.between(-105, -30), dice.between(0.3, 0.46))
    _cat_tail(s, dice, haunch)
    girth = dice.between(0.15, 0.21)
    chest = along(haunch, neck, 0.75)
    paw = (max(chest[0], haunch[0] + 0.12) + dice.between(0.0, 0.2), ground - 0.05)
    back = (haunch[0] + dice.between(-0.1, 0.17), ground - 0.05)
    far = (paw[0] + dice.between(0.05, 0.12), paw[1] - 0.01)
    s.part("leg", stroke(chest, far, 0.06, 0.05), "body", 0.8, 0.3)
    body = Union((Ellipse(haunch, girth + 0.05, ground - haunch[1]), stroke(haunch, neck, girth, 0.11)), 0.08)
    s.part("body", body, "body")
    s.part("paw", Ellipse(back, 0.11, 0.055), "socks", 1.0, 0.8)
    s.part("leg", stroke(chest, paw, 0.07, 0.055), "body", 1.0, 0.7)
    s.part("paw", Ellipse((paw[0] + 0.02, paw[1]), 0.075, 0.05), "socks", 1.0, 0.8)
    s.mark("front_paw", paw)
    s.mark("back_paw", back)
    head = polar(neck, dice.between(-120, -35), 0.12)
    s.part("collar", stroke(along(neck, head, -0.1), along(neck, head, 0.3), 0.12), "collar", 1.0, 0.6)
    _cat_head(s, dice, head)
    return s.figure()


def _cat_tail(s: Sketch, dice: Dice, haunch: Point) -> None:
    root = (haunch[0] - 0.16, 0.44)
    bend = polar(root, dice.between(150, 235), dice.between(0.22, 0.4))
    tip = polar(bend, dice.between(200, 330), dice.between(0.2, 0.42))
    bend, tip = (bend[0], min(bend[1], 0.46)), (min(tip[0], haunch[0] - 0.24), min(tip[1], 0.46))
    s.part("tail", curve(root, bend, tip, 0.055, 0.04), "body", 0.92, 0.2)
    s.mark("tail_tip", tip)


def _cat_head(s: Sketch, dice: Dice, head: Point) -> None:
    r, tilt, yaw = dice.between(0.15, 0.19), dice.between(-28, 28), dice.between(-0.45, 0.55)

    def at(x: float, y: float) -> Point:
        """Face coordinates in head radii, turned by the tilt."""
        return polar(polar(head, tilt, x * r), tilt + 90, y * r)

    for side, name in ((-1, "right_ear"), (1, "left_ear")):
        spread = dice.between(0.75, 1.05)
        tip = at(side * spread, dice.between(-1.75, -1.45))
        ear = (at(side * 1.0, -0.25), tip, at(side * 0.12, -0.85))
        mid = at(side * 0.66, -0.7)
        inner = (along(ear[0], mid, 0.35), along(tip, mid, 0.35), along(ear[2], mid, 0.35))
        s.part("ear", wedge(*ear), "base", 0.9, 0.6)
        s.part("ear", Convex(inner), "ears", 1.0, 0.6)
        s.mark(name, along(tip, mid, 0.25))
    s.part("head", Ellipse(head, 1.12 * r, 0.95 * r, axis(tilt)), "base", 1.0, 0.8)
    for side, name in ((-1, "right_eye"), (1, "left_eye")):
        eye = at(side * 0.45 + 0.45 * yaw, -0.14)
        s.part("eye", disc(eye, 0.25 * r), "eyes", 1.0, 0.95)
        s.part("eye", Ellipse(eye, 0.08 * r, 0.2 * r, axis(tilt)), "ink", 1.0, 0.95)
        s.mark(name, eye)
    nose = at(0.6 * yaw, 0.3)
    s.part("muzzle", Ellipse(at(0.58 * yaw, 0.45), 0.5 * r, 0.34 * r, axis(tilt)), "paper", 0.96, 0.9)
    for side in (-1, 1):
        for drop in (0.3, 0.62):
            start, end = at(0.55 * yaw + side * 0.4, 0.42), at(0.5 * yaw + side * 1.55, drop)
            s.part("whisker", stroke(start, end, 0.009), "ink", 1.0, 0.9)
    triangle = Convex((at(0.6 * yaw - 0.18, 0.22), at(0.6 * yaw + 0.18, 0.22), at(0.6 * yaw, 0.45)))
    s.part("nose", triangle, "ink", 1.0, 1.0)
    s.mark("nose", nose)


def dog(dice: Dice) -> Figure:
    """A standing dog in profile: long snout, floppy ear, four legs, wagging tail."""
    s = Sketch()
    tilt, length = dice.between(-24, 16), dice.between(0.36, 0.56)
    hip = (-0.26, dice.between(-0.02, 0.08))
    shoulder = polar(hip, tilt, length)
    girth = dice.between(0.12, 0.165)
    ground = max(hip[1], shoulder[1]) + girth + dice.between(0.16, 0.3)
    swing = dice.between(-0.12, 0.12), dice.between(-0.1, 0.14)
    for root, sway in ((hip, -swing[0]), (shoulder, -swing[1])):
        far = (root[0] + sway + 0.07, ground - 0.07)
        s.part("leg", stroke((root[0] + 0.04, root[1]), far, 0.07, 0.05), "body", 0.72, 0.1)
    tail = (hip[0] - 0.7 * girth, hip[1] - 0.35 * girth)
    bend = polar(tail, dice.between(160, 280), dice.between(0.14, 0.22))
    tip = polar(bend, dice.between(180, 300), dice.between(0.14, 0.22))
    s.part("tail", curve(tail, bend, tip, 0.048, 0.03), "body", 0.95, 0.4)
    s.part("body", stroke(hip, shoulder, girth, girth * dice.between(1.0, 1.25)), "body")
    for name, root, sway in (("back_paw", hip, swing[0]), ("front_paw", shoulder, swing[1])):
        paw = (root[0] + sway, ground - 0.045)
        s.part("leg", stroke((root[0], root[1] + 0.03), paw, 0.085, 0.052), "body", 1.0, 0.8)
        s.part("paw", Ellipse((paw[0] + 0.025, paw[1]), 0.07, 0.045), "socks", 1.0, 0.85)
        s.mark(name, paw)
    s.mark("tail_base", tail)
    s.mark("tail_tip", tip)
    _dog_head(s, dice, shoulder, girth)
    return s.figure()


def _dog_head(s: Sketch, dice: Dice, shoulder: Point, girth: float) -> None:
    rise, pitch, r = dice.between(-85, -15), dice.between(-25, 40), dice.between(0.13, 0.165)
    head = polar(shoulder, rise, girth + dice.between(0.13, 0.22))
    s.part("neck", stroke(shoulder, head, girth * 0.85, r * 0.8), "body", 1.0, 0.6)
    collar = along(shoulder, head, 0.5)
    band = polar(collar, rise + 90, girth * 0.75), polar(collar, rise - 90, girth * 0.75)
    s.part("collar", stroke(*band, 0.032), "collar", 1.0, 0.7)
    s.mark("collar", collar)
    snout = polar(head, pitch, r + dice.between(0.09, 0.15))
    skull = Union((Ellipse(head, r * 1.1, r, axis(pitch)), stroke(head, snout, r * 0.62, r * 0.45)), 0.04)
    s.part("head", skull, "base", 1.0, 0.8)
    nose = polar(snout, pitch - 25, r * 0.35)
    s.part("nose", disc(nose, 0.042), "ink", 1.0, 0.9)
    mouth = polar(snout, pitch + 90, r * 0.22)
    s.part("mouth", stroke(mouth, along(mouth, head, 0.6), 0.009), "ink", 1.0, 0.9)
    eye = polar(head, pitch - 55, r * 0.5)
    s.part("eye", disc(eye, 0.04), "eyes", 1.0, 0.95)
    s.part("eye", disc(eye, 0.018), "ink", 1.0, 0.95)
    root = polar(head, pitch - 140, r * 0.75)
    hang = dice.between(65, 150)
    ear = polar(root, hang, dice.between(0.15, 0.22))
    s.part("ear", stroke(root, ear, 0.04, 0.07), "ears", 1.0, 1.0)
    s.mark("ear", ear)
    s.mark("eye", eye)
    s.mark("nose", nose)


def bird(dice: Dice) -> Figure:
    """A bird in profile, perched with a folded wing or flying with a spread one."""
    s = Sketch()
    flying = dice.chance(0.4)
    pitch = dice.between(-25, 20) if flying else dice.between(-62, -12)
    centre, rx, ry = (0.0, 0.0), dice.between(0.24, 0.31), dice.between(0.15, 0.19)
    _bird_feet(s, dice, centre, ry, flying)
    rump, spread = polar(centre, pitch + 180, rx * 0.7), dice.between(10, 20)
    aim, length = pitch + 180 + dice.between(-28, 28), dice.between(0.22, 0.36)
    fan = (polar(rump, pitch - 90, 0.05), polar(rump, aim + spread, length), polar(rump, aim - spread, length))
    s.part("tail", Convex((*fan, polar(rump, pitch + 90, 0.05))), "tail", 1.0, 0.3)
    s.mark("tail_tip", polar(rump, aim, length * 0.85))
    head = polar(centre, pitch + dice.between(-45, 5), rx + dice.between(0.02, 0.08))
    torso = Union((Ellipse(centre, rx, ry, axis(pitch)), disc(head, 0.125)), 0.09)
    s.part("body", torso, "body")
    s.mark("breast", polar(centre, pitch + 42, rx * 0.62))
    _bird_face(s, dice, head)
    root = polar(centre, pitch - 40, rx * 0.3)
    lift = dice.between(-145, -60) if flying else pitch + 180 + dice.between(-35, 12)
    reach = dice.between(0.36, 0.5) if flying else dice.between(0.26, 0.36)
    tip, broad = polar(root, lift, reach), 0.13 if flying else 0.1
    mid = along(root, tip, 0.4)
    wing = Union(
        (Convex((root, polar(mid, lift - 90, broad), tip, polar(mid, lift + 90, broad))), disc(root, 0.09)), 0.05
    )
    s.part("wing", wing, "wing", 1.0, 0.9)
    s.mark("wing_tip", along(tip, root, 0.12))
    return s.figure(dice.between(0.1, 0.35) if flying else 0.0)


def _bird_face(s: Sketch, dice: Dice, head: Point) -> None:
    look = dice.between(-25, 30)
    tip = polar(head, look, dice.between(0.22, 0.29))
    beak = wedge(polar(head, look - 50, 0.11), tip, polar(head, look + 50, 0.11))
    s.part("beak", beak, "beak", 1.0, 0.7)
    eye = polar(head, look - 35, 0.05)
    s.part("eye", disc(eye, 0.045), "paper", 1.0, 0.9)
    s.part("eye", disc(eye, 0.028), "ink", 1.0, 0.9)
    s.mark("beak", along(tip, head, 0.2))
    s.mark("eye", eye)


def _bird_feet(s: Sketch, dice: Dice, centre: Point, ry: float, flying: bool) -> None:
    drop, aim = dice.between(0.14, 0.26), dice.between(110, 150) if flying else 90.0
    for name, x, tone in (("left_foot", 0.07, 0.8), ("right_foot", -0.06, 1.0)):
        root = (centre[0] + x, centre[1] + 0.5 * ry)
        foot = polar(root, aim + dice.between(-14, 14), ry * 0.6 + drop)
        if not flying:
            foot = (foot[0], centre[1] + ry + drop)
        toe = (foot[0] + 0.09, foot[1] + 0.01)
        s.part("leg", Path((root, foot, toe), 0.02, 0.02), "legs", tone, 0.3)
        s.mark(name, foot)


def fish(dice: Dice) -> Figure:
    """A fish in profile: lens body, forked tail, fins, a round eye."""
    s = Sketch()
    rx, ry, bend = dice.between(0.29, 0.36), dice.between(0.14, 0.23), dice.between(-26, 26)
    root = (-rx * 0.72, 0.0)
    stem = polar(root, 180 + bend, dice.between(0.1, 0.18))
    tips: list[Point] = []
    for name, turn in (("tail_top", 38), ("tail_bottom", -38)):
        aim = 180 + bend * 1.6 + turn + dice.between(-14, 14)
        tip = polar(stem, aim, dice.between(0.24, 0.34))
        flank = polar(stem, 180 + bend * 1.6 + (90 if turn > 0 else -90), 0.085)
        inner = polar(stem, 180 + bend * 1.6, 0.09)
        s.part("tail", wedge(flank, tip, inner, 0.018), "fins", 1.0, 0.4)
        s.mark(name, along(tip, along(flank, inner, 0.5), 0.3))
        tips.append(tip)
    _fish_fins(s, dice, rx, ry)
    snout = (rx * 1.0, dice.between(-0.04, 0.05))
    body = Union(
        (Ellipse((0.0, 0.0), rx, ry), stroke(root, stem, 0.08, 0.045), stroke((rx * 0.6, 0.0), snout, 0.09, 0.045)),
        0.07,
    )
    s.part("body", body, "body")
    s.mark("tail_base", stem)
    s.part(
        "mouth", stroke((snout[0] + 0.03, snout[1] + 0.01), (snout[0] - 0.06, snout[1] + 0.035), 0.012), "ink", 1.0, 0.7
    )
    s.mark("mouth", (snout[0] + 0.015, snout[1]))
    gill = rx * dice.between(0.3, 0.42)
    arc = curve((gill, -ry * 0.55), (gill - 0.09, 0.0), (gill, ry * 0.6), 0.014, 0.014, 4)
    s.part("gill", arc, "ink", 1.0, 0.7)
    eye = (rx * dice.between(0.56, 0.72), -ry * dice.between(0.2, 0.42))
    s.part("eye", disc(eye, 0.055), "eyes", 1.0, 0.9)
    s.part("eye", disc(eye, 0.026), "ink", 1.0, 0.9)
    s.mark("eye", eye)
    side = (gill - 0.12, ry * 0.15)
    tip = polar(side, 180 - dice.between(-25, 50), 0.16)
    s.part("fin", Union((Convex((side, polar(tip, 90, 0.05), polar(tip, -90, 0.05))),)), "fins", 0.9, 0.9)
    return s.figure(dice.between(0.0, 0.25))


def _fish_fins(s: Sketch, dice: Dice, rx: float, ry: float) -> None:
    for name, side in (("top_fin", -1), ("belly_fin", 1)):
        x, tall = dice.between(-0.3, 0.3) * rx, dice.between(0.1, 0.2)
        tip = (x - dice.between(0.04, 0.16), side * (ry + tall))
        front, back = (x + 0.15, side * ry * 0.7), (x - 0.15, side * ry * 0.7)
        s.part("fin", wedge(front, tip, back), "fins", 0.95, 0.4)
        s.mark(name, along(tip, (x, side * ry), 0.3))
