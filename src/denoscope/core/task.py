"""An evaluation: activations and facts in, a report out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from denoscope.core.activations import Activations
from denoscope.core.report import Report
from denoscope.core.sample import Image

__all__ = ["Drawing", "Facts", "Joint", "Pictures", "Preparing", "Streaming", "Task"]

Facts: TypeAlias = Sequence[Mapping[str, Any]]
"""What is known of each row of some activations, in the same order."""

Pictures: TypeAlias = Callable[[str], Image]
"""The RGB picture of a sample by its id, `(row, col, 3)` uint8."""


@runtime_checkable
class Task(Protocol):
    """A frozen dataclass of its own parameters, registered as `@tasks("name")`.

    A task never opens a store or a data set: it is handed arrays and facts, so that it can be tested with a random
    array. Its fields are at once arguments, command-line flags, documentation and record. The first score of its
    report is the headline; scores that say which way is good (`better`) and whose name has no comma are its findings,
    which baselines and twins repeat under `"NAME, BASELINE"`.

    What a task may say beyond `run`, each by having it:
        `arrays: ClassVar[tuple[str, ...]]`: facts that a store does not keep (`"depth"`, `"mask"`, `"image"`, `"pairs"`
            with flow); the verb reads them from the data set, a row at a time, when they are looked at.
        `paired: ClassVar[tuple[str, ...]]`: columns of the report's table that hold the unit and its share in the
            headline, whose mean it is, and a second unit where a row belongs to two, as a pair of images does; with
            them sites and conditions are compared in pairs.
        `together: ClassVar[Mapping[str, tuple[str, ...]]]`: title to scores that a report on several sites draws as
            curves in one figure, such as shares that sum to one.
        `repeated: ClassVar[tuple[str, ...]]`: scores that say no direction and that baselines and twins repeat all
            the same.
        `texts: ClassVar[bool]`: `run_joint` is handed the text encoder's vectors of every prompt as further blocks, at
            the sites `text.last`, `text.mean` and, where the model has it, `text.pooled`.
        `prepare`, `run_batches`, `run_joint`, `draw`: see the protocols below.
    """

    def run(self, activations: Activations, facts: Facts) -> Report:
        """Scores with intervals and baselines, and the table behind them."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """A task that needs less of a batch than what is stored, so that memory stays bounded."""

    def prepare(self, activations: Activations) -> Activations:
        """The part of a batch that `run` works on, such as its pooled vectors."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """A task that never holds all rows: preferred to `run` where both exist."""

    def run_batches(self, batches: Iterable[Activations], facts: Facts) -> Report:
        """As `run`.

        Args:
            batches: of the store's rows in order; may be gone through several times, and is read anew each time.
            facts: of all rows, in the same order.
        """
        ...


@runtime_checkable
class Joint(Protocol):
    """A task that looks at several sites or conditions at once, such as a comparison of sites.

    It is used instead of `run` unless the task has an attribute `joint` that is False.
    """

    def run_joint(self, blocks: Sequence[Activations], facts: Facts) -> Report:
        """As `run`, on the same rows in the same order in every block."""
        ...


@runtime_checkable
class Drawing(Protocol):
    """A task with figures of its own, drawn once per report rather than once per site of a grid."""

    def draw(self, report: Report, pictures: Pictures | None) -> Mapping[str, bytes]:
        """Title to picture (SVG or PNG).

        Args:
            report: what `run` gave.
            pictures: by sample id; None where the data set cannot be opened again.
        """
        ...
