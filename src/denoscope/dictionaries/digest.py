"""Which dictionary it is: a digest of its weights, whatever folder it lies in."""

from hashlib import sha256

import numpy as np

from denoscope.dictionaries.base import Learned

__all__ = ["digest_of"]


def digest_of(made: Learned) -> str:
    """16 hexadecimal digits of kind, names, shapes and values of all weights."""
    found = sha256(made.name.encode())
    for name, array in sorted(made.weights.items()):
        found.update(f"{name} {array.shape}".encode())
        found.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return found.hexdigest()[:16]
