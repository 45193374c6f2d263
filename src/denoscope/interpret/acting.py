"""Does an atom act as it is read? What its codes tell, held against what the denoiser makes without it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.dictionaries._layout import back, channels_last
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.edits import add
from denoscope.dictionaries.splices import splice
from denoscope.interpret.locating import moved
from denoscope.interpret.naming import detection

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["Acted", "Acting", "acted", "same"]

Floats = NDArray[np.float64]
_ALIKE = 0.9
"""Correlation of what the model reads with what is stored, below which it is another model."""


class Acted(NamedTuple):
    """What changing an atom did to each image, `(image,)`.

    Taken out of one forward: x - c u at every cell, with the atom's own codes c and direction u. By chance: the same
    codes along the difference of two cells' activations, a direction that the activations do vary along.

    Attributes:
        size: energy of the change of the predicted picture (clean latents), as a share of that by chance: above 1 the
            denoiser listens to this direction more than to others.
        place: area under the ROC curve of that change over cells, for the cells in which the atom is active; 0.5 says
            that the change has nothing to do with them.
        inside: share of the change's energy that lies in those cells.
        area: share of the cells that those are.
        foretold: rank correlation over cells between c^2, what the codes tell, and the picture's change.
        foretold_moved: the same with codes moved by half the image.
        drop: of pictures sampled from the image's caption with the atom taken out at every step, 1 - the sum of its
            codes as the picture is read anew / the same without an edit: 1 is what was told. NaN without sampling.
        drop_other: the same with another atom taken out that is active about as often.
        rise: mean code when the atom is added everywhere at every step, less that without an edit, as a share of what
            is added: 1 is what was told.
        rise_chance: the same with the direction by chance.
        images: name of each.
    """

    size: Floats
    place: Floats
    inside: Floats
    area: Floats
    foretold: Floats
    foretold_moved: Floats
    drop: Floats
    drop_other: Floats
    rise: Floats
    rise_chance: Floats
    images: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Shift:
    """x + values, the images of a batch in order."""

    values: NDArray[np.float32]

    def __call__(self, x: Any) -> Any:
        """The changed tensor."""
        cells = channels_last(x)
        added = self.values.reshape(cells.shape)
        return back(cells + (added if isinstance(cells, np.ndarray) else cells.new_tensor(added)), x)


@dataclass(frozen=True, eq=False)
class Acting:
    """A model that is changed at a site under a condition.

    Attributes:
        model: that is run.
        site: where.
        condition: under which.
        dictionary: whose atoms, as it is under that condition.
        whole: the dictionary under all conditions, for sampling.
        steps: of sampling; 0 samples nothing.
        seed: of directions by chance and of sampling.
    """

    model: "Model"
    site: Site
    condition: Condition
    dictionary: Learned
    whole: Learned
    steps: int = 0
    seed: int = 0

    def read(self, samples: Sequence[Sample]) -> Activations:
        """Activations of images."""
        return self.model.read(list(samples), str(self.site), self.condition, batch_size=len(samples))[str(self.site)]

    def codes(self, samples: Sequence[Sample]) -> NDArray[np.float32]:
        """Of images, `(image, cell, atom)`."""
        return self.coded(self.read(samples).tokens().numpy().astype(np.float32))

    def coded(self, flat: NDArray[np.float32]) -> NDArray[np.float32]:
        """Codes of activations `(image, cell, channel)`."""
        return np.asarray(self.dictionary.encode(flat.reshape(-1, flat.shape[-1]))).reshape(*flat.shape[:2], -1)

    def predicted(self, samples: Sequence[Sample], change: NDArray[Any] | None) -> Activations:
        """Clean latents that the denoiser predicts, with `change` `(image, cell, channel)` added at the site."""
        edits: dict[str | Site, Any] = {} if change is None else {self.site: _Shift(change.astype(np.float32))}
        with self.model.edit(edits):
            return self.model.read(list(samples), "x0", self.condition, batch_size=len(samples))["x0"]

    def mass(self, samples: Sequence[Sample], prompts: Sequence[str], edit: Any, atom: int) -> Floats:
        """Sum of an atom's codes over the cells of sampled pictures, read as the samples were, `(image,)`."""
        edits = None if edit is None else {str(self.site): edit}
        made = self.model.generate(list(prompts), steps=self.steps, seed=self.seed, edits=edits).images
        shown = [Sample(one.id, made[row], one.facts) for row, one in enumerate(samples)]
        return np.maximum(self.codes(shown)[..., atom], 0).sum(axis=1, dtype=np.float64)


def acted(
    acting: Acting, images: Mapping[int, Sequence[Sample]], others: NDArray[np.int64], caption: str,
    advance: Callable[[int], Any],
) -> dict[int, Acted]:  # fmt: skip
    """What changing atoms does.

    Args:
        acting: the model.
        images: atom to images in which it is active, of one shape.
        others: for each atom another one that is active about as often.
        caption: fact from which pictures are sampled.
        advance: is told of every atom.

    Raises:
        InputError: a site without a grid of cells.
    """
    found: dict[int, Acted] = {}
    for atom, samples in images.items():
        if samples:
            found[atom] = _one(acting, atom, samples, int(others[atom]), caption)
        advance(1)
    return found


