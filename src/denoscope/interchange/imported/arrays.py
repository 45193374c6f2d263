"""Arrays in files that other programs wrote, mapped where the format allows; nothing in them is executed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.core.optional import require

__all__ = ["Values", "array_of", "as_array", "hdf5", "mat", "npy", "text", "torch_file"]

Values = NDArray[Any]


def as_array(value: Any) -> Values:
    """A torch tensor or an array as a numpy array; bf16 as fp32."""
    if isinstance(value, np.ndarray):
        return cast("Values", value)
    tensor = value.detach()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def torch_file(path: Path) -> Any:
    """What `torch.save` put into a file: a tensor, or tensors by name; mapped, on the CPU, without running pickles.

    Raises:
        InputError: damaged, or something else than tensors.
    """
    torch = require("torch", "read .pt files")
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError as error:
        if "mmap" not in str(error):
            raise _damaged(path, error) from None
    except Exception as error:  # noqa: BLE001 (whatever a damaged archive makes torch raise)
        raise _damaged(path, error) from None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001
        raise _damaged(path, error) from None


def npy(path: Path) -> Values:
    """An .npy file, mapped.

    Raises:
        InputError: damaged, or a pickle.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, error) from None


def hdf5(path: Path) -> dict[str, Values]:
    """Data sets of an HDF5 file by name, mapped piece by piece as they are sliced."""
    h5py = require("h5py", "read HDF5 files", "denoscope[data]")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise _damaged(path, error) from None
    return {name: file[name] for name in file if hasattr(file[name], "shape")}


def mat(path: Path) -> dict[str, Values]:
    """Variables of a MATLAB file by name."""
    io = require("scipy.io", "read .mat files")
    try:
        found: Mapping[str, Any] = io.loadmat(path)
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise _damaged(path, error) from None
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


def text(path: Path) -> Values:
    """A table of numbers as text."""
    try:
        return np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from None


def array_of(path: Path) -> Values:
    """The one array of a `.npy`, `.pt` or `.txt` file.

    Raises:
        InputError: damaged, or not one array.
    """
    if path.suffix == ".npy":
        return npy(path)
    if path.suffix == ".txt":
        return text(path)
    found = torch_file(path)
    if not hasattr(found, "detach"):
        raise InputError(f"{path} holds {type(found).__name__} where one tensor was due")
    return as_array(found)


def _damaged(path: Path, error: BaseException) -> InputError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return InputError(f"{path} cannot be read as an array: {reason}")
