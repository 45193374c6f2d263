"""What a call of `learn` comes to: the dictionary, the source of its cells, how many of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from denoscope.chosen import loaded, opened
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.recipe import Recipe
from denoscope.core.registry import dictionaries, models
from denoscope.core.site import Site
from denoscope.dictionaries.base import Learned
from denoscope.learn.reading import Images, Reading, source_of
from denoscope.learn.source import Source
from denoscope.learn.stored import stored
from denoscope.store.place import Place
from denoscope.store.store import Store

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["Work", "prepared"]


@dataclass(frozen=True)
class Work:
    """One training.

    Attributes:
        made: the dictionary, which knows nothing yet.
        place: the store that is read; None where a model is.
        source: of the cells.
    """

    made: Learned
    place: Store | None
    source: Source

    @property
    def batch(self) -> int:
        """Cells of one step."""
        return int(getattr(self.made.settings, "batch", 1024))

    @property
    def goal(self) -> int:
        """Cells that are learned from."""
        return int(getattr(self.made.settings, "cells", 0)) or self.source.per_turn

    @property
    def most(self) -> int | None:
        """Cells that are read in all, where reading takes long."""
        return None if self.source.cheap else self.goal


def prepared(
    store: "Store | str | Path | Model",
    dictionary: str = "topk",
    site: str | Site | None = None,
    condition: Condition | None = None,
    *,
    timestep: float | None = None,
    timesteps: Sequence[float] | Literal["all"] | None = None,
    recipe: str | Recipe | None = None,
    held_out: float = 0.1,
    data: Images | None = None,
    source: Literal["noised", "generation"] | None = None,
    prompt: str = "",
    prompts: Sequence[str] = (),
    steps: int | None = None,
    guidance: float | None = None,
    cells_per_image: int = 0,
    limit: int | None = None,
    batch_size: int | None = None,
    **settings: Any,
) -> Work:
    """Everything that can be known before the first step; arguments and errors are those of `learn`."""
    made: Learned = dictionaries.get(dictionary)(**settings)
    reading = Reading(source or "noised", prompt, tuple(prompts), steps, guidance, cells_per_image, limit, batch_size)
    wanted = int(getattr(made.settings, "cells", 0))
    place = _place(store, data, source, reading)
    if place is not None:
        return Work(made, place, stored(place, site, condition, timestep, timesteps, recipe, held_out))
    scope = loaded(cast("Any", store))
    found = source_of(scope, data, reading, site, condition, timestep, timesteps, held_out, wanted)
    return Work(made, None, found)


def _place(store: Any, data: Any, source: str | None, reading: Reading) -> Store | None:
    """The store, or None where a model is read.

    Raises:
        InputError: a model without images, or images for a store.
        StoreError: no such store.
    """
    live = data is not None or source is not None or bool(reading.prompts)
    if isinstance(store, Store) and live:
        raise InputError("a store holds what was read; data, source and prompts are for learning from a model")
    named = store if isinstance(store, str) else ""
    if live and named and Place(named).exists() and Store(named).volumes:
        raise InputError(f"{named} is a store, which holds what was read; leave out data, source and prompts")
    if live:
        return None
    if hasattr(store, "stream") or (named in models and not Place(named).exists()):
        raise InputError("a model needs images to read: data='menagerie:train', or a folder; or source='generation'")
    if reading != Reading():
        raise InputError("prompt, steps, guidance, cells_per_image, limit and batch_size are for reading a model")
    return opened(store)
