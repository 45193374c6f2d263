"""Names of the formats that a store can be converted to."""

from typing import Literal

__all__ = ["Format"]

Format = Literal["zarr", "datasets", "npy"]
