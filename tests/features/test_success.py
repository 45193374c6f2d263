"""Steering success is chosen on some prompts, told of others, and knows an edit that works from one that does not."""

from dataclasses import dataclass

import numpy as np
import pytest

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.dictionaries.edits import add
from denoscope.dictionaries.neurons import Neurons
from denoscope.dictionaries.shifts import shift
from denoscope.features.candidates import atom_edits, telling
from denoscope.features.steerbench import steering_bench
from denoscope.features.success import steering_success
from denoscope.features.successscores import success_scores
from denoscope.features.trials import goal_of, named, trials
from denoscope.features.wording import levelled, worded
from denoscope.measures.statistics import wilson
from denoscope.models.loading import wrap
from denoscope.models.toys import toy


@dataclass(frozen=True)
class Bright:
    """A judge of the mean of pixels: brighter than the middle or not."""

    middle: float
    accuracy: None = None

    def __call__(self, images) -> list[str]:
        """A class for each."""
        return ["snow" if image.mean() > self.middle else "night" for image in images]


@pytest.fixture(scope="module")
def model():
    """A small U-Net with random weights."""
    return wrap(toy("toy-sd15"))


def test_the_edit_that_works_is_chosen_and_told_of_other_prompts(model) -> None:
    """One push along the output brightens pictures, its negative darkens them: the judge of brightness finds it out."""
    quick = {"steps": 2, "height": 32, "width": 32}
    plain = model.generate([one.prompt for one in trials(goal_of("background=snow"), 3)], seed=0, **quick)
    middle = float(np.median(plain.images.mean(axis=(1, 2, 3)))) + 2
    ways = np.eye(4, dtype=np.float32)
    tried = {f"{k} {s}": [add(ways[k], strength=s, site="out")] for k in range(2) for s in (-0.8, 0.8)}
    judges = {"background": Bright(middle), "colour": lambda images: ["red"] * len(images)}
    bench = steering_bench(model, judges=judges, choosing=2, held=3, **quick)
    found = bench.success({"background=snow": tried, "background=night": tried})
    scores = {score.name: score for score in found.scores}
    chosen = found.parameters["chosen"]
    assert chosen["background=snow"] != chosen["background=night"]
    best = {target: max(one["score"] for one in found.parameters["choosing"] if one["target"] == target)
            for target in chosen}  # fmt: skip
    for one in found.parameters["choosing"]:
        assert (one["score"] == best[one["target"]]) or one["edit"] != chosen[one["target"]]
    assert scores["target reached beyond without"].value > 0
    assert scores["other facts as before"].value == 1
    red = [one.colour == "red" for target in chosen for one in trials(goal_of(target), 3, start=2)]
    assert scores["other facts as asked"].value == pytest.approx(np.mean(red))
    rows = [
        i for i, run in enumerate(found.table["run"]) if run == "edit" and found.table["target"][i].endswith("snow")
    ]
    assert scores["background=snow: target reached"].value == np.mean([found.table["reached"][i] for i in rows])
    asked = {one.prompt for one in trials(goal_of("background=snow"), 3, start=2)}
    assert {found.table["prompt"][i] for i in rows} == asked
    again = steering_success(model, {"background=snow": tried}, judges=judges, choosing=2, held=3, **quick)
    other = bench.success({"background=snow": {"mid": [add(np.ones(48), strength=1e-3, site="mid")], **tried}})
    for one in (again, other):
        assert [one.table["reached"][i] for i in range(9)] == [found.table["reached"][i] for i in range(9)]
    assert {"Target reached", f"background=snow: {chosen['background=snow']}"} <= set(found.figures)


def test_scores_by_hand() -> None:
    """Two targets, two pictures each: reached, kept, both, and paired with the control."""
    runs = ["", "edit", "control"]
    table = {
        "target": [target for target in ("a", "b") for _ in range(6)],
        "run": [run for _ in range(2) for run in runs for _ in range(2)],
        "picture": [0, 1] * 6, "prompt": ["p", "q"] * 6,
        "reached": [0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0], "asked": [1, 1, 1, 0.5, 1, 1, 1, 1, 1, 1, 0.5, 1],
        "same": [1.0] * 12, "distance": [1.0] * 12, "change": [0.0] * 12,
    }  # fmt: skip
    scores = {score.name: score for score in success_scores(table, {})}
    assert scores["target reached"].value == 0.75
    assert scores["target reached, without"].value == 0.25
    whole = scores["a: target reached"]
    assert (whole.value, whole.low, whole.high, whole.n) == wilson(2, 2), "shares of 0 and 1 have an interval as well"
    assert scores["target reached beyond control"].value == 0.5
    assert scores["target reached, all else as asked"].value == 0.5
    assert scores["b: target reached"].value == 0.5
    assert scores["other facts as asked"].value == pytest.approx(3.5 / 4)
    assert scores["target reached"].n == 2, "pictures of one prompt hang together over targets"


