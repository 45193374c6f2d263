"""ITDA as its authors keep it (2505.17769): `atoms.pt`, `atom_indices.pt` and `metadata.yaml`."""

from pathlib import Path
from typing import Any

import numpy as np

from denoscope.core.errors import InputError, StoreError
from denoscope.core.optional import require
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.formats.cells import cells_of, numbered, restored, told_beside
from denoscope.dictionaries.formats.reading import tensors, write
from denoscope.dictionaries.itda import ITDA

__all__ = ["FILES", "fits", "read", "save_made"]

_ATOMS, _PLACES, _CONFIG = "atoms.pt", "atom_indices.pt", "metadata.yaml"
FILES = (_ATOMS, _CONFIG)
_K = 40
"""Of the package, where its files do not say it."""


def fits(folder: Path) -> bool:
    """Whether the files are there; the settings may be absent, as the package has defaults."""
    return (folder / _ATOMS).exists()


def read(folder: Path, k: int | None = None) -> ITDA:
    """The dictionary: no mean is taken off, and codes are found by signed matching pursuit in k steps.

    Raises:
        StoreError: files that are damaged, or atoms and places that do not belong together.
    """
    atoms = tensors(folder / _ATOMS)["tensor"]
    told = _config(folder / _CONFIG)
    places = tensors(folder / _PLACES)["tensor"] if (folder / _PLACES).exists() else None
    if atoms.ndim != 2 or (places is not None and places.shape != (len(atoms), 2)):
        raise StoreError(f"{folder} holds atoms of shape {atoms.shape} and places of another number")
    names = None if places is None else [None if one < 0 else str(int(one)) for one in places[:, 0]]
    cells = None if places is None else [None if one < 0 else int(one) for one in places[:, 1]]
    births = {"sample": names, "cell": cells} if names is not None else {}
    settings = {"k": min(int(k or told.get("k") or _K), len(atoms)), "pursuit": "matching", "signed": True}
    return restored(folder, atoms, np.zeros(atoms.shape[1]), settings, births,
                    {"format": "itda", "foreign": told, "site": told.get("submodule_name")})  # fmt: skip


def save_made(made: Learned, folder: Path) -> None:
    """Write what its `ITDA.from_pretrained` reads; `origin.json` keeps what the format has no word for.

    Raises:
        InputError: a dictionary without pursuit, or one that takes a mean off.
    """
    found = cells_of(made, "itda")
    if np.abs(found.bias).max() > 1e-6 * max(1.0, float(np.abs(found.atoms).max())):
        raise InputError("this format takes no mean off, and this dictionary does; write it as itda_flux")
    write(folder / _ATOMS, {"": found.atoms})
    write(folder / _PLACES, {"": numbered(found)})
    told = {"wandb_name": "denoscope", "layer": 0, "lm_name": "", "device": "cpu", "steps": 0, "dataset": "",
            "submodule_name": str(made.about.get("site", "")), "activation_dim": int(found.atoms.shape[1]),
            "k": int(found.settings.k), "loss_threshold": float(getattr(found.settings, "threshold", 0.0)),
            "seq_len": 0, "batch_size": int(found.settings.batch), "seed": int(found.settings.seed),
            "max_dict_size": len(found.atoms)}  # fmt: skip
    (folder / _CONFIG).write_text(require("yaml", "write ITDA's files", "pyyaml").safe_dump(told), encoding="utf-8")
    told_beside(found, folder, "itda")


def _config(path: Path) -> dict[str, Any]:
    """What the YAML file says; nothing where there is none."""
    if not path.exists():
        return {}
    yaml = require("yaml", "read ITDA's files", "pyyaml")
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise StoreError(f"{path} cannot be read: {' '.join(str(error).split())[:120]}") from None
    if not isinstance(told, dict):
        raise StoreError(f"{path} holds no settings by name")
    return told
