"""overcomplete: a state dict with a linear encoder; read alone."""

from pathlib import Path

import numpy as np

from denoscope.core.errors import InputError, StoreError
from denoscope.dictionaries.formats.parts import Parts
from denoscope.dictionaries.formats.reading import tensors

__all__ = ["fits", "read"]

_NEEDED = {"encoder.final_block.0.weight": "encoder", "encoder.final_block.0.bias": "its bias",
           "dictionary._weights": "decoder"}  # fmt: skip


def fits(folder: Path) -> bool:
    """Whether a folder holds one file of tensors with its names."""
    return _file(folder) is not None


def read(folder: Path, k: int | None = None) -> Parts:
    """The parts: ReLU, or TopK where k is given, as the files do not say it. Atoms are of length one, without a bias.

    Raises:
        InputError: an encoder of several layers.
        StoreError: a damaged file.
    """
    path = _file(folder)
    if path is None:
        raise StoreError(f"{folder} holds no file of tensors")
    found = tensors(path, _NEEDED)
    more = [name for name in found if name.startswith("encoder.") and not name.startswith("encoder.final_block.0")]
    if more:
        raise InputError(f"this encoder has more than one layer ({', '.join(more[:3])}); linear ones can be read")
    atoms = found["dictionary._weights"]
    scale = float(found.get("dictionary.multiplier", np.ones(())))
    decoder = scale * atoms / np.maximum(np.linalg.norm(atoms, axis=1, keepdims=True), 1e-12)
    zero = np.zeros(decoder.shape[1])
    encoder, bias = found["encoder.final_block.0.weight"], found["encoder.final_block.0.bias"]
    return Parts("topk" if k else "threshold", encoder=encoder, encoder_bias=bias, decoder=decoder, bias=zero,
                 centre=zero, k=k or 0, about={"format": "overcomplete"})  # fmt: skip


def _file(folder: Path) -> Path | None:
    for path in sorted([*folder.glob("*.pt"), *folder.glob("*.pth"), *folder.glob("*.safetensors")]):
        if path.name not in ("ae.pt", "state_dict.pth", "sae.safetensors", "sae_weights.safetensors", "atoms.pt",
                             "atom_indices.pt", "mean.pt", "std.pt", "dictionary.safetensors"):  # fmt: skip
            return path
    return None
