"""Arguments that do not parse: the parser's box of text as one line, like every other complaint."""

import io
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import partial, wraps
from typing import Any

from denoscope.core.errors import InputError

__all__ = ["deferred", "one_line", "parsed"]

_FRAME = "│╭╮╰╯"
_HELP = 8
"""Further in than this stands help text, which `--help` shows as well."""


def deferred(command: Callable[..., None]) -> Callable[..., Any]:
    """A command that is parsed as `command` is, and gives back what runs it."""

    @wraps(command)
    def later(*values: Any, **options: Any) -> Any:
        return partial(command, *values, **options)

    return later


def parsed(parse: Callable[[], Callable[[], None]], example: str = "") -> Callable[[], None]:
    """What `parse` gives back.

    Args:
        example: a command that is right, for those who left something out.

    Raises:
        InputError: the parser printed a complaint and wanted to exit.
    """
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            made = parse()
    except SystemExit as error:
        if not error.code:
            raise
        raise InputError(_with(example, one_line(said.getvalue()))) from None
    sys.stderr.write(said.getvalue())
    return made


def _with(example: str, said: str) -> str:
    """The complaint, and how it would be right where arguments are missing or too many and nothing is suggested."""
    if not example or not said.startswith(("Missing", "Unrecognized")) or "Perhaps you meant" in said:
        return said
    told, mark, rest = said.partition(". See: ")
    return f"{told}; as in: {example}{mark}{rest}"


def one_line(box: str) -> str:
    """The message, the suggestions and the command for help out of a framed text, without help on single flags."""
    sections: list[list[str]] = [[]]
    for row in box.splitlines()[1:]:
        text = row.strip(_FRAME).rstrip()
        if text.strip(" ─-"):
            sections[-1].append(text)
        elif "─" in row or "--" in row:
            sections.append([])
    parts = [" ".join(_telling(rows)) for rows in sections]
    said = ". ".join(part.rstrip(".") for part in parts if part and not part.startswith("Argument helptext"))
    said = re.sub(r"Error parsing [_a-z][^:\s]*: ", "", said)
    said = re.sub(r"Error parsing (--\S+): Could not find valid parse for arguments: \[(.*?)\]", _unread, said)
    return re.sub(r"For full helptext, (?:see|run):? ", "See: ", said) or "these arguments cannot be read"


def _unread(found: re.Match[str]) -> str:
    return f"{found[1]} cannot be {found[2].replace(chr(39), '') or 'empty'}"


def _telling(rows: list[str]) -> list[str]:
    """Rows without help texts, types of values, repeated suggestions and remarks on where an option belongs."""
    near = [row.strip() for row in rows if len(row) - len(row.lstrip()) < _HELP]
    near = [re.sub(r" \((?:applied to|required).*?\)", "", row) for row in near if not row.startswith("in denoscope")]
    near = [re.sub(r"^(--[-.\w]+) [\[{A-Z].*", r"\1", row) for row in near]
    return near[: near.index(_ORDER)] if _ORDER in near else near


_ORDER = "Arguments are applied to the directly preceding subcommand, so ordering can"
