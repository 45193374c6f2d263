"""The recipe of OpenAI's sparse_autoencoder, as sdxl-unbox keeps it: `config.json` and `state_dict.pth`."""

import json
from pathlib import Path
from typing import Any

from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.dictionaries.formats.parts import Parts, autoencoding
from denoscope.dictionaries.formats.reading import config, tensors, write

__all__ = ["fits", "read", "save"]

_CONFIG, _WEIGHTS = "config.json", "state_dict.pth"
_NEEDED = {
    "encoder.weight": "encoder",
    "decoder.weight": "decoder",
    "pre_bias": "bias",
    "latent_bias": "encoder's bias",
}


def fits(folder: Path) -> bool:
    """Whether the files are there."""
    return (folder / _WEIGHTS).exists()


def read(folder: Path, k: int | None = None) -> Parts:
    """The parts: TopK of sdxl-unbox, or ReLU of OpenAI's own files.

    Raises:
        InputError: OpenAI's own TopK, which brings each row to unit variance first, or no k.
        StoreError: files that are damaged or lack something.
    """
    told = config(folder / _CONFIG) if (folder / _CONFIG).exists() else {}
    found = tensors(folder / _WEIGHTS, _NEEDED)
    kind = str(_whole(folder / _WEIGHTS).get("activation", ""))
    if kind == "TopK":
        raise InputError("OpenAI's own TopK brings each row to unit variance, so that its codes are not those of a "
                         "linear encoder; it cannot be read")  # fmt: skip
    chosen = int(k or told.get("k", 0))
    if not chosen and kind != "ReLU":
        raise InputError(f"{folder} does not say how many atoms are active; give k=")
    shared: dict[str, Any] = {
        "encoder": found["encoder.weight"], "encoder_bias": found["latent_bias"], "decoder": found["decoder.weight"].T,
        "bias": found["pre_bias"], "centre": found["pre_bias"], "about": {"format": "openai", "foreign": told},
    }  # fmt: skip
    return Parts("threshold", **shared) if kind == "ReLU" else Parts("topk", k=chosen, **shared)


def save(parts: Parts, folder: Path) -> None:
    """Write what sdxl-unbox' `SparseAutoencoder.load_from_disk` reads.

    Raises:
        InputError: not TopK.
    """
    if parts.activation != "topk":
        raise InputError("sdxl-unbox knows TopK alone; write this dictionary as sae_lens or dictionary_learning")
    atoms, channels = autoencoding(parts, "openai").decoder.shape
    told = {"n_dirs_local": atoms, "d_model": channels, "k": parts.k, "auxk": None, "dead_steps_threshold": 0}
    write(folder / _WEIGHTS, {"encoder.weight": parts.encoder, "decoder.weight": parts.decoder.T,
                              "pre_bias": parts.bias, "latent_bias": parts.encoder_bias})  # fmt: skip
    (folder / _CONFIG).write_text(json.dumps(told, indent=1))


def _whole(path: Path) -> dict[str, Any]:
    """The state dict with what is no tensor."""
    found: Any = require("torch", "read dictionaries").load(path, map_location="cpu", weights_only=True)
    return found.get("state_dict", found)
