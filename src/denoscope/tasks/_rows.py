"""What a task was handed: the rows that can be used, and the digests that its report must name."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import canonical
from denoscope.core.task import Facts

__all__ = ["column", "digests", "no_nan", "streamed_digests", "usable"]


def column(facts: Facts, name: str) -> list[Any]:
    """One fact of each row; None where a row lacks it.

    Raises:
        UnknownName: no row has it.
    """
    known = dict.fromkeys(key for row in facts for key in row)
    if name not in known:
        raise unknown("fact", name, known, "store.facts() (denoscope list STORE)")
    return [row.get(name) for row in facts]


def no_nan(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows whose numbers are all finite, `(sample,)`; looked at one by one, so that nothing as large is made."""
    return np.array([bool(np.isfinite(row).all()) for row in values], dtype=bool)


def usable(
    values: NDArray[Any], labels: list[Any], groups: NDArray[Any], fact: str, least: int
) -> tuple[NDArray[np.int64], list[str]]:
    """Rows with numbers, a fact and a class of at least `least` groups; and what was left out, in sentences.

    Raises:
        InputError: fewer than two classes are left.
    """
    finite, stated = no_nan(values), np.array([_plain(label) for label in labels])
    enough = _large(labels, groups, finite & stated, least)
    reasons = {"hold NaN or infinite values": ~finite, f"have no {fact!r}": finite & ~stated}
    reasons[f"are of a {fact!r} that fewer than {least} images show"] = finite & stated & ~enough
    rows = np.flatnonzero(finite & stated & enough)
    classes = {str(labels[i]) for i in rows}
    if len(classes) < 2:
        lost = "; ".join(f"{lost.sum()} of {len(labels)} rows {why}" for why, lost in reasons.items() if lost.any())
        raise InputError(
            f"a probe of {fact!r} needs two classes of at least {least} images each; {len(classes)} of "
            f"{len(set(map(str, labels)))} values are that frequent{f' ({lost})' if lost else ''}; "
            "fewer folds, or a fact of fewer values, may do: denoscope list STORE names the facts"
        )
    return rows, [f"{lost.sum()} of {len(labels)} rows {why} and were left out." for why, lost in reasons.items()
                  if lost.any()]  # fmt: skip


def digests(activations: Activations, facts: Facts) -> dict[str, str]:
    """SHA-256, 16 digits, of the values and of the facts; and the recipe's, where the values carry one.

    Raises:
        InputError: facts and activations differ in length.
    """
    if len(facts) != len(activations):
        raise InputError(f"{len(activations)} rows of activations came with the facts of {len(facts)}")
    return streamed_digests([activations], facts)


def streamed_digests(batches: Iterable[Activations], facts: Facts) -> dict[str, str]:
    """As `digests`, of batches that need never be in memory together."""
    values, ids, recipe = sha256(), list[str](), dict[str, str]()
    for batch in batches:
        values.update(np.ascontiguousarray(batch.numpy()).data.cast("B"))
        ids += batch.ids
        recipe = {"recipe": batch.recipe.digest} if batch.recipe else {}
    told = "\0".join([*ids, *(_spell(row) for row in facts)])
    return {**recipe, "values": values.hexdigest()[:16], "facts": sha256(told.encode()).hexdigest()[:16]}


def _plain(label: Any) -> bool:
    """Whether a fact can be a class: text, a number that is no NaN, yes or no."""
    return isinstance(label, (str, int, float, np.generic)) and label == label


def _large(labels: list[Any], groups: NDArray[Any], fit: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Rows of classes that at least `least` groups show."""
    members: dict[str, set[int]] = {}
    for i in np.flatnonzero(fit):
        members.setdefault(str(labels[i]), set()).add(int(groups[i]))
    return np.array([len(members.get(str(label), ())) >= least for label in labels])


def _spell(row: Any) -> str:
    """One row's plain facts; arrays are the data set's and are not evaluated on."""
    plain = (str, int, float, bool, type(None))
    return canonical({key: value for key, value in row.items() if isinstance(value, plain) and value == value})
