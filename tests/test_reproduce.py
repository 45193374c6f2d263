"""Studies: every file can be measured as it says, and small ones run from end to end."""

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from denoscope.cli import main
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.registry import data, tasks
from denoscope.core.report import Report
from denoscope.core.site import alias
from denoscope.models.coordinates import Canvas
from denoscope.models.loading import load
from denoscope.reproduce import reproduce, studies
from denoscope.reproduce.measuring import _asked
from denoscope.reproduce.study import parsed
from denoscope.store.keep import Keep

STUDIES = studies()
WANTED = {f"thesis/{name}" for name in ("table1", "table2")} | {
    f"thesis/fig{number}" for number in (*range(7, 26), *range(27, 41))
}
SMALL = """
title = "A small one"
source = "nowhere"
asks = "Does it run?"
scale = 100
tolerance = 5
[measurement]
task = "correspondence"
score = "PCK@0.1"
data = "menagerie:test"
limit = 12
sites = ["up.2", "in"]
timesteps = [50, 200]
params = { pairs = 20 }
[[published]]
model = "embedded"
[published.values]
"up_blocks[2]" = [0, 100]
"""


def test_all_that_was_asked_for_is_there() -> None:
    """Tables and figures of the thesis, and the three that look again."""
    assert WANTED | {
        "revisited/sdxl",
        "revisited/timestep",
        "revisited/protocols",
        "revisited/noise",
        "paper/anomalies",
    } <= set(STUDIES)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_file_can_be_measured(name: str) -> None:
    """Its task, parameters, data sets, canvas and storage exist, for the published models and the small version."""
    study = STUDIES[name]
    assert study.title and study.source and study.asks.endswith("?")
    assert study.published
    for block in (*study.published, *study.offline) if study.kind == "values" else ():
        for compat in (False, True):
            asked = _asked(study.measurement.changed(block.changes), {}, compat, None)
            kind = tasks.get(asked.task)
            kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in asked.params.items()})
            Canvas(**asked.canvas)
            Keep(**asked.keep)
            assert asked.data.rpartition("@")[2].partition(":")[0] in data
            assert asked.score or asked.scores


@pytest.mark.parametrize("name", STUDIES)
def test_the_small_version_is_small(name: str) -> None:
    """Its pictures are near the embedded model's own size, not at that of the published models."""
    study = STUDIES[name]
    for block in study.offline if study.kind == "values" else ():
        canvas = _asked(study.measurement.changed(block.changes), {}, False, None).canvas
        assert 32 <= canvas.get("size", 96) <= 192


@pytest.fixture(scope="module")
def sites() -> set[str]:
    """Of SD 1.x and 2.x."""
    return {tap.site.name for tap in load("toy-sd15").taps.values()}


@pytest.mark.parametrize("name", STUDIES)
def test_published_numbers_are_of_sites_that_exist(name: str, sites: set[str]) -> None:
    """Under our names, and within the range of a percentage where they are shares; lengths may be anything."""
    study = STUDIES[name]
    for block in study.published:
        if block.model in ("sd15", "sd21", "sd-turbo"):
            assert {alias(site) for site in [*block.values, *block.shapes]} <= sites
        values = [value for row in block.values.values() for value in row if value is not None]
        most = 2000 if study.measurement.task == "norms" else 100 if study.scale == 100 else 10
        assert all(0 <= value <= most for value in values)


def test_shapes_follow_from_the_configurations(tmp_path) -> None:
    """Table 1 without a weight: every published shape of the U-Nets is met."""
    study = STUDIES["thesis/table1"]
    small = parsed("t", _only(files("denoscope.studies").joinpath("thesis/table1.toml").read_text(), {"sd15", "sd21"}))
    report = reproduce(small, out=tmp_path)
    assert report["published numbers met"].value == 1.0 and len(study.models) > 3


def _only(text: str, models: set[str]) -> str:
    """The file without other models' blocks."""
    head, *blocks = text.split("[[published]]")
    return "[[published]]".join([head, *(block for block in blocks if tomllib.loads(block)["model"] in models)])


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> tuple[Report, Path]:
    """The small study, measured, and where."""
    out = tmp_path_factory.mktemp("small")
    return reproduce(parsed("toy/small", SMALL), out=out, progress=False), out


