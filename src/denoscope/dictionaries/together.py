"""Several autoencoders that learn from one stream of rows."""

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.dictionaries._autoencoder import Autoencoder

__all__ = ["fit_together"]


def fit_together(
    made: Sequence[Autoencoder],
    batches: Iterable[Any],
    keep: str | PathLike[str] | None = None,
    every: int = 1_000_000,
) -> None:
    """Train dictionaries of any methods and sizes on the same batches, each exactly as it would be alone.

    Rows are read, checked and cut once, which is what most of the time goes to where they come from a denoiser.

    Args:
        made: autoencoders with equal `batch`.
        batches: arrays, tensors or `Rows`, as for `fit`.
        keep: folder in which each has one of its own for log and checkpoints, `0-topk`, `1-gated` and so on.
        every: rows between checkpoints.

    Raises:
        InputError: as `fit`; none was given, unequal batch sizes, or something that is no autoencoder.
    """
    for one in made:
        if not isinstance(one, Autoencoder):
            raise InputError(f"only autoencoders learn together, not {one!r}")
    if not made:
        raise InputError("give the dictionaries that shall learn")
    require("torch", "train dictionaries")
    from denoscope.dictionaries._training.loop import train

    places = [None if keep is None else Path(keep) / f"{place}-{one.name}" for place, one in enumerate(made)]
    train(made, batches, places, every)
