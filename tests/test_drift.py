"""What precision changes is measured against the reference, image by image, with what a task makes of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import denoscope as ds
from denoscope.cli import main
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.report import Score
from denoscope.drift import drift
from denoscope.drift.scored import Scored, change
from denoscope.drift.variants import NOISE, variants

ASKED: dict[str, Any] = {"data": "menagerie:test", "limit": 4, "progress": False, "sites": "mid"}


def test_against_values_read_by_hand(tmp_path: Path) -> None:
    """bf16 against fp32 in a toy: errors are those of `read`, another noise errs more, and nothing is read twice."""
    scenes = ds.open_data("menagerie:test", 4)
    report = drift("toy-sd15", timesteps=[50], variants=["bf16"], out=tmp_path, **ASKED)
    found = [
        ds.load("toy-sd15", dtype=dtype).read(list(scenes), "mid", ds.Condition(timestep=50))["mid"].numpy()
        for dtype in ("fp32", "bf16")
    ]
    whole = [np.linalg.norm(x.reshape(4, -1).astype(float), axis=1) for x in (found[1] - found[0], found[0])]
    score = report["relative error, bf16"]
    assert score.value == pytest.approx((whole[0] / whole[1]).mean(), rel=1e-4) and score.n == 4
    assert 0 < score.low < score.value < score.high < 0.1 < report[f"relative error, {NOISE}"].low
    shards = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    again = drift("toy-sd15", timesteps=[50], variants=["bf16"], out=tmp_path, **ASKED)
    assert again.scores == report.scores
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} == shards
    assert len(report.inputs) == 3 and len(set(report.inputs.values())) == 3


def test_a_task_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A probe is run on each variant's activations; the command shows its change, over the same images."""
    words = "drift toy-sd15 menagerie:test --sites mid --limit 12 --variants bf16 --task probe --no-progress"
    words += f" --task-options fact=superclass folds=2 estimator=ridge --out {tmp_path}"
    assert main(words.split()) == 0
    told = capsys.readouterr().out
    assert "change" in told and "another noise" in told and (tmp_path / "report.html").exists()


def scores(values: list[float], *units: list[str]) -> Scored:
    """A task's result."""
    return Scored(Score("hit", 0.5, 0.5, 0.5, 1), np.array(values), tuple(map(tuple, units)))


def test_changes_are_paired() -> None:
    """Equal predictions change nothing; a shift is found exactly, over images and over pairs of images."""
    chance = np.random.default_rng(0)
    base, names = chance.random(40), [f"i{n}" for n in range(40)]
    one, other = scores(list(base), names), scores(list(base + 0.1), names)
    assert change(one, one)[:3] == (0, 0, 0)
    assert change(other, one)[:3] == pytest.approx((0.1, 0.1, 0.1))
    pairs = [names, names[1:] + names[:1]]
    assert change(scores(list(base + 0.1), *pairs), scores(list(base), *pairs)).value == pytest.approx(0.1)
    noise = change(scores(list(base + chance.normal(size=40)), names), one)
    assert noise.low < 0 < noise.high
    with pytest.raises(InputError, match="different images"):
        change(one, scores(list(base), names[::-1]))


def test_what_is_held_against_what() -> None:
    """Precisions, quantised weights, both; the reference itself falls away, and nonsense is told in one line."""
    made = variants(("bf16", "int8", "bf16+nf4", "fp32"), "fp32")
    told = [(one.name, one.dtype, one.quantise, one.seed) for one in made]
    assert told == [
        ("fp32", "fp32", None, 0), (NOISE, "fp32", None, 1), ("bf16", "bf16", None, 0), ("int8", "fp32", "int8", 0),
        ("bf16+nf4", "bf16", "nf4", 0),
    ]  # fmt: skip
    with pytest.raises(UnknownName, match="did you mean bf16"):
        variants(("bf17",), "fp32")
    for wrong in (("bf16+fp16",), ("int8+nf4",), ("fp32",), ()):
        with pytest.raises(InputError):
            variants(wrong, "fp32")
    with pytest.raises(InputError, match="none was named"):
        drift("toy-sd15", timesteps=50, folds=3, **ASKED)
