"""Numbers on disk."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from denoscope.core.errors import InputError
from denoscope.store.codec import code_of, decode, encode, quantise

floats = arrays(np.float32, (3, 5), elements=st.floats(width=32, allow_infinity=True, allow_nan=True))
tame = arrays(np.float32, (4, 6), elements=st.floats(-1e4, 1e4, width=32))


@given(floats)
def test_bf16_without_torch_is_bf16_with_torch(values):
    """Numpy arrays and tensors are rounded alike, NaN and infinity included, and come back as torch reads them."""
    reference = torch.from_numpy(values).to(torch.bfloat16)
    np.testing.assert_array_equal(decode(encode(values, "bf16"), "BF16"), reference.float().numpy())
    np.testing.assert_array_equal(decode(encode(reference, "bf16"), "BF16"), reference.float().numpy())


@given(tame, st.sampled_from(["fp32", "bf16", "fp16"]))
def test_precision(values, dtype):
    """Stored values are off by no more than half a unit in the last place of their type."""
    relative = {"fp32": 0, "bf16": 2**-8, "fp16": 2**-11}[dtype]
    back = decode(encode(values, dtype), code_of(dtype))
    assert back.dtype == np.float32
    assert (np.abs(back - values) <= np.abs(values) * relative + 6e-8).all()


@given(tame)
def test_int8_error_is_half_a_step_of_each_vector(values):
    """One huge vector does not cost its neighbours their precision; a vector of zeros survives."""
    values[0] = 0
    numbers, scales = quantise(values, axis=1)
    assert scales.shape == (4, 1)
    error = np.abs(decode(numbers, "I8", scales) - values)
    assert (error <= np.abs(values).max(axis=1, keepdims=True) / 254 * 1.001 + 1e-30).all()


def test_fp16_refuses_what_it_cannot_hold():
    """An activation above 65504 stops the work with advice instead of becoming infinity in silence."""
    with pytest.raises(InputError, match=r"do not fit fp16 .* bf16"):
        encode(np.array([1e6], dtype=np.float32), "fp16")
