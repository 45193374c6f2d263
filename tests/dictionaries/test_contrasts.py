"""A planted difference between classes is found, and edits go along it."""

import numpy as np
import pytest

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame
from denoscope.core.site import Site
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.contrasts import contrast
from denoscope.dictionaries.edits import add, clamp

RNG = np.random.default_rng(0)
WAY = np.array([0.0, 3.0, 4.0, 0.0, 0.0])
LABELS = ["red"] * 200 + ["blue"] * 200
SPREAD = np.array([[1, 0, 0, 0, 0], [0, 1, 0.9, 0, 0], [0, 0, 0.4, 0, 0], [0, 0, 0, 2, 0], [0, 0, 0, 0, 1]])


def activations() -> Activations:
    """Red ones lie by WAY from blue ones; what else varies is not the same in all directions."""
    values = RNG.normal(size=(400, 5)) @ SPREAD + np.outer(np.repeat([1, 0], 200), WAY)
    return Activations(
        Site("mid"), Condition(timestep=50), values, tuple(map(str, range(400))), "pooled", (Frame(8, 8, 8, 8),) * 400
    )


def test_means_and_probe_find_what_was_planted(tmp_path) -> None:
    """The gap of means, and the discriminant W^-1 gap; both say where, and can be saved."""
    acts = activations()
    means, probe = contrast(acts, LABELS, "red"), contrast(acts, LABELS, "red", how="probe")
    assert means.atoms[0] @ WAY / 5 > 0.99
    best = np.linalg.solve(SPREAD.T @ SPREAD, WAY)
    assert probe.atoms[0] @ best / np.linalg.norm(best) > 0.97
    assert contrast(acts, LABELS, "blue").atoms[0] == pytest.approx(-means.atoms[0], abs=1e-6)
    means.save(tmp_path)
    assert str(load_dictionary(tmp_path).site) == "mid"
    x = acts.values[:3].astype(np.float32)
    assert add(means, 0, strength=2.0)(x) - x == pytest.approx(np.tile(2 * means.atoms[0], (3, 1)), abs=1e-5)
    held = clamp(probe, 0, value=0.0)(x)
    assert (held - probe.bias) @ probe.atoms[0] == pytest.approx(np.zeros(3), abs=1e-4)


def test_classes_that_are_not_there_are_refused() -> None:
    """In one line."""
    acts = activations()
    with pytest.raises(UnknownName, match="green"):
        contrast(acts, LABELS, "green")
    with pytest.raises(UnknownName, match="way"):
        contrast(acts, LABELS, "red", how="mean")
    with pytest.raises(InputError, match="3 labels do not fit 400"):
        contrast(acts, [*LABELS[:2], "blue"], "red")
    with pytest.raises(InputError, match="not from itself"):
        contrast(acts, LABELS, "red", against="red")
