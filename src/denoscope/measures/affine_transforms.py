"""Saved affine maps of activations: read, written, applied, and checked for being the same map under two names.

Two formats are about. `[W | b]` is one array (p, p + 1) in a `.npy` file, as Muttenthaler et al. 2023 (ICLR) save it;
(p, p) has no bias. An `.npz` holds `weights` (p, p), perhaps `bias` (p,), and the scalars `mean` and `std`, as gLocal's
transforms do (Muttenthaler et al. 2023, NeurIPS). Either way x becomes ((x - mean) / std) W + b.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denoscope.core.errors import InputError

__all__ = ["Transform", "duplicates"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Transform:
    """x -> ((x - mean) / std) W + b.

    Attributes:
        weights: W, `(channel, column)`.
        bias: b, `(column,)`; None for none.
        mean, std: of all activations that it was learned on; 0 and 1 where a file does not say.
    """

    weights: Numbers
    bias: Numbers | None = None
    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        shape = self.weights.shape
        if self.weights.ndim != 2 or not self.weights.size:
            raise InputError(f"a transform's weights are (channel, column), not {shape}")
        if self.bias is not None and self.bias.shape != (shape[1],):
            raise InputError(f"a transform of weights {shape} has a bias of shape ({shape[1]},), not {self.bias.shape}")
        numbers = (self.weights, self.bias if self.bias is not None else 0.0, self.mean, self.std)
        if not all(np.isfinite(values).all() for values in numbers) or not self.std > 0:
            raise InputError(f"a transform needs finite numbers and a positive std (here {self.std})")

    @classmethod
    def of(cls, factor: ArrayLike, channels: int, mean: float = 0.0, std: float = 1.0) -> "Transform":
        """From the factor W~ of a probe, whose row after the channels', where it has one, is the bias.

        Raises:
            InputError: neither as many rows as channels nor one more.
        """
        w = np.asarray(factor, dtype=np.float64)
        if len(w) not in (channels, channels + 1):
            raise InputError(f"a factor for {channels} channels has {channels} or {channels + 1} rows, not {len(w)}")
        return cls(w[:channels], w[channels] if len(w) > channels else None, mean, std)

    def __call__(self, x: ArrayLike) -> Numbers:
        """Rows `(row, channel)` mapped to `(row, column)`.

        Raises:
            InputError: rows of another number of channels.
        """
        values = np.asarray(x, dtype=np.float64)
        if values.shape[-1] != len(self.weights):
            raise InputError(f"a transform of {len(self.weights)} channels was given {values.shape[-1]}")
        mapped = (values - self.mean) / self.std @ self.weights
        return mapped if self.bias is None else mapped + self.bias

    def folded(self) -> "Transform":
        """The same map with mean and std within weights and bias, as `[W | b]` has to be written."""
        weights = self.weights / self.std
        bias = -self.mean * weights.sum(axis=0)
        return Transform(weights, bias if self.bias is None else self.bias + bias)

    def symmetric(self) -> "Transform":
        """The map with square symmetric weights that gives all odd-one-out choices of this one.

        Choices depend on W W^T and W b alone: W' is the symmetric root of the former, and b' the part of b that W sees,
        turned along.
        """
        u, size, vt = np.linalg.svd(self.weights, full_matrices=False)
        bias = None if self.bias is None else u @ (vt @ self.bias)
        return Transform((u * size) @ u.T, bias, self.mean, self.std)

    @property
    def digest(self) -> str:
        """SHA-256, 16 digits, of what it does in single precision: the same in either format and under any name."""
        told = sha256(str(self.weights.shape).encode())
        bias = np.zeros(self.weights.shape[1]) if self.bias is None else self.bias
        for values in (self.weights, bias, np.array([self.mean, self.std])):
            told.update((np.asarray(values, dtype="<f4") + np.float32(0)).tobytes())
        return told.hexdigest()[:16]

    @classmethod
    def load(cls, path: str | Path) -> "Transform":
        """Read a `.npy` or `.npz` file; no pickled object is ever opened.

        Raises:
            InputError: no such file, or none of the two formats.
        """
        path = Path(path)
        try:
            found = np.load(path, allow_pickle=False)
            told = found if isinstance(found, np.ndarray) else dict(found)
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise InputError(f"{path} cannot be read as a transform: {error}") from None
        return cls._named(told, path) if isinstance(told, dict) else cls._beside(told, path)

    def save(self, path: str | Path) -> Path:
        """Write `.npy` as [W | b], or `.npz` with mean and std, as the name ends; the path is returned.

        Raises:
            InputError: another ending; or a `.npy` of what that format cannot hold, a mean or std, or a bias beside
                weights that are not square.
        """
        path = Path(path)
        if path.suffix == ".npz":
            if self.bias is None:
                np.savez(path, weights=self.weights, mean=np.array(self.mean), std=np.array(self.std))
            else:
                np.savez(path, weights=self.weights, bias=self.bias, mean=np.array(self.mean), std=np.array(self.std))
        elif path.suffix == ".npy":
            np.save(path, self._array())
        else:
            raise InputError(f"a transform is written as .npy or .npz, not {path.name!r}")
        return path

    def _array(self) -> Numbers:
        if (self.mean, self.std) != (0.0, 1.0):
            raise InputError("[W | b] holds no mean and std; write an .npz")
        if self.weights.shape[0] != self.weights.shape[1]:
            raise InputError(f"[W | b] is for square weights, not {self.weights.shape}; write an .npz")
        return self.weights if self.bias is None else np.column_stack([self.weights, self.bias])

    @classmethod
    def _beside(cls, array: NDArray[Any], path: Path) -> "Transform":
        """[W | b] or W."""
        if array.ndim != 2 or array.shape[1] - array.shape[0] not in (0, 1) or array.dtype.kind != "f":
            raise InputError(f"{path}: [W | b] is (p, p + 1) or (p, p) of floats, not {array.dtype} {array.shape}")
        values, p = array.astype(np.float64), len(array)
        return cls(values[:, :p], values[:, p] if array.shape[1] > p else None)

    @classmethod
    def _named(cls, told: Mapping[str, NDArray[Any]], path: Path) -> "Transform":
        """gLocal's names."""
        lacking = [name for name in ("weights", "mean", "std") if name not in told]
        if lacking:
            raise InputError(f"{path} has no {', '.join(lacking)}; it has {', '.join(told) or 'nothing'}")
        if told["mean"].size != 1 or told["std"].size != 1:
            raise InputError(f"{path}: mean and std are one number each, of all activations")
        bias = told["bias"].astype(np.float64) if "bias" in told else None
        return cls(told["weights"].astype(np.float64), bias, float(told["mean"].item()), float(told["std"].item()))


def duplicates(transforms: Mapping[str, Transform]) -> list[tuple[str, ...]]:
    """Names of transforms that are the same map: two models hardly ever share one, so that one of them is misnamed."""
    return [names for names in _grouped((made.digest, name) for name, made in transforms.items()) if len(names) > 1]


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {}
    for digest, name in pairs:
        groups[digest] = (*groups.get(digest, ()), name)
    return list(groups.values())
