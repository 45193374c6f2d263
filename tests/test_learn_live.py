"""`learn` from a model that runs meanwhile: noised images or pictures in the making, and nothing on disk."""

import numpy as np
import pytest

from denoscope.cli import main
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.site import Site
from denoscope.dictionaries.base import load_dictionary
from denoscope.learn import learn
from denoscope.learn.cells import cells_of, placed, thinned
from denoscope.learn.reading import Reading, source_of
from denoscope.learn.sampled import Sampled
from denoscope.learn.source import dealt
from denoscope.models.loading import load
from fakes import FakeModel, Pictures

QUICK = {"atoms": 8, "k": 2, "cells": 600, "batch": 50, "progress": False}


def live(model, count: int, **changes):
    """A source of noised images at `up.1`, four cells each."""
    asked = {"timestep": None, "timesteps": [50, 200], "held_out": 0.25, "goal": 0} | changes
    return source_of(model, Pictures(count), Reading(), "up.1", None, **asked)


def test_cells_are_those_that_a_forward_gives():
    """Row by row what `stream` reads of that image at that level, under noise of the pass's own; each image once."""
    model, pictures = FakeModel(), Pictures(24)
    source = live(model, 24)
    seen = []
    for turn in (0, 1):
        rows = [(row, t) for block in source.blocks(turn) for row, t in zip(block.places, block.timesteps, strict=True)]
        seen.append({row["sample"]: float(t) for row, t in rows})
        assert len(rows) == source.per_turn == 18 * 16
        for block in source.blocks(turn):
            name, level = block.places["sample"][0], float(block.timesteps[0])
            condition = Condition(timestep=level, seed=turn)
            sample = pictures[int(name.split("-")[1])]
            read = next(iter(model.stream([sample], [Site("up.1")], [condition], canvas=model.canvas())))[0]
            assert (block.values[: source.per_image] == cells_of(read)).all()
    assert seen[0].keys() == seen[1].keys() == source.train
    assert all({seen[0][name], seen[1][name]} == {50.0, 200.0} for name in source.train)


def test_images_are_held_out_as_with_a_store():
    """By the same rule of their ids, read under every level, and never among those that are learned from."""
    source = live(FakeModel(), 24)
    train, test = dealt([f"picture-{i}" for i in range(24)], 0.25)
    assert (source.train, source.test) == (train, test)
    held = [(place, name) for place, name, _ in source.held()]
    assert sorted(held) == sorted((place, name) for place in (0, 1) for name in test)
    assert not {name for block in source.blocks(0) for name in block.places["sample"]} & test


def test_fewer_cells_of_more_images_where_few_are_wanted():
    """Some cells of 256 images rather than all of a few; drawn without replacement, each as likely."""
    assert Reading().kept(per_image=1000, goal=25_600, images=5000) == 100
    assert Reading().kept(per_image=64, goal=1_000_000, images=5000) == 64
    assert Reading(cells_per_image=3).kept(per_image=64, goal=10, images=5000) == 3
    model = FakeModel()
    rows = placed(next(iter(live(model, 24)._read([Pictures(24)[i] for i in range(3)], [Condition(timestep=0)]))), 0.0)
    counts = np.zeros(16)
    for seed in range(400):
        few = thinned(rows, 4, np.random.default_rng(seed))
        assert len(few) == 12
        assert len({(place["sample"], place["cell"]) for place in few.places}) == 12
        counts += np.bincount(few.places["cell"], minlength=16)
    assert abs(counts - 300).max() < 5 * np.sqrt(300)


def test_a_dictionary_is_learned_from_a_model(tmp_path):
    """No store; its report says from what, how well batches were mixed, and nothing more was read than was needed."""
    model = FakeModel()
    found = learn(model, "topk", "up.1", data=Pictures(60), timesteps=[50, 200], out=tmp_path / "d", **QUICK)
    assert found.about["timesteps"] == [50.0, 200.0]
    assert found.about["model"] == model.recipe
    told = found.report.parameters
    assert (told["learned from"], told["held out"], told["cells per image"]) == (54, 6, 12)
    assert found.report["FVU at 50"].n == 6
    assert found.report["same-image pairs"].value < 0.05
    assert 0 <= len(model.seen) - (1 + 50 + 6) <= 2  # one to see the shape, 600 cells of 12 each, those held out
    assert (load_dictionary(tmp_path / "d").atoms == found.atoms).all()
    anywhere = learn(model, "temporal", "up.1", data=Pictures(60), timesteps="all", **QUICK)
    assert anywhere.folder is None
    assert anywhere.about["timesteps"] == [50.0, 200.0, 500.0, 800.0]


