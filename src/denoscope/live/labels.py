"""What atoms were found to stand for, as reports of `interpret` in a store tell it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from denoscope.core.errors import DenoscopeError
from denoscope.explorer.server.steershapes import SteerSource
from denoscope.store.store import Store

__all__ = ["labelled"]

_TASK = "interpret-"
_SURE = 0.05
"""False discovery rate up to which a word is told."""
_HALF = 0.5
"""F1 from which on the class of a factor is told where no word is."""
Key = tuple[str, str, int]


def labelled(sources: Sequence[SteerSource], store: Store) -> list[SteerSource]:
    """Sources with the labels of their atoms.

    A report tells kind, site and number of atoms, but not which dictionary it looked at: where two of a store are alike
    in all of these, neither is given the labels.
    """
    alike = Counter(_key(source) for source in sources)
    wanted = {key for key, number in alike.items() if number == 1 and key[2] > 1}
    known = _reports(store, wanted)
    return [
        source.model_copy(update={"labels": known[_key(source)]}) if _key(source) in known else source
        for source in sources
    ]


def _key(source: SteerSource) -> Key:
    return source.kind, source.site, source.atoms


def _reports(store: Store, wanted: set[Key]) -> dict[Key, list[str]]:
    """Labels by kind, site and number of atoms; the report that comes last by name counts."""
    found: dict[Key, list[str]] = {}
    for name in store.reports if wanted else ():
        if not name.startswith(_TASK):
            continue
        try:
            report = store.report(name)
        except DenoscopeError:
            continue
        told = report.parameters
        key = (report.task.removeprefix(_TASK), str(told.get("site", "")), int(told.get("atoms", 0)))
        if key in wanted:
            found[key] = _labels(report.table, [str(fact) for fact in told.get("facts", ())])
    return found


def _labels(table: Mapping[str, Any], facts: Sequence[str]) -> list[str]:
    """A word for each atom where its images' captions tell one, else the class of a factor that it detects."""
    words, sure = table.get("word"), table.get("q of the word")
    rows = len(next(iter(table.values()), ()))
    if words is not None and sure is not None:
        return [
            word if word and q is not None and q <= _SURE else _class(table, facts, row)
            for row, (word, q) in enumerate(zip(words, sure, strict=True))
        ]
    return [_class(table, facts, row) for row in range(rows)]


def _class(table: Mapping[str, Any], facts: Sequence[str], row: int) -> str:
    told = [(table[f"F1 of {fact}"][row], str(table[fact][row])) for fact in facts if f"F1 of {fact}" in table]
    known = [(score, label) for score, label in told if score is not None and score >= _HALF]
    return max(known)[1] if known else ""
