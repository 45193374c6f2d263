"""What all formats of autoencoders hold, however they call it, and the way to a dictionary and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError, StoreError
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.gated import Gated
from denoscope.dictionaries.jumprelu import JumpReLU
from denoscope.dictionaries.topk import TopK
from denoscope.dictionaries.transcoder import Transcoder

__all__ = ["Parts", "autoencoding", "learned", "parts_of", "uncentred"]

Floats = NDArray[np.float64]
Activation = Literal["topk", "threshold", "gated"]


@dataclass(frozen=True, eq=False)
class Parts:
    """z = f((x - centre) W_enc' + b_enc), x_hat = z W_dec + b_dec, in the units that a format keeps them in.

    A transcoder explains something else than what it reads, and may add (x - centre) S by a linear map.

    Attributes:
        activation: `topk`: the k largest that are positive; `threshold`: those above their atom's threshold, 0 for
            ReLU; `gated`: [p + b_enc > 0] relu(gain p + magnitude) with p = (x - centre) W_enc'.
        encoder: W_enc, `(atom, channel)`; of a transcoder `(atom, channel that is read)`.
        encoder_bias: b_enc, `(atom,)`.
        decoder: W_dec, `(atom, channel)`; rows of any length.
        bias: b_dec, `(channel,)`.
        centre: `(channel that is read,)`; b_dec in most formats, 0 in some.
        k: of `topk`.
        threshold: `(atom,)`, of `threshold`.
        gain, magnitude: `(atom,)`, of `gated`.
        transcodes: whether it explains something else than what it reads.
        skip: S, `(channel that is read, channel)`, of a transcoder that has one.
        about: what the format tells besides.
    """

    activation: Activation
    encoder: Floats
    encoder_bias: Floats
    decoder: Floats
    bias: Floats
    centre: Floats
    k: int = 0
    threshold: Floats | None = None
    gain: Floats | None = None
    magnitude: Floats | None = None
    transcodes: bool = False
    skip: Floats | None = None
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        wrong = self._wrong()
        if wrong:
            raise StoreError(f"weights do not fit together: encoder {self.encoder.shape}, decoder "
                             f"{self.decoder.shape}{', ' if wrong[0] else ''}{', '.join(wrong)}")  # fmt: skip
        if not all(np.isfinite(array).all() for array in (self.encoder, self.decoder, self.bias, self.encoder_bias)):
            raise StoreError("weights hold NaN or infinite values")
        atoms = len(self.decoder)
        if self.activation == "topk" and not 1 <= self.k <= atoms:
            raise StoreError(f"a TopK dictionary of {atoms} atoms needs k in 1 ... {atoms}, not {self.k}")

    def _wrong(self) -> list[str]:
        """Names of what has another shape than it should; one empty name where encoder and decoder differ."""
        if self.decoder.ndim != 2 or self.encoder.ndim != 2 or not len(self.decoder):
            return [""]
        (atoms, channels), width = self.decoder.shape, self.encoder.shape[1]
        if len(self.encoder) != atoms or (width != channels and not self.transcodes):
            return [""]
        shapes = {"encoder_bias": (atoms,), "bias": (channels,), "centre": (width,), "threshold": (atoms,),
                  "gain": (atoms,), "magnitude": (atoms,), "skip": (width, channels)}  # fmt: skip
        found = {name: getattr(self, name) for name in shapes}
        return [name for name, array in found.items() if array is not None and array.shape != shapes[name]]


def learned(parts: Parts) -> Learned:
    """The same as a dictionary of ours: atoms of length one, codes in the units of the activations.

    An encoder that takes off another point than the bias is brought to ours by its own bias:
    (x - c) W' + b = (x - b_dec) W' + (b + (b_dec - c) W').
    """
    lengths = np.linalg.norm(parts.decoder, axis=1)
    safe = np.where(lengths > 0, lengths, 1.0)
    away = 0.0 if parts.transcodes else parts.encoder @ (parts.bias - parts.centre)
    weights: dict[str, Floats] = {
        "atoms": parts.decoder / safe[:, None],
        "bias": parts.bias,
        "encoder": parts.encoder * lengths[:, None],
        "encoder_bias": (parts.encoder_bias + away) * lengths,
    }
    if parts.transcodes:
        weights["centre"] = parts.centre
    if parts.skip is not None:
        weights["skip"] = parts.skip
    made = _made(parts, weights, lengths)
    if not np.allclose(lengths, lengths[0], rtol=1e-5) and parts.activation == "topk":
        weights["lengths"] = safe
    made.weights = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in weights.items()}
    made.about = dict(parts.about)
    return made


def parts_of(made: Learned) -> Parts:
    """The parts of a dictionary of ours, its codes as they were compared in training.

    Raises:
        InputError: a dictionary that is no such autoencoder.
    """
    if not isinstance(made, Autoencoder) or not (made.tied or isinstance(made, Transcoder)):
        raise InputError(f"a {made.name!r} dictionary has no encoder that other packages know")
    if hasattr(made, "at"):
        raise InputError(f"a {made.name!r} dictionary knows the noise level, which other packages do not; write what "
                         "it is at one level, made.at(50)")  # fmt: skip
    if "encoder" not in made.weights:
        raise InputError(f"a {made.name!r} dictionary has no encoder that other packages know")
    weights = {name: array.astype(np.float64) for name, array in made.weights.items()}
    lengths = weights.get("lengths", np.ones(len(made.atoms)))
    encoder_bias = weights.get("encoder_bias", np.zeros(len(lengths))) / lengths
    shared: dict[str, Any] = {
        "encoder": weights["encoder"] / lengths[:, None], "encoder_bias": encoder_bias,
        "decoder": weights["atoms"] * lengths[:, None], "bias": weights["bias"],
        "centre": weights.get("centre", weights["bias"]), "transcodes": not made.tied, "skip": weights.get("skip"),
        "about": made.about,
    }  # fmt: skip
    if isinstance(made, Gated):
        return Parts("gated", **shared, gain=weights["gain"], magnitude=weights["magnitude"] / lengths)
    if "threshold" in weights:
        return Parts("threshold", **shared, threshold=np.maximum(weights["threshold"], 0) / lengths)
    if type(made)._encode not in (TopK._encode, Transcoder._encode):
        raise InputError(f"a {made.name!r} dictionary cannot be written in another package's format")
    return Parts("topk", **shared, k=made.settings.k)


def autoencoding(parts: Parts, format: str) -> Parts:
    """The same, once it is known to explain what it reads.

    Raises:
        InputError: a transcoder.
    """
    if parts.transcodes:
        raise InputError(f"{format} knows no transcoder; sparsify does, and sae_lens where codes have thresholds")
    return parts


def uncentred(parts: Parts) -> Parts:
    """The same transcoder with nothing taken off what it reads, as other packages have it.

    (x - c) W' + b = x W' + (b - c W'), and (x - c) S + b_dec = x S + (b_dec - c S).
    """
    moved = 0.0 if parts.skip is None else parts.centre @ parts.skip
    return replace(
        parts,
        encoder_bias=parts.encoder_bias - parts.encoder @ parts.centre,
        bias=parts.bias - moved,
        centre=np.zeros_like(parts.centre),
    )


def _made(parts: Parts, weights: dict[str, Floats], lengths: Floats) -> Learned:
    """An empty dictionary of the right kind; weights of its own are added."""
    atoms = len(parts.decoder)
    k = min(parts.k or 32, atoms)
    if parts.activation == "threshold":
        weights["threshold"] = np.zeros(atoms) if parts.threshold is None else parts.threshold * lengths
    if parts.transcodes:
        return Transcoder(atoms=atoms, k=k, skip=parts.skip is not None)
    if parts.activation == "topk":
        return TopK(atoms=atoms, k=k)
    if parts.activation == "threshold":
        return JumpReLU(atoms=atoms, k=k)
    zero = np.zeros(atoms)
    weights["encoder_bias"] = weights["encoder_bias"] + zero
    weights["gain"] = np.ones(atoms) if parts.gain is None else parts.gain
    weights["magnitude"] = (zero if parts.magnitude is None else parts.magnitude) * lengths
    return Gated(atoms=atoms, k=k)