def test_numbers_stand_beside_the_published_ones(small) -> None:
    """A row per number with the difference and whether it is met; what has no published number has none."""
    report, out = small
    rows = [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]
    told = {(row["site"], row["level"]): row for row in rows}
    assert set(told) == {(site, level) for site in ("in", "up.2") for level in ("50", "200")}
    assert told["up.2", "200"]["difference"] == pytest.approx(told["up.2", "200"]["ours"] - 100)
    assert told["up.2", "200"]["met"] is False and told["in", "50"]["published"] is None
    assert report["published numbers met"].n == 2
    assert report.again == ("denoscope reproduce toy/small",)
    page = (out / "toy-small" / "report.html").read_text()
    assert "How to make it again" in page and "Ours and published" in page
    assert Report.load(out / "toy-small").scores == report.scores


def test_compat_replays_the_original_protocol(small, tmp_path) -> None:
    """Other pixels, other noise and the study's own switches: other numbers, and the recipe says why."""
    text = SMALL + '[measurement.compat]\nparams = { locate = "corner" }\n'
    head, tables = text.split("[[published]]", 1)
    block, compat = tables.split("[measurement.compat]")
    study = parsed("toy/small", f"{head}[measurement.compat]{compat}[[published]]{block}")
    theirs = reproduce(study, compat=True, out=tmp_path, progress=False)
    assert small[0].table["ours"] != theirs.table["ours"]
    (recipe,) = theirs.recipes.values()
    assert recipe["model"]["compat"]["name"] == "sdhelper" and recipe["canvas"]["policy"] == "stretch"
    assert theirs.again == ("denoscope reproduce toy/small --compat",)


@pytest.mark.parametrize("name", ["thesis/fig13"])
def test_the_small_version_runs_and_says_what_it_is(name, tmp_path) -> None:
    """From end to end on the embedded model, with the published column empty and a sentence that says why."""
    report = reproduce(name, limit=12, out=tmp_path, progress=False)
    assert all(value is None for value in report.table["published"])
    assert any("do not apply" in note for note in report.notes)


def test_a_name_that_does_not_exist_is_answered(tmp_path, capsys, monkeypatch) -> None:
    """With the nearest study, the data set's own advice, or what a file has wrong."""
    with pytest.raises(UnknownName, match=r"did you mean thesis/fig7.*denoscope list studies"):
        reproduce("thesis/fig77", out=tmp_path)
    monkeypatch.delenv("DENOSCOPE_DATA", raising=False)
    with pytest.raises(InputError, match="SPair"):
        reproduce(parsed("t", SMALL.replace("menagerie:test", "spair:test")), out=tmp_path)
    for wrong, words in (
        (SMALL.replace("[0, 100]", "[0]"), "has 1 values, not 2"),
        (SMALL.replace("limit = 12", "limits = 12"), "limits"),
        (SMALL.replace("title", "titel"), "titel"),
    ):
        with pytest.raises(InputError, match=words):
            parsed("wrong", wrong)
    assert main(["reproduce", "thesis/fig7", "--data", "spair"]) == 2
    assert "NAME=PATH" in capsys.readouterr().err
    assert main(["list", "studies", "--json"]) == 0
    assert {one["name"] for one in json.loads(capsys.readouterr().out)} == set(STUDIES)


SAID = """
title = "Words"
source = "nowhere"
asks = "Do words help?"
[measurement]
task = "textgain"
score = "gain, label"
data = "worded:@people:test,objects=8,images=1,size=32,repeated=5"
sites = ["mid"]
timesteps = [50, 800]
prompts = ["", "a photo of a {label}", "a photo of a {shuffled_label}"]
keep = { layout = "pooled", dtype = "fp32" }
canvas = { policy = "stretch", size = 32 }
[[offline.variants]]
variant = "gain"
[[offline.variants]]
variant = "words alone"
score = "accuracy, text encoder, label"
[[published]]
model = "sd15"
"""


def test_prompts_are_read_at_every_level_and_words_alone_once(tmp_path) -> None:
    """Gains at each noise level on the same pictures; the text encoder, which sees no noise, has one number."""
    report = reproduce(parsed("toy/words", SAID), out=tmp_path, progress=False)
    rows = [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]
    assert [(row["variant"], row["site"], row["level"]) for row in rows] == [
        ("gain", "mid", "50"), ("gain", "mid", "800"), ("words alone", "text.last", "")
    ]  # fmt: skip
    said = {condition["prompt"] for recipe in report.recipes.values() for condition in recipe["conditions"]}
    assert said == {"", "a photo of a {label}", "a photo of a {shuffled_label}"}
