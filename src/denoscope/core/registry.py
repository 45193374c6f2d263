"""Names to things: built-in plug-ins register on import, third parties through entry points.

A plug-in costs one new file in the registry's home folder and one decorator line in it. The folder is only
imported when a name is first looked up, and plug-in modules import heavy packages late.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from threading import RLock
from typing import Any, Generic, TypeVar

from denoscope.core.errors import InputError, unknown

__all__ = ["Entry", "Registry", "data", "dictionaries", "measures", "models", "tasks"]

T = TypeVar("T")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One registered thing: its name, the thing, and the facts that are listed beside it."""

    name: str
    thing: T
    summary: str
    aliases: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Registry(Generic[T]):
    """A dictionary of plug-ins of one kind.

    Args:
        kind: what it holds, in the singular, for messages.
        home: package whose public modules register into it; also the entry-point group of third parties.
        listing: the word after `denoscope list`.
    """

    def __init__(self, kind: str, home: str, listing: str) -> None:
        self.kind = kind
        self.home = home
        self.listing = f"denoscope list {listing}"
        self._entries: dict[str, Entry[T]] = {}
        self._aliases: dict[str, str] = {}
        self._lock = RLock()
        self._loading = False
        self._loaded = False

    def __call__(self, name: str, *, aliases: tuple[str, ...] = (), **facts: Any) -> Callable[[T], T]:
        """Decorator that registers a class or function under `name`; its docstring's first line is the summary."""

        def register(thing: T) -> T:
            summary = (thing.__doc__ or "").strip().split("\n")[0]
            self.add(Entry(name, thing, summary, aliases, facts))
            return thing

        return register

    def add(self, entry: Entry[T]) -> None:
        """Register one entry; a second registration of the same name is an error, of the same thing is not."""
        spellings = {fold(alias): entry.name for alias in (entry.name, *entry.aliases)}
        for taken in {self._aliases[spelling] for spelling in spellings.keys() & self._aliases.keys()}:
            if taken != entry.name or self._entries[taken].thing is not entry.thing:
                raise InputError(f"{self.kind} {taken!r} is registered twice; names and aliases must be unique")
        self._entries[entry.name] = entry
        self._aliases.update(spellings)

    def get(self, name: str) -> T:
        """The thing registered under a name or alias (case and `-_. ` do not matter).

        Raises:
            UnknownName: nothing is registered under it.
        """
        return self.entry(name).thing

    def entry(self, name: str) -> Entry[T]:
        """As `get`, with summary and facts."""
        self._load()
        canonical = self._aliases.get(fold(name))
        if canonical is None:
            raise unknown(self.kind, name, self._entries, self.listing)
        return self._entries[canonical]

    def __contains__(self, name: str) -> bool:
        self._load()
        return fold(name) in self._aliases

    def __iter__(self) -> Iterator[Entry[T]]:
        self._load()
        return iter(self._entries.values())

    def __len__(self) -> int:
        self._load()
        return len(self._entries)

    def _load(self) -> None:
        """Import every plug-in once; other threads wait, and a plug-in that looks something up meanwhile does not."""
        if self._loaded:
            return
        with self._lock:
            if self._loading or self._loaded:
                return
            self._loading = True
            try:
                self._import_all()
                self._loaded = True
            finally:
                self._loading = False

    def _import_all(self) -> None:
        package = import_module(self.home)
        for module in iter_modules(package.__path__):
            if not module.name.startswith("_"):
                import_module(f"{self.home}.{module.name}")
        for point in entry_points(group=self.home):
            point.load()


def fold(name: str) -> str:
    """Spelling that comparisons ignore: `SD-Turbo`, `sd_turbo` and `sdturbo` are one name."""
    return "".join(letter for letter in name.lower() if letter not in "-_. ")


models: Registry[Any] = Registry("model", "denoscope.models", "models")
data: Registry[Any] = Registry("data set", "denoscope.data", "data")
tasks: Registry[Any] = Registry("task", "denoscope.tasks", "tasks")
dictionaries: Registry[Any] = Registry("dictionary", "denoscope.dictionaries", "dictionaries")
measures: Registry[Any] = Registry("measure", "denoscope.measures", "measures")