def same(stored: NDArray[Any], read: NDArray[Any]) -> None:
    """Check that a model gives what is stored.

    Raises:
        InputError: it gives something else.
    """
    known = np.asarray(stored, dtype=np.float64).reshape(-1)
    found = np.asarray(read, dtype=np.float64).reshape(-1)
    alike = float(np.corrcoef(known, found)[0, 1]) if known.size == found.size else 0.0
    if not alike > _ALIKE:
        raise InputError(f"this model does not give the stored activations (correlation {alike:.2f}); give the one "
                         "that the store was extracted with")  # fmt: skip


def _one(acting: Acting, atom: int, samples: Sequence[Sample], other: int, caption: str) -> Acted:
    seen = acting.read(samples)
    if seen.grid is None:
        raise InputError(f"atoms are changed where they are active, but {acting.site} has no grid of cells")
    values = seen.tokens().numpy().astype(np.float32)
    codes = np.maximum(acting.coded(values)[..., atom], 0)
    shape = seen.grid.rows, seen.grid.cols
    own, drawn = acting.dictionary.atoms[atom], _by_chance(values, np.random.default_rng((acting.seed, 12, atom)))
    plain = acting.predicted(samples, None)
    change, beside = (_energy(plain, acting.predicted(samples, -codes[..., None] * u)) for u in (own, drawn))
    told = [_under(seen, plain, some) for some in (codes, np.stack([moved(row, shape) for row in codes]))]
    on = told[0] > 0
    rows = range(len(samples))
    foretold = [np.array([_ranked(some[row] ** 2, change[row]) for row in rows]) for some in told]
    drop, drop_other, rise, rise_chance = _sampled(
        acting, atom, samples, other, caption, drawn, float(codes[codes > 0].mean())
    )
    return Acted(
        size=_ratio(change.sum(axis=1), beside.sum(axis=1)),
        place=np.array([detection(change[row], on[row]) for row in rows]),
        inside=_ratio((change * on).sum(axis=1), change.sum(axis=1)), area=on.mean(axis=1),
        foretold=foretold[0], foretold_moved=foretold[1],
        drop=drop, drop_other=drop_other, rise=rise, rise_chance=rise_chance,
        images=tuple(sample.id for sample in samples),
    )  # fmt: skip


def _sampled(
    acting: Acting, atom: int, samples: Sequence[Sample], other: int, caption: str, drawn: NDArray[np.float32],
    strength: float,
) -> tuple[Floats, Floats, Floats, Floats]:  # fmt: skip
    """Drop and rise of an atom's codes in sampled pictures, each beside chance."""
    prompts = [str(sample.facts.get(caption) or "") for sample in samples]
    none = np.full(len(samples), np.nan)
    if not acting.steps or not all(prompts):
        return none, none, none, none
    site = acting.site
    out = [splice(acting.whole, factors={which: 0.0}, keep=1, site=site) for which in (atom, other)]
    more = [add(u, strength=strength, site=site) for u in (acting.dictionary.atoms[atom], drawn)]
    before = acting.mass(samples, prompts, None, atom)
    drops = [1 - _ratio(acting.mass(samples, prompts, edit, atom), before) for edit in out]
    cells = acting.read(samples[:1]).tokens().shape[1]
    rises = [(acting.mass(samples, prompts, edit, atom) - before) / (cells * strength) for edit in more]
    return drops[0], drops[1], rises[0], rises[1]


def _by_chance(values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The difference of two cells drawn by lot, of length one."""
    flat = values.reshape(-1, values.shape[-1])
    gap = np.subtract(*flat[rng.choice(len(flat), 2, replace=False)])
    return gap / max(float(np.linalg.norm(gap)), 1e-12)


def _ranked(told: Floats, found: Floats) -> float:
    """Rank correlation; NaN where one of them does not vary."""
    if np.ptp(told) == 0 or np.ptp(found) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(told), rankdata(found))[0, 1])


def _energy(plain: Activations, changed: Activations) -> Floats:
    """Squared change of each cell, `(image, cell)`."""
    gap = changed.tokens().numpy().astype(np.float64) - plain.tokens().numpy()
    return np.square(gap).sum(axis=-1)


def _under(seen: Activations, output: Activations, codes: NDArray[Any]) -> Floats:
    """The code under each cell of the output, `(image, cell)`."""
    assert seen.grid is not None and output.grid is not None
    found: list[Floats] = []
    for row, frame in enumerate(seen.frames):
        at = frame.cell_at(frame.centres(output.grid), seen.grid)
        found.append(codes[row].reshape(seen.grid.rows, seen.grid.cols)[at[..., 0], at[..., 1]].reshape(-1))
    return np.array(found, dtype=np.float64)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 1e-9)
