"""ITDA as the works on Flux keep it (2505.24360): `cfg.json` and `sae.safetensors` with pairs of atoms."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.core.errors import InputError, StoreError
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.formats.cells import cells_of, restored, told_beside
from denoscope.dictionaries.formats.reading import Tensors, config, tensors, write
from denoscope.dictionaries.itda import ITDA

__all__ = ["FILES", "fits", "read", "save_made"]

_CONFIG, _WEIGHTS = "cfg.json", "sae.safetensors"
FILES = (_CONFIG, _WEIGHTS)
_NEEDED = {"xs": "atoms that are pursued", "ys": "what they stand for"}


def fits(folder: Path) -> bool:
    """Whether the files are there; sparsify has files of the same names, without a size of the dictionary."""
    there = (folder / _CONFIG).exists() and (folder / _WEIGHTS).exists()
    return there and "dictionary_size" in config(folder / _CONFIG)


def read(folder: Path, k: int | None = None) -> ITDA:
    """The dictionary: codes are found by gradient pursuit and never negative; rows beyond its size are padding.

    Raises:
        InputError: pairs of two sites, a linear map beside them, or channels that are divided by their deviation.
        StoreError: files that are damaged or lack something.
    """
    told, found = config(folder / _CONFIG), tensors(folder / _WEIGHTS, _NEEDED)
    size = int(told["dictionary_size"])
    atoms, pairs = found["xs"][:size], found["ys"][:size]
    if not 0 < size <= len(found["xs"]) or atoms.shape != pairs.shape:
        raise StoreError(f"{folder} tells of {size} atoms and holds {found['xs'].shape} and {found['ys'].shape}")
    _check(told, found, atoms, pairs)
    mean = found.get("mean_x") if told.get("subtract_mean") else None
    settings = {"k": min(int(k or told.get("target_l0") or 32), size), "pursuit": "gradient", "signed": False,
                "threshold": max(0.0, float(told.get("loss_threshold") or 0.0))}  # fmt: skip
    bias = np.zeros(atoms.shape[1]) if mean is None else mean
    return restored(folder, atoms, bias, settings, {}, {"format": "itda_flux", "foreign": told})


def save_made(made: Learned, folder: Path) -> None:
    """Write what its `ITDA.load_from_disk` reads; `origin.json` keeps what the format has no word for.

    Raises:
        InputError: a dictionary without pursuit.
    """
    found = cells_of(made, "itda_flux")
    size, channels = found.atoms.shape
    room = np.zeros((2 ** math.ceil(max(4, math.log2(size))), channels), dtype=np.float32)
    room[:size] = found.atoms
    told = {"d_model": channels, "target_l0": int(found.settings.k),
            "loss_threshold": float(getattr(found.settings, "threshold", 0.0)), "add_error": False,
            "subtract_mean": True, "fvu_loss": True, "start_size": 0, "error_k": None, "skip_connection": False,
            "preprocessing_steps": 1, "dictionary_size": size, "steps": 1}  # fmt: skip
    ones, none = np.ones(channels, np.float32), np.zeros((channels, channels), np.float32)
    write(folder / _WEIGHTS, {"xs": room, "ys": room.copy(), "mean_x": found.bias, "mean_y": found.bias.copy(),
                              "std_x": ones, "std_y": ones.copy(), "weight": none})  # fmt: skip
    (folder / _CONFIG).write_text(json.dumps(told, indent=1))
    told_beside(found, folder, "itda_flux")


def _check(told: dict[str, Any], found: Tensors, atoms: Any, pairs: Any) -> None:
    if told.get("skip_connection"):
        raise InputError("this ITDA adds a linear map of what it reads (skip_connection), which ours has no word for")
    if not np.allclose(atoms, pairs, atol=1e-4):
        raise InputError("this ITDA reads one site and explains another (xs and ys differ), which ours does not")
    spread = found.get("std_x")
    if told.get("normalize") and spread is not None and not np.allclose(spread, 1):
        raise InputError("this ITDA divides each channel by its deviation first (normalize), so that its codes are not "
                         "those of a pursuit of the activations; it cannot be read")  # fmt: skip
