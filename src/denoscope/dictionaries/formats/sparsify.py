"""sparsify of EleutherAI: `cfg.json` and `sae.safetensors`."""

import json
from pathlib import Path

from denoscope.core.errors import InputError
from denoscope.dictionaries.formats.parts import Parts
from denoscope.dictionaries.formats.reading import config, tensors, write

__all__ = ["fits", "read", "save"]

_CONFIG, _WEIGHTS = "cfg.json", "sae.safetensors"
_NEEDED = {"encoder.weight": "encoder", "encoder.bias": "its bias", "W_dec": "decoder", "b_dec": "bias"}


def fits(folder: Path) -> bool:
    """Whether the files are there; a dictionary of data points (ITDA) has such files too, without an encoder."""
    return (folder / _CONFIG).exists() and (folder / _WEIGHTS).exists() and "num_latents" in config(folder / _CONFIG)


def read(folder: Path, k: int | None = None) -> Parts:
    """The parts of a TopK autoencoder.

    Raises:
        InputError: GroupMax, or a transcoder.
        StoreError: files that are damaged or lack something.
    """
    told, found = config(folder / _CONFIG), tensors(folder / _WEIGHTS, _NEEDED)
    if told.get("activation", "topk") != "topk" or told.get("transcode") or told.get("skip_connection"):
        kind = told.get("activation")
        raise InputError(f"sparsify's {kind!r} with transcode={told.get('transcode', False)} cannot be read; TopK can")
    return Parts("topk", encoder=found["encoder.weight"], encoder_bias=found["encoder.bias"], decoder=found["W_dec"],
                 bias=found["b_dec"], centre=found["b_dec"], k=int(k or told.get("k", 0)),
                 about={"format": "sparsify", "foreign": told})  # fmt: skip


def save(parts: Parts, folder: Path) -> None:
    """Write what sparsify's `SparseCoder.load_from_disk` reads.

    Raises:
        InputError: not TopK.
    """
    if parts.activation != "topk":
        raise InputError("sparsify knows TopK alone; write this dictionary as sae_lens or dictionary_learning")
    atoms, channels = parts.decoder.shape
    told = {"activation": "topk", "expansion_factor": 32, "normalize_decoder": True, "num_latents": atoms, "k": parts.k,
            "multi_topk": False, "skip_connection": False, "transcode": False, "d_in": channels}  # fmt: skip
    write(folder / _WEIGHTS, {"encoder.weight": parts.encoder, "encoder.bias": parts.encoder_bias,
                              "W_dec": parts.decoder, "b_dec": parts.bias})  # fmt: skip
    (folder / _CONFIG).write_text(json.dumps(told, indent=1))
