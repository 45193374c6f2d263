"""What the server needs of the part that owns models: handed in, so that the explorer never imports torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from denoscope.explorer.server.growing import GrowingBundle
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

__all__ = ["Cancelled", "Live", "Watch"]


class Cancelled(Exception):
    """The work was told to stop, between two passes."""


class Watch(Protocol):
    """How work tells where it stands and hears that it shall stop."""

    def tell(self, done: int, total: int, message: str = "") -> None:
        """Say how much is done.

        Raises:
            Cancelled: the work shall stop here; what is written stays.
        """
        ...


class Live(Protocol):
    """Models and stores behind the page. `run` is called by one thread at a time; the others by any."""

    @property
    def count(self) -> int:
        """How many models have a name; told at once, without a look at what is on disk."""
        ...

    def models(self) -> Sequence[ModelEntry]:
        """Every model that has a name, and whether it is here."""
        ...

    def sites(self, model: str) -> Sequence[SiteEntry]:
        """Where a model can be read, in computing order; its weights are loaded where they were not."""
        ...

    def plan(self, ask: PlanAsk) -> Cost:
        """What reading would take, without reading."""
        ...

    def run(self, ask: ExtractAsk | GenerateAsk | SteerAsk, watch: Watch, bundle: GrowingBundle) -> JobResult:
        """Do the work and add what was found to the bundle, piece by piece."""
        ...

    def exact(self, ask: ExactAsk) -> Sequence[ExactMap]:
        """Maps with the values of the store."""
        ...

    def direction(
        self, atom: NDArray[np.float32], centre: NDArray[np.float32], about: Mapping[str, Any], folder: Path
    ) -> None:
        """Save a unit vector and the point that it is counted from as a dictionary of one atom."""
        ...

    def sources(self) -> Sequence[SteerSource]:
        """Directions that can be pushed: dictionaries, and what was painted or told from labels."""
        ...

    def facts(self, layer: str) -> Sequence[FactCount]:
        """What is known of the pictures behind a layer, where it has two values or more."""
        ...

    def contrast(self, ask: ContrastAsk, folder: Path) -> None:
        """Save the direction towards a value of a fact as a dictionary of one atom."""
        ...
