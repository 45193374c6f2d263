"""What a user's own code looks like to a strict type checker: every name that it takes from denoscope has a type."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import denoscope as ds
from denoscope.core.registry import tasks
from denoscope.core.task import Facts
from denoscope.measures.statistics import bootstrap_mean


@dataclass(frozen=True)
class Study:
    """Which sites of a model hold a fact, under which noise."""

    model: str = "embedded"
    fact: str = "category"
    timesteps: tuple[float, ...] = (50.0, 200.0)

    def store(self, out: Path) -> ds.Store:
        """Activations of some scenes."""
        scenes = ds.open_data("menagerie:test", limit=60)
        return ds.extract(ds.load(self.model), scenes, sites="up.*", timesteps=list(self.timesteps), out=out)

    def scores(self, store: ds.Store) -> Iterator[tuple[str, float, float]]:
        """Name and interval of each score."""
        report: ds.Report = ds.evaluate(store, "probe", fact=self.fact)
        for score in report.scores:
            yield score.name, score.low, score.high


@tasks("mean-length")
@dataclass(frozen=True)
class MeanLength:
    """A task of one's own: how long the vectors of an image are on average."""

    power: float = 1.0

    def run(self, activations: ds.Activations, facts: Facts) -> ds.Report:
        """The mean length, with its interval over images."""
        lengths = np.linalg.norm(activations.tokens().numpy(), axis=-1) ** self.power
        recipe = activations.recipe
        inputs = {"recipe": recipe.digest if recipe else "in memory"}
        score = ds.Score("length", **bootstrap_mean(lengths.mean(axis=-1))._asdict(), over="images")
        return ds.Report("mean-length", asdict(self), (score,), inputs, ds.Origin.now(0.0))


def pushed(store: ds.Store, prompt: str) -> list[float]:
    """Learn directions, push one, and say how far the pictures moved, pixel values of 255."""
    learned = ds.learn(store, "topk", site="up.1", atoms=64, k=4, cells=2_000)
    made = ds.steer(ds.load("embedded"), prompt, [ds.add(learned, atom=3, strength=20.0)], steps=10)
    return [float(np.abs(pair).mean()) for pair in made.side_by_side]
