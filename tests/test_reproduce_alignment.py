"""Studies in percent of noise: levels by name, the twin beside, other extractors, several draws, curves, rounding."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from denoscope.core.report import Report
from denoscope.reproduce import reproduce, studies
from denoscope.reproduce.study import parsed

SMALL = """
title = "A small one"
source = "nowhere"
asks = "Does it run?"
curves = "noise"
tolerance = 0.1
[measurement]
task = "alignment"
score = "accuracy"
data = "people:test,objects=12,images=1,triplets=200,size=64"
sites = ["mid"]
timesteps = []
percents = [1, 20, 90]
canvas = { policy = "stretch", size = 64 }
condition = { seed = 42 }
keep = { layout = "pooled", dtype = "fp32" }
[measurement.compat]
extractor = "linhardt2024"
shared_noise = false
digits = 2
params = { ties = "published" }
[[published]]
model = "embedded"
twin = true
[published.values]
"mid" = [0.33, "", 0.9]
[[published]]
model = "embedded"
variant = "probe"
task = "noise"
score = "share of the draw, shared noise"
tolerance = 1.0
chances = [{ noise = "shared", seed = 1 }, { noise = "shared", seed = 2 }, { seed = 1 }]
compat = { params = {} }
[published.values]
"mid" = [0.9, 0.9, 0.9]
"""


def _rows(report: Report, **wanted: object) -> list[dict]:
    rows = [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Measured by our own rules."""
    return reproduce(parsed("toy/percent", SMALL), out=tmp_path_factory.mktemp("percent"), progress=False)


def test_levels_are_told_in_percent_and_read_at_their_timesteps(small: Report) -> None:
    """Rows are named as published; conditions are those of the model's own sampler."""
    rows = _rows(small, variant="", site="mid")
    assert [(row["level"], row["published"]) for row in rows] == [("1 %", 0.33), ("20 %", None), ("90 %", 0.9)]
    recipe = next(told for told in small.recipes.values() if len(told["conditions"]) == 3)
    assert [one["timestep"] for one in recipe["conditions"]] == [1, 191, 891]


def test_the_twin_stands_beside_and_curves_are_drawn(small: Report) -> None:
    """As a baseline of every number, and as lines over noise."""
    told = small.beside["accuracy, embedded, mid, 20 %"]
    assert {"chance", "random-init twin"} <= told.keys() and 0.1 < told["random-init twin"] < 0.7
    assert b"random-init twin" in small.figures["accuracy over noise, embedded"]


def test_several_draws_are_read_in_one_study(small: Report) -> None:
    """Two seeds of a shared noise: a share with an interval; and its own tolerance counts."""
    rows = _rows(small, variant="probe", site="mid")
    assert [row["level"] for row in rows] == ["1 %", "20 %", "90 %"]
    assert all(0 <= row["low"] <= row["ours"] <= row["high"] <= 1 and row["met"] for row in rows)
    assert {row["met"] for row in _rows(small, variant="", site="mid", level="90 %")} == {False}


def test_compat_replays_the_extractor_that_the_study_names(tmp_path: Path) -> None:
    """With its switches, and numbers rounded as published."""
    text = SMALL.partition('[[published]]\nmodel = "embedded"\nvariant')[0].replace("twin = true", "")
    report = reproduce(parsed("toy/percent", text), compat=True, out=tmp_path, progress=False)
    (recipe,) = report.recipes.values()
    assert recipe["model"]["compat"]["name"] == "linhardt2024" and not recipe["model"]["compat"]["shared_noise"]
    assert all(round(value, 2) == value for value in report.table["ours"])


def test_the_published_grid_is_whole() -> None:
    """102 accuracies of nine sites, half of them probed; the best at the second up block, and one below chance."""
    study = studies()["alignment/table-sd15"]
    zero, probe = (block.values for block in study.published)
    for values in (zero, probe):
        known = {(site, i): row[i] for site, row in values.items() for i in range(11) if row[i] is not None}
        assert len(values) == 9 and len(known) == 51
        assert max(known, key=lambda place: known[place] or 0)[0] == "up.1.res.1"
    assert probe["down.0.res.1"][10] == 0.3022 and zero["up.1.res.1"][3] == 0.4531
    told = tomllib.loads(files("denoscope.studies").joinpath("alignment/fig-noise.toml").read_text())
    assert (
        told["published"][0]["values"]
        == tomllib.loads(files("denoscope.studies").joinpath("alignment/table-sd15.toml").read_text())["published"][0][
            "values"
        ]
    )
