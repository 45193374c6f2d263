"""Words from the command line to the report: prompts are read, and the text encoder stands beside."""

import shlex

import numpy as np
import pytest

from denoscope.cli import main
from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.frame import Frame
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.evaluate import evaluate
from denoscope.evaluate.texts import text_blocks
from denoscope.models.loading import load
from denoscope.models.textvectors import text_vectors
from denoscope.store.store import Store

DATA = "worded:@people:test,objects=8,images=1,size=32,repeated=5"
PROMPTS = ["", "a photo of a {label}", "a photo of a {shuffled_label}"]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Two sites under three prompts, by the command line."""
    out = str(tmp_path_factory.mktemp("texts"))
    command = ["extract", "embedded", DATA, "--sites", "mid", "up.1", "--timesteps", "50", "--prompts", *PROMPTS]
    sizes = ["--keep.layout", "pooled", "--keep.dtype", "fp32", "--canvas.policy", "stretch", "--canvas.size", "32"]
    assert main([*command, *sizes, "--out", out, "--no-progress"]) == 0
    return Store(out)


def test_prompts_of_one_command_are_compared(store) -> None:
    """Gains at both sites, what the text encoder earns, and the command that reads the same again."""
    report = evaluate(store, "textgain", sites="all", timesteps="all", save=False)
    names = {score.name for score in report.scores}
    assert {"gain, label", "gain, shuffled label, as told", "accuracy, text encoder, label"} <= names
    rows = [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]
    assert [row["site"] for row in rows if row["score"] == "gain, label"] == ["mid", "up.1"]
    words = shlex.split(report.again[0])
    place = words.index("--prompts")
    assert words[place + 1 : place + 4] == PROMPTS and "--prompt" not in words
    assert not any("No text encoder" in note for note in report.notes)


def _block(prompt: str) -> Activations:
    frames = (Frame(4, 4, 4, 4),) * 2
    return Activations(
        Site("mid"), Condition(timestep=5, prompt=prompt), np.zeros((2, 3)), ("a", "b"), "pooled", frames
    )


def test_words_alone_are_those_of_each_image(store) -> None:
    """Filled from its facts, in order, with nothing for the empty prompt; a model that is gone costs only these."""
    facts = [{"label": "red cat"}, {"label": "blue dog"}]
    recipe = store.volumes[0].recipe
    blocks, notes = text_blocks([_block(""), _block("a {label}")], facts, recipe)
    assert [block.site.name for block in blocks] == ["text.last", "text.mean"] and not notes
    expected = text_vectors(load("embedded"), ["a red cat", "a blue dog"])
    np.testing.assert_allclose(blocks[0].values, expected["last"])
    assert text_blocks([_block("")], facts, recipe) == ([], [])
    gone = Recipe(model={}, data={}, canvas={}, sites=("mid",), conditions=({"timestep": 5},), keep={})
    none, notes = text_blocks([_block("a {label}")], facts, gone)
    assert none == [] and notes[0].startswith("No text encoder: what words alone are worth needs the text encoder of")
