"""Model diffing: planted common cells are told whatever the width; what cannot be compared is said."""

import json

import numpy as np
import pytest

from denoscope.__main__ import main
from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.core.recipe import Recipe
from denoscope.core.report import Report
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.dictionaries.itda import ITDA
from denoscope.dictionaries.kmeans import KMeans
from denoscope.dictionaries.rows import PLACE, Rows
from denoscope.features.overlaps import overlaps
from denoscope.store.keep import Keep
from denoscope.store.store import Store

IMAGES, CELLS = 20, 9


def rows(channels: int, seed: int, rare: np.ndarray) -> Rows:
    """Cells of small noise; the rare ones are long and unlike any other, so that they become atoms."""
    rng = np.random.default_rng(seed)
    values = 0.05 * rng.normal(size=(IMAGES * CELLS, channels)).astype(np.float32)
    values[rare] = 4 * rng.normal(size=(len(rare), channels))
    places = np.empty(IMAGES * CELLS, dtype=PLACE)
    places["sample"] = np.repeat([f"i{image}" for image in range(IMAGES)], CELLS).astype(object)
    places["cell"] = np.tile(np.arange(CELLS), IMAGES)
    return Rows(values, None, None, places)


def itda(channels: int, seed: int, rare: np.ndarray, site: str = "mid") -> ITDA:
    """A dictionary of the rare cells."""
    made = ITDA(atoms=40, k=4, threshold=0.5, cells=IMAGES * CELLS, seed=seed)
    made.fit([rows(channels, seed, rare)])
    made.about = {"site": site}
    return made


@pytest.fixture(scope="module")
def three() -> list[ITDA]:
    """Two that choose the same cells in spaces of 24 and 40 channels, and one that chooses others."""
    rng = np.random.default_rng(3)
    order = rng.permutation(IMAGES * CELLS)
    return [itda(24, 0, order[:30]), itda(40, 1, order[:30]), itda(24, 2, order[30:60])]


def test_dictionaries_of_the_same_cells_overlap_in_whatever_space(three):
    """Near 1 for the pair that was planted, as shuffled images give for the others; every number has its interval."""
    report = overlaps(three, ["a", "b", "c"], images=IMAGES, draws=400)
    table = report.table
    told = {(one, two): k for k, (one, two) in enumerate(zip(table["first"], table["second"], strict=True))}
    same, other = told["a", "b"], told["a", "c"]
    assert table["overlap"][same] > 0.9 and table["q"][same] < 0.02
    assert table["overlap"][other] < 0.2 and table["images shuffled"][same] < 0.2
    score = report["a and b"]
    assert score.low <= score.value <= score.high and score.n > 10
    assert report["a and c, images shuffled"].over == "shuffles"
    assert set(report.inputs) == {"a", "b", "c"} and list(report.figures) == ["Overlap"]
    assert not any("by chance" in note for note in report.notes)


def test_a_choice_by_chance_is_said_to_be_no_ground_for_comparing():
    """Two unlike spaces with one seed make the same draws."""
    made = [ITDA(atoms=30, k=4, cells=IMAGES * CELLS).fit([rows(24, seed, np.arange(30))]) for seed in (0, 1)]
    report = overlaps(made, ["a", "b"], images=IMAGES, draws=50)
    assert any("by chance (--choose loss)" in note for note in report.notes)


def test_the_command_reads_folders(three, tmp_path, capsys):
    """And writes the report where it is told; names default to those of the folders."""
    for name, made in zip(("x", "y"), three, strict=False):
        made.save(tmp_path / name)
    folders = [str(tmp_path / name) for name in ("x", "y")]
    assert main(["overlap", *folders, "--draws", "50", "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["task"] == "overlap" and told["parameters"]["dictionaries"] == ["x", "y"]
    assert Report.load(tmp_path / "out").table["overlap"] == [told["scores"][0]["value"]]


def test_what_cannot_be_compared_is_said(three, tmp_path):
    """In one line: one dictionary, names that do not fit, atoms that are no cells, grids that nobody knows."""
    no_cells = KMeans(atoms=4).fit([np.random.default_rng(0).normal(size=(50, 24)).astype(np.float32)])
    elsewhere = itda(24, 5, np.arange(30), "up.1")
    for given, names, message in (
        (three[:1], [], "two dictionaries or more"),
        (three, ["a"], "1 names do not fit 3"),
        (three[:2], ["a", "a"], "tell dictionaries apart"),
        ([three[0], no_cells], [], "no birthplaces"),
        ([three[0], elsewhere], [], "different grids"),
    ):
        with pytest.raises(InputError, match=message):
            overlaps(given, names)


def test_sites_of_different_grids_meet_on_the_coarsest(three, tmp_path):
    """A store says how cells lie; one that holds another reading does not count."""
    store, digests = Store(tmp_path / "store", create=True), []
    for name, side in (("mid", 3), ("up.1", 6)):
        grid, frame = Grid(side, side, 24.0 / side), Frame(24, 24, 24, 24)
        values = np.random.default_rng(0).normal(size=(1, 4, side, side)).astype(np.float32)
        read = Activations(Site(name), Condition(timestep=50), values, ("i0",), "grid", (frame,), grid)
        sample = Sample("i0", np.zeros((24, 24, 3), np.uint8))
        told = Recipe(model={"name": name}, data={}, canvas={}, sites=(), conditions=())
        digests.append(store.put([read], recipe=told, samples=[sample], keep=Keep()).digest)
    coarse, fine = itda(24, 6, np.arange(30)), itda(24, 6, np.arange(30), "up.1")
    coarse.about, fine.about = (
        {"site": one, "recipe": digest} for one, digest in zip(("mid", "up.1"), digests, strict=True)
    )
    fine.births = {
        **fine.births,
        "cell": [int(cell) // 3 * 12 + int(cell) % 3 * 2 + 7 for cell in coarse.births["cell"]],
    }
    fine.births["sample"] = coarse.births["sample"]
    report = overlaps([coarse, fine], ["coarse", "fine"], stores=[store], images=IMAGES, draws=20)
    assert report.parameters["grid"] == [3, 3] and report["coarse and fine"].value == 1
    fine.about = {**fine.about, "recipe": "another"}
    with pytest.raises(InputError, match="different grids"):
        overlaps([coarse, fine], stores=[store])
