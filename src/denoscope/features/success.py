"""Does steering do what is meant, and nothing else? Edits chosen on some prompts, judged on others, beside controls."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from denoscope.core.report import Report
from denoscope.features.steerbench import Candidates, steering_bench

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["steering_success"]


def steering_success(
    model: "str | Path | Model", candidates: Candidates, *, progress: bool = False, **options: Any
) -> Report:
    """How often the best of some edits changes the fact that is meant, and how often it changes others.

    Args:
        model: name or path that `load` takes, or a loaded model; it must draw the menagerie.
        candidates: for each target, such as `"background=snow"`, edits by name; those of one name act together. See
            `denoscope.features.candidates` for how they are made of a dictionary.
        progress: show a bar with the time left.
        options: of `steering_bench`: judges, numbers of prompts, control, seed, sampling. Several sets of edits are
            compared on one bench, which makes the pictures without edits once.

    Returns:
        A report: scores over all targets and for each, a row per picture, what was tried.

    Raises:
        InputError: no target, a target without edits, or too few prompts.
        UnknownName: a target that nobody judges.
    """
    return steering_bench(model, progress=progress, **options).success(candidates, progress)
