"""dictionary_learning: `config.json` with a `trainer`, and `ae.pt`."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.core.errors import StoreError
from denoscope.dictionaries.formats.parts import Parts, autoencoding
from denoscope.dictionaries.formats.reading import Tensors, config, tensors, write

__all__ = ["fits", "read", "save"]

_CONFIG, _WEIGHTS = "config.json", "ae.pt"


def fits(folder: Path) -> bool:
    """Whether the files are there; the settings may be absent, as the tensors say which kind it is."""
    return (folder / _WEIGHTS).exists()


def read(folder: Path, k: int | None = None) -> Parts:
    """The parts: TopK, BatchTopK, Matryoshka, JumpReLU, Gated or ReLU, by the tensors.

    Raises:
        StoreError: files that are damaged or of another kind.
    """
    found = tensors(folder / _WEIGHTS)
    told = config(folder / _CONFIG).get("trainer", {}) if (folder / _CONFIG).exists() else {}
    shared: dict[str, Any] = {"about": {"format": "dictionary_learning", "foreign": told}}
    try:
        if "W_enc" in found:
            return _upright(found, shared)
        decoder, encoder = found["decoder.weight"].T, found["encoder.weight"]
        shared |= {"decoder": decoder, "encoder": encoder}
        if "gate_bias" in found:
            centre = found["decoder_bias"]
            return Parts("gated", encoder_bias=found["gate_bias"], gain=np.exp(found["r_mag"]),
                         magnitude=found["mag_bias"], bias=centre, centre=centre, **shared)  # fmt: skip
        bias = found["b_dec"] if "b_dec" in found else found["bias"]
        shared |= {"encoder_bias": found["encoder.bias"], "bias": bias, "centre": bias}
    except KeyError as error:
        raise StoreError(f"{folder / _WEIGHTS} lacks {error}; it has {', '.join(sorted(found))}") from None
    if "k" not in found:
        return Parts("threshold", **shared)
    if str(told.get("dict_class", "")).startswith("BatchTopK"):
        return Parts(
            "threshold", threshold=np.full(len(decoder), float(found["threshold"])), k=int(found["k"]), **shared
        )
    return Parts("topk", k=k or int(found["k"]), **shared)


def _upright(found: Tensors, shared: dict[str, Any]) -> Parts:
    """JumpReLU, whose encoder takes nothing off, or Matryoshka BatchTopK, whose encoder takes off the bias."""
    matryoshka = "group_sizes" in found
    threshold = np.broadcast_to(found["threshold"], found["b_enc"].shape).copy()
    return Parts("threshold", encoder=found["W_enc"].T, encoder_bias=found["b_enc"], decoder=found["W_dec"],
                 bias=found["b_dec"], centre=found["b_dec"] * matryoshka, threshold=threshold,
                 k=int(found.get("k", np.zeros(()))), **shared)  # fmt: skip


def save(parts: Parts, folder: Path) -> None:
    """Write what its classes' `from_pretrained` read: AutoEncoderTopK, JumpReluAutoEncoder, GatedAutoEncoder."""
    atoms, channels = autoencoding(parts, "dictionary_learning").decoder.shape
    told: dict[str, Any] = {
        "activation_dim": channels,
        "dict_size": atoms,
        "submodule_name": str(parts.about.get("site", "")),
    }
    if parts.gain is not None and parts.magnitude is not None:
        told["dict_class"] = "GatedAutoEncoder"
        arrays = {
            "encoder.weight": parts.encoder,
            "decoder.weight": parts.decoder.T,
            "decoder_bias": parts.bias,
            "gate_bias": parts.encoder_bias,
            "mag_bias": parts.magnitude,
            "r_mag": np.log(parts.gain),
        }
    elif parts.activation == "topk":
        told |= {"dict_class": "AutoEncoderTopK", "k": parts.k}
        arrays = {"encoder.weight": parts.encoder, "encoder.bias": parts.encoder_bias, "b_dec": parts.bias,
                  "decoder.weight": parts.decoder.T, "k": np.array(parts.k), "threshold": np.array(-1.0)}  # fmt: skip
    else:
        told["dict_class"] = "JumpReluAutoEncoder"
        threshold = np.zeros(atoms) if parts.threshold is None else parts.threshold
        arrays = {"W_enc": parts.encoder.T, "b_enc": parts.encoder_bias - parts.encoder @ parts.bias,
                  "W_dec": parts.decoder, "b_dec": parts.bias, "threshold": threshold}  # fmt: skip
    write(folder / _WEIGHTS, arrays)
    (folder / _CONFIG).write_text(json.dumps({"trainer": told, "buffer": {}}, indent=1))
