"""What the command line says: tables for people, JSON for machines, complaints on stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["complain", "say", "show_json", "table"]

_WIDE = 240
"""Columns where nobody looks: a pipe or file gets whole rows."""


def console(stderr: bool = False) -> Console:
    """A console as wide as the terminal, or wide enough for any row outside one."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _WIDE, highlight=False)


def say(text: str) -> None:
    """One line for people, never wrapped or re-read as markup."""
    console().print(Text(text), soft_wrap=True)


def complain(text: str) -> None:
    """One line on stderr."""
    line = " ".join(text.split())
    console(stderr=True).print(Text("denoscope: ", "bold red"), Text(line), sep="", soft_wrap=True)


def table(rows: Iterable[Sequence[Any]], head: Sequence[str], right: Sequence[str] = ()) -> None:
    """Rows under a head; columns named in `right` hold numbers."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(value if isinstance(value, Text) else Text(str(value)) for value in row))
    console().print(made)


def show_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """The value as indented JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=1, default=str, ensure_ascii=False) + "\n")
