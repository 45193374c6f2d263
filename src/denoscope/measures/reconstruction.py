"""How well something is reconstructed: what different works call unexplained, each under its own name.

All of them come from six sums per channel, which add up over batches, images and resamples: n, sum x, sum x^2,
sum y, sum y^2 and sum x y, where y is the reconstruction. They differ much on the same data: in activations with a
large mean or a few loud channels, less than 1 % of the energy can be unexplained where half of the variance is.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError

__all__ = ["VARIANTS", "sums", "unexplained"]

Numbers = NDArray[np.float64]
_VARIES = 1e-12
"""Share of the mean variance from which on a channel varies."""


def sums(x: ArrayLike, reconstruction: ArrayLike) -> Numbers:
    """Six sums per channel, `(6, channel)`: n, x, x^2, y, y^2, x y.

    Args:
        x, reconstruction: `(sample, channel)`.

    Raises:
        InputError: shapes differ.
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(reconstruction, dtype=np.float64)
    if a.ndim != 2 or a.shape != b.shape:
        raise InputError(f"wanted two arrays (sample, channel) of one shape, got {a.shape} and {b.shape}")
    n = np.full(a.shape[1], len(a), dtype=np.float64)
    return np.stack([n, a.sum(0), (a * a).sum(0), b.sum(0), (b * b).sum(0), (a * b).sum(0)])


def unexplained(x: ArrayLike, reconstruction: ArrayLike) -> Mapping[str, float]:
    """Every variant by name, of rows `(sample, channel)`; 0 is perfect.

    Raises:
        InputError: shapes differ, or x does not vary.
    """
    found = sums(x, reconstruction)
    if not (_spread(found) > 0).any():
        raise InputError("activations that do not vary have no variance to explain")
    return {name: float(variant(found)) for name, variant in VARIANTS.items()}


def _fvu(s: Numbers) -> Numbers:
    """sum |x - y|^2 / sum |x - mean|^2, over all channels at once: loud channels count most."""
    return _over(_error(s).sum(-1), _spread(s).sum(-1))


def _channels(s: Numbers) -> Numbers:
    """The mean over channels of FVU of each, 1 - mean R^2: quiet channels count as much as loud ones."""
    return _mean(_over(_error(s), _spread(s)), _varies(s))


def _correlation(s: Numbers) -> Numbers:
    """1 - mean over channels of the squared correlation of x and y: forgives wrong scales and offsets."""
    both = s[..., 5, :] - _over(s[..., 1, :] * s[..., 3, :], s[..., 0, :])
    made = s[..., 4, :] - _over(s[..., 3, :] ** 2, s[..., 0, :])
    return 1 - _mean(np.nan_to_num(_over(both**2, _spread(s) * made)), _varies(s))


def _energy(s: Numbers) -> Numbers:
    """sum |x - y|^2 / sum |x|^2: small wherever the mean is large."""
    return _over(_error(s).sum(-1), s[..., 2, :].sum(-1))


VARIANTS: Mapping[str, Callable[[Numbers], Numbers]] = {
    "FVU": _fvu,
    "FVU per channel": _channels,
    "1 - r2 per channel": _correlation,
    "share of energy": _energy,
}
"""Name to function of sums `(..., 6, channel)`."""


def _error(s: Numbers) -> Numbers:
    return np.maximum(s[..., 2, :] - 2 * s[..., 5, :] + s[..., 4, :], 0.0)


def _spread(s: Numbers) -> Numbers:
    return np.maximum(s[..., 2, :] - _over(s[..., 1, :] ** 2, s[..., 0, :]), 0.0)


def _varies(s: Numbers) -> NDArray[np.bool_]:
    spread = _spread(s)
    return spread > _VARIES * spread.mean(-1, keepdims=True)


def _over(above: Numbers, below: Numbers) -> Numbers:
    above, below = np.broadcast_arrays(above, below)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def _mean(values: Numbers, kept: NDArray[np.bool_]) -> Numbers:
    """Over the channels that are kept."""
    return _over(np.where(kept, values, 0.0).sum(-1), kept.sum(-1).astype(np.float64))
