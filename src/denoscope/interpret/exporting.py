"""The verb `export_atoms`: store x dictionary [x report of `interpret`] -> files that Neuronpedia or delphi read."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import made_folder, opened
from denoscope.core.errors import InputError, unknown
from denoscope.core.optional import require
from denoscope.core.report import Report
from denoscope.core.sample import DataSet, Sample
from denoscope.dictionaries._directions import read_at
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.dictionaries.formats.delphi import write_delphi
from denoscope.dictionaries.formats.neuronpedia import Example, Feature, Release, write_neuronpedia
from denoscope.evaluate.knowing import reopened
from denoscope.interpret.coding import CodeCache, Kept, keep_codes, source_of
from denoscope.interpret.walking import Source
from denoscope.progress import progress_bar
from denoscope.store.store import Store

__all__ = ["Platform", "export_atoms"]

Platform = Literal["neuronpedia", "delphi"]
Floats = NDArray[np.float64]
_NEAR, _BINS, _SIDE = 10, 20, 128
"""Neighbours that are named; bars of a histogram; longest side of a picture, in pixels."""
_BLOCK = 512
"""Atoms that are compared with all others at once."""


def export_atoms(
    store: Store | str | Path,
    dictionary: Learned | str | Path,
    out: str | Path,
    to: Platform = "neuronpedia",
    *,
    report: Report | str | Path | None = None,
    data: DataSet | Sequence[Sample] | str | None = None,
    examples: int = 10,
    pictures: bool = True,
    cache: str | Path | None = None,
    model: str = "",
    splits: int = 1,
    timestep: float | None = None,
    progress: bool = False,
) -> Path:
    """Write what a dictionary's atoms do on stored images, for Neuronpedia or for delphi.

    Args:
        store: with activations at the dictionary's site, every cell of them.
        dictionary: what `learn` made, or its folder.
        out: folder.
        to: who shall read it.
        report: of `interpret` on this dictionary, or its folder: words, classes and a judge's text become
            explanations.
        data: the images, where the store was made from samples in memory.
        examples: images of each atom, the strongest ones, for Neuronpedia.
        pictures: write small pictures beside them.
        cache: folder of codes that `keep_codes` filled, or that is filled now; none is kept unless given.
        model: what the model is called there; its name in the store unless given.
        splits: files that the atoms are dealt over, for delphi.
        timestep: noise level of the store that is looked at; that which the dictionary was learned at unless given.
        progress: show a bar with the time left.

    Raises:
        UnknownName: another platform.
        InputError: a report or kept codes of another dictionary, or pictures that cannot be had.
    """
    if to not in get_args(Platform):
        raise unknown("platform", to, get_args(Platform), "help(denoscope.interpret.exporting.export_atoms)")
    found = dictionary if isinstance(dictionary, Learned) else load_dictionary(dictionary)
    place = made_folder(out)
    source = source_of(opened(store), found, timestep)
    made = read_at(found, float(source.condition.timestep or 0))
    told = _told(report, made)
    name = re.sub(r"[^a-z0-9]+", "-", (model or _model(source)).lower()).strip("-") or "model"
    with ExitStack() as stack, progress_bar("export", 4 * len(source.names), progress) as advance:
        folder = cache if cache is not None else stack.enter_context(TemporaryDirectory())
        kept = _codes(source, made, Path(folder), advance)
        if to == "delphi":
            told_of = {"model_name": name, "dataset_repo": _dataset(source)}
            codes, site = _triples(kept, advance), str(source.site)
            return write_delphi(codes, kept.atoms, place, module=site, names=kept.names, splits=splits, about=told_of)
        draw = _drawer(source, data, place, name, made.name) if pictures else None
        tally = _Tally.of(kept, examples, advance)
        shown = _shown(kept, tally, draw, advance)
        release = Release(name, f"0-{made.name}", f"{made.name} of denoscope", str(source.site),
                          datetime.now(UTC).isoformat(timespec="seconds"), len(kept),
                          max(one.grid.cells for one in kept), _dataset(source))  # fmt: skip
        return write_neuronpedia(release, _features(made, tally, shown, told), place)


@dataclass(frozen=True, eq=False)
class _Tally:
    """What every atom did: peaks `(image, atom)`, cells in which it is active, bars of its codes, strongest images."""

    peaks: NDArray[np.float16]
    active: NDArray[np.int64]
    cells: int
    bars: NDArray[np.int64]
    top: NDArray[np.int64]

    @classmethod
    def of(cls, kept: CodeCache, examples: int, advance: Callable[[int], Any]) -> "_Tally":
        """Two readings of the codes; those below zero say that something is absent, and are left out."""
        peaks = np.zeros((len(kept), kept.atoms), dtype=np.float16)
        active, cells = np.zeros(kept.atoms, dtype=np.int64), 0
        for one in kept:
            np.maximum.at(peaks[one.number], one.atoms, one.values)
            active += np.bincount(one.atoms[one.values > 0], minlength=kept.atoms)
            cells += len(one.cells)
            advance(1)
        largest, bars = peaks.max(axis=0).astype(np.float32), np.zeros((kept.atoms, _BINS), dtype=np.int64)
        for one in kept:
            live = one.values > 0
            share = one.values[live].astype(np.float32) / largest[one.atoms[live]]
            np.add.at(bars, (one.atoms[live], np.minimum((share * _BINS).astype(int), _BINS - 1)), 1)
        order = np.argsort(-peaks, axis=0, kind="stable")[: max(0, examples)]
        return cls(peaks, active, cells, bars, order.T)

    def images(self, atom: int) -> list[int]:
        """In which it is strongest, the strongest first."""
        return [int(number) for number in self.top[atom] if self.peaks[number, atom] > 0]


def _codes(source: Source, made: Learned, folder: Path, advance: Callable[[int], Any]) -> CodeCache:
    """Those that are kept already, or all of them anew."""
    if (folder / "codes.json").exists():
        kept = CodeCache(folder)
        kept.check(made)
        advance(len(kept))
        return kept
    return keep_codes(source, made, folder, advance)


def _triples(kept: CodeCache, advance: Callable[[int], Any]) -> Iterator[tuple[int, Any, Any, Any, int]]:
    for one in kept:
        yield one.number, one.rows, one.atoms.astype(np.int64), one.values, len(one.cells)
        advance(1)


def _shown(
    kept: CodeCache, tally: _Tally, draw: Callable[[str], str] | None, advance: Callable[[int], Any]
) -> Mapping[tuple[int, int], Example]:
    """Examples by atom and image, one reading for all."""
    wanted: dict[int, list[int]] = {}
    for atom in range(kept.atoms):
        for number in tally.images(atom):
            wanted.setdefault(number, []).append(atom)
    found: dict[tuple[int, int], Example] = {}
    for one in kept:
        atoms = wanted.get(one.number, [])
        file = draw(one.name) if draw is not None and atoms else ""
        found |= {(atom, one.number): Example(one.name, _grid(one, atom), file, one.frame.values) for atom in atoms}
        advance(1)
    return found


def _grid(one: Kept, atom: int) -> NDArray[np.float32]:
    codes = np.zeros(one.grid.cells, dtype=np.float32)
    codes[one.cells] = one.of(atom)
    return codes.reshape(one.grid.rows, one.grid.cols)


def _features(
    made: Learned, tally: _Tally, shown: Mapping[tuple[int, int], Example], told: Mapping[int, list[tuple[str, str]]]
) -> Iterator[Feature]:
    """Every atom, in order."""
    near, together = _neighbours(made.atoms), _neighbours(_standard(tally.peaks).T)
    largest = tally.peaks.max(axis=0).astype(np.float64)
    for atom in range(len(made.atoms)):
        edges = (np.arange(_BINS) + 0.5) / _BINS * largest[atom]
        words = [text for text, who in told.get(atom, []) if who == "word of captions"]
        yield Feature(
            atom, made.atoms[atom], tally.active[atom] / max(1, tally.cells), largest[atom],
            tally.bars[atom].tolist(), edges.tolist(), near[atom], together[atom], (words, [1.0] * len(words)),
            told.get(atom, []), [shown[atom, number] for number in tally.images(atom)],
        )  # fmt: skip


def _neighbours(rows: NDArray[Any]) -> list[tuple[list[int], list[float]]]:
    """For each row those others with the largest inner product."""
    found: list[tuple[list[int], list[float]]] = []
    for start in range(0, len(rows), _BLOCK):
        likeness = (rows[start : start + _BLOCK] @ rows.T).astype(np.float64)
        own = np.arange(len(likeness))
        likeness[own, start + own] = -np.inf
        best = np.argsort(-likeness, axis=1, kind="stable")[:, : min(_NEAR, len(rows) - 1)]
        found += [(which.tolist(), likeness[row, which].tolist()) for row, which in enumerate(best)]
    return found


def _standard(peaks: NDArray[np.float16]) -> NDArray[np.float32]:
    """Columns of mean 0 and length 1, so that inner products are correlations; those that do not vary are 0."""
    centred = peaks.astype(np.float32) - peaks.mean(axis=0, dtype=np.float32)
    return centred / np.maximum(np.linalg.norm(centred, axis=0), 1e-12)


def _told(report: Report | str | Path | None, made: Learned) -> dict[int, list[tuple[str, str]]]:
    """What a report says each atom stands for, and by which test.

    Raises:
        InputError: a report on other atoms.
    """
    if report is None:
        return {}
    found = report if isinstance(report, Report) else Report.load(report)
    table = found.table
    if len(table.get("atom", ())) != len(made.atoms) or not found.task.startswith("interpret"):
        raise InputError(f"{found.task} tells of {len(table.get('atom', ()))} atoms, and this dictionary has "
                         f"{len(made.atoms)}; give the report that interpret made of it")  # fmt: skip
    said: dict[int, list[tuple[str, str]]] = {}
    for atom in range(len(made.atoms)):
        words = [(str(table[name][atom]), who) for name, who in {"word": "word of captions",
                 "judge's words": "judge"}.items() if name in table and table[name][atom]]  # fmt: skip
        facts = [_class(table, fact, atom) for fact in found.parameters.get("facts", []) if f"F1 of {fact}" in table]
        said[atom] = [*words, *((text, "class of a fact") for text in facts if text)]
    return said


def _class(table: Mapping[str, Sequence[Any]], fact: str, atom: int) -> str:
    """The class that an atom tells better than calling every image by it."""
    f1, chance = (float(table[name][atom]) for name in (f"F1 of {fact}", f"F1 of {fact}, chance"))
    return f"{fact} {table[fact][atom]} (F1 {f1:.2f}, every image {chance:.2f})" if f1 > chance else ""


def _drawer(source: Source, data: Any, out: Path, model: str, kind: str) -> Callable[[str], str]:
    """Writes a small picture of an image, once, and gives its file's name."""
    reader = reopened(source.volume, data, "pictures of atoms (pictures=False leaves them out)")
    folder = out / model / f"0-{kind}" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    pillow = require("PIL.Image", "write pictures", "pillow")

    def draw(name: str) -> str:
        file = re.sub(r"[^\w.-]+", "_", name) + ".webp"
        if not (folder / file).exists():
            picture = pillow.fromarray(reader.picture(name))
            picture.thumbnail((_SIDE, _SIDE))
            picture.save(folder / file, quality=80)
        return file

    return draw


def _model(source: Source) -> str:
    told = source.volume.recipe.model
    return str(told.get("name") or told.get("repo") or told.get("toy") or "model")


def _dataset(source: Source) -> str:
    return str(source.volume.recipe.data.get("name", ""))