def test_prompts_name_all_but_the_goal() -> None:
    """In words that the model knows; those that name another value, and the same with the goal in words."""
    from denoscope.data.menagerie import VOCABULARY

    goal = goal_of("background=snow")
    open_, against = trials(goal, 20), trials(goal, 20, otherwise=True)
    assert all(one.background == "" for one in open_)
    assert all(one.background not in ("", "snow") for one in against)
    assert [one.prompt for one in trials(goal, 5, start=15)] == [one.prompt for one in open_[15:]]
    words = {word for one in [*open_, *against, *trials(goal_of("category=dog"), 20)] for word in one.prompt.split()}
    assert words <= set(VOCABULARY)
    assert all(one.prompt.endswith("in the snow") for one in named(open_, goal))
    for bad in ("background", "background=moon", "mood=gay"):
        with pytest.raises((InputError, UnknownName)):
            goal_of(bad)


def test_atoms_that_tell_a_value_are_pushed_the_right_way() -> None:
    """Of eight channels one is larger in snow and one smaller: they come first, with their signs."""
    dice = np.random.default_rng(0)
    labels = ["snow", "room"] * 10
    values = dice.normal(size=(20, 8, 3, 3)).astype(np.float32)
    values[::2, 5] += 4
    values[::2, 2] -= 2
    frames = (Frame(24, 24, 24, 24),) * 20
    acts = Activations(Site("up.1"), Condition(timestep=50), values, tuple(map(str, range(20))), "grid", frames,
                       Grid(3, 3, 8))  # fmt: skip
    made = Neurons().fit([values.transpose(0, 2, 3, 1).reshape(-1, 8)])
    scores = telling(made, [acts, acts], labels, "snow")
    assert np.argmax(scores) == 5
    assert np.argmin(scores) == 2
    edits = atom_edits(made, acts, labels, "snow", atoms=2, strengths=(0.5, 1.0), site="up.1")
    assert list(edits) == ["atom 5 x 0.5", "atom 5 x 1", "atom 2 x 0.5", "atom 2 x 1"]
    assert [edit[0].strength for edit in edits.values()] == [0.5, 1.0, -0.5, -1.0]
    with pytest.raises(UnknownName, match="moon"):
        telling(made, acts, labels, "moon")


def test_what_cannot_be_judged_is_refused(model) -> None:
    """Before a picture is made."""
    edit = [add(np.ones(4), strength=1.0, site="out")]
    with pytest.raises(UnknownName, match="colour"):
        steering_success(model, {"colour=red": {"a": edit}}, judges={"background": Bright(3)})
    with pytest.raises(InputError, match="an edit or more"):
        steering_success(model, {"colour=red": {}}, judges={})


def test_what_words_change_is_the_difference_of_runs(model) -> None:
    """From the same noise, step by step; the same prompts differ in nothing; its mean is one vector for all cells."""
    quick = {"steps": 2, "seed": 4, "height": 32, "width": 32}
    found = worded(model, ["a cat", "a dog"], ["a bus", "a car"], ["up.1", "up.1.attn.0.blk.0.cross.v"], **quick)
    runs = [model.generate(some, record="up.1", **quick) for some in (["a cat", "a dog"], ["a bus", "a car"])]
    first = [run.activations[0]["up.1"].numpy().mean(axis=0) for run in runs]
    level = runs[0].timesteps[0]
    assert list(found["up.1"]) == list(runs[0].timesteps)
    assert found["up.1"][level] == pytest.approx(first[0] - first[1], abs=1e-6)
    assert levelled(found["up.1"])[level] == pytest.approx((first[0] - first[1]).mean(axis=(1, 2)), abs=1e-6)
    tokens = found["up.1.attn.0.blk.0.cross.v"][level]
    assert levelled({level: tokens})[level].shape == tokens.shape[1:]
    assert not worded(model, ["a cat"], ["a cat"], "up.1", **quick)["up.1"][level].any()
    pushed = shift(found["up.1"], site="up.1")
    pictures = [model.generate("a bus", edits=edits, **quick).images for edits in ({"up.1": pushed}, None)]
    assert (pictures[0] != pictures[1]).any()
    with pytest.raises(InputError, match="in pairs"):
        worded(model, ["a cat"], [], "up.1")
