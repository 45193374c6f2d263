"""Pages that are made from the registries and the commands: `python .ci/tables.py` writes them anew.

`docs/commands.md` has a row per command, `docs/names.md` one per name that can be asked for, `docs/reproduce.md` one
per study. `tests/test_tables.py` holds the pages to what this script would write.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from denoscope.cli.app import COMMANDS
from denoscope.core import registry
from denoscope.reproduce import studies
from denoscope.reproduce.study import Study

DOCS = Path(__file__).resolve().parents[1] / "docs"
ELSEWHERE = {
    "demo": "tour", "noise": "conditions", "plan": "extract", "import": "interchange", "convert": "interchange",
    "push": "interchange", "pull": "interchange", "export": "explore", "align": "tasks/alignability",
    "renoised": "learn", "dictionary": "formats", "faithful": "interpret", "drift": "devices", "memory": "devices",
    "list": "names", "migrate": "store", "doctor": "install",
}  # fmt: skip
"""Commands that are told on another page than that of their name."""
PYTHON = {
    "sites": ("Model", "model.sites"),
    "plan": ("Model", "model.plan"),
    "noise": ("Model", "model.snr"),
    "import": ("import_features", "ds.import_features"),
    "dictionary": ("load_dictionary", "ds.load_dictionary"),
    "migrate": ("Store", "store.migrate"),
}
"""What does a command's work, where the name is another one: in the reference, and as it is written."""
_BEGIN, _END = "<!-- made by .ci/tables.py -->\n", "<!-- end -->\n"

_COMMANDS = """\
# Commands

Every command takes `--help`, which tells the unit and the default of each flag. Where something is measured `--json`
prints it for programs, long work shows a bar with the time left (`--no-progress` hides it), and bad input ends in one
line that says what was asked for and what there is, with exit status 2. Interrupted work (status 130) goes on when the
same command is given again.

"""
_NAMES = """\
# Names

Everything that is asked for by name: `denoscope list models`, `tasks`, `data`, `dictionaries`, `measures` and `studies`
print these tables, with `--json` for programs. A name that does not exist is answered with the nearest ones.

```bash
denoscope list dictionaries
denoscope list data --check menagerie  # the words that a spec may contain
denoscope list studies
```

A name of your own is one file and one line in this repository, as CONTRIBUTING.md tells, or an entry point of your
package in the group `denoscope.tasks`, `denoscope.models`, `denoscope.data`, ....
"""


def main() -> int:
    """Write the pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text)
    return 0


def pages() -> dict[str, str]:
    """Page to what it should hold."""
    return {"commands.md": commands(), "names.md": names(), "reproduce.md": within("reproduce.md", _studies())}


def commands() -> str:
    """One row per command: what it does, where it is told, and the function of the same work."""
    rows = ((f"`{name}`", _first(COMMANDS[name]), _link(name), _python(name)) for name in COMMANDS)
    return _COMMANDS + _table(("command", "what it does", "read", "in Python"), rows)


def names() -> str:
    """One table per registry."""
    sections = [
        ("Models", _models()),
        ("Tasks", _table(("task", "what it measures"), ((_page(e.name), e.summary) for e in _sorted(registry.tasks)))),
        ("Data sets", _table(("data", "spec", "what it is"), map(_data, _sorted(registry.data)))),
        ("Dictionaries", _table(("dictionary", "what it is"), map(_plain, _sorted(registry.dictionaries)))),
        ("Measures", _table(("measure", "what it is"), map(_plain, registry.measures))),
        ("Studies", "[Reproduce](reproduce.md#studies) lists the published tables and figures.\n"),
    ]  # fmt: skip
    return _NAMES + "".join(f"\n## {title}\n\n{text}" for title, text in sections)


def within(page: str, table: str) -> str:
    """The page with what stands between its two marks replaced."""
    before, begin, rest = (DOCS / page).read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        sys.exit(f"docs/{page} has lost the marks {_BEGIN.strip()} and {_END.strip()}")
    return before + begin + "\n" + table + "\n" + end + after


def place(command: str) -> tuple[str, str]:
    """Page and heading under which a command is told: its own page, or that whose blocks show it most; or nothing."""
    own = ELSEWHERE.get(command, command)
    found = {page.relative_to(DOCS).as_posix(): _shows(page.read_text(), command) for page in _told()}
    page = f"{own}.md" if f"{own}.md" in found else max(sorted(found), key=lambda name: len(found[name]))
    if not found[page]:
        return "", ""
    return page, "" if page == f"{command}.md" else found[page][0]


def anchor(heading: str) -> str:
    """The address of a heading within its page, as the site makes it."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())


