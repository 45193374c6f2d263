"""Weights before the first step."""

import torch
from torch import Tensor

from denoscope.core.errors import InputError
from denoscope.dictionaries._settings import AutoencoderSettings
from denoscope.dictionaries._training.coder import Start

__all__ = ["device_of", "geometric_median", "start_of"]

_SHOWN = 1024
"""Rows whose pre-activations set thresholds."""


def start_of(x: Tensor, y: Tensor, settings: AutoencoderSettings, tied: bool) -> Start:
    """Atoms drawn on the sphere or from rows; the encoder equal to them, or along what covaries with them.

    Args:
        x: rows that are read, normalised, `(row, channel)`.
        y: rows that are explained.
        settings: of the dictionary.
        tied: whether input and target are the same.
    """
    chance = torch.Generator().manual_seed(settings.seed)
    bias = geometric_median(y) if settings.centre == "median" else y.mean(dim=0)
    atoms = torch.randn(settings.atoms, y.shape[1], generator=chance)
    if settings.start == "data":
        which = torch.randint(len(y), (settings.atoms,), generator=chance).to(y.device)
        atoms = (y[which] - bias).cpu() + 1e-3 * atoms * y.std().cpu()
    atoms = (atoms / atoms.norm(dim=1, keepdim=True)).to(y)
    encoder = atoms if tied else _unit(atoms @ ((y - bias).T @ x))
    before = (x[:_SHOWN] - bias if tied else x[:_SHOWN]) @ encoder.T
    return Start(atoms, encoder, bias, before)


def geometric_median(rows: Tensor, steps: int = 100) -> Tensor:
    """The point with the smallest sum of distances to rows `(row, channel)` (Weiszfeld 1937)."""
    found = rows.mean(dim=0)
    for _ in range(steps):
        weights = 1 / (rows - found).norm(dim=1).clamp_min(1e-9)
        moved = weights @ rows / weights.sum()
        if (moved - found).norm() <= 1e-7 * rows.norm(dim=1).mean():
            return moved
        found = moved
    return found


def device_of(asked: str) -> torch.device:
    """The device that was asked for, or the best there is.

    Raises:
        InputError: it cannot be used here.
    """
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return torch.empty(0, device=asked or best).device
    except (RuntimeError, AssertionError):
        raise InputError(f"device {asked!r} cannot be used here; see: denoscope doctor") from None


def _unit(rows: Tensor) -> Tensor:
    return rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)
