"""Where cells come from: what a source gives, and which images it keeps for measuring."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.dictionaries.rows import Rows

__all__ = ["Source", "dealt", "done"]

if TYPE_CHECKING:
    from denoscope.dictionaries._training.sharing import Share

log = logging.getLogger(__name__)

Made = TypeVar("Made")


class Source(Protocol):
    """Cells of one site under some conditions, dealt by image into those to learn from and those held out."""

    @property
    def site(self) -> Site:
        """Where they are read."""
        ...

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Under which noise; the held-out images are read under each."""
        ...

    @property
    def recipe(self) -> Recipe:
        """What was asked of the model."""
        ...

    @property
    def per_image(self) -> int:
        """Cells that one image gives under one condition."""
        ...

    @property
    def width(self) -> int:
        """Channels of a cell."""
        ...

    @property
    def per_turn(self) -> int:
        """Cells that one pass gives."""
        ...

    @property
    def cheap(self) -> bool:
        """Whether cells can be read again at little cost."""
        ...

    @property
    def counts(self) -> tuple[int, int]:
        """Images to learn from, and held out."""
        ...

    @property
    def told(self) -> Mapping[str, Any]:
        """What else a report says of it."""
        ...

    def blocks(self, turn: int) -> Iterator[Rows]:
        """Cells to learn from, each image once, in an order of this turn's own; whole images one after the other."""
        ...

    def held(self) -> Iterator[tuple[int, str, NDArray[np.float32]]]:
        """Held-out cells: number of the condition, image, `(cell, channel)`."""
        ...


def done(pieces: Sequence[Callable[[], Iterator[Made]]], share: "Share | None") -> Iterator[Iterable[Made]]:
    """What pieces of work make, in order; of several processes each does some, and sends the others what it made."""
    if share is not None:
        yield from share.dealt([partial(_whole, piece) for piece in pieces])
        return
    for piece in pieces:
        yield piece()


def _whole(piece: Callable[[], Iterator[Made]]) -> list[Made]:
    return [*piece()]


def dealt(ids: Sequence[str], share: float) -> tuple[frozenset[str], frozenset[str]]:
    """Images to learn from, and those held out: those first in an order by hash, never fewer than one.

    Raises:
        InputError: a share that holds out nothing or all.
    """
    if not 0 < share < 1:
        raise InputError(f"held_out must lie between 0 and 1, not {share:g}")
    order = sorted(ids, key=lambda name: sha256(name.encode()).digest())
    count = max(1, round(share * len(order)))
    if count == 1:
        log.warning("one image of %d is held out, which gives no intervals; --held-out 0.3 holds more out", len(order))
    if len(order) <= count:
        raise InputError(f"too few images to hold some out: {len(order)}; a dictionary needs at least two")
    return frozenset(order[count:]), frozenset(order[:count])
