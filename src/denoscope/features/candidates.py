"""What is tried when an edit is to change one fact of a picture: atoms that tell it, directions and maps of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.site import Site
from denoscope.dictionaries._directions import place_of, read_at
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.edits import add

__all__ = ["Edits", "atom_edits", "telling"]

Array = NDArray[np.float64]
Edits = Sequence[Any]
_CODES = 2**23
"""Codes that are held at once."""


def telling(source: Learned, blocks: Activations | Sequence[Activations], labels: Sequence[Any], value: Any) -> Array:
    """How well each atom's mean code tells a value from others: Cohen's d, mean over noise levels, `(atom,)`.

    Args:
        source: a dictionary.
        blocks: activations of labelled images at its site, one record for each noise level.
        labels: of the images.
        value: which one is told from all others.

    Raises:
        UnknownName: no image has it.
        InputError: labels that do not fit, or of one value only.
    """
    names = np.array([str(label) for label in labels])
    if str(value) not in names:
        raise unknown("value", str(value), sorted(set(names.tolist())), "the labels")
    own = names == str(value)
    records = [blocks] if isinstance(blocks, Activations) else list(blocks)
    if own.all() or any(len(block) != len(names) for block in records):
        raise InputError(f"{len(names)} labels, {own.sum()} of them {value}, do not fit {[*map(len, records)]} images")
    return np.mean([_apart(_mean_codes(source, block), own) for block in records], axis=0)


def atom_edits(
    source: Learned,
    blocks: Activations | Sequence[Activations],
    labels: Sequence[Any],
    value: Any,
    *,
    atoms: int = 4,
    strengths: Sequence[float] = (0.5, 1.0),
    site: str | Site | None = None,
) -> dict[str, Edits]:
    """Pushes along the atoms that tell a value best, away from it where an atom speaks against it.

    Which of them *writes* the value is another question, which `steering_success` asks of pictures.

    Args:
        source, blocks, labels, value: as for `telling`.
        atoms: how many are tried.
        strengths: in root mean square lengths of a picture's cells.
        site: where; the dictionary's own unless given.

    Raises:
        UnknownName, InputError: as for `telling`, or no atom or strength.
    """
    if atoms < 1 or not strengths:
        raise InputError("give one atom or more, and one strength or more")
    scores = telling(source, blocks, labels, value)
    best = np.argsort(-np.abs(scores), kind="stable")[:atoms].tolist()
    place = place_of(site, source.site)
    return {
        f"atom {atom} x {size:g}": [
            add(source, atom, strength=float(np.copysign(size, scores[atom])), unit="norm", site=place)
        ]
        for atom in best
        for size in strengths
    }


def _apart(codes: Array, own: NDArray[np.bool_]) -> Array:
    """Difference of means over the standard deviation within both, 0 where nothing varies."""
    first, second = codes[own], codes[~own]
    spread = np.sqrt((first.var(axis=0) * len(first) + second.var(axis=0) * len(second)) / len(codes))
    gap = first.mean(axis=0) - second.mean(axis=0)
    return np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 1e-12 * (1 + np.abs(gap)))


def _mean_codes(source: Learned, block: Activations) -> Array:
    """Mean code of each image over its valid cells `(image, atom)`."""
    made = read_at(source, float(block.condition.timestep or 0))
    cells = block.tokens().numpy().astype(np.float32)
    cells = cells[:, None] if cells.ndim == 2 else cells
    mask = block.mask.reshape(len(block), -1) if block.grid is not None else np.ones(cells.shape[:2], dtype=bool)
    step = max(1, _CODES // (cells.shape[1] * len(source.atoms)))
    found: list[Array] = []
    for start in range(0, len(cells), step):
        some, kept = cells[start : start + step], mask[start : start + step]
        codes = np.asarray(made.encode(some.reshape(-1, some.shape[-1])), dtype=np.float64)
        codes = codes.reshape(*some.shape[:2], -1) * kept[..., None]
        found.append(codes.sum(axis=1) / np.maximum(kept.sum(axis=1), 1)[:, None])
    return np.concatenate(found)
