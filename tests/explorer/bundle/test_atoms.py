"""Codes, counts and neighbours of atoms, held against dense arithmetic; the panel's file comes back as it was."""

import json

import numpy as np
import pytest

from denoscope.core.errors import InputError, StoreError
from denoscope.explorer.bundle.atoms import (
    AtomsPanel,
    Births,
    Column,
    GalleryImage,
    Level,
    known_atoms,
    numbers_of,
    put_atoms,
    put_numbers,
    shown_codes,
)
from denoscope.explorer.bundle.atoms_codes import codes_from, sparse, strongest
from denoscope.explorer.bundle.atoms_pictures import TILE, put_sheets, put_small, tile
from denoscope.explorer.bundle.atoms_tally import BINS, Tally, nearest
from denoscope.explorer.bundle.blobs import Blobs
from denoscope.explorer.bundle.manifest import Manifest


def _dense(seed: int, cells: int = 30, atoms: int = 12) -> np.ndarray:
    """Codes of which most are zero and some below it, as half precision has them."""
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(cells, atoms)) * (rng.random((cells, atoms)) < 0.3)
    return codes.astype(np.float16).astype(np.float32)


def _coded(codes: np.ndarray, valid: np.ndarray, most: int = 64):
    return sparse(strongest(codes[valid], most), valid, np.arange(len(valid)), codes.shape)


def test_codes_come_back_as_they_were_the_strongest_first() -> None:
    """Every code by atom and cell; padding is empty; what is left stands at its cell."""
    codes, valid = _dense(0), np.array([*range(4, 30)])
    back = codes_from(_coded(codes, valid).to_bytes())
    for atom in range(12):
        np.testing.assert_array_equal(back.of(atom)[4:], codes[4:, atom])
        assert not back.of(atom)[:4].any()
    sizes = [np.abs(back.values[a:b].astype(float)) for a, b in zip(back.starts[:-1], back.starts[1:], strict=True)]
    assert all((np.diff(found) <= 0).all() for found in sizes)
    assert back.atoms.dtype == np.uint16 and back.cells == 30
    np.testing.assert_array_equal(back.left, [0, 0, 0, 0, *range(26)])


def test_only_the_largest_codes_of_a_cell_are_kept_by_size() -> None:
    """A code below zero counts by its size; atoms beyond two bytes need four."""
    codes = np.array([[0.5, -3.0, 2.0, 1.0]], dtype=np.float32)
    kept = _coded(codes, np.array([0]), most=2)
    assert kept.atoms.tolist() == [1, 2] and kept.values.tolist() == [-3.0, 2.0]
    wide = np.zeros((1, 70_000), dtype=np.float32)
    wide[0, 69_999] = 1e9
    found = _coded(wide, np.array([0]))
    assert found.atoms.dtype == np.int32 and found.atoms.tolist() == [69_999] and np.isfinite(found.values).all()
    with pytest.raises(InputError, match="not finite"):
        strongest(np.array([[np.nan]]))


@pytest.mark.parametrize("raw", [b"", b"nonsense", "wrong names", "unequal"])
def test_other_files_are_no_codes(raw) -> None:
    """One line, whatever the bytes are."""
    from safetensors.numpy import save

    one = np.zeros(1, np.int32)
    if raw == "wrong names":
        raw = save({"starts": one})
    elif raw == "unequal":
        raw = save({"starts": np.array([0, 5], np.int32), "atoms": one, "values": one, "left": one})
    with pytest.raises(InputError, match="not the codes of an image"):
        codes_from(raw)


def test_counts_are_those_of_the_dense_codes() -> None:
    """Density with its error over images, images, mean, largest, the strongest images, and where on the picture."""
    images = [_dense(seed) for seed in range(9)]
    valid, where = np.arange(30), np.random.default_rng(3).random((30, 2))
    tally = Tally(12, len(images))
    for codes in images:
        tally.add(_coded(codes, valid), valid, where)
    found, every = tally.numbers(), np.stack(images)
    share = (every > 0).mean(axis=1)
    np.testing.assert_allclose(found["density"], share.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found["density.error"], share.std(axis=0, ddof=1) / 3, rtol=1e-5)
    positive = np.where(every > 0, every, np.nan)
    np.testing.assert_allclose(found["mean"], np.nanmean(positive, axis=(0, 1)), rtol=1e-5)
    np.testing.assert_array_equal(found["largest"], every.max(axis=(0, 1)))
    np.testing.assert_array_equal(found["images"], (every > 0).any(axis=1).sum(axis=0))
    peaks = every.max(axis=1)
    for atom in range(12):
        order = [k for k in np.argsort(-peaks[:, atom], kind="stable") if peaks[k, atom] > 0]
        assert found["top.image"][atom, : len(order)].tolist() == order
        assert (found["top.image"][atom, len(order) :] == -1).all()
        for place, image in enumerate(order):
            assert every[image, found["top.cell"][atom, place], atom] == found["top.code"][atom, place]
    bins = (where * BINS).astype(int)
    held = np.zeros((12, BINS, BINS))
    for row, col in {tuple(place) for place in bins.tolist()}:
        mine = (bins == (row, col)).all(axis=1)
        held[:, row, col] = np.maximum(every[:, mine], 0).mean(axis=(0, 1))
    peak = held.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found["position"], 255 * held / peak, atol=0.51)


