"""`align`: the map that is saved is the one that was learned, in both formats, and a second name for it is noticed."""

import json
from pathlib import Path

import numpy as np
import pytest

import denoscope as ds
from denoscope.align import align
from denoscope.cli import main
from denoscope.core.errors import InputError
from denoscope.measures.affine_transforms import Transform
from denoscope.tasks.alignability import Alignability

WORDS = "people:test,objects=24,images=1,triplets=2000,size=32"
DIAGONAL = Alignability(maps=("diagonal",), penalties=(0.3, 0.03))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dozen objects, read by a random network."""
    folder = tmp_path_factory.mktemp("people")
    ds.extract("toy-sd15", WORDS, ["mid"], [50], out=folder)
    return folder


def test_a_saved_map_is_read_again_and_scored_beside_the_others(store: Path, tmp_path: Path) -> None:
    """On the objects that taught it, it does better than the maps that never saw them; either format does the same."""
    files = [tmp_path / "mine.npz", tmp_path / "mine.npy"]
    made = [align(store, file, DIAGONAL) for file in files]
    report = ds.evaluate(store, "alignability", maps=("diagonal",), penalties=(0.3, 0.03), known=tuple(map(str, files)))
    scores = [report[f"accuracy, saved map {file.name}"] for file in files]
    assert scores[0].value == pytest.approx(scores[1].value)
    assert scores[0].value >= report["accuracy"].value
    assert report.parameters["saved maps"]["mine.npz"] == made[0].transform.digest
    assert any("may have been learned" in note for note in report.notes)
    assert made[0].objects == 24 and made[0].gap < 1e-5


def test_the_same_map_under_another_name_is_told(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """From the command line, in words and for machines; the report tells it too."""
    Transform.load(align(store, tmp_path / "dino.npz", DIAGONAL).file).save(tmp_path / "dinov2.npz")
    (tmp_path / "notes.npy").write_bytes(b"no map")
    penalties = ["--penalties", "0.3", "0.03"]
    command = ["align", str(store), "--out", str(tmp_path / "dino.npz"), "--map", "diagonal", *penalties]
    assert main(command) == 0
    assert "dinov2.npz in the same folder is the same map" in capsys.readouterr().out
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same"] == ["dinov2.npz"]
    both = tuple(str(tmp_path / name) for name in ("dino.npz", "dinov2.npz"))
    report = ds.evaluate(store, "alignability", maps=("diagonal",), penalties=(0.3,), known=both, save=False)
    assert any("dino.npz, dinov2.npz are one and the same" in note for note in report.notes)


def test_maps_of_another_width_are_left_out_and_told(store: Path, tmp_path: Path) -> None:
    """A grid of sites has several widths."""
    file = Transform(np.eye(3)).save(tmp_path / "narrow.npz")
    report = ds.evaluate(store, "alignability", maps=("diagonal",), penalties=(0.3,), known=(str(file),), save=False)
    assert any("narrow.npz is for 3 channels" in note for note in report.notes)
    assert not any("saved map" in score.name for score in report.scores)


def test_what_cannot_be_saved_is_refused(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Before anything is read."""
    with pytest.raises(InputError, match="one map per part"):
        align(store, tmp_path / "a.npz", Alignability(maps=("published",)))
    with pytest.raises(InputError, match=r"\.npy or \.npz, not 'a.pkl'"):
        align(store, tmp_path / "a.pkl")
    assert main(["align", str(store), "--out", str(tmp_path / "a.npz"), "--map", "diagonals"]) == 2
    assert "diagonal" in capsys.readouterr().err
