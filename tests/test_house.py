"""The house: the front door opens on everything, quickly, and the floors are where the design puts them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import denoscope

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "diffusers", "transformers", "numpy", "pyarrow", "matplotlib", "rich", "tyro")


def _loaded_by(code: str) -> set[str]:
    """Heavy modules that a fresh interpreter holds after running some code."""
    probe = f"{code}\nimport sys\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    return set(subprocess.check_output([sys.executable, "-c", probe], text=True).split())


def test_importing_denoscope_loads_nothing_heavy() -> None:
    """Not even numpy; the time itself is measured by `make check`."""
    assert _loaded_by("import denoscope") == set()


def test_help_and_the_nouns_need_no_torch() -> None:
    """A command line that answers at once; a condition that costs no model stack."""
    assert "torch" not in _loaded_by("import denoscope as ds; ds.Condition(timestep=50); ds.Canvas; ds.Store")
    assert "torch" not in _loaded_by("from denoscope.cli.app import COMMANDS")


@pytest.mark.parametrize("name", denoscope.__all__)
def test_every_name_of_the_front_door_opens(name: str) -> None:
    """Each is where the table says, and documented."""
    assert getattr(denoscope, name).__doc__


def test_type_checkers_see_what_runs() -> None:
    """The imports for type checkers, the table of homes and `__all__` name the same things."""
    tree = ast.parse((ROOT / "src/denoscope/__init__.py").read_text())
    (typing_block,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in typing_block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: (node.module or "").removeprefix("denoscope.") for node in imports for alias in node.names}
    assert seen == denoscope._HOME  # pyright: ignore[reportAttributeAccessIssue]
    assert sorted(seen) == sorted(denoscope.__all__)


def test_a_verb_stays_a_function_when_its_module_is_imported() -> None:
    """`import denoscope.extract` binds the module in Python; here the verb wins, whatever came first."""
    for first in ("import denoscope.extract", "from denoscope.extract import extract", "import denoscope.demo"):
        code = f"{first}\nimport denoscope as ds\nassert callable(ds.extract) and callable(ds.evaluate)"
        subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_says_what_there_is() -> None:
    """As every other unknown name does."""
    with pytest.raises(AttributeError, match="interpret, learn, load"):
        _ = denoscope.etxract  # pyright: ignore[reportAttributeAccessIssue]
    assert denoscope.__version__.count(".") == 2  # pyright: ignore[reportAttributeAccessIssue]


def test_sources_are_short() -> None:
    """A file has one subject: none is longer than 420 lines (300 is long)."""
    sources = sorted((ROOT / "src").rglob("*.py"))
    long = {path.name: lines for path in sources if (lines := len(path.read_text().splitlines())) > 420}
    assert sources and not long
