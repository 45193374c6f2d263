"""Judges of pictures that know renderings alone: independent of the model whose pictures they look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from denoscope.core.errors import InputError, unknown
from denoscope.data.menagerie import BACKGROUNDS, CATEGORIES, COLOURS, TEXTURES
from denoscope.measures.statistics import Estimate, wilson

if TYPE_CHECKING:
    from denoscope.models.embedded.training.oracle import Oracle

__all__ = ["Seen", "rendered_judges"]

_CLASSES = {
    "category": tuple(CATEGORIES),
    "colour": tuple(COLOURS),
    "texture": tuple(TEXTURES),
    "background": tuple(BACKGROUNDS),
}
_KEPT = "judge-{scenes}-{epochs}-{seed}.pt"


@dataclass(frozen=True, eq=False)
class Seen:
    """What a small convolutional classifier calls one fact of a picture of the menagerie.

    Attributes:
        network: that looks; all facts share one.
        fact: which.
        accuracy: on renderings of test scenes, one object each.
    """

    network: "Oracle"
    fact: str
    accuracy: Estimate

    def __call__(self, images: Sequence[Any]) -> list[str]:
        """The class of each picture, uint8 RGB `(row, col, 3)`, by what is seen in it and in its mirror image."""
        import torch

        from denoscope.models.embedded.training.latents import to_pixels

        pixels = to_pixels(np.stack([np.asarray(image) for image in images]))
        with torch.no_grad():
            both = (self.network(view)[self.fact].softmax(1) for view in (pixels, pixels.flip(3)))
            return [_CLASSES[self.fact][k] for k in sum(both, torch.zeros(())).argmax(1).tolist()]


def rendered_judges(
    facts: Sequence[str] = ("category", "colour", "background"),
    *,
    scenes: int = 4000,
    epochs: int = 6,
    seed: int = 0,
    tested: int = 400,
    folder: str | Path | None = None,
) -> dict[str, Seen]:
    """Train a classifier on rendered scenes of the menagerie; a minute or two on two cores, once where it is kept.

    Args:
        facts: of `category`, `colour`, `texture` and `background`.
        scenes: renderings of training scenes, one object each.
        epochs: passes over them.
        seed: of scenes, weights and order.
        tested: renderings of test scenes that its accuracy is of.
        folder: keeps the weights, and has them already the next time.

    Raises:
        UnknownName: a fact that it does not learn.
        InputError: too few scenes.
    """
    import torch

    from denoscope.models.embedded.training import oracle as training
    from denoscope.models.embedded.training.latents import to_pixels

    for fact in facts:
        if fact not in training.FACTORS:
            raise unknown("fact", fact, training.FACTORS, "help(denoscope.features.rendered)")
    run = training.OracleRun(scenes=scenes, epochs=epochs, seed=seed)
    if scenes < run.batch or epochs < 1 or tested < 1:
        raise InputError(f"a judge learns from {run.batch} scenes or more, not {scenes}, in one pass or more")
    kept = None if folder is None else Path(folder) / _KEPT.format(scenes=scenes, epochs=epochs, seed=seed)
    if kept is not None and kept.exists():
        network = training.Oracle()
        network.load_state_dict(torch.load(kept, weights_only=True))
        network.eval()
    else:
        images, told = training.single_object_scenes("train", run.size, scenes, seed + 77)
        network = training.train_oracle(run, images, training.labels(told))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            torch.save(network.state_dict(), kept)
    images, told = training.single_object_scenes("test", run.size, tested, seed + 5)
    right = training.score(network, to_pixels(images), training.labels(told))
    return {fact: Seen(network, fact, wilson(int(right[fact].sum()), len(told))) for fact in facts}
