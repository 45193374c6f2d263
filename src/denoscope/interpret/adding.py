"""What a running model and a judge add to a report on atoms, and the page of cards."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from denoscope.core.errors import InputError
from denoscope.core.report import Report, Score
from denoscope.dictionaries.base import Learned
from denoscope.interpret.carding import atoms_for
from denoscope.interpret.cards import atoms_page
from denoscope.interpret.found import Interpreted
from denoscope.interpret.judges import Judge
from denoscope.interpret.published import NoImages, Published
from denoscope.interpret.running import run
from denoscope.interpret.telling import asked_scores, asked_table, published_scores, run_scores, run_table
from denoscope.interpret.work import Work
from denoscope.progress import progress_bar

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["asked", "ran", "write_cards"]

Said = tuple[tuple[Score, ...], dict[str, list[Any]]]
"""Scores, and columns of the table."""

_CLEAR = 0.6
"""ROC area from which a card tells of a word map."""
_RAN = (
    "Acts: in one forward the atom's own codes are taken out, and the change of the predicted picture (clean latents) "
    "is held against the cells in which it is active (ROC area, 0.5 is chance; share of the change inside beside the "
    "share of cells), against codes squared (rank correlation, beside the same codes moved by half the image), and in "
    "size against the same codes along the difference of two cells. Drop and rise are of codes in sampled pictures, "
    "read anew, where such were asked for: 1 is what the codes tell. Word map: the word, chosen on one half of the "
    "images, whose heat (attention of the model) best tells the cells in which the atom is active, on the other half."
)
_CARDS = (
    "A card shows images in which an atom is strong, about as strong as in half of its images, and hardly active; red "
    "says where, in units of its largest code. Point at an image to see it without. Bars are scores on images that "
    "named nothing, blue above chance, which the black line marks; point at one to read what it is. The small diagram "
    "counts active images by strength: blue have the name in their caption.",
)


def ran(
    report: Report, work: Work, model: "Model", whose: tuple[Learned, Learned, Interpreted], progress: bool
) -> tuple[Report, dict[int, list[str]]]:
    """The report with what a running model says of some atoms, and a sentence on each for its card."""
    made, whole, found = whose
    atoms = atoms_for(found, work.plan.acted)
    with progress_bar("run", len(atoms) * (1 + 2 * work.plan.acted_images), progress) as advance:
        told = run(work, model, made, whole, found, atoms, advance)
    table = {**report.table, **run_table(told, len(made.atoms))}
    said = {a: [f"taken out: {_finite(one.inside):.0%} of the picture's change lies in the {_finite(one.area):.0%} of "
                "the cells in which it is active"] for a, one in told.acted.items()}  # fmt: skip
    for a, one in told.worded.items():
        if one.word and one.agreement > max(_CLEAR, one.others):
            said.setdefault(a, []).append(f"lies under the heat of {one.word} (ROC area {one.agreement:.2f}, other "
                                          f"words {one.others:.2f})")  # fmt: skip
    notes = (*report.notes, _RAN, *([f"Without word maps: {told.silent}"] if told.silent else []))
    return replace(report, scores=(*report.scores, *run_scores(told)), table=table, notes=notes), said


def _finite(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def write_cards(
    out: Path, work: Work, report: Report, both: Sequence[tuple[Learned, Interpreted]], lines: dict[int, list[str]]
) -> None:
    """Write the page with a card per atom beside the report."""
    said = dict(lines)
    for atom, text in enumerate(report.table.get("judge's words", ())):
        if text:
            said[atom] = [*said.get(atom, []), f"judge: {text}"]
    cards = [card for (made, seen), kind in zip(both, ("learned", "random"), strict=False)
             for card in work.cards(made, seen, kind, said if kind == "learned" else {})]  # fmt: skip
    title = f"{report.task.removeprefix('interpret-')}, atoms at {report.parameters['site']}"
    page = atoms_page(title, cards, _CARDS, len(both[0][0].atoms))
    (out / "atoms.html").write_text(page, encoding="utf-8")


def asked(
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
