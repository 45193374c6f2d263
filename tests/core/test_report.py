"""Reports: no number without its interval, no report without its inputs."""

import json
import math
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import InputError, StoreError, UnknownName
from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def report(**changes: Any) -> Report:
    """A report, with what a test changes."""
    made: dict[str, Any] = {
        "task": "probe <b>",
        "parameters": {"folds": 5, "note": "a < b & $c"},
        "scores": (Score("accuracy", 0.5, 0.4, 0.6, 10, "share", "higher", "images"), Score("rank", 3, 3, 3, 1)),
        "inputs": {"store": "abc"},
        "origin": Origin.now(1.0),
        "table": {"site": ["mid", "up.1"], "accuracy": [0.5, 0.6]},
        "figures": {"Accuracy by site": SVG},
        "notes": ("one note",),
    }
    return Report(**made | changes)


@pytest.mark.parametrize("low,high,value", [(0.6, 0.7, 0.5), (0.4, 0.45, 0.5), (0, 1, math.nan), (math.nan, 1, 0.5)])
def test_an_interval_holds_its_value(low: float, high: float, value: float) -> None:
    """A score whose interval misses it, or that is no number, cannot be made."""
    with pytest.raises(InputError, match="misses its value"):
        Score("accuracy", value, low, high, 10)


def test_a_score_averages_over_something() -> None:
    """n = 0 is refused."""
    with pytest.raises(InputError, match="averages over nothing"):
        Score("accuracy", 0.5, 0.5, 0.5, 0)


@pytest.mark.parametrize("inputs", [{}, {"store": ""}])
def test_a_report_needs_input_digests(inputs: dict[str, str]) -> None:
    """A finding that cannot be traced to its inputs cannot be reported."""
    with pytest.raises(InputError, match="digests of its inputs"):
        report(inputs=inputs)


def test_a_table_is_rectangular() -> None:
    """Columns of different length are refused, with their lengths."""
    with pytest.raises(InputError, match="differ in length"):
        report(table={"a": [1], "b": [1, 2]})


def test_save_and_load(tmp_path: Path) -> None:
    """A report read back has the same scores, parameters, table, figures and notes."""
    folder = report().save(tmp_path / "new" / "report")
    again = Report.load(folder)
    assert again.scores == report().scores and again.parameters == report().parameters
    assert dict(again.table) == report().table and again.notes == ("one note",)
    assert again.figures == report().figures
    assert json.loads((folder / "report.json").read_text())["task"] == "probe <b>"


@given(st.lists(st.text(alphabet="aA -/é", max_size=4), unique=True, max_size=6))
def test_no_figure_is_lost(titles: list[str]) -> None:
    """Figures come back under their titles and in their order, however alike the titles are."""
    figures = {title: SVG + str(n).encode() for n, title in enumerate([*titles, "?" * 300])}
    with TemporaryDirectory() as folder:
        again = Report.load(report(figures=figures).save(folder)).figures
    assert list(again.items()) == list(figures.items())


def test_no_report_is_one_line(tmp_path: Path) -> None:
    """An empty folder is answered with what a report is."""
    with pytest.raises(StoreError, match="no report in"):
        Report.load(tmp_path)


def test_scores_by_name() -> None:
    """A score is found by its name; a wrong name is answered with the near one."""
    assert report()["accuracy"].value == 0.5
    with pytest.raises(UnknownName, match="accuracy"):
        report()["acuracy"]


def test_html_stands_alone_and_escapes() -> None:
    """The page loads nothing from elsewhere, and no name can write markup into it."""
    page = report().to_html()
    sources: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            sources.extend(value or "" for name, value in attrs if name in ("src", "href"))

    Links().feed(page)
    assert sources and all(source.startswith("data:") for source in sources)
    assert "probe <b>" not in page and "a &lt; b &amp; $c" in page


@pytest.mark.parametrize("n", [1, 6])
def test_no_interval_has_no_width(n: int) -> None:
    """Around one image, a constant or units that are all alike it would claim certainty; a p-value has none anyway."""
    one, p = (
        Score("FVU", 0.5, 0.5 - 1e-16, 0.5, n, over="images"),
        Score("p", 0.3, 0.3, 0.3, n, "p-value", over="images"),
    )
    assert str(one) == f"FVU: 0.5 (n = {n} images, no interval)" and str(p) == f"p: 0.3 p-value (n = {n} images)"
    assert "<td>none</td>" in report(scores=(one,)).to_html() and "exact" not in report(scores=(one, p)).to_html()
    assert "[0.4, 0.5]" in str(Score("FVU", 0.5, 0.4, 0.5, n))


def test_what_a_score_is_read_beside_stands_in_its_line(tmp_path: Path) -> None:
    """In text, on the page and after loading."""
    made = report(beside={"accuracy": {"chance": 0.25, "majority class": 0.35}})
    assert "(n = 10 images); beside it chance 0.25, majority class 0.35" in str(made)
    page = made.to_html()
    assert "<th>majority class</th>" in page and "<td>0.35</td>" in page
    assert Report.load(made.save(tmp_path)).beside == made.beside


def test_parameters_read_as_words() -> None:
    """Lists and records stand on the page without the brackets and quotes of a programming language."""
    page = report(parameters={"sites": ("up.1", "mid"), "kept": {"folds": 5}, "left out": []}).to_html()
    assert "<dd>up.1, mid</dd>" in page and "<dd>folds 5</dd>" in page and "<dd>none</dd>" in page


def test_a_notebook_shows_a_table_and_its_figures() -> None:
    """In a notebook a report is rows of scores, not a dump of its figures; many scores are cut, and counted."""
    made = report(beside={"accuracy": {"chance": 0.25}})
    assert "| accuracy | 0.5 [0.4, 0.6] share | 10 images | chance 0.25 |" in made._repr_markdown_()
    assert "and 8 more" in report(scores=made.scores[:1] * 20)._repr_markdown_()
    figure = made.figure("Accuracy by site")
    assert figure.data == SVG and figure.ending == "svg"
    assert 'alt="Accuracy by site" src="data:image/svg+xml;base64,' in figure._repr_html_()
    with pytest.raises(UnknownName, match="Accuracy by site"):
        made.figure("Accuracy by sight")
