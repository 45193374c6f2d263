"""What a running model adds to an interpretation: what atoms do, and which words of the captions they lie under."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.condition import Condition
from denoscope.core.errors import DenoscopeError
from denoscope.core.sample import Sample
from denoscope.dictionaries.base import Learned
from denoscope.interpret.acting import Acted, Acting, acted, same
from denoscope.interpret.found import Interpreted
from denoscope.interpret.locating import partners
from denoscope.interpret.walking import Coded
from denoscope.interpret.wording import Scene, Worded, worded
from denoscope.interpret.work import Work
from denoscope.measures.lift import FILLERS

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["Run", "run"]


@dataclass(frozen=True, eq=False)
class Run:
    """What a running model said of some atoms.

    Attributes:
        acted: atom to what changing it does.
        worded: atom to the word whose heat it lies under; empty where the model reads no text by attention.
        silent: why there are no words.
    """

    acted: Mapping[int, Acted]
    worded: Mapping[int, Worded]
    silent: str = ""


def run(
    work: Work, model: "Model", made: Learned, whole: Learned, found: Interpreted, atoms: Sequence[int],
    advance: Callable[[int], Any],
) -> Run:  # fmt: skip
    """Change atoms while a model runs, and lay them on its word heat maps.

    Args:
        work: what is looked at.
        model: that the store was extracted with.
        made: the dictionary as it is at the store's noise level.
        whole: the dictionary at all noise levels.
        found: of it.
        atoms: to be looked at.
        advance: is told of every atom and image.

    Raises:
        InputError: a model that does not give what is stored.
    """
    source, plan = work.source, work.plan
    acting = Acting(model, source.site, source.condition, made, whole, plan.acted_steps, plan.seed)
    first = source.volume.read(source.site, source.condition, np.arange(1))
    same(first.tokens().numpy(), acting.read([work.reader.sample(first.ids[0])]).tokens().numpy())
    count, atlases = plan.acted_images, found.observed.atlases
    numbers = {a: [[number for number, _, _ in atlas.top(a)[:count]] for atlas in atlases] for a in atoms}
    images = {a: _alike([work.reader.sample(source.names[number]) for number in halves[1]])
              for a, halves in numbers.items()}  # fmt: skip
    told = acted(acting, images, partners(found.observed.atlas.density), plan.caption, advance)
    try:
        return Run(told, _words(work, model, made, numbers, advance))
    except DenoscopeError as error:
        return Run(told, {}, str(error))


def _alike(samples: Sequence[Sample]) -> list[Sample]:
    """Those of the shape of the first, which can be read in one batch."""
    return [sample for sample in samples if sample.image.shape == samples[0].image.shape]


def _words(
    work: Work, model: "Model", made: Learned, numbers: Mapping[int, Sequence[Sequence[int]]],
    advance: Callable[[int], Any],
) -> dict[int, Worded]:  # fmt: skip
    """The word that each atom lies under."""
    wanted: dict[int, list[tuple[int, int]]] = {}
    for a, halves in numbers.items():
        for half, some in enumerate(halves):
            for number in some:
                wanted.setdefault(number, []).append((a, half))
    scenes: dict[int, list[Scene]] = {a: [] for a in numbers}
    for image in work.source.coded(made, wanted):
        advance(1)
        maps = _maps(work, model, image)
        for a, half in wanted[image.number]:
            scenes[a].append(Scene(half, image.codes[:, a], maps))
    return {a: worded(some) for a, some in scenes.items()}


def _maps(work: Work, model: "Model", image: Coded) -> dict[str, NDArray[np.float64]]:
    """Heat of every word of an image's caption at its cells; none without a caption."""
    from denoscope.features.heatmaps import looked_at

    sample, how = work.reader.sample(image.name), work.source.condition
    caption = str(work.facts[image.number].get(work.plan.caption) or "")
    if not caption.strip():
        return {}
    level = how.timestep if how.timestep is not None else 400.0
    asked = Sample(sample.id, sample.image, {**sample.facts, "prompt": caption})
    seen = looked_at(model, [asked], [Condition(timestep=level, prompt="{prompt}", seed=how.seed)])[0]
    index, pixels = image.under(sample.image.shape[:2])
    return {
        word: (np.bincount(index, seen.word(word).reshape(-1), image.grid.cells) / pixels)[image.cells]
        for word in dict.fromkeys(word.lower() for word in seen.words)
        if word not in FILLERS
    }
