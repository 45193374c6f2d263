"""Judges of pictures that know renderings alone: independent of the model whose pictures they look at."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from os import environ, getpid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import canonical
from denoscope.data.menagerie import BACKGROUNDS, CATEGORIES, COLOURS, TEXTURES, Menagerie
from denoscope.measures.statistics import Estimate, wilson
from denoscope.progress import progress_bar

if TYPE_CHECKING:
    import torch

    from denoscope.models.embedded.training.oracle import Oracle, OracleRun

__all__ = ["FACTS", "SCENES", "Seen", "judge_cache", "rendered_judges"]

FACTS = {
    "category": tuple(CATEGORIES),
    "colour": tuple(COLOURS),
    "texture": tuple(TEXTURES),
    "background": tuple(BACKGROUNDS),
}
"""What a rendered judge can tell, and the classes of each."""
SCENES = 14_000
"""Renderings that a judge learns from unless told otherwise; with a third of them it errs three times as often."""
_TOLD = "accuracy"


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

    @property
    def classes(self) -> tuple[str, ...]:
        """What it can call a picture."""
        return FACTS[self.fact]

    def __call__(self, images: Sequence[Any]) -> list[str]:
        """The class of each picture, uint8 RGB `(row, col, 3)`, by what is seen in it and in its mirror image."""
        return [self.classes[k] for k in self.shares(images).argmax(axis=1).tolist()]

    def shares(self, images: Sequence[Any]) -> NDArray[np.float64]:
        """How likely each class is to it, `(picture, class)`, mean of the picture and its mirror image."""
        import torch

        from denoscope.models.embedded.training.latents import to_pixels

        pixels = to_pixels(np.stack([np.asarray(image) for image in images]))
        with torch.no_grad():
            both = [self.network(view)[self.fact].softmax(1) for view in (pixels, pixels.flip(3))]
        return (sum(both, torch.zeros(())) / 2).double().numpy()


def judge_cache() -> Path:
    """Where judges are kept unless told otherwise: `denoscope/judges` in the user's cache."""
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "denoscope" / "judges"


def rendered_judges(
    facts: Sequence[str] = ("category", "colour", "background"),
    *,
    scenes: int = SCENES,
    epochs: int = 7,
    seed: int = 0,
    tested: int = 600,
    folder: str | Path | None = None,
    progress: bool = False,
) -> dict[str, Seen]:
    """Train a classifier on rendered scenes of the menagerie, once: it is kept under the digest of what it learned.

    Six minutes on one core for the scenes that are usual; from then on no time at all.

    Args:
        facts: of `category`, `colour`, `texture` and `background`.
        scenes: renderings of training scenes, one object each.
        epochs: passes over them.
        seed: of scenes, weights and order.
        tested: renderings of test scenes that its accuracy is of.
        folder: where it is kept; `judge_cache()` unless given.
        progress: show a bar while it learns.

    Raises:
        UnknownName: a fact that it does not learn.
        InputError: too few scenes.
    """
    from denoscope.models.embedded.training import oracle as training

    for fact in facts:
        if fact not in FACTS:
            raise unknown("fact", fact, FACTS, "help(denoscope.features.rendered)")
    run = training.OracleRun(scenes=scenes, epochs=epochs, seed=seed)
    if scenes < run.batch or epochs < 1 or tested < 1:
        raise InputError(f"a judge learns from {run.batch} scenes or more, not {scenes}, in one pass or more")
    kept = (judge_cache() if folder is None else Path(folder)) / f"judge-{_digest(run, tested)}.safetensors"
    network, right = _kept(kept) or _made(run, tested, kept, progress)
    return {fact: Seen(network, fact, wilson(right[fact], tested)) for fact in facts}


def _digest(run: "OracleRun", tested: int) -> str:
    """Of the settings, of what the world looks like, and of the network's shape."""
    shapes = {name: list(values.shape) for name, values in _blank().state_dict().items()}
    worlds = [Menagerie(split, run.size, 8, run.seed, 0.0).fingerprint for split in ("train", "test")]
    told = {"run": asdict(run), "tested": tested, "worlds": worlds, "network": shapes, "facts": FACTS}
    return sha256(canonical(told).encode()).hexdigest()[:16]


def _blank() -> "Oracle":
    """A network without weights, so that no random number is drawn."""
    import torch

    from denoscope.models.embedded.training.oracle import Oracle

    with torch.device("meta"):
        return Oracle()


def _kept(path: Path) -> "tuple[Oracle, dict[str, int]] | None":
    """A judge as it was saved, and how many of its test scenes it got right; None where there is none."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            told = json.loads(file.metadata()[_TOLD])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError):
        return None
    network = _blank()
    network.load_state_dict(weights, assign=True)
    return network.eval(), {str(fact): int(count) for fact, count in told.items()}


def _made(run: "OracleRun", tested: int, path: Path, progress: bool) -> "tuple[Oracle, dict[str, int]]":
    """A judge that was trained now, and is kept."""
    from denoscope.models.embedded.training import oracle as training
    from denoscope.models.embedded.training.latents import to_pixels

    with progress_bar("judge learns from renderings", run.epochs + 2, progress) as advance:
        images, told = training.single_object_scenes("train", run.size, run.scenes, run.seed + 77)
        advance(1)
        network = training.train_oracle(run, images, training.labels(told))
        advance(run.epochs)
        images, told = training.single_object_scenes("test", run.size, tested, run.seed + 5)
        scored = training.score(network, to_pixels(images), training.labels(told))
        advance(1)
    right = {fact: int(found.sum()) for fact, found in scored.items()}
    _keep(path, network.state_dict(), right)
    return network, right


def _keep(path: Path, weights: "dict[str, torch.Tensor]", right: dict[str, int]) -> None:
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{getpid()}.part")
    save_file({name: values.contiguous() for name, values in weights.items()}, part, {_TOLD: json.dumps(right)})
    part.replace(path)
