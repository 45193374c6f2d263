"""Levels in small: simulated people's choices among three classes, within one, and at the border of two."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denoscope.data._judging import chances
from denoscope.data.people import People
from denoscope.data.twins._scenes import encoded, save

__all__ = ["levels", "rows_of_twin", "world_of_twin"]

_TRIPLETS, _VOTES = 12, 6
"""Of each level, and of each triplet."""
_SLOW = 1.2
"""Logarithm of a response time per nat of uncertainty."""


def world_of_twin() -> People:
    """Whose objects and minds the twin holds: three of each of twelve categories."""
    return People(objects=36, images=1, triplets=9, repeated=1, participants=12, size=48, seed=5)


def rows_of_twin() -> list[tuple[list[int], int, str, int, float]]:
    """Objects, place of the odd one, level, participant and seconds of every choice."""
    world, rng = world_of_twin(), np.random.default_rng(5)
    category = np.array([kind[0] for kind in world.kinds])
    rows: list[tuple[list[int], int, str, int, float]] = []
    for level in ("coarse", "fine", "boundary"):
        for _ in range(_TRIPLETS):
            three = _drawn(rng, category, level)
            for who in rng.choice(world.participants, _VOTES, replace=False):
                p = chances(world.minds.embedding, np.array([three]), world.sharpness, world.minds.lapses[[who]])[0]
                unsure = float(-(p * np.log(p)).sum())
                seconds = float(np.exp(_SLOW * unsure + 0.2 * rng.normal() + 0.05 * who))
                rows.append((three, int(rng.choice(3, p=p)), level, int(who), seconds))
    return rows


def _drawn(rng: np.random.Generator, category: NDArray[np.str_], level: str) -> list[int]:
    """Three objects as a level has them, in an order by lot."""
    own, other, third = rng.permutation(np.unique(category))[:3]
    groups = {"coarse": (own, other, third), "fine": (own, own, own), "boundary": (own, own, other)}[level]
    found: list[int] = []
    for name in groups:
        found.append(int(rng.choice(np.setdiff1d(np.flatnonzero(category == name), found))))
    return rng.permutation(found).tolist()


def levels(place: Path) -> Path:
    """216 choices about up to 36 pictures."""
    root, world = place / "levels", world_of_twin()
    lines = ["image1,image2,image3,odd,level,participant,response_time"]
    for three, odd, level, who, seconds in rows_of_twin():
        names = ",".join(f"{number:02d}.png" for number in three)
        lines.append(f"{names},{odd + 1},{level},p{who},{seconds:.3f}")
    for number in range(world.objects):
        save(root / f"images/{number:02d}.png", encoded(world[number].image, "PNG"))
    save(root / "levels.csv", "\n".join(lines) + "\n")
    return root
