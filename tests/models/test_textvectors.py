"""One vector per prompt in every family: of the last word's end, of all words, pooled; never of padding."""

import numpy as np
import pytest

from denoscope.models.loading import load
from denoscope.models.text import token_ids
from denoscope.models.textvectors import text_vectors

PROMPTS = ["a photo of a red cat", "cat", "a photo of a red cat", "a small blue dog on the grass"]
ENCODER = {"embedded": 0, "toy-sdxl": 0, "toy-sd3": 2, "toy-flux-schnell": 1, "toy-pixart-sigma": 0}
"""Model to the text encoder whose end is the end of the context."""


@pytest.mark.parametrize("name", ENCODER)
def test_vectors_are_of_the_tokens_that_were_said(name: str) -> None:
    """The last token before the padding and the mean up to it, counted by hand; equal prompts give equal vectors."""
    model = load(name)
    found = text_vectors(model, PROMPTS)
    context = model.embed([PROMPTS[3]]).context[0].detach().float().numpy()
    tokenizer, first = model.parts.text[ENCODER[name]].tokenizer, model.parts.text[0]
    said = len(tokenizer(PROMPTS[3]).input_ids)
    before = int(token_ids(first, [""]).input_ids.shape[1]) if name == "toy-sd3" else 0
    np.testing.assert_allclose(found["last"][3], context[before + said - 1], atol=2e-5)
    if not before:
        np.testing.assert_allclose(found["mean"][3], context[:said].mean(axis=0), atol=2e-5)
    for rows in found.values():
        assert len(rows) == len(PROMPTS) and np.isfinite(rows).all()
        assert np.array_equal(rows[0], rows[2]) and not np.allclose(rows[0], rows[3])
    assert ("pooled" in found) == (name in ("toy-sdxl", "toy-sd3", "toy-flux-schnell"))


def test_a_prompt_does_not_depend_on_its_neighbours() -> None:
    """Alone or beside thirty others."""
    model = load("embedded")
    colours, kinds = ("red", "blue", "green", "pink", "brown"), ("cat", "dog", "bird", "fish", "car", "bus", "tree")
    many = [f"a {colour} {kind}" for colour in colours for kind in kinds]
    alone, beside = text_vectors(model, many[-1:]), text_vectors(model, many)
    for way in alone:
        np.testing.assert_allclose(alone[way][0], beside[way][-1], atol=1e-5)
