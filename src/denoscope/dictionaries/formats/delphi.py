"""The latent cache of delphi: codes as triples of sequence, token and latent, where an image is a sequence of cells.

`MODULE/START_END.safetensors` {`locations` (code, 3), `activations` (code,), `tokens` (sequence, token)} and
`MODULE/config.json`. There are no words: a token is the number of its cell, from 1; 0 is padding.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.core.optional import require

__all__ = ["Triples", "write_delphi"]

Triples = tuple[int, NDArray[Any], NDArray[Any], NDArray[Any], int]
"""One image: its number, cell and atom of each code, the codes, and how many cells it has."""
_SMALL = 1e-5
"""Size up to which a code counts as none, as in the package."""


def write_delphi(
    images: Iterable[Triples], atoms: int, folder: Path, *, module: str, names: Sequence[str], splits: int = 1,
    about: Mapping[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Write the cache of one site; its folder is returned.

    Args:
        images: codes of each image, in any order.
        atoms: how many there are.
        folder: with a folder for each site.
        module: the site.
        names: id of each image, kept in `images.json`, which the package leaves alone.
        splits: files that the atoms are dealt over.
        about: more settings for `config.json`, such as `model_name`.

    Raises:
        InputError: no code at all, or more splits than atoms.
    """
    if not 1 <= splits <= atoms:
        raise InputError(f"atoms are dealt over 1 to {atoms} files, not {splits}")
    found = list(images)
    length = max((count for *_, count in found), default=0)
    triples = [np.stack([np.full(len(cells), number), cells, which], axis=1) for number, cells, which, _, _ in found]
    places = np.concatenate(triples or [np.zeros((0, 3))]).astype(np.int64)
    values = np.concatenate([codes for *_, codes, _ in found] or [np.zeros(0)]).astype(np.float16)
    live = np.abs(values.astype(np.float32)) > _SMALL
    if not live.any():
        raise InputError("no atom is active in any cell, so that there is nothing to write")
    tokens = np.zeros((len(names), length), dtype=np.int64)
    for number, *_, count in found:
        tokens[number, :count] = np.arange(1, count + 1)
    place = folder / module
    place.mkdir(parents=True, exist_ok=True)
    bounds = np.linspace(0, atoms, splits + 1).astype(int)
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        mine = live & (places[:, 2] >= start) & (places[:, 2] < end)
        located = places[mine] - (0, 0, start)
        kind = np.uint16 if max(len(names), length, end - start) <= 1 << 16 else np.uint32
        arrays = {"locations": located.astype(kind), "activations": values[mine], "tokens": tokens}
        name = f"{start}_{end - 1}.safetensors"
        require("safetensors.numpy", "write delphi's cache").save_file(arrays, place / name)
    told = {"dataset_repo": "", "dataset_split": "", "dataset_name": "", "dataset_column": "", "batch_size": 1,
            "cache_ctx_len": length, "n_tokens": int(sum(count for *_, count in found)), "n_splits": splits,
            "model_name": "", **dict(about or {})}  # fmt: skip
    (place / "config.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (place / "images.json").write_text(json.dumps(list(names)), encoding="utf-8")
    return place
