"""Numbers on disk: fp32, bf16, fp16 and int8 with scales, and back to fp32. Needs no torch to read."""

from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError

__all__ = ["CODES", "Dtype", "code_of", "decode", "encode", "quantise"]

Dtype = Literal["fp32", "bf16", "fp16", "int8"]

CODES: dict[str, str] = {"F32": "<f4", "BF16": "<u2", "F16": "<f2", "I8": "|i1", "I32": "<i4"}
"""Type names of safetensors and how numpy holds them; bf16 as the upper half of an fp32."""

_CODE_OF: dict[Dtype, str] = {"fp32": "F32", "bf16": "BF16", "fp16": "F16", "int8": "I8"}
_BLOCK = 1 << 20


def code_of(dtype: Dtype) -> str:
    """Type name of safetensors for one of ours."""
    return _CODE_OF[dtype]


def encode(values: Any, dtype: Dtype) -> NDArray[Any]:
    """Values, torch or numpy, as they are stored in fp32, bf16 or fp16.

    Raises:
        InputError: a finite value does not fit fp16.
    """
    if dtype == "bf16":
        return _bf16(values)
    array = _float32(values)
    if dtype == "fp32":
        return array
    with np.errstate(over="ignore"):
        half = array.astype("<f2")
    if np.isinf(half).any() and not np.isinf(array).any():
        raise InputError(f"values up to {np.abs(array).max():.3g} do not fit fp16 (65504); keep bf16 or fp32")
    return half


def quantise(values: Any, axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 values and fp32 scales, `values ~ scales * int8`, one scale per vector along `axis`."""
    array = _float32(values)
    scales = np.abs(array).max(axis=axis, keepdims=True) / np.float32(127)
    safe = np.where(scales > 0, scales, np.float32(1))
    return np.rint(array / safe).astype(np.int8), scales.astype("<f4")


def decode(stored: NDArray[Any], code: str, scales: NDArray[np.float32] | None = None) -> NDArray[Any]:
    """Stored values as fp32 (indices, I32, stay integers); always a copy."""
    if code == "BF16":
        return (stored.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if code == "I32":
        return stored.astype(np.int32)
    values = stored.astype(np.float32)
    return values if scales is None else values * scales


def _float32(values: Any) -> NDArray[np.float32]:
    if not isinstance(values, np.ndarray):
        values = values.detach().cpu().float().numpy()
    return np.ascontiguousarray(values, dtype="<f4")


def _bf16(values: Any) -> NDArray[np.uint16]:
    """bf16 bits, rounded to nearest even; torch does it where the values are torch's."""
    if not isinstance(values, np.ndarray):
        import torch

        bits = values.detach().cpu().to(torch.bfloat16).contiguous().view(torch.int16)
        return cast("NDArray[np.uint16]", bits.numpy().view(np.uint16))
    array = _float32(cast("NDArray[Any]", values))
    bits = np.empty(array.size, dtype=np.uint16)
    flat = array.reshape(-1).view(np.uint32)
    for start in range(0, flat.size, _BLOCK):
        bits[start : start + _BLOCK] = _round(flat[start : start + _BLOCK])
    return bits.reshape(array.shape)


def _round(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Upper halves of fp32 words, rounded to nearest even; a NaN stays one."""
    rounded = (words + np.uint32(0x7FFF) + ((words >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    nan = (words & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000)
    return np.where(nan, (words >> np.uint32(16)) | np.uint32(0x40), rounded)
