"""Atoms that are cells: chosen where the dictionary fails, sized as asked, each with its birthplace."""

import numpy as np
import pytest
import torch

from denoscope.core.errors import InputError, UnknownName
from denoscope.dictionaries.itda import ITDA, RandomCells
from denoscope.dictionaries.rows import PLACE, Rows
from denoscope.learn import learn
from denoscope.measures.pursuit import pursue
from denoscope.measures.sparsity import fvu
from planted import planted_store


def sparse(rows=3000, atoms=40, channels=24, k=2, seed=0, rare=False):
    """Rows that are k of some unit atoms each, around a centre that is not zero; `rare` ones are seldom active."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(atoms, channels))
    true /= np.linalg.norm(true, axis=1, keepdims=True)
    shares = 1 / np.arange(1, atoms + 1) ** (1.5 if rare else 0)
    codes = np.zeros((rows, atoms))
    for row in codes:
        row[rng.choice(atoms, k, replace=False, p=shares / shares.sum())] = rng.uniform(1, 2, k)
    return (5 * codes @ true + 3).astype(np.float32), true


def placed(values, batch=200):
    """As batches that know where their rows come from: image i has four cells."""
    places = np.array([(f"image-{row // 4}", row % 4) for row in range(len(values))], dtype=PLACE)
    levels = np.full(len(values), 50, dtype=np.float32)
    return [
        Rows(values[start : start + batch], levels[start : start + batch], None, places[start : start + batch])
        for start in range(0, len(values), batch)
    ]


def test_every_atom_is_the_cell_that_it_says():
    """Atom, sample, cell and timestep belong together, before and after saving."""
    x, _ = sparse()
    found = ITDA(atoms=50, k=3, cells=3000, batch=150, device="cpu").fit(placed(x))
    assert (
        found.atoms.shape == (50, 24) and len(set(zip(found.births["sample"], found.births["cell"], strict=True))) == 50
    )
    rows = [
        int(sample.split("-")[1]) * 4 + cell
        for sample, cell in zip(found.births["sample"], found.births["cell"], strict=True)
    ]
    away = x[rows] - found.bias
    assert found.atoms == pytest.approx(away / np.linalg.norm(away, axis=1, keepdims=True), abs=1e-5)
    assert set(found.births["timestep"]) == {50.0}


def test_births_survive_saving(tmp_path):
    """Also those of rows that do not say where they come from."""
    x, _ = sparse(300)
    for name, batches in (("told", placed(x)), ("bare", [x])):
        found = ITDA(atoms=8, k=2, cells=300, device="cpu").fit(batches)
        found.save(tmp_path / name)
        again = ITDA.load(tmp_path / name)
        assert again.births == found.births and len(again.births["sample"]) == 8
        assert (again.births["sample"][0] is None) == (name == "bare")
        assert again.told()["born in"] == found.births["sample"]


def test_a_threshold_means_what_it_says():
    """Every row's loss is at most tau in the end, whatever the scale; a smaller tau needs more atoms."""
    x, _ = sparse(800)
    counts = []
    for scale in (1.0, 100.0):
        found = ITDA(atoms=800, k=3, cells=2400, threshold=0.3, alike=1.0, device="cpu").fit([x * scale])
        centred = x * scale - found.bias
        left = pursue(centred, found.atoms, 3).left
        loss = np.square(left).sum(axis=1) / np.square(centred).sum(axis=1).mean()
        assert np.mean(loss > 0.3) < 0.03 and found.weights["loss"].min() > 0.3
        counts.append(len(found.atoms))
    assert counts[0] == pytest.approx(counts[1], abs=2)
    finer = ITDA(atoms=800, k=3, cells=2400, threshold=0.1, alike=1.0, device="cpu").fit([x])
    assert len(finer.atoms) > 1.2 * counts[0]


def test_without_a_threshold_nothing_is_left_of_the_rows_themselves():
    """With as many atoms as rows, each row is explained by itself."""
    x, _ = sparse(60)
    found = ITDA(atoms=60, k=1, cells=60, alike=1.0, pursuit="orthogonal", device="cpu").fit([x])
    assert len(found.atoms) == 60
    assert fvu(x, found.decode(found.encode(x))) < 1e-9


@pytest.mark.parametrize("atoms", [10, 64, 200])
@pytest.mark.parametrize("batch", [64, 1000])
@pytest.mark.parametrize("choose", ["loss", "worst"])
def test_the_controller_fills_the_dictionary(atoms, batch, choose):
    """The size that was asked for, from a stream of any batch size; never all at its beginning or its end."""
    x, _ = sparse(2000, atoms=300, channels=64, k=6)
    found = ITDA(atoms=atoms, k=4, cells=2000, batch=batch, choose=choose, device="cpu").fit(placed(x, 100))
    assert len(found.atoms) == atoms
    born = np.array([int(sample.split("-")[1]) for sample in found.births["sample"]]) * 4
    assert 0.2 < np.mean(born < 1000) < 0.9


