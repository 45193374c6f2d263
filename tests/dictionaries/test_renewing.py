"""A full dictionary of cells goes on: what is used least and most like another makes room, and all stays consistent."""

import numpy as np
import pytest
import torch

from denoscope.core.errors import InputError
from denoscope.dictionaries._evicting import Usage
from denoscope.dictionaries.itda import ITDA
from denoscope.dictionaries.rows import PLACE, Rows
from denoscope.measures.pursuit import pursue
from denoscope.measures.sparsity import fvu


def sparse(true: np.ndarray, rows: int, seed: int) -> np.ndarray:
    """Rows that are two of some unit atoms each, beside a little noise."""
    rng = np.random.default_rng(seed)
    codes = np.zeros((rows, len(true)))
    for row in codes:
        row[rng.choice(len(true), 2, replace=False)] = rng.uniform(1, 2, 2)
    return (5 * codes @ true + 0.2 * rng.normal(size=(rows, true.shape[1]))).astype(np.float32)


def batches(x: np.ndarray, size: int = 200) -> list[Rows]:
    """Each row tells its place."""
    places = np.array([(f"image-{row // 4}", row % 4) for row in range(len(x))], dtype=PLACE)
    return [Rows(x[start : start + size], None, None, places[start : start + size]) for start in range(0, len(x), size)]


DIRECTIONS = np.linalg.qr(np.random.default_rng(0).normal(size=(32, 32)))[0]
FIRST, LAST = sparse(DIRECTIONS[:16], 1500, 1), sparse(DIRECTIONS[16:], 1500, 2)


def test_what_comes_later_finds_room() -> None:
    """A threshold fills it with the first kind of rows; with exchanges it explains the last kind as well."""
    x, seen = np.concatenate([FIRST, LAST]), sparse(DIRECTIONS[16:], 400, 3)
    shared = {"atoms": 24, "k": 3, "cells": 3000, "threshold": 0.1, "device": "cpu"}
    stopped, renewed = (ITDA(renew=renew, **shared).fit(batches(x)) for renew in (0.0, 3.0))
    assert len(stopped.atoms) == len(renewed.atoms) == 24
    assert fvu(seen, renewed.reconstruct(seen)) < 0.7 * fvu(seen, stopped.reconstruct(seen))


def test_atoms_and_birthplaces_belong_together_after_exchanges() -> None:
    """Every atom is the cell that it says, each stands once, none is like another; equal rows give equal atoms."""
    x = np.concatenate([FIRST, LAST])
    made, again = (ITDA(atoms=24, k=3, cells=3000, renew=2.0, device="cpu", seed=4).fit(batches(x)) for _ in range(2))
    rows = [int(name.split("-")[1]) * 4 + cell
            for name, cell in zip(made.births["sample"], made.births["cell"], strict=True)]  # fmt: skip
    away = x[rows] - made.bias
    assert len(set(rows)) == len(made.weights["loss"]) == 24
    np.testing.assert_allclose(made.atoms, away / np.linalg.norm(away, axis=1, keepdims=True), atol=1e-5)
    cosines = np.abs(made.atoms @ made.atoms.T) - np.eye(24)
    assert cosines.max() < 0.95 and (again.atoms == made.atoms).all() and again.births == made.births


def test_the_least_used_and_most_alike_goes() -> None:
    """As the definition gives it by brute force, among many atoms, after some have come and gone."""
    rng = np.random.default_rng(5)
    atoms = rng.normal(size=(150, 12)).astype(np.float32)
    atoms[9] = atoms[8] + 0.05 * rng.normal(size=12)
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    directions = torch.from_numpy(atoms)
    usage = Usage(150, 4, torch.device("cpu"))
    for place in range(150):
        usage.born(place, (directions[:place] @ directions[place]).abs())
    assert usage.least(directions, True) is None  # all are young
    energy = np.zeros(150)
    for seed in range(3):
        found = pursue(torch.from_numpy(sparse(atoms.astype(float), 200, seed)), directions, 4, "orthogonal")
        usage.saw(found)
        np.add.at(energy, found.where.numpy().reshape(-1), found.codes.numpy().reshape(-1).astype(float) ** 2)
    unique = 1 - (np.abs(atoms @ atoms.T) - 2 * np.eye(150)).max(axis=1)
    assert usage.least(directions, True) == np.argmin(energy * unique)


def test_bad_numbers_of_exchanges_are_refused() -> None:
    """In one line."""
    for renew in (-1.0, 1e9):
        with pytest.raises(InputError, match="renew lies in 0"):
            ITDA(renew=renew)
