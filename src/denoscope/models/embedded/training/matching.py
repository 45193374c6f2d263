"""Keypoint correspondence: PCK@0.1 between scenes that show the same category."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from denoscope.models.embedded.training.sites import Scenes

__all__ = ["Pair", "box_relative", "by_features", "draw_pairs", "hits", "same_position"]


@dataclass(frozen=True)
class Pair:
    """One keypoint visible in two scenes; places in px."""

    source: int
    target: int
    at: tuple[float, float]
    to: tuple[float, float]
    side: float
    """long side of the target's box, px"""
    mirrored: bool
    """whether the two objects face opposite ways"""


def draw_pairs(scenes: Scenes, count: int, seed: int) -> list[Pair]:
    """Category-balanced pairs: a category, two of its scenes, and a keypoint that both show, all at random."""
    rng = np.random.default_rng(seed)
    groups: dict[str, list[int]] = {}
    for i, facts in enumerate(scenes.facts):
        groups.setdefault(facts["category"], []).append(i)
    names = sorted(name for name, members in groups.items() if len(members) > 1)
    pairs: list[Pair] = []
    while names and len(pairs) < count:
        members = groups[names[len(pairs) % len(names)]]
        a, b = (int(i) for i in rng.choice(members, 2, replace=False))
        pair = _pair(scenes.facts[a], scenes.facts[b], a, b, rng)
        if pair:
            pairs.append(pair)
    return pairs


def _pair(one: Any, two: Any, a: int, b: int, rng: np.random.Generator) -> Pair | None:
    here, there = one["keypoints"], two["keypoints"]
    shared = sorted(k for k in here if k in there and here[k][2] and there[k][2])
    if not shared:
        return None
    name = shared[int(rng.integers(len(shared)))]
    x0, y0, x1, y1 = two["box"]
    mirrored = one["mirror"] != two["mirror"]
    return Pair(a, b, tuple(here[name][:2]), tuple(there[name][:2]), max(x1 - x0, y1 - y0), mirrored)


def hits(pairs: list[Pair], guesses: NDArray[np.float64], alpha: float = 0.1) -> NDArray[np.bool_]:
    """Which guesses (N, 2) lie within alpha times the target box's long side."""
    distance = np.linalg.norm(guesses - np.array([p.to for p in pairs]), axis=1)
    return distance <= alpha * np.array([p.side for p in pairs])


def same_position(pairs: list[Pair]) -> NDArray[np.float64]:
    """The guess that nothing moved."""
    return np.array([p.at for p in pairs])


def box_relative(pairs: list[Pair], scenes: Scenes) -> NDArray[np.float64]:
    """The guess that the keypoint sits at the same fraction of the (given) target box."""
    boxes = np.array([f["box"] for f in scenes.facts])
    source, target = boxes[[p.source for p in pairs]], boxes[[p.target for p in pairs]]
    fraction = (same_position(pairs) - source[:, :2]) / (source[:, 2:] - source[:, :2])
    return target[:, :2] + fraction * (target[:, 2:] - target[:, :2])


def by_features(grid: Tensor, pairs: list[Pair], pixels: int, search: int = 48) -> NDArray[np.float64]:
    """The most similar place (cosine) of the whole target picture, on a grid of `search` x `search` places."""
    unit = F.normalize(grid, dim=1)
    guesses: list[NDArray[np.float64]] = []
    for start in range(0, len(pairs), 32):
        part = pairs[start : start + 32]
        at = torch.tensor([p.at for p in part], dtype=torch.float32) / pixels * 2 - 1
        queries = F.grid_sample(unit[[p.source for p in part]], at[:, None, None], "bilinear", "border", False)
        targets = F.interpolate(unit[[p.target for p in part]], (search, search), mode="bilinear")
        likeness = (F.normalize(targets, dim=1) * F.normalize(queries, dim=1)).sum(1).flatten(1)
        best = likeness.argmax(1)
        cells = torch.stack([best % search, best // search], dim=1)
        guesses.append(((cells.double() + 0.5) * pixels / search).numpy())
    return np.concatenate(guesses)
