"""`interpret`: names of atoms with how well each holds on images that it was not taken from, beside random atoms."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from denoscope.chosen import loaded, made_folder, opened
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.report import Report
from denoscope.core.sample import DataSet, Sample
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.dictionaries.digest import digest_of
from denoscope.evaluate.knowing import reopened
from denoscope.interpret.adding import asked, ran, write_cards
from denoscope.interpret.coding import source_of
from denoscope.interpret.drawing import compared
from denoscope.interpret.judges import Judge
from denoscope.interpret.naming import factors_of
from denoscope.interpret.passes import Passes
from denoscope.interpret.patches import Eye, pixels
from denoscope.interpret.plan import Plan
from denoscope.interpret.telling import beside_of, scores_of, table_of
from denoscope.interpret.work import Work
from denoscope.pool import Pool
from denoscope.progress import progress_bar
from denoscope.store.store import Store

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["interpret"]

_PAGE = "A card per atom, with its images from strong to weak, stands in atoms.html beside this page."
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
    eye: Eye = pixels,
    judge: Judge | None = None,
    model: "str | Path | Model | None" = None,
    timestep: float | None = None,
    data: DataSet | Sequence[Sample] | str | None = None,
    out: str | Path | None = None,
    pool: Pool | None = None,
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
        model: that the store was extracted with; some atoms are then changed while it runs, and laid on the heat maps
            of the words of captions.
        timestep: noise level of the store that is looked at; the first that the dictionary learned from unless given.
        data: the images, where the store was made from samples in memory.
        out: folder to write the report to.
        pool: a Ray cluster whose actors read the store (`denoscope.pool.Pool`); this process unless given. The report
            is the same.
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
    if plan.compat and judge is None:
        raise InputError("the published score (compat) is what a judge says; give one, such as --judge colour")
    if plan.acted_steps and model is None:
        raise InputError("acted_steps are those of pictures that a model samples; give it, as in --model embedded")
    whole = _learned(dictionary, store)
    scope = None if model is None else loaded(model)
    if out is not None:
        made_folder(out)
    place = opened(store)
    source = source_of(place, whole, timestep)
    made = _at(whole, source.condition)
    told = place.facts(source.volume.recipe)
    rows = [told[name] for name in source.names]
    if plan.caption != Plan.caption and not any(plan.caption in row for row in rows):
        raise unknown("fact of the images", plan.caption, dict.fromkeys(name for row in rows for name in row),
                      "the store's index.parquet")  # fmt: skip
    reader = reopened(source.volume, data, "pictures and masks of atoms")
    passes = Passes(source, reader, data, pool)
    work = Work(passes, rows, factors_of(rows, plan.facts), plan, eye)
    twin = made.random(made.bias)
    with progress_bar("interpret", len(rows) * (4 if twin else 2), progress) as advance:
        found = work.done(made, advance)
        beside = work.done(twin, advance) if twin else None
        figures = work.drawn(made, found, beside)
    scores = scores_of(found, beside, plan.least)
    report = Report(
        task=f"interpret-{made.name}",
        parameters=asdict(plan) | {"site": str(source.site), "condition": str(source.condition),
                                   "atoms": len(made.atoms), "images": len(rows), "facts": sorted(work.factors),
                                   "eye": getattr(eye, "__name__", str(eye)), "judge": judge.name if judge else ""},
        scores=scores,
        inputs={"recipe": source.volume.recipe.digest, "dictionary": digest_of(made)},
        origin=Origin.now(time.perf_counter() - started),
        table=table_of(found, source.names),
        figures={"Scores beside random atoms and chance": compared(beside_of(scores)), **figures},
        notes=_NOTES if out is None else (_PAGE, *_NOTES),
        recipes={source.volume.recipe.digest: json.loads(source.volume.recipe.to_json())},
    )  # fmt: skip
    said: dict[int, list[str]] = {}
    if scope is not None:
        report, said = ran(report, work, scope, (made, whole, found), progress)
    if judge is not None:
        both = [(made, found), *([(twin, beside)] if twin and beside else [])]
        report = asked(report, work, judge, both, progress)
    if save:
        place.save(report)
    if out is not None:
        report.save(out)
        write_cards(Path(out), work, report, [(made, found), *([(twin, beside)] if twin and beside else [])], said)
    return report


def _at(made: Learned, condition: Condition) -> Learned:
    """What a dictionary is under a condition: another one where its encoder knows the noise level."""
    at = getattr(made, "at", None)
    return made if at is None else cast("Learned", at(condition.timestep or 0.0))


def _plan(settings: Mapping[str, Any]) -> Plan:
    known = [one.name for one in fields(Plan)]
    for name in settings:
        if name not in known:
            raise unknown("setting of interpret", name, known, "help(denoscope.interpret.plan.Plan)")
    told: dict[str, Any] = {**settings, "facts": tuple(settings.get("facts", ()))}
    return Plan(**told)


def _learned(dictionary: Learned | str | Path, store: Store | str | Path) -> Learned:
    """The dictionary, and a word on the order where the store was given in its place."""
    if isinstance(dictionary, Learned):
        return dictionary
    try:
        return load_dictionary(dictionary)
    except StoreError:
        if not isinstance(store, Store) and (Path(str(store)) / "dictionary.safetensors").exists():
            raise InputError(f"the store comes first: denoscope interpret {dictionary} {store}") from None
        raise
