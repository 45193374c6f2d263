"""`steer` changes pictures by its edits and by nothing else."""

from dataclasses import fields

import numpy as np
import pytest

from denoscope.cli import main
from denoscope.cli.wishes import Wish, edits_of
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.report import Report
from denoscope.data.base import open_data
from denoscope.dictionaries.edits import ablate, add
from denoscope.dictionaries.limits import within
from denoscope.dictionaries.painted import Painted
from denoscope.dictionaries.topk import TopK
from denoscope.models.loading import wrap
from denoscope.models.toys import toy
from denoscope.steer import steer

QUICK = {"steps": 2, "seed": 3}


@pytest.fixture(scope="module")
def model():
    """A small U-Net with random weights."""
    return wrap(toy("toy-sd15"))


@pytest.fixture(scope="module")
def direction(model) -> np.ndarray:
    """A direction at `mid`."""
    width = next(info.channels for info in model.sites if info.name == "mid")
    return np.random.default_rng(0).normal(size=width)


def test_an_edit_changes_the_picture_and_zero_does_not(model, direction):
    """Without edits it is what `generate` gives; strength 0 leaves every pixel; a push moves some."""
    still = steer(model, prompt="a red cat", edits=[add(direction, strength=0.0, site="mid")], **QUICK)
    assert (still.images == still.before).all()
    assert (still.before == model.generate("a red cat", **QUICK).images).all()
    moved = steer(model, prompt="a red cat", edits=[add(direction, strength=500.0, site="mid")], **QUICK)
    assert (moved.before == still.before).all()
    assert (np.asarray(moved) != moved.before).any()
    assert moved.report["change of pixels"].value > 0


def test_edits_compose_in_order(model, direction):
    """A push that is taken out again is an ablation, at any strength."""
    out = ablate(direction, site="mid")
    pushed = steer(model, "a cat", [add(direction, strength=300.0, site="mid"), out], **QUICK)
    alone = steer(model, "a cat", [out], **QUICK)
    assert np.abs(pushed.images.astype(int) - alone.images).max() <= 1


