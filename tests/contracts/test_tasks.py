"""What every registered task keeps to."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.frame import Frame, Grid
from denoscope.core.registry import tasks
from denoscope.core.report import Report
from denoscope.core.site import Site
from denoscope.core.task import Task

ENTRIES = [pytest.param(entry, id=entry.name) for entry in tasks]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_task_is_a_frozen_documented_dataclass_with_defaults(entry):
    """So that arguments, flags, documentation and record are one thing."""
    made = entry.thing()
    assert is_dataclass(made) and type(made).__dataclass_params__.frozen
    assert isinstance(made, Task)
    assert entry.summary.endswith(("?", "."))
    assert hash(made) == hash(entry.thing())


def _shown(i: int) -> dict:
    """An object of which two points are seen."""
    return {"box": (0, 0, 16, 16), "keypoints": {"nose": (i % 16, 5.0, True), "tail": (9.0, 12.0, True)}}


def _changed(i: int) -> dict:
    """Of three images the second is the first one mirrored, and the third the first one moved by a cell."""
    if i % 3 == 2:
        moved = [[1.0, 0.0, -4.0], [0.0, 1.0, -4.0]]
        return {"original": f"image-{i - 2}", "change": "shift", "strength": 0.5, "affine": moved}
    if i % 3 == 0:
        return {"original": f"image-{i}", "change": "none", "strength": 0.0}
    affine = [[-1.0, 0.0, 16.0], [0.0, 1.0, 0.0]]
    return {"original": f"image-{i - 1}", "change": "mirror", "strength": 1.0, "affine": affine}


def _seen(i: int) -> dict:
    """Depth and classes of pixels, a wall left or right."""
    near = np.arange(16) < 4 + i % 8
    depth = np.broadcast_to(np.where(near, 2.0, 5.0), (16, 16)).astype(np.float32)
    return {"depth": depth, "segments": np.broadcast_to(near, (16, 16)).astype(np.int16)}


def _conflicting(i: int) -> dict:
    """Two kinds in three sets: pictures to learn from, one whose cues agree, and two in which they do not."""
    role = ("learn", "learn", "learn", "learn", "agree", "conflict")[i // 3 % 6]
    kinds = ("red cat", "blue bus")
    shape, colour = kinds[i // 9 % 2], kinds[(i // 9 + (role == "conflict")) % 2]
    return {"set": str(i % 3), "role": role, "cues": {"shape": shape, "colour": colour}}


def _odd(i: int) -> dict:
    """What was found odd, of three objects one of the other kind, and how unlike objects are found."""
    rows = [[(i + 2) % 36, (i + 1 + 2 * k) % 36, (i + 1 + 2 * k) % 36, k % 4] for k in range(8)]
    unlike = np.abs(np.arange(36.0) - i)
    told = {"object": f"thing-{i}", "object_index": i, "triplets": np.array(rows, dtype=np.int64),
            "trials": np.column_stack([np.arange(8) % 2, 1.0 + np.arange(8)])}  # fmt: skip
    thought = np.random.default_rng(i).random(4) * (np.arange(4) != i % 4)
    return told | {"dissimilarity": unlike, "dissimilarities": np.stack([unlike, unlike**2]), "embedding": thought}


def _asked(i: int) -> dict:
    """Of every picture, which of two others is more like it, by three votes."""
    return {"choices": [{"left": f"image-{(i + 1) % 36}", "right": f"image-{(i + 5) % 36}", "share": i % 4 / 3,
                         "votes": 3}]}  # fmt: skip


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_task_reports_with_intervals_digests_and_every_parameter(entry):
    """On random grids with facts; the same run again gives the same scores, and its input is not changed."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(36, 5, 4, 4)).astype(np.float32)
    ids, frames = tuple(f"image-{i}" for i in range(36)), (Frame(16, 16, 16, 16),) * 36
    rows = Activations(Site("mid"), Condition(timestep=50), values.copy(), ids, "grid", frames, Grid(4, 4, 4.0))
    facts = [
        {
            "category": ("cat", "dog")[i % 2],
            **_shown(i),
            **_changed(i),
            **_seen(i),
            **_conflicting(i),
            **_odd(i),
            **_asked(i),
        }
        for i in range(36)
    ]
    task = entry.thing()
    report, again = task.run(rows, facts), task.run(rows, facts)
    assert isinstance(report, Report) and report.task == entry.name
    assert {field.name for field in fields(task)} <= set(report.parameters)
    assert {"values", "facts"} <= set(report.inputs)
    assert report.scores == again.scores
    assert any(score.low < score.high for score in report.scores)
    assert (rows.values == values).all()
