"""Registries: one name, one thing; found under any spelling; loaded once, by any number of threads."""

import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from denoscope.core import registry
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.registry import Entry, Registry, fold


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    """A registry whose home is a package with no module."""
    name = f"home_{tmp_path.name.replace('-', '_')}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    return Registry("fruit", name, "fruits")


def test_names_and_aliases_in_any_spelling(empty: Registry[object]) -> None:
    """Case, dashes, dots, underscores and spaces do not matter; the summary is the docstring's first line."""

    @empty("blood-orange", aliases=("moro",), colour="red")
    class Orange:
        """Sour and red.

        More.
        """

    for name in ("blood-orange", "Blood Orange", "BLOOD_ORANGE", "moro", "Mo.ro"):
        assert empty.get(name) is Orange and name in empty
    entry = empty.entry("moro")
    assert (entry.name, entry.summary, entry.facts) == ("blood-orange", "Sour and red.", {"colour": "red"})
    assert len(empty) == 1 and [one.name for one in empty] == ["blood-orange"]


def test_unknown_names_are_answered(empty: Registry[object]) -> None:
    """A wrong name is answered with the near one and the command that lists all."""
    empty.add(Entry("apple", 1, ""))
    with pytest.raises(UnknownName, match=r"no fruit 'aple'; did you mean apple.*denoscope list fruits"):
        empty.get("aple")


@pytest.mark.parametrize("name,aliases", [("apple", ()), ("Apple", ()), ("pear", ("apple",)), ("pear", ("A-p-ple",))])
def test_a_name_is_taken_once(empty: Registry[object], name: str, aliases: tuple[str, ...]) -> None:
    """Neither a second thing nor another thing's alias can take over a name silently."""
    empty.add(Entry("apple", 1, ""))
    with pytest.raises(InputError, match="registered twice"):
        empty.add(Entry(name, 2, "", aliases))
    assert empty.get("apple") == 1


def test_the_same_thing_may_come_again(empty: Registry[object]) -> None:
    """Reloading a module registers what is there already."""
    thing = object()
    for _ in range(2):
        empty.add(Entry("apple", thing, "", ("a",)))
    assert len(empty) == 1


def test_threads_never_see_half_a_registry(empty: Registry[object], tmp_path: Path) -> None:
    """Whoever looks while another thread is importing the plug-ins waits for all of them."""
    source = f"""
        import sys, time
        time.sleep(0.05)
        sys.modules["{empty.home}"].registry.add(sys.modules["{empty.home}"].entry)
    """
    (tmp_path / empty.home / "late.py").write_text(textwrap.dedent(source))
    package = __import__(empty.home)
    package.registry, package.entry = empty, Entry("apple", 1, "")  # pyright: ignore[reportAttributeAccessIssue]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(empty.get, ["apple"] * 4)) == [1] * 4


def test_a_plug_in_that_cannot_be_imported_is_never_forgotten(empty: Registry[object], tmp_path: Path) -> None:
    """A broken plug-in is told at every look-up, not only at the first."""
    (tmp_path / empty.home / "broken.py").write_text("raise ImportError('no such library')")
    for _ in range(2):
        with pytest.raises(ImportError, match="no such library"):
            empty.get("apple")
    sys.modules.pop(f"{empty.home}.broken", None)


@pytest.mark.parametrize("name", ["models", "data", "measures"])
def test_every_registered_name_finds_itself(name: str) -> None:
    """No alias of ours hides another entry, and every entry is listed with a summary."""
    found: Registry[object] = getattr(registry, name)
    for entry in found:
        assert found.entry(entry.name) is entry and entry.summary
        assert all(found.entry(alias) is entry for alias in entry.aliases)
    assert len({fold(entry.name) for entry in found}) == len(found)
