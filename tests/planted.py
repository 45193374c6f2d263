"""A store whose activations hold a code that is known: a direction per category, and sparse cells."""

from pathlib import Path

import numpy as np

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.frame import Frame, Grid
from denoscope.core.recipe import Recipe
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.store.store import Store

CATEGORIES = ("bus", "cat", "tree")
CHANNELS, SIDE = 16, 4


def recipe(name: str = "planted") -> Recipe:
    """What was asked, by hand."""
    return Recipe({"name": name}, {"name": "made", "fingerprint": "0", "count": 60}, {}, ("mid",), ())


def atoms() -> np.ndarray:
    """A unit direction per row; the first three are the categories'."""
    drawn = np.random.default_rng(7).normal(size=(24, CHANNELS))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def planted_store(path: Path, count: int = 60, timesteps: tuple[int, ...] = (0, 50, 200)) -> Store:
    """Sites `mid` (code of the category at timestep 50 only) and `up.1` (noise)."""
    rng, made = np.random.default_rng(0), []
    for timestep in timesteps:
        for site in ("mid", "up.1"):
            values = rng.normal(size=(count, CHANNELS, SIDE, SIDE)) * 0.5
            if site == "mid" and timestep == 50:
                values += 5 * atoms()[np.arange(count) % 3][:, :, None, None]
            made.append(
                Activations(
                    Site(site), Condition(timestep=timestep), values.astype(np.float32),
                    tuple(f"image-{i}" for i in range(count)), "grid", (Frame(32, 32, 32, 32),) * count,
                    Grid(SIDE, SIDE, 8.0),
                )
            )  # fmt: skip
    store = Store(path, create=True)
    pictures = [
        Sample(f"image-{i}", np.zeros((32, 32, 3), np.uint8), {"category": CATEGORIES[i % 3], "size": i})
        for i in range(count)
    ]
    store.put(made, recipe=recipe(), samples=pictures)
    return store
