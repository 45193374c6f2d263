"""A model whose every pass is counted, and which stops between two passes when it is told to."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from denoscope.core.activations import Activations
from denoscope.models.base import Model

__all__ = ["Watched"]


class Watched:
    """Stands in for a model in `extract` and `generate`: everything is the model's, passes are told first.

    Args:
        model: the model.
        before_pass: called before each forward of the denoiser with how many were done; what it raises ends the work.
    """

    def __init__(self, model: Model, before_pass: Callable[[int], None]) -> None:
        self._model = model
        self._before_pass = before_pass
        self.passes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def run(self, *arguments: Any, **options: Any) -> Any:
        """As `Model.run`, told first."""
        self._before_pass(self.passes)
        found = self._model.run(*arguments, **options)
        self.passes += 1
        return found

    def stream(
        self, samples: Iterable[Any], sites: Any, conditions: Any, **options: Any
    ) -> Iterator[list[Activations]]:
        """As `Model.stream`, through our own `run`."""
        from denoscope.models.reading import stream

        standing: Any = self
        known = {name: options.get(name) for name in ("canvas", "batch_size", "compat")}
        return stream(standing, samples, sites, conditions, **known)