def test_neighbours_are_those_of_all_pairs() -> None:
    """phi is the correlation of being active over all cells; cosines are compared by size, without the atom itself."""
    images = [_dense(seed) for seed in range(6)]
    tally = Tally(12, len(images))
    for codes in images:
        tally.add(_coded(codes, np.arange(30)), np.arange(30), np.zeros((30, 2)))
    found, active = tally.numbers(), np.concatenate(images) > 0
    phi = np.asarray(np.corrcoef(active.T))
    np.fill_diagonal(phi, -2)
    for atom in range(12):
        mine = found["beside"][atom] >= 0
        np.testing.assert_allclose(found["beside.phi"][atom][mine], phi[atom, found["beside"][atom][mine]], atol=1e-6)
        wanted = np.sort(phi[atom][phi[atom] > 1e-9])[::-1][:8]
        both = [(active[:, atom] & active[:, other]).any() for other in range(12)]
        assert mine.sum() == min(8, (np.array(both) & (phi[atom] > 1e-9)).sum())
        np.testing.assert_allclose(found["beside.phi"][atom][mine], wanted[: mine.sum()], atol=1e-6)
    atoms = np.random.default_rng(0).normal(size=(12, 5))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    where, cosines = nearest(atoms.astype(np.float32))
    full = np.abs(atoms @ atoms.T)
    np.fill_diagonal(full, -1)
    np.testing.assert_array_equal(where, np.argsort(-full, axis=1)[:, :8])
    np.testing.assert_allclose(cosines, np.take_along_axis(atoms @ atoms.T, where, axis=1), atol=1e-5)
    alone, _ = nearest(np.ones((1, 3), np.float32))
    assert (alone == -1).all()


def test_atoms_that_are_never_active_have_zeros_and_no_images() -> None:
    """Nothing is NaN, and nothing is divided by zero."""
    tally = Tally(3, 1)
    tally.add(_coded(np.array([[0, 1.0, -1.0]] * 4), np.arange(4)), np.arange(4), np.zeros((4, 2)))
    found = tally.numbers()
    assert all(np.isfinite(array).all() for array in found.values())
    assert found["images"].tolist() == [0, 1, 0] and (found["top.image"][[0, 2]] == -1).all()
    assert (found["beside"] == -1).all()


def _panel(blobs: Blobs) -> AtomsPanel:
    codes = blobs.put(_coded(_dense(0), np.arange(30)).to_bytes(), "safetensors")
    picture = put_small(blobs, np.zeros((30, 40, 3), np.uint8))
    image = GalleryImage("a", "A", picture, 40, 30, 5, 6, 8.0, (40, 30, 48, 40, 1, 1, 0, 0), codes, (3,))
    sheets = put_sheets(blobs, [None] * 12)
    numbers = put_numbers(blobs, {"density": np.zeros(12, np.float32)})
    return AtomsPanel(
        "one", "itda", "d" * 16, "k", "toy", "mid", "50", "r", 12, 4, True, 64, (image,), 1, 9, 30, 2.5, numbers,
        put_numbers(blobs, {"atoms": np.ones((12, 4), np.float16), "bias": np.zeros(4, np.float32)}),
        (Column("density", "active", "share"),), {"word": ("cat", *[""] * 11)}, (Level("50", True),),
        ({"name": "FVU", "value": 0.1},), ("a note",), None,
        Births(("a", *[None] * 11), (3, *[None] * 11), (50.0, *[None] * 11), sheets),
    )  # fmt: skip


def test_a_panel_comes_back_and_names_all_its_files(tmp_path) -> None:
    """Equal, entry by entry; a bundle that lost one of the files no longer has the panel; a damaged one is told."""
    blobs = Blobs(tmp_path)
    panel = _panel(blobs)
    assert AtomsPanel.from_json(panel.to_json()) == panel
    entry = put_atoms(blobs, panel)
    manifest = Manifest("t", "n", "0", panels=(entry,))
    blobs.publish(manifest)
    assert blobs.manifest() == manifest and set(panel.files) | {entry.file} == manifest.files
    assert known_atoms(blobs, manifest.panels) == [panel]
    assert shown_codes(blobs, panel, "a").cells == 30 and len(numbers_of(blobs, panel)["density"]) == 12
    with pytest.raises(InputError, match="not among the 1 images"):
        panel.image("b")
    (tmp_path / panel.numbers).unlink()
    assert known_atoms(blobs, manifest.panels) == []
    told = json.loads(panel.to_json())
    for damaged in ("[]", "{", json.dumps({**told, "later": 1}), json.dumps({**told, "images": [{}]})):
        with pytest.raises(StoreError, match="damaged"):
            AtomsPanel.from_json(damaged)


def test_tiles_lie_on_the_picture_and_in_their_place_on_the_sheet(tmp_path) -> None:
    """A square at the edge is moved inwards; the sheet holds tiles in reading order."""
    from PIL import Image

    picture = np.zeros((60, 90, 3), np.uint8)
    picture[:20, :20] = (250, 10, 10)
    assert (tile(picture, 2, 3, 20)[..., 0] == 250).all() and not tile(picture, 80, 50, 20).any()
    (sheet,) = put_sheets(Blobs(tmp_path), [None] * 33 + [tile(picture, 2, 3, 20)])
    with Image.open(tmp_path / sheet) as shown:
        pixels = np.asarray(shown)
    assert pixels.shape == (2 * TILE, 32 * TILE, 3)
    assert abs(int(pixels[TILE + TILE // 2, TILE + TILE // 2, 0]) - 250) < 6
    assert np.abs(pixels[TILE // 2, TILE // 2].astype(int) - 128).max() < 3
