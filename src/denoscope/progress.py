"""A bar with rate and time left, for work that takes more than a moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(what: str, total: int, show: bool = True) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances a bar on stderr by a number of units.

    Args:
        what: is going on, in a word.
        total: units.
        show: draw it at all.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("left"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=not show) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
