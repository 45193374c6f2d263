"""An evaluation: activations and facts in, a report out."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from denoscope.core.activations import Activations
from denoscope.core.report import Report

__all__ = ["Facts", "Task"]

Facts = Sequence[Mapping[str, Any]]
"""What is known of each row of some activations, in the same order."""


@runtime_checkable
class Task(Protocol):
    """A frozen dataclass of its own parameters, registered as `@tasks("name")`.

    A task never opens a store or a data set: it is handed arrays and facts, so that it can be tested with a random
    array. Its fields are at once arguments, command-line flags, documentation and record.
    """

    def run(self, activations: Activations, facts: Facts) -> Report:
        """Scores with intervals and baselines, and the table behind them."""
        ...
