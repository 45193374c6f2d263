"""Coloured squares whose activations and dictionary are known: a store that a dictionary can be interpreted on."""

from pathlib import Path

import numpy as np

import denoscope as ds
from denoscope.core.frame import Frame, Grid
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.dictionaries.topk import TopK

THINGS = {"cat": (220, 40, 40), "bus": (40, 60, 220), "tree": (30, 160, 60)}
COUNT, SIDE, CHANNELS, PIXELS = 150, 8, 12, 32


def samples() -> list[ds.Sample]:
    """A coloured square on noise: what it is, its caption and its mask."""
    rng, made = np.random.default_rng(0), []
    for i in range(COUNT):
        name = list(THINGS)[i % 3]
        image = rng.integers(90, 160, (PIXELS, PIXELS, 3)).astype(np.uint8)
        segments = np.zeros((PIXELS, PIXELS), dtype=np.int64)
        row, col = 4 * rng.integers(0, 6, 2)
        image[row : row + 8, col : col + 8] = THINGS[name]
        segments[row : row + 8, col : col + 8] = 1
        facts = {"category": name, "caption": f"a {name} on the {('grass', 'sand')[i // 3 % 2]}",
                 "segments": segments, "segment_names": ["background", name]}  # fmt: skip
        made.append(ds.Sample(f"image-{i}", image, facts))
    return made


def directions() -> np.ndarray:
    """Orthonormal; the first three are those of the things."""
    return np.linalg.qr(np.random.default_rng(1).normal(size=(CHANNELS, CHANNELS)))[0].astype(np.float32)


def stored(folder: Path, strength: float) -> ds.Store:
    """A cell under a thing holds its direction, `strength` long, beside noise."""
    rng, pictures = np.random.default_rng(2), samples()
    values = 0.1 * rng.normal(size=(COUNT, CHANNELS, SIDE, SIDE))
    for number, sample in enumerate(pictures):
        mask = sample.facts["segments"].reshape(SIDE, 4, SIDE, 4).mean(axis=(1, 3))
        values[number] += strength * directions()[list(THINGS).index(sample.facts["category"])][:, None, None] * mask
    store = ds.Store(folder, create=True)
    acts = ds.Activations(
        Site("mid"), ds.Condition(timestep=50), values.astype(np.float32), tuple(s.id for s in pictures), "grid",
        (Frame(PIXELS, PIXELS, PIXELS, PIXELS),) * COUNT, Grid(SIDE, SIDE, 4.0),
    )  # fmt: skip
    told = {"name": "made", "fingerprint": "0", "count": COUNT}
    plain = [ds.Sample(s.id, s.image, {k: s.facts[k] for k in ("category", "caption")}) for s in pictures]
    store.put([acts], recipe=Recipe({"name": "planted"}, told, {}, ("mid",), ()), samples=plain)
    return store


def dictionary() -> TopK:
    """The planted directions as atoms."""
    made = TopK(atoms=CHANNELS, k=2)
    made.weights = {"atoms": directions(), "encoder": directions(), "bias": np.zeros(CHANNELS, np.float32)}
    made.about = {"site": "mid", "condition": ds.Condition(timestep=50).to_dict()}
    return made
