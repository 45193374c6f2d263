"""Documents tell the truth: every block that is not marked otherwise runs, offline, in an empty folder.

Blocks of one page run in order and share their names, like a session. A block whose first line is a comment that
begins with `# not run` is left out, and says why. A block of text after a command shows lines that the command prints:
word by word, numbers as far as machines agree.
"""

import re
import shlex
from pathlib import Path

import pytest

import denoscope
from denoscope.cli import main
from denoscope.core import registry

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted([*DOCS.glob("*.md"), *DOCS.glob("tasks/*.md")])]
_BLOCK = re.compile(r"^```(python|bash|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def _blocks(page: Path) -> list[tuple[str, str]]:
    found = _BLOCK.findall(page.read_text())
    return [(language, code) for language, code in found if not code.startswith("# not run")]


@pytest.fixture(autouse=True)
def registries_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page registers is gone after it."""
    for kind in (registry.models, registry.data, registry.tasks, registry.dictionaries, registry.measures):
        len(kind)
        monkeypatch.setattr(kind, "_entries", dict(kind._entries))
        monkeypatch.setattr(kind, "_aliases", dict(kind._aliases))


@pytest.mark.parametrize("page", [page for page in PAGES if _blocks(page)], ids=lambda page: page.name)
def test_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python blocks are executed, `denoscope` commands in bash blocks are called; anything else must be marked."""
    monkeypatch.chdir(tmp_path)
    session: dict[str, object] = {"__name__": page.stem}
    for language, code in _blocks(page):
        if language == "python":
            exec(compile(code, str(page), "exec"), session)
        elif language == "bash":
            capsys.readouterr()
            _shell(code)
        else:
            _shown(code.splitlines(), capsys.readouterr().out.splitlines())


def _shell(code: str) -> None:
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            assert words[0] == "denoscope", f"mark this block as not run, or make it a denoscope command: {line}"
            assert main(words[1:]) == 0


def _shown(lines: list[str], printed: list[str]) -> None:
    """Every line was printed, with numbers that differ by no more than a tenth, or 0.15 where they are smaller."""
    by_words: dict[str, list[list[float]]] = {}
    for line in printed:
        by_words.setdefault(_words(line), []).append(_numbers(line))
    for line in filter(str.strip, lines):
        told, near = _numbers(line), by_words.get(_words(line), [])
        assert any(all(abs(a - b) <= max(0.15, 0.1 * b) for a, b in zip(told, one, strict=True)) for one in near), line


def _words(line: str) -> str:
    return " ".join(_NUMBER.sub("#", line).split())


def _numbers(line: str) -> list[float]:
    return [float(found) for found in _NUMBER.findall(line)]


def test_what_a_page_shows_is_held() -> None:
    """A line that was not printed, and a number that is another one, are found."""
    _shown(["score  0.50"], ["score 0.52", "other 3"])
    for wrong in ("score 0.9", "scores 0.5", "score 0.5 0.5"):
        with pytest.raises(AssertionError):
            _shown([wrong], ["score 0.52"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links and pictures exist."""
    gone = [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not gone


def test_the_site_lists_every_page_and_the_reference_every_name() -> None:
    """A new page stands in the site's navigation, a new name of the front door in the reference."""
    navigation = (ROOT / "mkdocs.yml").read_text()
    pages = [page.relative_to(DOCS).as_posix() for page in PAGES if page.is_relative_to(DOCS)]
    assert not [page for page in pages if not re.search(rf": {re.escape(page)}$", navigation, re.MULTILINE)]
    listed = {entry.rpartition(".")[2] for entry in re.findall(r"^::: (\S+)$", (DOCS / "api.md").read_text(), re.M)}
    assert listed == set(denoscope.__all__)
