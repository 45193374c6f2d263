"""Images with facts: what a data set is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["DataSet", "Image", "Sample", "fingerprint"]

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Sample:
    """One image and what is known of it.

    Attributes:
        id: unique and stable within its data set; seeds the sample's noise, so it must not depend on order.
        image: uint8 RGB `(row, col, 3)`. Pixel (r, c) covers [c, c+1] x [r, r+1]; its centre is (c + .5, r + .5).
        facts: labels and annotations; coordinates are (x, y) pixels of `image`.
    """

    id: str
    image: Image
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


class DataSet(Protocol):
    """Any sequence of samples; no class of ours is needed."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Sample: ...


def fingerprint(samples: DataSet | Sequence[Sample]) -> str:
    """SHA-256 over ids and pixels, in order: equal exactly when the same pictures are read under the same ids.

    A data set that is a pure function of its parameters may offer a `fingerprint` string of its own, which is
    then taken instead of reading every image.
    """
    own = getattr(samples, "fingerprint", None)
    if isinstance(own, str):
        return own
    digest = sha256()
    for index in range(len(samples)):
        sample = samples[index]
        digest.update(f"{sample.id}\0{sample.image.shape}\0".encode())
        digest.update(np.ascontiguousarray(sample.image).tobytes())
    return digest.hexdigest()
