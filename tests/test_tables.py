"""Pages that list names and commands list all of them: made by `.ci/tables.py`, and held to it here."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from denoscope.cli.app import COMMANDS
from denoscope.core import registry

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / ".ci" / "tables.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_as_the_script_writes_them(tables: ModuleType) -> None:
    """Registries, commands and studies."""
    stale = [name for name, text in tables.pages().items() if (DOCS / name).read_text() != text]
    assert not stale, f"run: python .ci/tables.py, then look at {', '.join(stale)}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_told_on_a_page(tables: ModuleType, command: str) -> None:
    """The page exists, shows the command in a block of code, and has the section that is linked."""
    page, heading = tables.place(command)
    assert page, f"no page shows `denoscope {command}` in a block of code"
    text = (DOCS / page).read_text()
    assert re.search(rf"\bdenoscope {command}\b", text)
    assert not heading or re.search(rf"^#+ {re.escape(heading)}$", text, re.MULTILINE)


def test_a_command_that_no_page_shows_is_found(tables: ModuleType) -> None:
    """So that a new one cannot be forgotten."""
    assert tables.place("teleport") == ("", "")


def test_hand_written_tables_leave_nothing_out() -> None:
    """Tasks in `evaluate.md`, dictionaries in `learn.md`, data sets in `data.md`, extras in `install.md`."""
    assert _first_column(DOCS / "evaluate.md", "task") == _ours(registry.tasks)
    learned = _first_column(DOCS / "learn.md", "name")
    assert learned < _ours(registry.dictionaries) <= set(re.findall(r"`([\w-]+)`", (DOCS / "learn.md").read_text()))
    assert _ours(registry.data) <= set(re.findall(r"`([\w-]+)", (DOCS / "data.md").read_text()))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert _first_column(DOCS / "install.md", "extra") == {*project["optional-dependencies"]} - OF_DEVELOPERS


OF_DEVELOPERS = {"test", "docs", "dev", "release"}


def _ours(known: registry.Registry[Any]) -> set[str]:
    """Names that come with the package, not with one that is installed beside it."""
    return {entry.name for entry in known if entry.thing.__module__.startswith("denoscope.")}


def _first_column(page: Path, head: str) -> set[str]:
    """Names in code in the first column of the table whose head begins with this word."""
    table = page.read_text().partition(f"\n| {head} |")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| \[?`([\w-]+)`", table, re.MULTILINE))


def test_anchors_of_links_exist(tables: ModuleType) -> None:
    """`page.md#section` leads to a heading of that page, or to a name of the reference."""
    names = set(re.findall(r"^::: (\S+)$", (DOCS / "api.md").read_text(), re.MULTILINE))
    gone = []
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target, section in re.findall(r"\]\(([^)#:\s]*\.md)?#([^)\s]+)\)", page.read_text()):
            there = (page.parent / target if target else page).read_text()
            headings = {tables.anchor(found) for found in re.findall(r"^#+ (.+)$", there, re.MULTILINE)}
            if section not in headings | names:
                gone.append(f"{page.relative_to(ROOT)}: {target}#{section}")
    assert not gone


def test_figures_name_scripts_and_files_that_exist() -> None:
    """Every benchmark stands in `figures.md`, and so does every picture of README and first page."""
    told = (DOCS / "figures.md").read_text()
    named = set(re.findall(r"\b(\w+)\.py\b", told))
    assert {script.stem for script in (ROOT / "benchmarks").glob("*.py")} <= named
    kept = re.findall(r"`((?:benchmarks/faults|docs|src)/[\w./-]+)`", told)
    assert kept and not [path for path in kept if not (ROOT / path).exists()]
    shown = {Path(name).name for page in ("README.md", "docs/index.md")
             for name in re.findall(r"!\[.*?\]\((\S+)\)", (ROOT / page).read_text())}  # fmt: skip
    assert all(Path("docs/images", name).match("docs/images/explorer_*.webp") for name in shown)
