"""How fast the menagerie draws and how little its shortcuts give away.

Run `python benchmarks/menagerie.py`. Percentage of correct keypoints (PCK@0.1): share of the predicted keypoints
within 0.1 x the longer side of the target's box, over pairs of single-object pictures of one category, mirrored
pairs as they come.
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
Point = tuple[float, float]
Predict = Callable[[Pair, str], Point]


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
    hits: dict[str, list[bool]] = {}
    for source, target in found:
        x0, y0, x1, y1 = target.facts["box"]
        reach = alpha * max(x1 - x0, y1 - y0)
        for name, (x, y, visible) in target.facts["keypoints"].items():
            if visible and source.facts["keypoints"][name][2]:
                px, py = predict((source, target), name)
                hits.setdefault(source.facts["category"], []).append(bool(np.hypot(px - x, py - y) <= reach))
    scores = {name: float(np.mean(values)) for name, values in hits.items()}
    return scores | {"mean": float(np.mean(list(scores.values())))}


def copy_in_box(pair: Pair, name: str) -> Point:
    """The source keypoint's place relative to its box, put into the target's box."""
    (x, y, _), a, b = pair[0].facts["keypoints"][name], pair[0].facts["box"], pair[1].facts["box"]
    u, v = (x - a[0]) / (a[2] - a[0]), (y - a[1]) / (a[3] - a[1])
    return b[0] + u * (b[2] - b[0]), b[1] + v * (b[3] - b[1])


def same_position(pair: Pair, name: str) -> Point:
    """The source keypoint's own place in the picture."""
    x, y, _ = pair[0].facts["keypoints"][name]
    return x, y


def match_pixels(pair: Pair, name: str, patch: int = 12) -> Point:
    """The centre of the target's patch nearest in RGB to the patch around the source keypoint."""
    source, target = (_patches(s.image, patch) for s in pair)
    x, y, _ = pair[0].facts["keypoints"][name]
    error = ((target - source[int(y), int(x)]) ** 2).sum(-1)
    row, column = np.unravel_index(int(error.argmin()), error.shape)
    return float(column) + 0.5, float(row) + 0.5


def _patches(image: NDArray[np.uint8], patch: int) -> NDArray[np.float32]:
    half = patch // 2
    padded = np.pad(image.astype(np.float32), ((half, half - 1), (half, half - 1), (0, 0)), mode="edge")
    windows = sliding_window_view(padded, (patch, patch), axis=(0, 1))
    return windows.reshape(*image.shape[:2], -1)


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
        lines.append(f"{size} px: {speed(world.__getitem__):.0f} images/s with all facts, {speed(world.image):.0f} without")
    baselines: Mapping[str, tuple[Predict, int, int]] = {
        "copy in box": (copy_in_box, 128, 150),
        "same position": (same_position, 128, 150),
        "raw pixels": (match_pixels, 64, 20),
    }
    for name, (predict, size, count) in baselines.items():
        scores = pck(list(pairs(Menagerie("test", size, 100_000), count)), predict)
        lines.append(f"{name}: " + " ".join(f"{k} {v:.2f}" for k, v in scores.items()))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