def _told() -> Iterator[Path]:
    """Pages that tell of single commands."""
    yield from (page for page in [*DOCS.glob("*.md"), *DOCS.glob("tasks/*.md")] if page.name not in _LISTS)


_LISTS = {"index.md", "commands.md", "comparison.md", "figures.md"}


def _shows(text: str, command: str) -> list[str]:
    """The heading above each use of a command in a block of code."""
    heading, inside, found = "", False, list[str]()
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside
        elif line.startswith("#") and not inside:
            heading = line.lstrip("# ")
        elif inside and re.search(rf"\bdenoscope {command}\b", line):
            found.append(heading)
    return found


def _link(command: str) -> str:
    page, heading = place(command)
    if not page:
        return ""
    title = (DOCS / page).read_text().partition("\n")[0].lstrip("# ")
    section = f"#{anchor(heading)}" if heading and heading != title else ""
    return f"[{title}{': ' + heading.lower()[0] + heading[1:] if section else ''}]({page}{section})"


def _python(command: str) -> str:
    name, written = PYTHON.get(command, (command, f"ds.{command}"))
    where = re.search(rf"^::: (\S+\.{name})$", (DOCS / "api.md").read_text(), re.MULTILINE)
    return f"[`{written}`](api.md#{where[1]})" if where else ""


def _page(name: str) -> str:
    return f"[`{name}`](tasks/{name}.md)" if (DOCS / f"tasks/{name}.md").exists() else f"[`{name}`](evaluate.md)"


def _models() -> str:
    free = sorted(entry.name for entry in registry.models if not entry.facts.get("repo") and entry.name != "embedded")
    there = sum(bool(entry.facts.get("repo")) for entry in registry.models)
    return _MODELS.format(free=", ".join(f"`{name}`" for name in free), there=there)


_MODELS = """\
`embedded` comes with the package. {free} have random weights and need no download. {there} checkpoints are fetched
from the Hub by name: [checkpoints](models.md) tells repositories, revisions, licences and where to read them.
"""


def _data(entry: registry.Entry[object]) -> tuple[str, ...]:
    return f"`{entry.name}`", f"`{entry.facts['argument']}`" if "argument" in entry.facts else "", entry.summary


def _plain(entry: registry.Entry[object]) -> tuple[str, ...]:
    return f"`{entry.name}`", entry.summary


def _sorted(entries: Iterable[registry.Entry[object]]) -> list[registry.Entry[object]]:
    return sorted(entries, key=lambda entry: entry.name)


def _studies() -> str:
    rows = ((f"`{name}`", one.title, _numbers(one), ", ".join(f"`{model}`" for model in one.models))
            for name, one in studies().items())  # fmt: skip
    return _table(("study", "what it is", "published numbers", "of"), rows)


def _numbers(one: Study) -> str:
    """How many published numbers, or shapes, stand beside ours."""
    values = sum(value is not None for block in one.published for row in block.values.values() for value in row)
    total = values + sum(len(block.shapes) for block in one.published)
    return f"{total:,}" if total else "none"


def _first(command: object) -> str:
    return " ".join((command.__doc__ or "").strip().split("\n\n")[0].split())


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
