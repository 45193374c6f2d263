"""SAELens: `cfg.json` and `sae_weights.safetensors`."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.core.errors import InputError
from denoscope.dictionaries.formats.parts import Parts
from denoscope.dictionaries.formats.reading import config, tensors, write

__all__ = ["fits", "read", "save"]

_CONFIG, _WEIGHTS = "cfg.json", "sae_weights.safetensors"
_ARCHITECTURES = ("standard", "topk", "jumprelu", "gated")
_NEEDED = {"W_enc": "encoder", "W_dec": "decoder", "b_dec": "bias"}


def fits(folder: Path) -> bool:
    """Whether the files are there."""
    return (folder / _CONFIG).exists() and (folder / _WEIGHTS).exists()


def read(folder: Path, k: int | None = None) -> Parts:
    """The parts.

    Raises:
        InputError: an architecture or a treatment of the input that a linear encoder cannot say.
        StoreError: files that are damaged or lack something.
    """
    told, found = config(folder / _CONFIG), tensors(folder / _WEIGHTS, _NEEDED)
    kind = str(told.get("architecture", "standard"))
    if kind not in _ARCHITECTURES:
        raise InputError(f"SAELens' {kind!r} cannot be read; {', '.join(_ARCHITECTURES)} can")
    input_ = str(told.get("normalize_activations", "none"))
    if input_ not in ("none", "expected_average_only_in"):
        raise InputError(f"this dictionary changes each row by its own length ({input_}), so that its codes are not "
                         "those of a linear encoder; it cannot be read")  # fmt: skip
    decoder, encoder = found["W_dec"], found["W_enc"].T
    shared: dict[str, Any] = {
        "encoder": encoder, "decoder": decoder, "bias": found["b_dec"],
        "centre": found["b_dec"] * float(bool(told.get("apply_b_dec_to_input", True))),
        "about": {"format": "sae_lens", "foreign": told.get("metadata", {})},
    }  # fmt: skip
    if kind == "gated":
        return Parts("gated", encoder_bias=found["b_gate"], gain=np.exp(found["r_mag"]), magnitude=found["b_mag"],
                     **shared)  # fmt: skip
    bias = found["b_enc"]
    if kind != "topk":
        return Parts("threshold", encoder_bias=bias, threshold=found.get("threshold", np.zeros(len(bias))), **shared)
    if told.get("rescale_acts_by_decoder_norm"):
        lengths = np.linalg.norm(decoder, axis=1)
        shared |= {"encoder": encoder * lengths[:, None], "decoder": decoder / lengths[:, None]}
        bias = bias * lengths
    return Parts("topk", encoder_bias=bias, k=int(k or told.get("k", 0)), **shared)


def save(parts: Parts, folder: Path) -> None:
    """Write what SAELens' `SAE.load_from_disk` reads."""
    kind = {"topk": "topk", "threshold": "jumprelu", "gated": "gated"}[parts.activation]
    atoms, channels = parts.decoder.shape
    told = {"d_in": channels, "d_sae": atoms, "dtype": "float32", "device": "cpu", "apply_b_dec_to_input": True,
            "normalize_activations": "none", "reshape_activations": "none",
            "metadata": {"hook_name": str(parts.about.get("site", ""))},
            "architecture": kind}  # fmt: skip
    arrays = {"W_enc": parts.encoder.T, "W_dec": parts.decoder, "b_dec": parts.bias}
    if parts.gain is not None and parts.magnitude is not None:
        arrays |= {"b_gate": parts.encoder_bias, "r_mag": np.log(parts.gain), "b_mag": parts.magnitude}
    else:
        arrays["b_enc"] = parts.encoder_bias
    if parts.threshold is not None:
        arrays["threshold"] = parts.threshold
    if kind == "topk":
        told |= {"k": parts.k, "rescale_acts_by_decoder_norm": False}
    write(folder / _WEIGHTS, arrays)
    (folder / _CONFIG).write_text(json.dumps(told, indent=1))
