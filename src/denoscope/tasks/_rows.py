"""What a task was handed: the rows that can be used, and the digests that its report must name."""

from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import canonical
from denoscope.core.task import Facts

__all__ = ["column", "digests", "no_nan"]


def column(facts: Facts, name: str) -> list[Any]:
    """One fact of each row; None where a row lacks it.

    Raises:
        UnknownName: no row has it.
    """
    known = dict.fromkeys(key for row in facts for key in row)
    if name not in known:
        raise unknown("fact", name, known, "store.facts()")
    return [row.get(name) for row in facts]


def no_nan(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows whose numbers are all finite, `(sample,)`."""
    return np.asarray(np.isfinite(values.reshape(len(values), -1)).all(axis=1))


def digests(activations: Activations, facts: Facts) -> dict[str, str]:
    """SHA-256, 16 digits, of the values and of the facts; and the recipe's, where the values carry one.

    Raises:
        InputError: facts and activations differ in length.
    """
    if len(facts) != len(activations):
        raise InputError(f"{len(activations)} rows of activations came with the facts of {len(facts)}")
    values = np.ascontiguousarray(activations.numpy())
    told = "\0".join([*activations.ids, *(_spell(row) for row in facts)])
    recipe = {"recipe": activations.recipe.digest} if activations.recipe else {}
    return {**recipe, "values": _short(values.tobytes()), "facts": _short(told.encode())}


def _spell(row: Any) -> str:
    """One row's plain facts; arrays are the data set's and are not evaluated on."""
    plain = (str, int, float, bool, type(None))
    return canonical({key: value for key, value in row.items() if isinstance(value, plain) and value == value})


def _short(raw: bytes) -> str:
    return sha256(raw).hexdigest()[:16]
