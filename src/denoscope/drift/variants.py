"""The same checkpoint in another precision, with quantised weights, or under another noise."""

from dataclasses import dataclass
from typing import Any

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, unknown
from denoscope.models.quantising import QUANTISATIONS

__all__ = ["NOISE", "PRECISIONS", "Variant", "variants"]

PRECISIONS = ("fp32", "bf16", "fp16")
NOISE = "another noise"
"""The reference itself with the next seed: how much a value changes by what nobody holds against it."""


@dataclass(frozen=True)
class Variant:
    """One way to read the same checkpoint."""

    name: str
    """As it was asked for."""
    dtype: str
    """Precision of all components."""
    quantise: str | None = None
    """How weights of linear layers are kept, if not in that precision."""
    seed: int = 0
    """By how much the seed of the noise is another."""

    @property
    def loading(self) -> dict[str, Any]:
        """Arguments of `load`."""
        return {"dtype": self.dtype, "quantise": self.quantise}

    def conditions(self, asked: list[Condition]) -> list[Condition]:
        """Under which it is read."""
        return [one.at(seed=one.seed + self.seed) for one in asked]


def variants(names: tuple[str, ...], against: str) -> list[Variant]:
    """The reference, its other noise, and what is held against it.

    Args:
        names: `bf16`, `int8` (weights, in the reference's precision), `bf16+int8`.
        against: precision of the reference.

    Raises:
        UnknownName: a precision or quantisation that does not exist.
        InputError: nothing to compare, or two precisions at once.
    """
    if against not in PRECISIONS:
        raise unknown("precision", against, PRECISIONS, "denoscope drift --help")
    made = [_variant(name, against) for name in dict.fromkeys(names)]
    made = [one for one in made if (one.dtype, one.quantise) != (against, None)]
    if not made:
        raise InputError(f"nothing is held against {against}; say for example --variants bf16 int8")
    return [Variant(against, against), Variant(NOISE, against, seed=1), *made]


def _variant(name: str, against: str) -> Variant:
    parts = name.split("+")
    for part in parts:
        if part not in (*PRECISIONS, *QUANTISATIONS):
            raise unknown("precision or quantisation", part, [*PRECISIONS, *QUANTISATIONS], "denoscope drift --help")
    dtypes, ways = [part for part in parts if part in PRECISIONS], [part for part in parts if part in QUANTISATIONS]
    if len(dtypes) > 1 or len(ways) > 1:
        raise InputError(f"{name!r} names two of a kind; one precision and one quantisation go together: bf16+int8")
    return Variant(name, dtypes[0] if dtypes else against, ways[0] if ways else None)
