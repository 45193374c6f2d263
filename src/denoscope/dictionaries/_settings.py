"""Parameters that all autoencoders share."""

from dataclasses import dataclass
from typing import Literal

from denoscope.core.errors import InputError
from denoscope.dictionaries._normaliser import Kind

__all__ = ["AutoencoderSettings"]


@dataclass(frozen=True)
class AutoencoderSettings:
    """What every autoencoder is told, and how it is trained."""

    atoms: int = 1024
    """Directions that are learned."""
    k: int = 32
    """Atoms that explain one cell: L0, at most, on average or as a goal, as the method says."""
    cells: int = 1_000_000
    """Cells to train on; those that are stored are read again until there were as many."""
    batch: int = 1024
    """Cells per step."""
    lr: float = 0.0
    """Learning rate of Adam; 0 stands for 2e-4 sqrt(16384 / atoms), by the scaling of Gao et al."""
    normaliser: Kind = "scalar"
    """What is done to activations first, and folded back afterwards: `mean` takes the mean off, `scalar` divides by the
    root mean square length as well, `channel` divides each channel by its deviation, `whiten` each principal
    component."""
    start: Literal["random", "data"] = "random"
    """Atoms at the start: drawn on the sphere, or cells."""
    centre: Literal["mean", "median"] = "mean"
    """Bias at the start: mean, or geometric median of the first cells."""
    aux: float = 1 / 32
    """Weight of the loss that lets dead atoms explain what is left (AuxK)."""
    aux_k: int = 0
    """Dead atoms that may explain what is left of one cell; 0 stands for half the channels."""
    dead_after: int = 100_000
    """Cells after which an atom that was never active counts as dead in training."""
    resample: int = 0
    """Every so many cells, dead atoms start again at what is left of badly explained cells; 0 for never."""
    schedule: Literal["trapezoid", "constant", "linear", "cosine"] = "trapezoid"
    """Learning rate after the warm-up: constant and in the last fifth down to a tenth, constant, or down to a tenth
    along a line or a cosine."""
    warmup: float = 0.02
    """Share of the cells over which the learning rate grows to its full size."""
    clip: float = 1.0
    """Largest length of the gradient; 0 for any."""
    ema: float = 0.0
    """Decay per step of the running average of weights that is kept in the end; 0 keeps the last ones."""
    accumulate: int = 1
    """Parts into which a batch is cut to save memory; their gradients are added up. What selects over a batch
    (BatchTopK, and the numbers that L0 is steered by) selects within a part."""
    cut: float = 0.0
    """Normalised channels are cut, in training only, at so many times their root mean square over all channels; 0 for
    never."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of the product with the encoder; weights, gradients and everything else stay in fp32."""
    seed: int = 0
    """Of the atoms at the start, and of whatever else is drawn."""
    device: str = ""
    """Where to train: cpu, cuda, mps; the best there is unless given."""
    track: str = ""
    """Where the numbers of the log go besides: tensorboard, trackio, or package.module:maker of your own."""

    def __post_init__(self) -> None:
        counts = {"atoms": self.atoms, "k": self.k, "cells": self.cells, "batch": self.batch}
        if broken := [f"{name} {count}" for name, count in counts.items() if int(count) != count]:
            raise InputError(f"atoms, k, cells and batch must be whole numbers, not {', '.join(broken)}")
        if not 1 <= self.k <= self.atoms:
            raise InputError(f"k must lie in 1 ... atoms ({self.atoms}), not {self.k}")
        if min(self.cells, self.batch, self.dead_after, self.accumulate) < 1:
            raise InputError("cells, batch, dead_after and accumulate must be at least 1")
        if min(self.lr, self.aux, self.clip, self.cut) < 0:
            raise InputError("lr, aux, clip and cut must not be negative")
        if min(self.seed, self.aux_k, self.resample) < 0:
            raise InputError("seed, aux_k and resample must not be negative")
        if not 0 <= self.warmup < 1 or not 0 <= self.ema < 1:
            raise InputError(f"warmup and ema must lie in 0 ... 1, not {self.warmup:g} and {self.ema:g}")

    @property
    def rate(self) -> float:
        """Learning rate that is used."""
        return self.lr or 2e-4 * (16_384 / self.atoms) ** 0.5
