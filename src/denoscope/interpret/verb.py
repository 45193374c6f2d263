"""`interpret`: names of atoms with how well each holds on images that it was not taken from, beside random atoms."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.chosen import made_folder, opened, usual
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score
from denoscope.core.sample import DataSet, Sample
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.evaluate.knowing import reopened
from denoscope.interpret.cards import atoms_page
from denoscope.interpret.found import Interpreted
from denoscope.interpret.judges import Judge
from denoscope.interpret.naming import factors_of
from denoscope.interpret.patches import Eye, pixels
from denoscope.interpret.plan import Plan
from denoscope.interpret.published import NoImages, Published
from denoscope.interpret.telling import asked_scores, asked_table, published_scores, scores_of, table_of
from denoscope.interpret.walking import Source
from denoscope.interpret.work import Work
from denoscope.progress import progress_bar
from denoscope.store.store import Store

__all__ = ["interpret"]

Said = tuple[tuple[Score, ...], dict[str, list[Any]]]
"""Scores, and columns of the table."""

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
_CARDS = (
    "A card shows images in which an atom is strong, about as strong as in half of its images, and hardly active; red "
    "says where, in units of its largest code. Point at an image to see it without. Bars are scores on images that "
    "named nothing, blue above chance, which the black line marks; point at one to read what it is. The small diagram "
    "counts active images by strength: blue have the name in their caption.",
)


def interpret(
    store: Store | str | Path,
    dictionary: Learned | str | Path,
    *,
    eye: Eye = pixels,
    judge: Judge | None = None,
    data: DataSet | Sequence[Sample] | str | None = None,
    out: str | Path | None = None,
    save: bool = True,
    progress: bool = False,
    **settings: Any,
) -> Report:
    """What the atoms of a dictionary stand for: words, factors, places, and how alike their patches look.

    Args:
        store: with activations at the dictionary's site, every cell of them.
        dictionary: what `learn` made, or its folder.
        eye: makes vectors of patches; 8 x 8 pixels unless given.
        judge: is asked about some atoms last; what it said before it failed is kept where it remembers.
        data: the images, where the store was made from samples in memory.
        out: folder to write the report to.
        save: keep the report in the store.
        progress: show a bar with the time left.
        settings: of `Plan`, such as `facts`, `caption`, `top`, `least`.

    Returns:
        A report with a row per atom, and a gallery of the atoms whose words detect best.

    Raises:
        UnknownName: no such setting.
        InputError: no site is known, or activations without cells or of another width.
        StoreError: nothing is stored there, or no dictionary lies in the folder.
    """
    started = time.perf_counter()
    plan = _plan(settings)
    made = dictionary if isinstance(dictionary, Learned) else load_dictionary(dictionary)
    if out is not None:
        made_folder(out)
    place = opened(store)
    source = _source(place, made)
    told = place.facts(source.volume.recipe)
    rows = [told[name] for name in source.names]
    reader = reopened(source.volume, data, "pictures and masks of atoms")
    work = Work(source, reader, rows, factors_of(rows, plan.facts), plan, eye)
    twin = made.random(made.bias)
    with progress_bar("interpret", len(rows) * (4 if twin else 2), progress) as advance:
        found = work.done(made, advance)
        beside = work.done(twin, advance) if twin else None
        figures = work.drawn(made, found, beside)
    report = Report(
        task=f"interpret-{made.name}",
        parameters=asdict(plan) | {"site": str(source.site), "condition": str(source.condition),
                                   "atoms": len(made.atoms), "images": len(rows), "facts": sorted(work.factors),
                                   "eye": getattr(eye, "__name__", str(eye)), "judge": judge.name if judge else ""},
        scores=scores_of(found, beside, plan.least),
        inputs={"recipe": source.volume.recipe.digest},
        origin=Origin.now(time.perf_counter() - started),
        table=table_of(found, source.names),
        figures=figures,
        notes=_NOTES,
        recipes={source.volume.recipe.digest: json.loads(source.volume.recipe.to_json())},
    )  # fmt: skip
    if judge is not None:
        both = [(made, found), *([(twin, beside)] if twin and beside else [])]
        report = _asked(report, work, judge, both, progress)
    if save:
        place.save(report)
    if out is not None:
        report.save(out)
        _page(Path(out), work, report, [(made, found), *([(twin, beside)] if twin and beside else [])])
    return report


def _page(out: Path, work: Work, report: Report, both: Sequence[tuple[Learned, Interpreted]]) -> None:
    """Write the page with a card per atom beside the report."""
    said = {atom: [f"judge: {text}"] for atom, text in enumerate(report.table.get("judge's words", ())) if text}
    cards = [card for (made, seen), kind in zip(both, ("learned", "random"), strict=False)
             for card in work.cards(made, seen, kind, said if kind == "learned" else {})]  # fmt: skip
    title = f"{report.task.removeprefix('interpret-')}, atoms at {report.parameters['site']}"
    page = atoms_page(title, cards, _CARDS, len(both[0][0].atoms))
    (out / "atoms.html").write_text(page, encoding="utf-8")


def _asked(
    report: Report, work: Work, judge: Judge, both: Sequence[tuple[Learned, Interpreted]], progress: bool
) -> Report:
    """The report with what a judge says; as far as it came, with the reason, where the judge gives no answer."""
    parts = [_opinions, *([_published] if work.plan.compat else [])]
    with progress_bar("ask", len(parts) * len(both) * work.plan.asked, progress) as advance:
        for part in parts:
            try:
                scores, columns = part(work, judge, both, advance)
            except InputError as error:
                return replace(report, notes=(*report.notes, f"Without a judge: {error}"))
            report = replace(report, scores=(*report.scores, *scores), table={**report.table, **columns})
    return report


def _opinions(work: Work, judge: Judge, both: Sequence[tuple[Learned, Interpreted]], advance: Any) -> Said:
    found = [work.asked(made, seen, judge, advance) for made, seen in both]
    atoms, told = found[0]
    beside = found[1][1] if len(found) > 1 else None
    return asked_scores(told, beside), asked_table(atoms, told, len(both[0][0].atoms))


def _published(work: Work, judge: Judge, both: Sequence[tuple[Learned, Interpreted]], advance: Any) -> Said:
    atoms, images, told = work.published(both[0][0], judge, advance)
    beside: Published | None = None
    if len(both) > 1:
        try:
            *_, beside = work.published(both[1][0], judge, advance)
        except NoImages:
            beside = None
    column = np.full(len(images), np.nan)
    column[atoms] = told.score
    return published_scores(images, told, beside), {"published score": column.tolist()}


def _plan(settings: Mapping[str, Any]) -> Plan:
    known = [one.name for one in fields(Plan)]
    for name in settings:
        if name not in known:
            raise unknown("setting of interpret", name, known, "help(denoscope.interpret.plan.Plan)")
    told: dict[str, Any] = {**settings, "facts": tuple(settings.get("facts", ()))}
    return Plan(**told)


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
