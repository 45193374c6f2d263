"""Which features are of which picture: by the ends of their paths."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from denoscope.core.errors import InputError
from denoscope.data.folder import SUFFIXES
from denoscope.interchange.imported.rows import Entry

__all__ = ["Matcher", "short_names"]


class Matcher:
    """Finds the features of a picture by its id.

    A name and an id belong together when one is the end of the other, part by part, and without suffixes of pictures:
    `features/cat/1` and `cat/1.jpg`.

    Args:
        entries: of a part.
        ordered: entries are in the order of the pictures, whatever their names.
    """

    def __init__(self, entries: Sequence[Entry], ordered: bool = False) -> None:
        self._entries, self._ordered = entries, ordered
        self._by_end: dict[tuple[str, ...], list[int]] = {}
        self._taken: dict[int, str] = {}
        for number, entry in enumerate(entries):
            parts = _parts(entry.name)
            for start in range(len(parts)):
                self._by_end.setdefault(parts[start:], []).append(number)
        self._whole = {_parts(entry.name): number for number, entry in enumerate(entries)}

    def find(self, id: str, position: int) -> Entry | None:
        """The features of a picture; None where there are none.

        Raises:
            InputError: several features fit one picture, or one fits several.
        """
        number = position if self._ordered else self._number(id)
        if number is None or number >= len(self._entries):
            return None
        if (other := self._taken.setdefault(number, id)) != id:
            raise InputError(
                f"the features {self._entries[number].name!r} fit two pictures, {other!r} and {id!r}; "
                "name files of features by more of the path"
            )
        return self._entries[number]

    @property
    def left(self) -> list[str]:
        """Names of features that no picture was found for."""
        return [entry.name for number, entry in enumerate(self._entries) if number not in self._taken]

    def _number(self, id: str) -> int | None:
        parts = _parts(id)
        found = self._by_end.get(parts, [])
        if len(found) > 1:
            names = ", ".join(self._entries[number].name for number in found[:3])
            raise InputError(f"{len(found)} features fit the picture {id!r}: {names}; keep one set of them")
        if found:
            return found[0]
        return next((self._whole[parts[k:]] for k in range(1, len(parts)) if parts[k:] in self._whole), None)


def _parts(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    plain = path.with_suffix("") if path.suffix.lower() in SUFFIXES else path
    return tuple(part for part in plain.parts if part not in (".", "/"))


def short_names(entries: Sequence[Entry]) -> list[str]:
    """Names without the outer folders that all have in common: ids of pictures that are not there.

    Raises:
        InputError: two features have one name.
    """
    names = [_parts(entry.name) for entry in entries]
    if len(set(names)) < len(names):
        raise InputError("two features are of one name; keep one set of them in the folder")
    shared = 0
    while len(names) > 1 and all(len(one) > shared + 2 and one[shared] == names[0][shared] for one in names):
        shared += 1
    return ["/".join(name[shared:]) for name in names]
