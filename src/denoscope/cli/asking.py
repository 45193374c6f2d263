"""Work that may fill a disk: a terminal is asked, anything else needs `--yes`."""

import math
import sys
from collections.abc import Callable
from typing import Annotated, TypeVar

from tyro.conf import FlagCreatePairsOff, arg

from denoscope.cli.output import complain, console
from denoscope.core.rank import rank
from denoscope.store.room import SHARE, NeedsRoom

__all__ = ["Yes", "with_room"]

Made = TypeVar("Made")
Yes = Annotated[
    FlagCreatePairsOff[bool], arg(help=f"fill more than {SHARE:.0%} of the free disk, where it must be, without asking")
]


def with_room(work: Callable[[float], Made], yes: bool) -> Made:
    """What `work` makes, given the share of the free disk that it may fill.

    Args:
        work: refuses, with `NeedsRoom`, to fill more.
        yes: any share is right.

    Raises:
        NeedsRoom: it would fill more, and nobody said yes.
    """
    try:
        return work(math.inf if yes else SHARE)
    except NeedsRoom as error:
        if yes or not (rank().alone and sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        from rich.prompt import Confirm

        complain(str(error))
        if not Confirm.ask("Go on?", console=console(stderr=True), default=False):
            raise
        return work(math.inf)
