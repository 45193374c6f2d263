"""All steps of an interpretation, the same for a dictionary and its random twin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.dictionaries.base import Learned
from denoscope.evaluate.knowing import Reopened
from denoscope.figures.atoms import frequencies
from denoscope.interpret.asking import Judged, judged_by
from denoscope.interpret.carding import atoms_for, bands_of, cards_of
from denoscope.interpret.cards import Card
from denoscope.interpret.drawing import Shown, gallery
from denoscope.interpret.found import Interpreted
from denoscope.interpret.judges import Judge
from denoscope.interpret.locating import located, partners
from denoscope.interpret.naming import names_of
from denoscope.interpret.observing import Observed, observed
from denoscope.interpret.passes import Advance, Passes
from denoscope.interpret.patches import Eye, Seen, cut, look
from denoscope.interpret.plan import Plan
from denoscope.interpret.published import CELLS, Enough, NoImages, Published, drawn_others, published_by
from denoscope.interpret.walking import Source
from denoscope.measures.atlas import Atlas
from denoscope.measures.lift import vocabulary

__all__ = ["Work"]

_ATOMS, _COLUMNS = 10, 6
"""Atoms of the gallery, and images of each."""
_BESIDE = 6
"""Random atoms that get a card."""


@dataclass(frozen=True, eq=False)
class Work:
    """What is looked at, and how.

    Attributes:
        passes: over where the activations lie.
        facts: of each image.
        factors: classes of each image.
        plan: parameters.
        eye: makes vectors of patches.
    """

    passes: Passes
    facts: Sequence[Mapping[str, Any]]
    factors: Mapping[str, NDArray[np.str_]]
    plan: Plan
    eye: Eye

    @property
    def source(self) -> Source:
        """Where the activations lie."""
        return self.passes.source

    @property
    def reader(self) -> Reopened:
        """Of pictures and masks."""
        return self.passes.reader

    def done(self, made: Learned, advance: Advance) -> Interpreted:
        """Everything that needs no judge, in two passes over the store."""
        halves, captions = self.source.halves(), self._captions()
        found = observed(self.passes, made, self.plan.top, advance)
        least = max(1, self.plan.least // 2)
        names = names_of(found, halves, self.factors, captions, least, self.plan.seed, made.atoms)
        dealt = np.random.default_rng((self.plan.seed, 7)).permutation(len(captions))
        null = names_of(found, halves, {}, [captions[row] for row in dealt], least, self.plan.seed)
        words = {} if names.words is None else {a: word for a, word in enumerate(names.words.word) if word}
        others = partners(found.atlas.density)
        places = located(self.passes, made, words, halves == 1, advance, others)
        looked = self._chosen(found)
        seen = self._seen(found, looked) if len(looked) > 2 else None
        shuffled = 0.0 if null.words is None else float(np.mean([bool(word) for word in null.words.word]))
        return Interpreted(found, names, places, seen, looked, shuffled)

    def asked(self, made: Learned, found: Interpreted, judge: Judge, advance: Advance) -> tuple[list[int], Judged]:
        """Atoms drawn by lot among those that both halves show, and what a judge says of them.

        Raises:
            InputError: fewer than two such atoms, or a judge that cannot be reached.
        """
        shown, atlases = self.plan.shown, found.observed.atlases
        able = np.flatnonzero(np.min([atlas.active_images for atlas in atlases], axis=0) >= shown)
        drawn = np.random.default_rng((self.plan.seed, 9)).permutation(able)[: self.plan.asked]
        atoms = sorted(int(atom) for atom in drawn)
        numbers = [{a: [number for number, _, _ in atlas.top(a)[:shown]] for a in atoms} for atlas in atlases]
        explained, scored = (self._listed(made, of) for of in numbers)
        others, wanted = partners(found.observed.atlas.density), dict[int, list[int]]()
        for a in atoms:
            wanted.setdefault(int(others[a]), []).extend(numbers[1][a])
        there = self._shown(made, wanted)
        swapped = {a: [there[int(others[a]), number] for number in numbers[1][a]] for a in atoms}
        return atoms, judged_by(judge, explained, scored, swapped, self.plan.seed, advance)

    def published(self, made: Learned, judge: Judge, advance: Advance) -> tuple[list[int], NDArray[Any], Published]:
        """Atoms drawn by lot among those with an image, images of every atom, and the score as published.

        Raises:
            NoImages: fewer than two atoms that are active enough in an image.
            InputError: a judge that cannot be reached.
        """
        step = Enough(len(made.atoms), self.plan.compat_above, self.plan.shown)
        atlas = Atlas(step.atoms, step.top)
        for part in self.passes.parts(made, step, lambda count: None):
            atlas = atlas.merge(part)
        images, rng = atlas.active_images, np.random.default_rng((self.plan.seed, 10))
        atoms = sorted(rng.permutation(np.flatnonzero(images))[: self.plan.asked].tolist())
        if len(atoms) < 2:
            raise NoImages(f"the published score keeps images with {CELLS} cells above {self.plan.compat_above:g}; "
                             f"{len(atoms)} of {len(images)} atoms have one, two are needed: "
                             "lower --compat-above")  # fmt: skip
        rivals = {a: drawn_others(a, images, rng) for a in atoms}
        wanted = {a: {number for number, _, _ in atlas.top(a)} for a in atoms}
        for b in {b for drawn in rivals.values() for b in drawn}:
            wanted.setdefault(b, set()).add(atlas.top(b)[0][0])
        shown = self._shown(made, {a: sorted(numbers) for a, numbers in wanted.items()})
        own = {a: [shown[a, number] for number, _, _ in atlas.top(a)] for a in atoms}
        others = {a: [shown[b, atlas.top(b)[0][0]] for b in rivals[a]] for a in atoms}
        return atoms, images, published_by(judge, own, others, advance)

    def drawn(self, made: Learned, found: Interpreted, beside: Interpreted | None) -> dict[str, bytes]:
        """How often atoms are active, and for each word the atom that detects it best, the best ones first."""
        words, atlas = found.names.words, found.observed.atlas
        shares = {"learned": atlas.density} | ({} if beside is None else {"random": beside.observed.atlas.density})
        figures = {"How often atoms are active": frequencies(shares)}
        if words is None or not any(words.word):
            return figures
        first: dict[str, int] = {}
        for a in np.argsort(-np.nan_to_num(words.detection, nan=-1)).tolist():
            first.setdefault(words.word[a], a)
        chosen = [a for word, a in first.items() if word][:_ATOMS]
        shown = self._shown(made, {a: [number for number, _, _ in atlas.top(a)[:_COLUMNS]] for a in chosen})
        told = {a: f"atom {a}: {words.word[a]}\ndetection {words.detection[a]:.2f}" for a in chosen}
        rows = {told[a]: [shown[a, number] for number, _, _ in atlas.top(a)[:_COLUMNS]] for a in chosen}
        return {"Images in which atoms are strongest, and where": gallery(rows, _COLUMNS), **figures}

    def cards(
        self, made: Learned, found: Interpreted, kind: str, lines: Mapping[int, Sequence[str]] | None = None
    ) -> list[Card]:
        """Cards of `plan.cards` learned atoms, or of a few random ones.

        Args:
            made: the dictionary, or its random twin.
            found: of it.
            kind: `learned` or `random`.
            lines: further sentences on an atom.
        """
        atoms = atoms_for(found, self.plan.cards if kind == "learned" else _BESIDE, kind == "learned")
        numbers = {a: [number for some in bands_of(found, a).values() for number in some] for a in atoms}
        words, has = vocabulary(self._captions())
        columns = dict(zip(words, has.T, strict=True))
        return cards_of(found, kind, atoms, self._shown(made, numbers), self.source.names, columns, lines or {})

    def _captions(self) -> list[str]:
        return [str(row.get(self.plan.caption) or "") for row in self.facts]

    def _chosen(self, found: Observed) -> tuple[int, ...]:
        """Atoms that are active in the most images, with enough of them for the intruder test."""
        order = np.argsort(-found.atlas.active_images, kind="stable")
        able = [int(a) for a in order if found.atlas.active_images[a] >= max(self.plan.least, 5)]
        return tuple(sorted(able[: self.plan.looked]))

    def _seen(self, found: Observed, atoms: Sequence[int]) -> Seen:
        """Patches around the strongest cells, and around those half the picture away."""
        count = max(self.plan.least, 5)
        tops = {a: found.atlas.top(a)[:count] for a in atoms}
        patches, away = (
            {a: [self._cut(found, number, cell, shift) for number, cell, _ in top] for a, top in tops.items()}
            for shift in (0.0, 0.5)
        )
        codes = {a: [code for _, _, code in top] for a, top in tops.items()}
        return look(patches, found.atlas.density, self.eye, seed=self.plan.seed, codes=codes, elsewhere=away)

    def _cut(self, found: Observed, number: int, cell: int, shift: float) -> NDArray[np.uint8]:
        row, col = (found.where[number][cell] + shift) % 1.0
        return cut(self.reader.fact(self.source.names[number], "image"), float(row), float(col), self.plan.patch)

    def _listed(self, made: Learned, wanted: Mapping[int, Sequence[int]]) -> dict[int, list[Shown]]:
        """Images under atoms, in the order that was asked."""
        shown = self._shown(made, wanted)
        return {a: [shown[a, number] for number in numbers] for a, numbers in wanted.items()}

    def _shown(self, made: Learned, wanted: Mapping[int, Sequence[int]]) -> dict[tuple[int, int], Shown]:
        """Images under atoms, by atom and number of the image; one pass over the store."""
        by_image: dict[int, list[int]] = {}
        for a, numbers in wanted.items():
            for number in numbers:
                by_image.setdefault(number, []).append(a)
        found: dict[tuple[int, int], Shown] = {}
        for image in self.source.coded(made, by_image):
            for a in by_image[image.number]:
                codes = np.zeros(image.grid.cells, dtype=np.float32)
                codes[image.cells] = image.codes[:, a]
                found[a, image.number] = Shown(self.reader.fact(image.name, "image"), codes, image.frame, image.grid)
        return found
