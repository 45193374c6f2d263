"""How fast the menagerie draws and how little its shortcuts give away.

Run `python benchmarks/menagerie.py`. Percentage of correct keypoints (PCK@0.1): share of the predicted keypoints
within 0.1 x the longer side of the target's box, over pairs of single-object pictures of one category, mirrored
pairs as they come.

Measured (one thread of a shared 2-core x86-64 machine at load 5, 150 pairs per category, 20 for raw pixels):
images/s with all facts 362 at 128 px, 409 at 96 px, 438 at 64 px; pictures alone 420, 460, 512.
PCK@0.1: copy in box 0.29 (same way round 0.43, mirrored 0.15; bird 0.19 ... car 0.34), same position 0.06,
raw pixels (12 px patches at 64 px) 0.09.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from denoscope.core.sample import Sample
from denoscope.data.menagerie import CATEGORIES, Menagerie

Pair = tuple[Sample, Sample]
Points = NDArray[np.float64]
"""(n, 2): x, y in px."""
Predict = Callable[[Pair, Points], Points]
"""The target's points for the source's points."""


def pairs(world: Menagerie, per_category: int) -> Iterator[Pair]:
    """Disjoint pairs of single-object pictures, `per_category` of every category."""
    singles: dict[str, list[int]] = {name: [] for name in CATEGORIES}
    index = 0
    while any(len(found) < 2 * per_category for found in singles.values()):
        things = world.scene(index).things
        if len(things) == 1 and len(singles[things[0].category]) < 2 * per_category:
            singles[things[0].category].append(index)
        index += 1
    for found in singles.values():
        for a, b in zip(found[::2], found[1::2], strict=True):
            yield world[a], world[b]


def pck(found: list[Pair], predict: Predict, alpha: float = 0.1) -> dict[str, float]:
    """Share of hits per category and over all ("mean", every category alike)."""
    hits: dict[str, list[float]] = {name: [] for name in CATEGORIES}
    for source, target in found:
        x0, y0, x1, y1 = target.facts["box"]
        a, b = source.facts["keypoints"], target.facts["keypoints"]
        names = [name for name in a if a[name][2] and b[name][2]]
        truth = np.array([b[name][:2] for name in names]).reshape(-1, 2)
        guess = predict((source, target), np.array([a[name][:2] for name in names]).reshape(-1, 2))
        hits[source.facts["category"]] += list(np.hypot(*(guess - truth).T) <= alpha * max(x1 - x0, y1 - y0))
    scores = {name: float(np.mean(values)) for name, values in hits.items() if values}
    return scores | {"mean": float(np.mean(list(scores.values())))}


def copy_in_box(pair: Pair, points: Points) -> Points:
    """The source's places relative to its box, put into the target's box."""
    a, b = (np.array(sample.facts["box"]).reshape(2, 2) for sample in pair)
    return b[0] + (points - a[0]) / (a[1] - a[0]) * (b[1] - b[0])


def same_position(pair: Pair, points: Points) -> Points:
    """The source's own places in the picture."""
    return points


def match_pixels(pair: Pair, points: Points, patch: int = 12) -> Points:
    """The centres of the target's patches nearest in RGB to the patches around the source's points."""
    source, target = (_patches(sample.image, patch) for sample in pair)
    side = pair[0].image.shape[0]
    columns, rows = points.astype(int).T
    wanted = source[rows * side + columns]
    best = ((target**2).sum(1) - 2.0 * wanted @ target.T).argmin(1)
    return np.stack([best % side, best // side], 1) + 0.5


def _patches(image: NDArray[np.uint8], patch: int) -> NDArray[np.float32]:
    half = patch // 2
    padded = np.pad(image.astype(np.float32) / 255.0, ((half, half - 1), (half, half - 1), (0, 0)), mode="edge")
    windows = sliding_window_view(padded, (patch, patch), axis=(0, 1))
    return windows.reshape(image.shape[0] * image.shape[1], -1)


def speed(draw: Callable[[int], Any], count: int = 300) -> float:
    """Pictures per CPU second of one process."""
    draw(0)
    start = time.process_time()
    for index in range(count):
        draw(index)
    return count / (time.process_time() - start)


def main() -> None:
    """Print speed and shortcut scores."""
    lines: list[str] = []
    for size in (64, 96, 128):
        world = Menagerie("train", size)
        lines.append(
            f"{size} px: {speed(world.__getitem__):.0f} images/s with all facts, {speed(world.image):.0f} without"
        )
    baselines: Mapping[str, tuple[Predict, int, int]] = {
        "copy in box": (copy_in_box, 128, 150),
        "same position": (same_position, 128, 150),
        "raw pixels": (match_pixels, 64, 20),
    }
    found = list(pairs(Menagerie("test", 128, 100_000), 150))
    for name, mirrored in (("same way", False), ("mirrored", True)):
        some = [p for p in found if (p[0].facts["mirror"] != p[1].facts["mirror"]) == mirrored]
        scores = pck(some, copy_in_box)
        lines.append(f"copy in box, {name}: {scores['mean']:.2f}")
    for name, (predict, size, count) in baselines.items():
        scores = pck(list(pairs(Menagerie("test", size, 100_000), count)), predict)
        lines.append(f"{name}: " + " ".join(f"{k} {v:.2f}" for k, v in scores.items()))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