def test_learning_goes_on_bit_by_bit(tmp_path):
    """From a checkpoint in the middle, as if it had not stopped."""
    options = {"data": Pictures(40), "timesteps": [50, 200], "buffer": 0.01, **QUICK}
    whole = learn(FakeModel(), "topk", "up.1", **options)

    class Tired(FakeModel):
        def stream(self, samples, *args, **kwargs):
            if len(self.seen) > 30:
                raise KeyboardInterrupt
            return super().stream(samples, *args, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        learn(Tired(), "topk", "up.1", keep=tmp_path, **options)
    again = learn(FakeModel(), "topk", "up.1", keep=tmp_path, **options)
    once_more = learn(FakeModel(), "topk", "up.1", keep=tmp_path, **options)
    assert (again.atoms == whole.atoms).all() and (once_more.atoms == whole.atoms).all()


def test_pictures_in_the_making_are_read_at_each_step(tmp_path):
    """What `generate` records there, of prompts that are not held out; a pass makes other pictures."""
    model = load("embedded")
    reading = Reading(
        "generation", prompts=tuple(f"a photo of a {word}" for word in ("cat", "dog", "bus", "cup")), steps=3
    )
    source = source_of(model, None, reading, "mid", None, None, [900, 300], 0.25, 0)
    assert isinstance(source, Sampled)
    first, other = next(source.blocks(0)), next(source.blocks(1))
    assert source.steps == (0, 1) and source.counts == (3, 1)
    assert first.timesteps[0] == source.conditions[0].timestep == 667
    prompts = [name.split("/")[-1] for name in dict.fromkeys(first.places["sample"])]
    assert set(prompts) == source.train
    made = model.generate(prompts, record=["mid"], at=(0,), steps=3, seed=1_000_003, decode=False)
    assert (first.values == cells_of(made.activations[0]["mid"])).all()
    assert made.images.shape == (3, 0, 0, 3)
    assert not (other.values[:9, None] == first.values).all(axis=2).any()
    assert {name.split("/")[-1] for _, name, _ in source.held()} == source.test
    asked = {"source": "generation", "prompts": reading.prompts, "steps": 2, "guidance": 1.0, "timestep": 1, "atoms": 4}
    found = learn(model, "pca", "mid", out=tmp_path, progress=False, **asked)
    assert found.about["condition"]["timestep"] == 1
    assert load_dictionary(tmp_path).report.parameters["source"] == "pictures made while learning"


def test_bad_input_is_refused_in_one_line(tmp_path, capsys):
    """With what would have been right."""
    model = FakeModel()
    for asked, words in (
        ({}, "needs images to read"),
        ({"data": Pictures(9)}, "at which site"),
        ({"data": Pictures(9), "site": "*"}, "names 3"),
        ({"data": Pictures(1), "site": "mid"}, "too few images"),
        ({"source": "generation", "site": "mid"}, "made from prompts"),
        ({"data": Pictures(9), "site": "mid", "prompts": ["a cat"]}, "source='generation'"),
        ({"data": Pictures(9), "site": "mid", "timesteps": "some"}, "the one word 'all'"),
        ({"data": Pictures(9), "site": "mid", "condition": Condition(timestep=1), "prompt": "a"}, "says everything"),
        ({"data": Pictures(9), "site": "mid", "buffer": -1.0}, "above 0"),
    ):
        with pytest.raises(InputError, match=words):
            learn(model, "topk", **asked, **QUICK)
    with pytest.raises(UnknownName, match="did you mean noised"):
        learn(model, "topk", "mid", source="noise", data=Pictures(9), **QUICK)
    with pytest.raises(UnknownName, match="did you mean mid"):
        learn(model, "topk", "mi", data=Pictures(9), **QUICK)
    assert main(["learn", "topk", "embedded", "--data", "menagerie:test", "--site", "mid"]) == 2
    assert "--out" in capsys.readouterr().err
    assert main(["learn", "topk", str(tmp_path), "--limit", "3"]) == 2
    assert "for reading a model" in capsys.readouterr().err
