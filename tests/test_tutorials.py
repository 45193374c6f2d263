"""The tutorials run, and their pages in the documentation are made from them as they are."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("marimo")

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "tutorials"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
TINY: dict[str, dict[str, Any]] = {
    "your_own_model": {"images": 48, "blocks": ["up.1", "up.2"], "steps": 3, "lessons": 4}
}
"""What the cheapest is asked instead of what it says, which finds nothing; `make tutorials` runs all as they are."""


@pytest.fixture(scope="module")
def tutorials() -> Iterator[ModuleType]:
    """The script that runs them and writes their pages."""
    spec = importlib.util.spec_from_file_location("tutorials", ROOT / ".ci" / "tutorials.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module


@pytest.mark.parametrize("name", TINY)
def test_notebooks_run(name: str, tutorials: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs from an empty folder, and each finding is a sentence and whether it holds."""
    monkeypatch.chdir(tmp_path)
    outputs, names = tutorials.run(FOLDER / f"{name}.py", **TINY[name])
    found = names["findings"]
    assert len(found) >= 3 and {type(bool(holds)) for holds in found.values()} == {bool}
    assert any(re.search(r"\d\.\d+ \[", sentence) for sentence in found), "a finding has an interval"
    assert sum(output is not None for output in outputs) >= 8
    assert any(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_of_these_notebooks(name: str, tutorials: ModuleType) -> None:
    """After a change of a notebook its page is written again, by `make tutorials`; all that was found holds there."""
    page = (FOLDER / f"{name}.md").read_text()
    assert f"made from {tutorials.digest(FOLDER / f'{name}.py')} " in page, "run `make tutorials`"
    code = [cell.code for cell in tutorials.cells(FOLDER / f"{name}.py") if cell.shown]
    assert all(f"```python\n{lines}\n```" in page for lines in code)
    assert "does **not** hold" not in page and page.count("| holds |") >= 3
    for figure in re.findall(r"\]\((figures/[^)]+)\)", page):
        assert (FOLDER / figure).stat().st_size < 150_000
