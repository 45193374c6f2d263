"""Every registered measure: a function of (query, keys) with a direction, and a range that it keeps."""

import numpy as np
import pytest

from denoscope.core.registry import Entry, measures

SIMILARITIES = [entry for entry in measures if "better" in entry.facts]


@pytest.mark.parametrize("entry", SIMILARITIES, ids=lambda entry: entry.name)
def test_shape_direction_and_range(entry: Entry[object]) -> None:
    """(query, key) out; a vector is never less alike to itself than to another, where the range is bounded above."""
    rng = np.random.default_rng(0)
    keys = rng.normal(size=(7, 5))
    found = np.asarray(entry.thing(keys[:3], keys))  # pyright: ignore[reportCallIssue]
    assert entry.summary and found.shape == (3, 7) and entry.facts["better"] in ("higher", "lower")
    low, high = entry.facts.get("low", -np.inf), entry.facts.get("high", np.inf)
    assert ((found >= low - 1e-9) & (found <= high + 1e-9)).all()
    if "high" in entry.facts:
        assert (found.argmax(axis=1) == [0, 1, 2]).all()
    elif entry.facts["better"] == "lower":
        assert (found.argmin(axis=1) == [0, 1, 2]).all()
