"""`interpret`: names of atoms with how well each holds on images that it was not taken from, beside random atoms."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import made_folder, opened, usual
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.recipe import Origin
from denoscope.core.report import Report
from denoscope.core.sample import DataSet, Sample
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.evaluate.knowing import Reopened, reopened
from denoscope.interpret.drawing import Shown, gallery
from denoscope.interpret.found import Interpreted
from denoscope.interpret.locating import located
from denoscope.interpret.naming import factors_of, names_of
from denoscope.interpret.observing import Observed, observed
from denoscope.interpret.patches import Eye, Seen, cut, look, pixels
from denoscope.interpret.telling import scores_of, table_of
from denoscope.interpret.walking import Source
from denoscope.progress import progress_bar
from denoscope.store.store import Store

__all__ = ["interpret"]

_NOTES = (
    "Images are dealt into two halves by their id. Words come from the captions of the images of one half in which an "
    "atom is strongest (hypergeometric test, false discovery rate 5 % over all atoms and words); that a strong atom "
    "means the word (detection) and that it is active where the word's mask is (location) is measured on the other.",
    "Detection is an area under the ROC curve: 0.5 is chance. Location is average precision over cells; an atom that "
    "only knows where such things usually stand earns as much against the mask of another image.",
    "F1 of a factor: each class's best atom and threshold, chosen on half of the images, on the other half, averaged "
    "over classes. The intruder test and coherence ask whether the patches around an atom's strongest cells look "
    "alike to an eye that knows nothing of the dictionary; chance is 1 in 5.",
    "Random atoms are of the same kind and number, drawn on the sphere, and go through the same steps. What they earn "
    "needs no learning.",
)


def interpret(
    store: Store | str | Path,
    dictionary: Learned | str | Path,
    *,
    facts: Sequence[str] = (),
    caption: str = "caption",
    top: int = 24,
    least: int = 8,
    judged: int = 48,
    eye: Eye = pixels,
    patch: float = 0.25,
    seed: int = 0,
    data: DataSet | Sequence[Sample] | str | None = None,
    out: str | Path | None = None,
    save: bool = True,
    progress: bool = False,
) -> Report:
    """What the atoms of a dictionary stand for: words, factors, places, and how alike their patches look.

    Args:
        store: with activations at the dictionary's site, every cell of them.
        dictionary: what `learn` made, or its folder.
        facts: factors of the images; all facts with few classes unless given.
        caption: fact whose words are tried as names.
        top: strongest images that are kept per atom.
        least: images in which an atom must be active to be interpreted at all.
        judged: atoms whose patches are looked at, those active most often.
        eye: makes vectors of patches; 8 x 8 pixels unless given.
        patch: side of a patch as a share of the picture's shorter side.
        seed: of halves, shuffles and draws.
        data: the images, where the store was made from samples in memory.
        out: folder to write the report to.
        save: keep the report in the store.
        progress: show a bar with the time left.

    Returns:
        A report with a row per atom, and a gallery of the atoms whose words are surest.

    Raises:
        InputError: no site is known, activations without cells or of another width, or too few images.
        StoreError: nothing is stored there, or no dictionary lies in the folder.
    """
    started = time.perf_counter()
    made = dictionary if isinstance(dictionary, Learned) else load_dictionary(dictionary)
    if out is not None:
        made_folder(out)
    place = opened(store)
    source = _source(place, made)
    reader = reopened(source.volume, data, "pictures and masks of atoms")
    told = place.facts(source.volume.recipe)
    rows = [told[name] for name in source.names]
    work = _Work(source, reader, rows, factors_of(rows, facts), caption, top, least, judged, eye, patch, seed)
    twin = made.random(made.bias)
    with progress_bar("interpret", len(rows) * (4 if twin else 2), progress) as advance:
        found = work.done(made, advance)
        beside = work.done(twin, advance) if twin else None
        figures = work.drawn(made, found)
    report = Report(
        task=f"interpret-{made.name}",
        parameters={"site": str(source.site), "condition": str(source.condition), "atoms": len(made.atoms),
                    "images": len(rows), "facts": sorted(work.factors), "caption": caption, "top": top, "least": least,
                    "judged": judged, "eye": getattr(eye, "__name__", str(eye)), "patch": patch, "seed": seed},
        scores=scores_of(found, beside, least),
        inputs={"recipe": source.volume.recipe.digest},
        origin=Origin.now(time.perf_counter() - started),
        table=table_of(found, source.names),
        figures=figures,
        notes=_NOTES,
        recipes={source.volume.recipe.digest: json.loads(source.volume.recipe.to_json())},
    )  # fmt: skip
    if save:
        place.save(report)
    if out is not None:
        report.save(out)
    return report


def _source(store: Store, made: Learned) -> Source:
    """Where the dictionary was learned, or the same site in a store of other images.

    Raises:
        InputError: a dictionary that does not say where it was learned, or activations of another width.
    """
    if made.site is None:
        raise InputError("this dictionary does not say at which site it was learned; learn it with denoscope learn")
    same = str(made.about.get("recipe", ""))
    here = same if same in [recipe.digest for recipe in store.recipes] else None
    condition = Condition.from_dict(made.about["condition"]) if "condition" in made.about else None
    volume, site, condition = usual(store, made.site, condition, here)
    width = volume.read(site, condition, np.arange(1)).tokens().shape[-1]
    if width != made.bias.size:
        raise InputError(f"{site} holds {width} channels here, but the dictionary reads {made.bias.size}")
    return Source(volume, site, condition)


@dataclass(frozen=True, eq=False)
class _Work:
    """What is the same for a dictionary and its random twin."""

    source: Source
    reader: Reopened
    facts: Sequence[Mapping[str, Any]]
    factors: Mapping[str, NDArray[np.str_]]
    caption: str
    top: int
    least: int
    judged: int
    eye: Eye
    patch: float
    seed: int

    @property
    def captions(self) -> list[str]:
        return [str(row.get(self.caption) or "") for row in self.facts]

    def done(self, made: Learned, advance: Any) -> Interpreted:
        """All steps."""
        halves = self.source.halves()
        found = observed(self.source, made, self.top, advance)
        least = max(1, self.least // 2)
        names = names_of(found, halves, self.factors, self.captions, least, self.seed)
        words = {} if names.words is None else {a: word for a, word in enumerate(names.words.word) if word}
        places = located(self.source, made, words, halves == 1, self.reader.fact, advance)
        kept = [int(atom) for atom in np.argsort(-found.atlas.active_images) if
                len(found.atlas.top(int(atom))) >= max(self.least, 5)][: self.judged]  # fmt: skip
        seen = self._looked(found, kept) if len(kept) > 2 else None
        return Interpreted(found, names, places, seen, tuple(sorted(kept)), self._shuffled(found, halves, least))

    def _looked(self, found: Observed, kept: Sequence[int]) -> Seen:
        """Patches around the strongest cells, each cut once."""
        atlas = found.atlas
        patches = {
            atom: [self._cut(found, number, cell) for number, cell, _ in atlas.top(atom)[: self.least]] for atom in kept
        }
        return look(patches, atlas.density, self.eye, seed=self.seed)

    def _cut(self, found: Observed, number: int, cell: int) -> NDArray[np.uint8]:
        row, col = found.where[number][cell]
        return cut(self.reader.fact(self.source.names[number], "image"), float(row), float(col), self.patch)

    def _shuffled(self, found: Observed, halves: NDArray[np.int64], least: int) -> float:
        """Share of the atoms that get a word from captions of other images."""
        dealt = np.random.default_rng((self.seed, 7)).permutation(len(self.facts))
        captions = self.captions
        names = names_of(found, halves, {}, [captions[row] for row in dealt], least, self.seed)
        return 0.0 if names.words is None else float(np.mean([bool(word) for word in names.words.word]))

    def drawn(self, made: Learned, found: Interpreted, atoms: int = 10, columns: int = 6) -> dict[str, bytes]:
        """For each word the atom that detects it best, the best ones first."""
        words = found.names.words
        if words is None or not any(words.word):
            return {}
        first: dict[str, int] = {}
        for a in np.argsort(-np.nan_to_num(words.detection, nan=-1)).tolist():
            first.setdefault(words.word[a], a)
        chosen = [a for word, a in first.items() if word][:atoms]
        wanted = {number for a in chosen for number, _, _ in found.observed.atlas.top(a)[:columns]}
        shown: dict[int, dict[int, Shown]] = {a: {} for a in chosen}
        for image in self.source.coded(made):
            if image.number in wanted:
                for a in chosen:
                    codes = np.zeros(image.grid.cells, dtype=np.float32)
                    codes[image.cells] = image.codes[:, a]
                    picture = self.reader.fact(image.name, "image")
                    shown[a][image.number] = Shown(picture, codes, image.frame, image.grid)
        rows = {
            f"atom {a}: {words.word[a]}\ndetection {words.detection[a]:.2f}":
            [shown[a][number] for number, _, _ in found.observed.atlas.top(a)[:columns]] for a in chosen
        }  # fmt: skip
        return {"Images in which atoms are strongest, and where": gallery(rows, columns)}
