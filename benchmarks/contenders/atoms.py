"""What the atoms of a dictionary do on images that they were not learned from: variance, use, factors, places."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix, vstack

from denoscope.core.activations import Activations
from denoscope.core.frame import Frame, Grid
from denoscope.dictionaries._directions import read_at
from denoscope.dictionaries.base import Learned
from denoscope.measures.factors import called
from denoscope.measures.heat import best_threshold, blob, cut, overlap
from denoscope.measures.resampling import resampling
from denoscope.measures.sparsity import covered, evenness

__all__ = ["FACTS", "Contestant", "Scenes", "looked_at", "measured"]

Array = NDArray[Any]
FACTS = ("category", "superclass", "colour", "texture", "background")
_ENOUGH = 64
"""Images in which an atom must be active to be covered."""


@dataclass(frozen=True, eq=False)
class Scenes:
    """What is known of the held-out images, in the order in which they are stored.

    Attributes:
        truth: which image is of which class of each fact, `(image, class)`.
        classes: fact to its columns of `truth`.
        half: 0 or 1; what one half chooses is counted on the other.
        masks: where the object is, of the first images, `(image, row, col)`.
    """

    truth: Array
    classes: Mapping[str, slice]
    half: Array
    masks: Array

    @classmethod
    def of(cls, facts: Sequence[Mapping[str, Any]], masks: Array, seed: int = 0) -> "Scenes":
        """From facts of each image and masks of the first ones."""
        columns, classes, start = [], {}, 0
        for fact in FACTS:
            labels = np.array([row[fact] for row in facts])
            columns.append(labels[:, None] == np.unique(labels))
            classes[fact] = slice(start, start := start + columns[-1].shape[1])
        half = np.random.default_rng((seed, 21)).permutation(len(facts)) % 2
        return cls(np.concatenate(columns, axis=1), classes, half, masks)

    @property
    def category(self) -> Array:
        """Number of each image's category, `(image,)`."""
        return self.truth[:, self.classes["category"]].argmax(axis=1)


@dataclass(frozen=True, eq=False)
class Contestant:
    """A dictionary that stands in the table.

    Attributes:
        made: explains cells.
        seer: its codes tell what is where; those of `made` unless given.
        both: codes below zero count as detectors of their own.
        places: whether its maps are held against masks.
    """

    made: Learned
    seer: Learned | None = None
    both: bool = False
    places: bool = True

    def codes(self, x: Array, known: Array, level: float) -> Array:
        """What atoms say of cells, not negative, `(cell, detector)`; `known` are the codes of `made`."""
        found = known if self.seer is None else read_at(self.seer, level).encode(x)
        return np.concatenate([found.clip(0), (-found).clip(0)], axis=1) if self.both else found.clip(0)


@dataclass(eq=False)
class _Seen:
    """Collected image by image."""

    errors: list[Array]
    squares: list[Array]
    sums: list[Array]
    active: list[Array]
    strengths: list[Array]
    uses: Array
    images: Array
    maps: list[csr_matrix]
    frame: Frame | None = None
    grid: Grid | None = None


