"""Concept removal: the few atoms that tell a concept are turned round where they are strong (SAeUron; 2501.18052)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError, unknown
from denoscope.core.moment import Moment
from denoscope.core.site import Site
from denoscope.dictionaries._directions import place_of, read_at
from denoscope.dictionaries._layout import back, channels_last
from denoscope.dictionaries.base import Learned, like, load_dictionary

__all__ = ["Telling", "Unlearn", "unlearn"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Telling:
    """The atoms that tell a concept at one noise level.

    Attributes:
        timestep: noise level.
        atoms: numbers of them, those that tell most first.
        scores: mu_i(concept) / sum_j mu_j(concept) - mu_i(others) / sum_j mu_j(others), with mean codes mu.
        strong: mean code over all concepts, each counting alike: only a code above it is changed.
        usual: mean code on samples of the concept.
    """

    timestep: float
    atoms: tuple[int, ...]
    scores: Array
    strong: Array
    usual: Array


@dataclass(frozen=True, eq=False)
class Unlearn:
    """x + decode(c') - decode(c): c'_i = multiplier * usual_i * c_i for telling atoms with c_i > strong_i, else c_i.

    What the dictionary does not explain stays, and so does every cell without such a code, bit by bit.

    Attributes:
        site: where.
        dictionary: that reads and writes.
        telling: atoms for each noise level that was read; at a step the nearest ones are taken.
        multiplier: negative turns the concept round, 0 takes it out.
    """

    site: Site
    dictionary: Learned
    telling: tuple[Telling, ...]
    multiplier: float

    def __call__(self, x: Any) -> Any:
        """The changed tensor.

        Raises:
            InputError: atoms of several noise levels, and nothing says which one it is.
        """
        told, *others = self.telling
        if others:
            raise InputError("which atoms tell the concept depends on the noise; use this edit in generate or steer")
        cells = channels_last(x)
        wide = cells.reshape(-1, cells.shape[-1])
        codes = self.dictionary.encode(wide)
        some = codes[:, list(told.atoms)]
        factors = like((self.multiplier * told.usual).astype(np.float32), some)
        hit = some > like(told.strong.astype(np.float32), some)
        turned = codes.copy() if isinstance(codes, np.ndarray) else codes.clone()
        turned[:, list(told.atoms)] = some + hit * (some * factors - some)
        change = self.dictionary.decode(turned) - self.dictionary.decode(codes)
        return back((wide + change).reshape(cells.shape), x)

    def at(self, moment: Moment) -> "Unlearn":
        """With the atoms of the nearest noise level."""
        nearest = min(self.telling, key=lambda told: abs(told.timestep - moment.timestep))
        return replace(self, telling=(nearest,), dictionary=read_at(self.dictionary, moment.timestep))


def unlearn(
    source: Learned | str | PathLike[str],
    activations: Activations | Iterable[Activations],
    labels: Sequence[Any],
    concept: Any,
    *,
    atoms: int = 8,
    multiplier: float = -1.0,
    site: str | Site | None = None,
) -> Unlearn:
    """Find the atoms that tell a concept from others, and make the edit that takes it out of pictures.

    Args:
        source: a dictionary whose codes are not negative, or the folder of one.
        activations: of labelled images at its site, one record for each noise level.
        labels: concept of each image.
        concept: which one is to go.
        atoms: how many of them are changed at each noise level.
        multiplier: of the code, in units of its mean on the concept, as in the paper: negative turns it round.
        site: where; the dictionary's own site unless given.

    Raises:
        UnknownName: no image shows the concept.
        InputError: labels that do not fit, one concept only, or codes that are negative.
    """
    made = source if isinstance(source, Learned) else load_dictionary(source)
    known, names = np.array([str(label) for label in labels]), sorted({str(label) for label in labels})
    if str(concept) not in names:
        raise unknown("concept", str(concept), names, "the labels")
    if len(names) < 2 or not 0 < atoms <= len(made.atoms) or not np.isfinite(multiplier):
        raise InputError(
            f"a concept is told from others by 1 to {len(made.atoms)} atoms; got {names}, atoms = {atoms}, "
            f"multiplier = {multiplier:g}"
        )
    blocks = [activations] if isinstance(activations, Activations) else list(activations)
    telling = tuple(_telling(made, block, known, str(concept), atoms) for block in blocks)
    return Unlearn(place_of(site, made.site), made, telling, float(multiplier))


def _telling(made: Learned, block: Activations, labels: NDArray[Any], concept: str, count: int) -> Telling:
    timestep = float(block.condition.timestep or 0)
    codes = _mean_codes(read_at(made, timestep), block)
    if len(codes) != len(labels):
        raise InputError(f"{len(labels)} labels do not fit {len(codes)} images")
    means = {name: codes[labels == name].mean(axis=0) for name in dict.fromkeys(labels.tolist())}
    own = means[concept]
    others = codes[labels != concept].mean(axis=0)
    scores = own / max(own.sum(), 1e-30) - others / max(others.sum(), 1e-30)
    best = np.argsort(-scores, kind="stable")[:count]
    strong = np.mean(list(means.values()), axis=0)
    return Telling(timestep, tuple(best.tolist()), scores[best], strong[best], own[best])


def _mean_codes(made: Learned, block: Activations) -> Array:
    """Mean code of each image over its cells `(image, atom)`, padding left out.

    Raises:
        InputError: negative codes.
    """
    cells = block.tokens().numpy().astype(np.float32)
    cells = cells[:, None] if cells.ndim == 2 else cells
    mask = block.mask.reshape(len(block), -1) if block.grid is not None else np.ones(cells.shape[:2], dtype=bool)
    found = [made.encode(some[kept]) for some, kept in zip(cells, mask, strict=True)]
    if min(codes.min() for codes in found) < 0:
        raise InputError(f"concepts are unlearned by codes that are not negative; those of {made.name!r} are")
    return np.stack([codes.mean(axis=0, dtype=np.float64) for codes in found])
