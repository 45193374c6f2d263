"""Runs the tutorials and writes what they show as pages of the documentation: `python .ci/tutorials.py [NAME ...]`.

A page holds the notebook's prose, code, tables and figures, and the digest of the notebook that it was made from; a
finding that does not hold ends the run. The notebooks run in an empty folder, so that nothing is taken from before.
"""

import ast
import importlib.util
import io
import os
import re
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "tutorials"
FINDINGS = "findings"
"""What every notebook defines: sentence to whether it holds."""


class Cell(NamedTuple):
    """One cell of a notebook: its code, and whether readers see it."""

    code: str
    shown: bool


def notebooks(*names: str) -> list[Path]:
    """The notebooks, or those of some names."""
    found = sorted(FOLDER.glob("*.py"))
    unknown = set(names) - {path.stem for path in found}
    if unknown:
        raise SystemExit(f"no tutorial {', '.join(unknown)}; there are {', '.join(path.stem for path in found)}")
    return [path for path in found if not names or path.stem in names]


def digest(notebook: Path) -> str:
    """What its page says that it was made from."""
    return sha256(notebook.read_bytes()).hexdigest()[:16]


def cells(notebook: Path) -> list[Cell]:
    """The cells, in order: functions with the decorator `app.cell`."""
    source = notebook.read_text()
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    return [Cell(_body(source, function), "hide_code" not in ast.unparse(function.decorator_list[0]))
            for function in functions]  # fmt: skip


def _body(source: str, function: ast.FunctionDef) -> str:
    """The cell's own lines, without the `return` that hands its names to other cells."""
    last = function.body[-1]
    end = last.lineno - 1 if isinstance(last, ast.Return) else function.end_lineno
    lines = source.splitlines()[function.body[0].lineno - 1 : end]
    start = function.lineno  # comments before the first statement belong to the cell
    before = [line for line in source.splitlines()[start : function.body[0].lineno - 1] if line.strip().startswith("#")]
    return textwrap.dedent("\n".join([*before, *lines])).strip()


def run(notebook: Path, **instead: Any) -> tuple[list[Any], Mapping[str, Any]]:
    """What each cell shows, and all names that were defined.

    Args:
        notebook: its file.
        instead: names and values in place of the cells that define them, which are left out.
    """
    found = importlib.util.spec_from_file_location(notebook.stem, notebook)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    outputs, names = module.app.run(defs=instead or None)
    return list(outputs), names


def page(notebook: Path, outputs: list[Any], seconds: float, figures: Path) -> str:
    """The page; figures are written to files on the way."""
    name = notebook.name
    intro = (
        f"<!-- Written by `make tutorials`; made from {digest(notebook)} of {name}, which is what to edit. -->\n",
        f'!!! note "A notebook that was run"\n    `marimo edit docs/tutorials/{name}` opens [this notebook]({name}) '
        f"in a browser, cell by cell; `python docs/tutorials/{name}` runs it. It needs no GPU "
        f"and no download, and {seconds:.0f} s of one core. Every number below was computed in that run.\n",
    )
    numbers = count(1)
    parts: list[str] = []
    for cell, output in zip(cells(notebook), outputs, strict=True):
        if cell.shown:
            parts.append(f"```python\n{cell.code}\n```\n")
        parts.extend(_shown(output, f"{notebook.stem}-", numbers, figures))
    title, _, rest = parts[0].partition("\n")
    return "\n".join([intro[0], title + "\n", intro[1], rest.lstrip("\n"), *parts[1:]]).rstrip() + "\n"


def _shown(output: Any, start: str, numbers: Iterator[int], figures: Path) -> Iterator[str]:
    """What a cell shows, as Markdown."""
    from PIL import Image

    if output is None:
        return
    if isinstance(output, (list, tuple)):
        for part in output:
            yield from _shown(part, start, numbers, figures)
    elif hasattr(output, "_repr_markdown_"):
        yield output._repr_markdown_() + "\n"
    elif hasattr(output, "data") and hasattr(output, "ending"):
        if output.ending == "svg":
            yield _file(output.title, output.data, f"{start}{next(numbers)}.svg", figures)
        else:
            with Image.open(io.BytesIO(output.data)) as picture:
                yield _file(output.title, _webp(picture), f"{start}{next(numbers)}.webp", figures)
    elif isinstance(output, Image.Image):
        yield _file("", _webp(output), f"{start}{next(numbers)}.webp", figures)
    else:
        yield f"```text\n{output}\n```\n"


def _webp(picture: Any) -> bytes:
    data = io.BytesIO()
    picture.convert("RGB").save(data, "webp", quality=88, method=6)
    return data.getvalue()


def _file(title: str, data: bytes, name: str, figures: Path) -> str:
    figures.mkdir(exist_ok=True)
    if name.endswith("svg"):
        data = re.sub(rb"[ \t]+\n", b"\n", data)
    (figures / name).write_bytes(data)
    return f"![{title}](figures/{name})\n"


def write(notebook: Path) -> bool:
    """Run a notebook and write its page; whether all of its findings hold."""
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        outputs, names = run(notebook)
    seconds = time.process_time() - began
    figures = notebook.parent / "figures"
    for old in figures.glob(f"{notebook.stem}-*"):
        old.unlink()
    notebook.with_suffix(".md").write_text(page(notebook, outputs, seconds, figures))
    failed = [sentence for sentence, holds in names[FINDINGS].items() if not holds]
    print(f"{notebook.stem}: {seconds:.0f} s, {len(names[FINDINGS])} findings", *failed, sep="\n  does not hold: ")
    return not failed


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    held = [write(notebook) for notebook in notebooks(*sys.argv[1:])]  # all of them, whatever the first one finds
    sys.exit(not all(held))