def test_results_can_be_saved(model, direction, tmp_path):
    """Pictures, both side by side, and the report."""
    found = steer(model, ["a cat", "a dog"], [add(direction, strength=9.0, site="mid")], **QUICK)
    found.save(tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert {"report.json", "without-and-with.png", "001-with.png"} <= names
    assert found.side_by_side.shape == (2 * found.images.shape[1], 2 * found.images.shape[2], 3)


def test_bad_input_is_refused_before_anything_runs(model, direction):
    """No edit, an unknown site, a direction of another width."""
    with pytest.raises(InputError, match="at least one edit"):
        steer(model, "a cat", [])
    with pytest.raises(UnknownName, match="site"):
        steer(model, "a cat", [add(direction, strength=1.0, site="midd")])
    with pytest.raises(InputError, match="does not fit"):
        steer(model, "a cat", [add(np.ones(3), strength=1.0, site="mid")], **QUICK)


def test_the_report_says_which_edit_it_was(model, direction):
    """Limits, numbers and digests, so that two edits that differ have two records."""
    push = add(direction, strength=2.0, unit="norm", site="mid")
    each: list[dict] = [{"steps": (0, 1)}, {"steps": (1, 2)}, {"branch": "cond"}, {"box": (0, 0, 9, 9)}]
    reports = [steer(model, "a cat", [within(push, **limits)], **QUICK).report for limits in each]
    told = reports[0].parameters["edits"][0]
    assert told["limits"]["steps"] == [0, 1]
    assert told["edit"]["kind"] == "add"
    assert told["edit"]["unit"] == "norm"
    assert len({report.inputs["edits"] for report in reports}) == 4


def test_the_command_steers_and_sweeps(direction, tmp_path, capsys):
    """With limits, a control, judges made of a data set; the direction of a folder or of a class."""
    Painted.of(direction, np.zeros_like(direction), {"site": "mid"}).save(tmp_path / "atom")
    shared = ["--prompt", "a cat", "a dog", "--steps", "2", "--unit", "norm", "--strength", "3", "--no-progress"]
    limits = ["--window", "0", "1", "--box", "0", "0", "32", "64", "--branch", "cond"]
    atom = ["--dictionary", str(tmp_path / "atom"), "--atom", "0"]
    assert main(["steer", "toy-sd15", *shared, *atom, *limits, "--out", str(tmp_path / "one")]) == 0
    edit = Report.load(tmp_path / "one").parameters["edits"][0]
    assert (edit["kind"], edit["limits"]["branch"], edit["limits"]["box"]) == ("within", "cond", [0, 0, 32, 64])
    towards = ["--towards", "background=night", "--site", "up.1", "--data", "menagerie:train", "--limit", "40"]
    swept = ["--doses", "1", "--judge", "background", "--out", str(tmp_path / "two")]
    assert main(["steer", "toy-sd15", *shared, *towards, *swept]) == 0
    names = [score.name for score in Report.load(tmp_path / "two").scores]
    assert "background is night, dose 1 beyond direction" in names
    assert "accuracy of the judge of background" in names
    assert any("what it says of pictures is worth no more" in note for note in Report.load(tmp_path / "two").notes)
    capsys.readouterr()
    assert main(["steer", "toy-sd15", *shared]) == 2
    assert "--towards FACT=VALUE" in capsys.readouterr().err
    assert main(["steer", "toy-sd15", *shared, "--towards", "colour", "--site", "up.1", "--limit", "9"]) == 2
    assert "as in colour=red" in capsys.readouterr().err


def test_every_kind_of_edit_can_be_wished_for(model, tmp_path):
    """Replace, forget, words at several sites and patch, each at its site and with its number; what lacks is told."""
    dice = np.random.default_rng(0)
    made = TopK(atoms=16, k=4, cells=512, batch=64, seed=0).fit([dice.normal(size=(512, 48)).astype(np.float32)])
    made.about = {"site": "mid"}
    made.save(tmp_path / "atoms")
    atoms = {"dictionary": tmp_path / "atoms"}
    words = {"towards_prompt": ("a red cat",), "against_prompt": ("a cat",)}
    sampling = {"seed": 3, "steps": 2, "guidance": 3.0}

    def wished(kind, **told):
        blank = {name.name: None for name in fields(Wish)} | {"sites": (), "towards_prompt": (), "against_prompt": ()}
        usual = {"unit": "activations", "data": "menagerie:train,size=32", "limit": 12, "timestep": 400.0}
        return edits_of(model, Wish(**{**blank, **usual, "kind": kind, **told}), sampling)[0]

    (exchange,) = wished("replace", **atoms, atom=3, by=5)
    assert exchange.direction == pytest.approx(made.atoms[3], abs=1e-6)
    assert exchange.other == pytest.approx(made.atoms[5], abs=1e-6)
    category = open_data("menagerie:train")[0].facts["category"]
    (forget,) = wished("forget", **atoms, goal=f"category={category}", strength=-2.0)
    assert (forget.multiplier, len(forget.telling), str(forget.site)) == (-2.0, 4, "mid")
    pushes = wished("words", **words, sites=("mid", "up.1"), strength=2.0)
    assert sorted(str(one.site) for one in pushes) == ["mid", "up.1"]
    assert {one.edits[0].strength for one in pushes} == {2.0}
    (lent,) = wished("patch", **words, sites=("up.1",))
    assert len(lent.steps) == 2
    lacking = {"replace": {**atoms, "atom": 3}, "forget": {"goal": "category=cat"}, "words": {"sites": ("mid",)},
               "patch": {}, "add": words, "codes": {"goal": "colour=red", "sites": ("mid", "up.1")}}  # fmt: skip
    for kind, told in lacking.items():
        with pytest.raises(InputError):
            wished(kind, **told)


def test_the_command_pushes_by_words_against_the_other_branch(tmp_path):
    """What words change is added in rows with the prompt and taken off in the others."""
    words = ["--edit", "words", "--towards-prompt", "a red cat", "--against-prompt", "a cat", "--site", "mid"]
    shared = ["--prompt", "a cat", "--steps", "2", "--branch", "opposed", "--out", str(tmp_path)]
    assert main(["steer", "toy-sd15", *shared, *words]) == 0
    (edit,) = Report.load(tmp_path).parameters["edits"]
    assert edit["kind"] == "chain"
    assert [one["limits"]["branch"] for one in edit["edits"]] == ["cond", "uncond"]
