"""Steering over HTTP: regions as they were brushed, runs that outlive the server, and nothing but known files."""

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from denoscope.core.errors import UnknownName
from denoscope.explorer.server.steered import keep, known, known_run, mask_of, new_id, picture_of, region_of
from denoscope.explorer.server.steershapes import Interval, Moved, Region, SteerAsk, Steered

ASK = {"kind": "steer", "model": "fake", "prompt": "a cat", "pushes": [{"source": "dictionaries/d", "atom": 1}]}


def bits(cells: np.ndarray) -> str:
    """Cells as the page sends them."""
    flat = np.concatenate([cells.ravel(), np.zeros(-cells.size % 4, bool)]).reshape(-1, 4)
    return "".join(f"{int(row @ [8, 4, 2, 1]):x}" for row in flat)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 4), st.integers(0, 2**49 - 1))
def test_a_region_is_what_was_brushed(rows, cols, scale, drawn):
    """Every cell becomes a block of pixels of equal size; nothing brushed is no region."""
    cells = np.array([drawn >> k & 1 for k in range(rows * cols)], dtype=bool).reshape(rows, cols)
    found = region_of(Region(rows=rows, cols=cols, bits=bits(cells)), rows * scale, cols * scale)
    if not cells.any():
        assert found is None
    else:
        assert (found == np.kron(cells, np.ones((scale, scale), bool))).all()


def run_of(home, name="", pictures=2, seed=0) -> Steered:
    """A run on the desk, with pictures of noise."""
    ask = SteerAsk(**{**ASK, "pictures": pictures, "steps": 4, "guidance": 2.0})
    moved = [Moved(name="change of pixels", unit="of 255", steered=Interval(value=3.0, n=1))]
    told = Steered(
        id=name or new_id(), created=f"2026-11-22T00:00:0{seed}", ask=ask, height=8, width=8,
        layers=["before", "after", "mask"], moved=moved, factors=[], atoms=[], python="import denoscope", command="",
        seconds=1.0,
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    drawn = {layer: rng.integers(0, 256, (pictures, 8, 8, 3), dtype=np.uint8) for layer in ("before", "after")}
    keep(home / "desk" / "steered", told, drawn, np.eye(8, dtype=bool))
    return told


def test_runs_are_listed_newest_first_and_their_pictures_come_as_they_were_kept(client, home):
    """Losslessly, and only those that there are."""
    old, new = run_of(home), run_of(home, seed=1)
    assert [one["id"] for one in client.get("/api/steered").json()] == [new.id, old.id]
    assert Steered(**client.get(f"/api/steered/{old.id}").json()) == old
    expected = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    answer = client.get(f"/api/steered/{new.id}/before.png", params={"picture": 1})
    assert answer.headers["content-type"] == "image/png"
    assert (np.asarray(Image.open(io.BytesIO(answer.content))) == expected[1]).all()
    mask = np.asarray(Image.open(io.BytesIO(client.get(f"/api/steered/{new.id}/mask.png").content)))
    assert ((mask > 127) == np.eye(8, dtype=bool)).all()
    assert client.get(f"/api/steered/{new.id}/before.png", params={"picture": 2}).status_code == 404
    assert client.get(f"/api/steered/{new.id}/control.png").status_code == 404
    assert client.get("/api/steered/nothing/before.png").status_code == 404
    assert client.delete(f"/api/steered/{old.id}").json()["id"] == old.id
    assert [one["id"] for one in client.get("/api/steered").json()] == [new.id]
    assert client.get(f"/api/steered/{old.id}").status_code == 404


def test_a_damaged_run_does_not_hide_the_others(home):
    """Nor does one whose folder claims another id."""
    good = run_of(home)
    place = home / "desk" / "steered"
    for name, text in {"aa": "{", "ab": good.model_dump_json(), "ac": json.dumps({"id": "ac"})}.items():
        (place / name).mkdir()
        (place / name / "steered.json").write_text(text)
    assert [one.id for one in known(place)] == [good.id]
    with pytest.raises(UnknownName, match="no steered pictures"):
        known_run(place, "aa")
    with pytest.raises(UnknownName, match="no picture 0 of"):
        picture_of(place, good.id, "../secret", 0)
    assert picture_of(place, good.id, "mask", 0).name == mask_of()


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": [3, 3]},
        {"window": [3]},
        {"pictures": 0},
        {"region": {"rows": 4, "cols": 4, "bits": "xyz"}},
        {"region": {"rows": 400, "cols": 4, "bits": "ff"}},
        {"pushes": [{"source": "d", "strength": 1e9}]},
        {"pushes": [{"source": "d", "edit": "explode"}]},
        {"branch": "neither"},
    ],
)
def test_what_makes_no_sense_is_refused_before_it_waits(client, wrong):
    """In one line, and no job is made."""
    answer = client.post("/api/jobs", json={**ASK, **wrong})
    assert answer.status_code == 422 or answer.status_code == 400
    assert isinstance(answer.json()["detail"], str) and client.get("/api/jobs").json() == []


def test_a_direction_from_labels_is_kept_like_a_painted_one(client, home):
    """Among the directions; one that cannot be told leaves nothing behind."""
    layer = client.get("/bundle/manifest.json").json()["layers"][0]["id"]
    assert client.get("/api/steer/facts", params={"layer": layer}).json()[0]["values"] == {"small": 2, "large": 1}
    made = client.post("/api/steer/contrasts", json={"layer": layer, "fact": "size", "value": "small"}).json()
    assert made["name"] == "size = small" and made["site"] == "mid"
    assert client.get("/api/directions").json() == [made]
    lost = client.post("/api/steer/contrasts", json={"layer": layer, "fact": "size", "value": "huge"})
    assert lost.status_code == 404 and "huge" in lost.json()["detail"]
    assert [path.name for path in (home / "desk" / "directions").iterdir()] == [made["id"]]
    assert client.get("/api/steer/sources").json()[0]["id"] == "dictionaries/d"
