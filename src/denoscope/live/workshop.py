"""The one place that owns a model while the explorer is served."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.dictionaries.painted import Painted
from denoscope.explorer.bundle.manifest import LayerEntry
from denoscope.explorer.bundle.reader import Bundle
from denoscope.explorer.server.growing import GrowingBundle
from denoscope.explorer.server.protocol import Watch
from denoscope.explorer.server.shapes import (
    Cost,
    ExactAsk,
    ExactMap,
    ExtractAsk,
    GenerateAsk,
    JobResult,
    ModelEntry,
    PlanAsk,
    SiteEntry,
)
from denoscope.explorer.server.steershapes import ContrastAsk, FactCount, SteerAsk, SteerSource
from denoscope.features.rendered import Seen, rendered_judges
from denoscope.live.atoms import join_galleries
from denoscope.live.catalogue import entries, known, names, sites_of
from denoscope.live.cost import Speeds, cost_of, planned
from denoscope.live.exact import exact_maps
from denoscope.live.making import make_picture
from denoscope.live.reading import conditions_of, read_images
from denoscope.live.samples import Found
from denoscope.live.sources import Shelf, facts_of, told_from
from denoscope.live.steering import Plain, steer_pictures
from denoscope.models.base import Model
from denoscope.store.store import Store

__all__ = ["Workshop"]


class Workshop:
    """Models by name, one in memory at a time, with the store and the bundle that they fill. The server's `Live`.

    Args:
        store: where values are kept.
        bundle: folder of the bundle that is shown.
        pictures: folder of the pictures that were added.
        device, precision: as for `load`.
        dictionaries: folders of dictionaries whose atoms can be pushed, beside those in the store.
    """

    def __init__(
        self,
        store: Store,
        bundle: Path,
        pictures: Path,
        device: str | None = None,
        precision: str | None = None,
        dictionaries: Sequence[Path] = (),
    ) -> None:
        self._store = store
        self._bundle = bundle
        self._pictures = pictures
        self._device, self._precision = device, precision
        self._found = Found(store, pictures)
        self._shelf = Shelf(store, pictures.parent, dictionaries)
        self._plain = Plain()
        self._speeds = Speeds()
        self._lock = threading.RLock()
        self._loaded: tuple[str, Model] | None = None
        self._working = ""

    @property
    def count(self) -> int:
        """How many models have a name."""
        return names()

    def models(self) -> Sequence[ModelEntry]:
        """Every model with a name, those that are here first."""
        return entries()

    def sites(self, model: str) -> Sequence[SiteEntry]:
        """Where a model can be read; its weights are loaded where they were not."""
        return sites_of(self._model(model))

    def plan(self, ask: PlanAsk) -> Cost:
        """What reading would take, without reading."""
        conditions, model = conditions_of(ask), self._model(ask.model)
        with self._lock:
            samples = self._found.samples(ask.images)
        return cost_of(planned(model, samples, model.select(ask.sites), conditions), ask.model, model, self._speeds)

    def run(self, ask: ExtractAsk | GenerateAsk | SteerAsk, watch: Watch, bundle: GrowingBundle) -> JobResult:
        """Do the work and add what was found to store and bundle."""
        if not isinstance(ask, SteerAsk):
            conditions_of(ask)
        watch.tell(0, 0, f"loading {ask.model}")
        model = self._model(ask.model)
        self._working = ask.model
        try:
            if isinstance(ask, SteerAsk):
                return steer_pictures(ask, model, self._shelf, self._pictures.parent, watch, self._plain, _judges)
            if isinstance(ask, GenerateAsk):
                made = make_picture(ask, model, self._store, bundle, self._pictures, watch)
            else:
                with self._lock:
                    samples = self._found.samples(list(dict.fromkeys(ask.images)))
                made = read_images(ask, model, samples, self._store, bundle, watch, self._speeds)
            join_galleries(self._store, bundle, self._shelf, made.images)
            return made
        finally:
            self._working = ""
            model.forget()

    def exact(self, ask: ExactAsk) -> Sequence[ExactMap]:
        """Maps with the values of the store."""
        shown = Bundle(self._bundle)
        return exact_maps(ask, shown.manifest, shown.blobs, Store(self._store.place.url))

    def direction(
        self, atom: NDArray[np.float32], centre: NDArray[np.float32], about: Mapping[str, Any], folder: Path
    ) -> None:
        """Save a direction as a dictionary of one atom."""
        Painted.of(atom, centre, about).save(folder)

    def sources(self) -> Sequence[SteerSource]:
        """Directions that can be pushed."""
        return self._shelf.sources()

    def facts(self, layer: str) -> Sequence[FactCount]:
        """What is known of the pictures behind a layer."""
        return facts_of(self._store, self._layer(layer))

    def contrast(self, ask: ContrastAsk, folder: Path) -> None:
        """Save the direction towards a value of a fact."""
        told_from(self._store, self._layer(ask.layer), ask).save(folder)

    def _layer(self, name: str) -> LayerEntry:
        return Bundle(self._bundle).layer(name)

    def _model(self, name: str) -> Model:
        """A model by name, never from the network; while one works, no other is loaded beside it.

        Raises:
            UnknownName: no such name.
            InputError: its weights are not here, with the command that gets them, or another model is working.
        """
        from denoscope.models.loading import load

        card = known(name)
        with self._lock:
            if self._loaded is None or self._loaded[0] != card.name:
                if self._working:
                    raise InputError(f"{self._working} is working and has the memory; ask again when it is done")
                self._loaded = None
                self._loaded = (card.name, load(card.name, device=self._device, dtype=self._precision, local_only=True))
            return self._loaded[1]


def _judges() -> Mapping[str, Seen]:
    """Classifiers of renderings, learned once on this machine."""
    return rendered_judges()
