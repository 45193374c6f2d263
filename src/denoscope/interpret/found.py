"""What was found of one dictionary."""

from collections.abc import Mapping
from dataclasses import dataclass

from denoscope.interpret.locating import Located
from denoscope.interpret.naming import Names
from denoscope.interpret.observing import Observed
from denoscope.interpret.patches import Seen

__all__ = ["Interpreted"]


@dataclass(frozen=True, eq=False)
class Interpreted:
    """What was found of one dictionary.

    Attributes:
        observed: what its atoms did.
        names: what they are called.
        places: atom to where it is active, for atoms whose word names a segment.
        seen: how alike their patches are, for `looked` atoms.
        looked: these atoms.
        shuffled: share of the atoms that get a word when captions are dealt to other images.
    """

    observed: Observed
    names: Names
    places: Mapping[int, Located]
    seen: Seen | None
    looked: tuple[int, ...]
    shuffled: float