def measured(
    one: Contestant, batches: Iterator[Activations], level: float, scenes: Scenes, places: bool
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Numbers of one dictionary at one noise level, and what each image adds to them.

    Args:
        one: the dictionary.
        batches: of the held-out images, in order.
        level: noise level.
        scenes: what is known of them.
        places: whether maps are held against masks at this level.
    """
    seen, cells = _seen(one, batches, level, len(scenes.masks) if places and one.places else 0)
    errors, sums = np.concatenate(seen.errors), np.concatenate(seen.sums)
    mean = sums.sum(axis=0) / (len(sums) * cells)
    spread = np.concatenate(seen.squares) - 2 * sums @ mean + cells * (mean @ mean)
    strengths, count = np.concatenate(seen.strengths), len(one.made.atoms)
    told = {"atoms": count, "dead": float((seen.uses == 0).mean()), "coverage": covered(seen.images, _ENOUGH),
            "evenness": evenness(seen.uses), "cells": cells}  # fmt: skip
    dealt = np.random.default_rng(23).permutation(len(scenes.truth))
    arrays = {"errors": errors, "spread": spread, "active": np.concatenate(seen.active) / cells,
              "calls": called(strengths, scenes.truth, scenes.half),
              "shuffled": called(strengths, scenes.truth[dealt], scenes.half), "dealt": dealt}  # fmt: skip
    return told, arrays | (_places(seen, scenes) if seen.maps else {})


def _seen(one: Contestant, batches: Iterator[Activations], level: float, looked: int) -> tuple[_Seen, int]:
    made, seen, cells, start = read_at(one.made, level), None, 0, 0
    for batch in batches:
        values = np.ascontiguousarray(batch.tokens().numpy(), dtype=np.float32)
        images, cells, width = values.shape
        x = values.reshape(-1, width)
        codes = made.encode(x)
        said = one.codes(x, codes, level)
        if seen is None:
            seen = _Seen([], [], [], [], [], *np.zeros((2, codes.shape[1]), dtype=np.int64), [])
            seen.frame, seen.grid = batch.frames[0], batch.grid
        left = np.square(x - made.decode(codes), dtype=np.float64).sum(axis=1)
        on = (codes != 0).reshape(images, cells, -1)
        seen.errors.append(left.reshape(images, cells).sum(axis=1))
        seen.squares.append(np.square(values, dtype=np.float64).sum(axis=(1, 2)))
        seen.sums.append(values.sum(axis=1, dtype=np.float64))
        seen.active.append(on.sum(axis=(1, 2)))
        seen.uses += on.sum(axis=(0, 1))
        seen.images += on.any(axis=1).sum(axis=0)
        seen.strengths.append(said.reshape(images, cells, -1).max(axis=1))
        if start < looked:
            seen.maps.append(csr_matrix(said[: (looked - start) * cells]))
        start += images
    if seen is None:
        raise ValueError("no images were stored")
    return seen, cells


def _places(seen: _Seen, scenes: Scenes) -> dict[str, Array]:
    """How far the map of the atom that stands for a category covers the object, image by image, beside controls.

    The atom is that whose codes correlate best with the share of each cell that the object fills, and where to cut its
    map is chosen too, both on the other half of the images.
    """
    assert seen.frame is not None and seen.grid is not None
    looked, grid, between = len(scenes.masks), seen.grid, resampling(seen.frame, seen.grid)
    known = np.ones(scenes.masks.shape[1:], dtype=bool)
    shares = np.stack([between.to_cells(mask.astype(float), known)[0].ravel() for mask in scenes.masks])
    codes, half, category = csc_matrix(vstack(seen.maps)), scenes.half[:looked], scenes.category[:looked]
    classes = int(category.max()) + 1
    found = {name: np.full(looked, np.nan) for name in ("iou", "any", "elsewhere", "named otherwise")}
    for side in (0, 1):
        learn, test = np.flatnonzero(half == side), np.flatnonzero(half != side)
        target = (np.arange(classes) == category[learn][:, None, None]) * shares[learn][:, :, None]
        target = np.concatenate([target, shares[learn][:, :, None]], axis=2).reshape(-1, classes + 1)
        rows = (learn[:, None] * grid.cells + np.arange(grid.cells)).ravel()
        atoms = _correlated(csc_matrix(codes[rows]), target).argmax(axis=0)

        def drawn(atom: int, image: int) -> Array:
            part = codes[image * grid.cells : (image + 1) * grid.cells, atom]
            return between.to_pixels(part.toarray().reshape(grid.rows, grid.cols).astype(float))

        cuts = []
        for place, atom in enumerate(atoms.tolist()):
            some = learn[:120] if place == classes else learn[category[learn] == place]
            cuts.append(best_threshold([drawn(atom, i) for i in some], [scenes.masks[i] for i in some]))
        for order, image in enumerate(test.tolist()):
            own, other = category[image], (category[image] + 1 + order % (classes - 1)) % classes
            alike = np.flatnonzero(category[test] == own)
            next_one = test[alike[(np.flatnonzero(test[alike] == image)[0] + 1) % len(alike)]]
            mask, here = scenes.masks[image], cut(drawn(atoms[own], image), cuts[own])
            found["iou"][image] = overlap(here, mask)
            found["elsewhere"][image] = overlap(here, scenes.masks[next_one])
            found["named otherwise"][image] = overlap(cut(drawn(atoms[other], image), cuts[other]), mask)
            found["any"][image] = overlap(cut(drawn(atoms[-1], image), cuts[-1]), mask)
    return found


def _correlated(codes: csc_matrix, target: Array) -> Array:
    """Correlation of each atom's codes with each target over cells, `(atom, target)`; -1 for an atom that is silent."""
    n = target.shape[0]
    mean = np.asarray(codes.mean(axis=0)).ravel()
    spread = np.sqrt(np.maximum(np.asarray(codes.multiply(codes).mean(axis=0)).ravel() - mean**2, 0))
    both = np.asarray(codes.T @ target) / n - mean[:, None] * target.mean(axis=0)
    scale = spread[:, None] * target.std(axis=0)
    return np.divide(both, scale, out=np.full(both.shape, -1.0), where=scale > 1e-12)


def looked_at(masks: Array, half: Array) -> dict[str, Array]:
    """What maps have to beat: the whole picture, and a blob in the middle, cut where the other half says."""
    half = half[: len(masks)]
    middle, found = blob(*masks.shape[1:]), np.zeros(len(masks))
    for side in (0, 1):
        some = np.flatnonzero(half == side)
        at = best_threshold([middle] * len(some), list(masks[some]))
        found[half != side] = [overlap(cut(middle, at), mask) for mask in masks[half != side]]
    return {"whole picture": masks.mean(axis=(1, 2)), "blob": found}
