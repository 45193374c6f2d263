"""SAELens: `cfg.json` and `sae_weights.safetensors`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.core.errors import InputError, StoreError
from denoscope.dictionaries.formats.parts import Parts, uncentred
from denoscope.dictionaries.formats.reading import Tensors, config, tensors, write

__all__ = ["fits", "read", "save"]

_CONFIG, _WEIGHTS = "cfg.json", "sae_weights.safetensors"
_TRANSCODERS = ("transcoder", "skip_transcoder", "jumprelu_transcoder", "jumprelu_skip_transcoder")
_ARCHITECTURES = ("standard", "topk", "jumprelu", "gated", *_TRANSCODERS)
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
    if kind in _TRANSCODERS:
        return _transcoder(told, found, folder)
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
    """Write what SAELens' `SAE.load_from_disk` reads.

    Raises:
        InputError: a transcoder that keeps the k largest codes.
    """
    if parts.transcodes:
        return _save_transcoder(uncentred(parts), folder)
    kind = {"topk": "topk", "threshold": "jumprelu", "gated": "gated"}[parts.activation]
    told = _told(parts, kind, apply_b_dec_to_input=True)
    arrays = {"W_enc": parts.encoder.T, "W_dec": parts.decoder, "b_dec": parts.bias}
    if parts.gain is not None and parts.magnitude is not None:
        arrays |= {"b_gate": parts.encoder_bias, "r_mag": np.log(parts.gain), "b_mag": parts.magnitude}
    else:
        arrays["b_enc"] = parts.encoder_bias
    if parts.threshold is not None:
        arrays["threshold"] = parts.threshold
    if kind == "topk":
        told |= {"k": parts.k, "rescale_acts_by_decoder_norm": False}
    return _write(folder, told, arrays)


def _transcoder(told: Mapping[str, Any], found: Tensors, folder: Path) -> Parts:
    """z = relu(x W_enc + b_enc) where it exceeds its threshold, y_hat = z W_dec + b_dec + x W_skip'."""
    wanted = {"b_enc"} | ({"W_skip"} if "skip" in told["architecture"] else set[str]())
    wanted |= {"threshold"} if "jumprelu" in told["architecture"] else set[str]()
    lacking = sorted(wanted - set(found))
    if lacking:
        raise StoreError(f"{folder / _WEIGHTS} lacks {', '.join(lacking)}; it has {', '.join(sorted(found))}")
    return Parts(
        "threshold", encoder=found["W_enc"].T, encoder_bias=found["b_enc"], decoder=found["W_dec"], bias=found["b_dec"],
        centre=np.zeros(len(found["W_enc"])), threshold=found.get("threshold"), transcodes=True,
        skip=found["W_skip"].T if "W_skip" in found else None,
        about={"format": "sae_lens", "foreign": told.get("metadata", {})},
    )  # fmt: skip


def _save_transcoder(parts: Parts, folder: Path) -> None:
    if parts.activation != "threshold":
        raise InputError("SAELens knows no transcoder that keeps the k largest codes; write this one as sparsify")
    kind = "jumprelu_skip_transcoder" if parts.skip is not None else "jumprelu_transcoder"
    told = _told(parts, kind, apply_b_dec_to_input=False, d_out=parts.decoder.shape[1])
    arrays = {"W_enc": parts.encoder.T, "b_enc": parts.encoder_bias, "W_dec": parts.decoder, "b_dec": parts.bias,
              "threshold": np.zeros(len(parts.decoder)) if parts.threshold is None else parts.threshold}  # fmt: skip
    if parts.skip is not None:
        arrays["W_skip"] = parts.skip.T
    _write(folder, told, arrays)


def _told(parts: Parts, kind: str, **more: Any) -> dict[str, Any]:
    """The settings that all architectures share."""
    atoms, channels = parts.encoder.shape
    return {"d_in": channels, "d_sae": atoms, "dtype": "float32", "device": "cpu", "normalize_activations": "none",
            "reshape_activations": "none", "metadata": {"hook_name": str(parts.about.get("site", ""))},
            "architecture": kind, **more}  # fmt: skip


def _write(folder: Path, told: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    write(folder / _WEIGHTS, arrays)
    (folder / _CONFIG).write_text(json.dumps(told, indent=1))