@pytest.mark.parametrize("choose", ["loss", "worst"])
def test_choosing_helps_where_things_are_rare(choose):
    """One row in thirty is long and lies where the others do not: chance seldom draws those, the loss does."""
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(size=(2320, 4)) @ np.eye(4, 30), 2 * rng.normal(size=(80, 26)) @ np.eye(26, 30, 4)])
    x = rng.permutation(x).astype(np.float32)
    shared = {"atoms": 40, "k": 8, "cells": 2000}
    chosen = _left(ITDA(choose=choose, device="cpu", **shared).fit([x[:2000]]), x[2000:])
    drawn = np.mean([_left(RandomCells(seed=seed, **shared).fit([x[:2000]]), x[2000:]) for seed in range(4)])
    assert chosen < 0.8 * drawn
    assert ITDA(choose=choose, device="cpu", **shared).fit([x[:2000]]).random(x.mean(axis=0)).atoms.shape == (40, 30)


def test_alike_cells_become_one_atom():
    """No two atoms lie closer than was asked, however long some rows are."""
    x, _ = sparse(2000)
    x[::50] *= 30
    found = ITDA(atoms=80, k=2, cells=2000, alike=0.8, device="cpu").fit([x])
    cosines = np.abs(found.atoms @ found.atoms.T) - np.eye(len(found.atoms))
    assert cosines.max() < 0.8


def test_random_cells_are_rows_and_each_as_likely():
    """Every atom is a row; over seeds, early and late rows are drawn alike."""
    x, _ = sparse(400)
    first = []
    for seed in range(12):
        found = RandomCells(atoms=20, k=2, cells=400, batch=64, seed=seed).fit([x])
        away = x - found.bias
        unit = away / np.linalg.norm(away, axis=1, keepdims=True)
        cosines = found.atoms @ unit.T
        assert cosines.max(axis=1) == pytest.approx(np.ones(20), abs=1e-5)
        first.append(np.mean(cosines.argmax(axis=1) < 200))
    assert np.mean(first) == pytest.approx(0.5, abs=0.13)


def test_tensors_and_arrays_are_encoded_alike():
    """With a screen as well, whose codes are nearly those without."""
    x, _ = sparse(1000)
    found = ITDA(atoms=120, k=6, cells=1000, candidates=64, device="cpu").fit([torch.from_numpy(x)])
    codes = found.encode(x[:50])
    assert found.encode(torch.from_numpy(x[:50])).numpy() == pytest.approx(codes, abs=1e-5)
    assert (np.count_nonzero(codes, axis=1) <= 6).all()


def test_bad_input_is_refused_in_one_line():
    """Each error says what was wrong."""
    x, _ = sparse(100)
    for fields, words in (
        ({"k": 5, "atoms": 4}, "k must lie in"),
        ({"threshold": -1}, "threshold must not"),
        ({"alike": 0}, "alike in"),
        ({"pursuit": "orthogonal", "signed": False}, "signed codes"),
    ):
        with pytest.raises(InputError, match=words):
            ITDA(**fields)
    with pytest.raises(UnknownName, match="did you mean matching"):
        ITDA(pursuit="matchin")
    with pytest.raises(UnknownName, match="did you mean worst"):
        ITDA(choose="wors")
    with pytest.raises(InputError, match="NaN"):
        ITDA(atoms=4, k=2).fit([x * np.nan])
    with pytest.raises(InputError, match="do not vary"):
        ITDA(atoms=4, k=2).fit([np.ones((40, 3))])
    with pytest.raises(InputError, match="there were none"):
        ITDA(atoms=4, k=2).fit([])
    with pytest.raises(InputError, match="lower the threshold"):
        ITDA(atoms=40, k=30, cells=100, threshold=5.0, device="cpu").fit([x])
    with pytest.raises(InputError, match="as many cells"):
        RandomCells(atoms=200, k=2).fit([x])
    with pytest.raises(InputError, match="device 'tpu'"):
        ITDA(atoms=4, k=2, device="tpu").fit([x])


def _left(found, x):
    return fvu(x, found.decode(found.encode(x)))


def test_the_verb_tells_birthplaces_and_what_stands_beside(tmp_path):
    """Each atom is the cell that the table names; cells by chance and channels have scores of their own."""
    store = planted_store(tmp_path / "planted", count=20)
    found = learn(store, "itda", site="mid", atoms=9, k=2, cells=400, device="cpu", progress=False)
    report = found.report
    assert report is not None
    cells = store.get("mid", timestep=50).tokens()
    for atom, sample, cell in zip(found.atoms, report.table["born in"], report.table["cell"], strict=True):
        away = cells.numpy()[cells.ids.index(sample), cell] - found.bias
        assert atom == pytest.approx(away / np.linalg.norm(away), abs=1e-4)
    assert ITDA.load(found.folder).births["timestep"] == [50.0] * 9
    names = {score.name for score in report.scores}
    assert {"FVU, cells by chance", "FVU below single channels", "FVU, random atoms", "cosine"} <= names
    asked = learn(store, "pca", site="mid", atoms=3, baselines=("kmeans",), progress=False)
    assert asked.report is not None and asked.report["FVU, 3 centres"].value < 1.1
