"""Errors that a user can cause or fix.

Each message is one line: what was asked, what exists, the nearest name, how to list. The command line prints
it and exits with status 2; nothing that was written before is lost.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["DenoscopeError", "InputError", "MissingPackage", "StoreError", "UnknownName", "nearest", "unknown"]


class DenoscopeError(Exception):
    """Base of every error that denoscope raises on purpose."""


class InputError(DenoscopeError, ValueError):
    """An argument, file or checkpoint that cannot be used as given."""


class UnknownName(DenoscopeError, LookupError):
    """A name that no registry, model or store knows."""


class MissingPackage(DenoscopeError, ImportError):
    """An optional package that the asked-for work needs."""


class StoreError(DenoscopeError):
    """A store that is absent, of another format version, damaged or full."""


def nearest(asked: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Known names closest to `asked`, best first: by spelling, then by containment."""
    names = list(known)
    lowered = {name.lower(): name for name in reversed(names)}
    close = [lowered[hit] for hit in get_close_matches(asked.lower(), lowered, n=count, cutoff=0.5)]
    inside = [name for name in names if asked and asked.lower() in name.lower() and name not in close]
    return (close + inside)[:count]


def unknown(kind: str, asked: str, known: Iterable[str], listing: str) -> UnknownName:
    """The error for a name that does not exist.

    Args:
        kind: what was looked for, in the singular (`"site"`, `"model"`).
        asked: the name that was given.
        known: every name that would have been accepted.
        listing: the command or attribute that lists them.
    """
    names = list(known)
    close = nearest(asked, names)
    hint = f"did you mean {', '.join(close)}?" if close else f"{len(names)} exist, e.g. {', '.join(names[:3])}."
    if not names:
        hint = "none exists here."
    return UnknownName(f"no {kind} {asked!r}; {hint} List them with: {listing}")
