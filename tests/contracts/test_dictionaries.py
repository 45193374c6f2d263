"""What every registered dictionary keeps to."""

from dataclasses import is_dataclass

import numpy as np
import pytest
import torch

from denoscope.core.dictionary import Dictionary
from denoscope.core.registry import dictionaries
from denoscope.dictionaries.base import load_dictionary

ENTRIES = [pytest.param(entry, id=entry.name) for entry in dictionaries]
QUICK = {"atoms": 6, "k": 2, "cells": 600, "batch": 100, "device": "cpu"}
ROWS = (np.random.default_rng(0).normal(size=(300, 8)) @ np.diag(np.arange(1, 9)) + 5).astype(np.float32)


def learned(entry):
    """The dictionary at a size that learns in a moment."""
    known = entry.thing.Settings.__dataclass_fields__
    return entry.thing(**{name: value for name, value in QUICK.items() if name in known}).fit([ROWS])


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_dictionary_is_registered_with_its_settings(entry):
    """Under its own name, with a summary and a frozen dataclass of parameters."""
    assert entry.thing.name == entry.name and entry.summary
    assert is_dataclass(entry.thing.Settings) and entry.thing.Settings.__dataclass_params__.frozen


@pytest.mark.parametrize("entry", ENTRIES)
def test_rows_are_codes_times_unit_atoms_plus_bias(entry):
    """In the units of the rows, and better than the mean."""
    found = learned(entry)
    codes = found.encode(ROWS)
    assert isinstance(found, Dictionary)
    assert found.atoms.shape == (6, 8) and codes.shape == (300, 6)
    assert np.linalg.norm(found.atoms, axis=1) == pytest.approx(np.ones(6), abs=1e-4)
    assert found.decode(codes) == pytest.approx(codes @ found.atoms + found.bias, abs=1e-3)
    assert np.square(ROWS - found.decode(codes)).sum() < np.square(ROWS - ROWS.mean(axis=0)).sum()


@pytest.mark.parametrize("entry", ENTRIES)
def test_learning_is_repeatable_and_saving_loses_nothing(entry, tmp_path):
    """Equal rows and settings give equal atoms; arrays and tensors give equal codes."""
    found = learned(entry)
    assert (learned(entry).atoms == found.atoms).all()
    found.save(tmp_path)
    again = load_dictionary(tmp_path)
    assert (again.encode(ROWS) == found.encode(ROWS)).all()
    assert again.encode(torch.from_numpy(ROWS)).numpy() == pytest.approx(found.encode(ROWS), abs=1e-3)
