"""A bar with the rate and the time left, for work that takes more than a moment."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, Task

__all__ = ["progress_bar"]

_MEMORY = 1800.0
"""Seconds over which the rate is taken: whole shards of a cluster come minutes apart."""


@contextmanager
def progress_bar(what: str, total: int, show: bool = True) -> Generator[Callable[[int], None]]:
    """Yield a function that advances a bar on stderr by a number of units; nothing is drawn outside a terminal.

    What the first call tells was there before, and counts for nothing in the rate.

    Args:
        what: is going on, in a word.
        total: units.
        show: draw it at all.
    """
    from rich.console import Console

    console = Console(stderr=True)
    with _bar(console, show and console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def _bar(console: Console, show: bool, clock: Callable[[], float] | None = None) -> Progress:
    """The bar; told the time by `clock`."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(_rate(task.finished_speed or task.speed), style="progress.data.speed")

    left = (TextColumn("left"), TimeRemainingColumn(), TextColumn("elapsed"), TimeElapsedColumn())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), *left)
    return Progress(*columns, console=console, disable=not show, speed_estimate_period=_MEMORY, get_time=clock)


def _rate(speed: float | None) -> str:
    """Units per second, or seconds per unit where that is the larger number; nothing before it is known."""
    if not speed:
        return ""
    return f"{speed:.3g}/s" if speed >= 1 else f"{1 / speed:.3g} s each"
