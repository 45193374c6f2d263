"""sparsify of EleutherAI: `cfg.json` and `sae.safetensors`."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.core.errors import InputError, StoreError
from denoscope.dictionaries.formats.parts import Parts, uncentred
from denoscope.dictionaries.formats.reading import Tensors, config, tensors, write

__all__ = ["fits", "read", "save"]

_CONFIG, _WEIGHTS = "cfg.json", "sae.safetensors"
_NEEDED = {"encoder.weight": "encoder", "encoder.bias": "its bias", "W_dec": "decoder", "b_dec": "bias"}


def fits(folder: Path) -> bool:
    """Whether the files are there; a dictionary of data points (ITDA) has such files too, without an encoder."""
    return (folder / _CONFIG).exists() and (folder / _WEIGHTS).exists() and "num_latents" in config(folder / _CONFIG)


def read(folder: Path, k: int | None = None) -> Parts:
    """The parts of a TopK autoencoder, transcoder or skip transcoder; a transcoder takes nothing off what it reads.

    Raises:
        InputError: GroupMax.
        StoreError: files that are damaged or lack something.
    """
    told, found = config(folder / _CONFIG), tensors(folder / _WEIGHTS, _NEEDED)
    kind, through = told.get("activation", "topk"), bool(told.get("transcode") or told.get("skip_connection"))
    if kind != "topk":
        raise InputError(f"sparsify's {kind!r} cannot be read; TopK can")
    if told.get("skip_connection") and "W_skip" not in found:
        raise StoreError(f"{folder / _WEIGHTS} lacks W_skip; it has {', '.join(sorted(found))}")
    centre = found["b_dec"] if not told.get("transcode") else np.zeros(found["encoder.weight"].shape[1])
    return Parts("topk", encoder=found["encoder.weight"], encoder_bias=found["encoder.bias"], decoder=found["W_dec"],
                 bias=found["b_dec"] + _skipped(found, centre), centre=centre, k=int(k or told.get("k", 0)),
                 transcodes=through, skip=found["W_skip"].T if through and "W_skip" in found else None,
                 about={"format": "sparsify", "foreign": told})  # fmt: skip


def _skipped(found: Tensors, centre: Any) -> Any:
    """What the linear map makes of the centre, as sparsify's map takes nothing off: x S = (x - c) S + c S."""
    return found["W_skip"] @ centre if "W_skip" in found else 0.0


def save(parts: Parts, folder: Path) -> None:
    """Write what sparsify's `SparseCoder.load_from_disk` reads.

    Raises:
        InputError: not TopK.
    """
    if parts.activation != "topk":
        raise InputError("sparsify knows TopK alone; write this dictionary as sae_lens or dictionary_learning")
    atoms, channels = parts.encoder.shape
    if parts.transcodes:
        parts = uncentred(parts)
    told = {"activation": "topk", "expansion_factor": 32, "normalize_decoder": True, "num_latents": atoms, "k": parts.k,
            "multi_topk": False, "skip_connection": parts.skip is not None, "transcode": parts.transcodes,
            "d_in": channels}  # fmt: skip
    arrays = {"encoder.weight": parts.encoder, "encoder.bias": parts.encoder_bias, "W_dec": parts.decoder,
              "b_dec": parts.bias}  # fmt: skip
    write(folder / _WEIGHTS, arrays if parts.skip is None else arrays | {"W_skip": parts.skip.T})
    (folder / _CONFIG).write_text(json.dumps(told, indent=1))
