"""To what size pictures were brought, from what is said and from the shape of the maps."""

from typing import Literal

from denoscope.core.errors import InputError
from denoscope.interchange.imported.laying import Laying
from denoscope.interchange.imported.told import Settled

__all__ = ["laying_of"]

Policy = Literal["stretch", "pad", "crop", "native"]


def laying_of(settled: Settled, policy: Policy, square: bool = True, usual: tuple[int, ...] = ()) -> Laying:
    """How pictures were laid.

    Where no size is said the program's usual one is taken and recorded: a map's cells cover a picture in the same
    way whatever its side. That is so only of squares.

    Args:
        settled: what is said.
        policy: of the program, unless told otherwise.
        square: whether maps are square.
        usual: size, where it is not the one that the format takes.

    Raises:
        InputError: maps are not square, and nobody says why; or a size that does not fit the policy.
    """
    told = settled.told
    policy = told.laid or policy
    if told.size == (0,):
        policy = "native"
    if policy == "native":
        return Laying("native", mirrored=told.flipped)
    if not told.size and not square:
        raise InputError(
            "the maps are not square, so pictures were not brought to a square; say size=WIDTH HEIGHT (--size), "
            "or size=0 where they kept their own"
        )
    size = told.size or settled.assume("size", usual or settled.usual_size)
    first, last = size[0], size[-1]
    if policy == "crop":
        if last > first:
            raise InputError(f"a crop of {last} px does not fit into a shorter side of {first} px; say size=256 224")
        return Laying("crop", last, last, first, told.flipped)
    if policy == "pad":
        if first != last:
            raise InputError(f"pictures are padded to a square; its side is one number, not {first} and {last}")
        return Laying("pad", first, first, mirrored=told.flipped)
    return Laying("stretch", first, last, mirrored=told.flipped)
