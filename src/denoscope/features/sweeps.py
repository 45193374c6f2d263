"""What an edit does as it grows: what was meant, what else, and how far activations leave what is usual."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import loaded
from denoscope.core.errors import InputError, unknown
from denoscope.core.optional import require
from denoscope.core.recipe import Origin, canonical
from denoscope.core.report import Report
from denoscope.dictionaries.attaching import attached
from denoscope.dictionaries.edits import by_site
from denoscope.dictionaries.limits import Within, dose
from denoscope.dictionaries.repairs import Control, matched
from denoscope.features.sweepscores import sweep_curves, sweep_scores
from denoscope.features.unusual import Meter, looked_at
from denoscope.figures.doses import doses_sheet
from denoscope.progress import progress_bar

if TYPE_CHECKING:
    from denoscope.models.base import Model
    from denoscope.models.generation import Generation

__all__ = ["Swept", "sweep"]

Images = NDArray[np.uint8]
Judging = Callable[[Sequence[Any]], Sequence[str]]
_NOTE = (
    "Pictures of all doses start from the same noise; dose 0 is the picture without edits, bit by bit. A control "
    "changes every cell by as much as the edit at the same dose, another way. Intervals are over pictures, paired. "
)
_UNSURE = "The judge of {fact} is right for {share:.2f} of images only: what it says of pictures is worth no more."
_SURE = 0.8
"""Accuracy of a judge below which the report warns."""
_UNUSUAL = (
    "Distance: squared Mahalanobis distance of the edited sites' cells from what they are in pictures of other noise, "
    "at the first, the middle and the last step, relative to that of the unedited pictures: 1 is as usual. Off the "
    "usual directions: share of a cell's deviation that lies outside those that usually hold 90 % of it."
)


@dataclass(frozen=True, eq=False)
class Swept:
    """Pictures under growing doses of edits.

    Attributes:
        doses: in ascending order, 0 among them.
        images: uint8 RGB `(dose, picture, row, col, 3)`.
        prompts: one per picture.
        report: what changed.
    """

    doses: tuple[float, ...]
    images: Images
    prompts: tuple[str, ...]
    report: Report

    @property
    def sheet(self) -> Images:
        """All pictures: a row per prompt, a column per dose; uint8 RGB `(row, col, 3)`."""
        return np.concatenate([np.concatenate(list(column)) for column in self.images], axis=1)

    def save(self, folder: str | Path) -> Path:
        """Write the pictures, all of them on one sheet, and the report; the folder is returned."""
        pillow, place = require("PIL.Image", "save pictures", "pillow"), Path(folder)
        self.report.save(place)
        pillow.fromarray(self.sheet).save(place / "doses.png")
        for amount, pictures in zip(self.doses, self.images, strict=True):
            for index, picture in enumerate(pictures):
                pillow.fromarray(picture).save(place / f"{index:03d}-dose-{amount:g}.png")
        return place


def sweep(
    model: "str | Path | Model",
    prompts: Sequence[str],
    edits: Sequence[Any],
    doses: Sequence[float] = (0.5, 1.0, 2.0),
    *,
    judges: Mapping[str, Judging] | None = None,
    target: Mapping[str, str] | None = None,
    controls: Sequence[Control] = ("direction",),
    seed: int = 0,
    steps: int = 20,
    guidance: float = 5.0,
    progress: bool = False,
    force: bool = False,
    **options: Any,
) -> Swept:
    """Pictures from prompts under growing doses of edits, beside controls of the same size.

    A dose a of an edit e is x + a (e(x) - x): for `add` it multiplies the strength, for `ablate` it is how much is
    taken out. Told are, for each dose: how often a judge sees what the edit is to bring about, how often it calls
    anything else otherwise than without the edit, the change of pixels (outside the edits' boxes and masks as well,
    where all have one), and how unusual the activations at the edited sites become.

    Args:
        model: name or path that `load` takes, or a loaded model.
        prompts: one per picture; eight or more for intervals that say something.
        edits: made by `add`, `ablate`, `within` and so on; all are dosed together.
        doses: 0 is always among them.
        judges: fact to a function from pictures to classes, such as `denoscope.features.judging.judge`.
        target: what the edits are to make of pictures, fact to class, as in `{"colour": "red"}`.
        controls: kinds, see `matched`; none where it is empty.
        seed, steps, guidance: as for `steer`.
        progress: show a bar with the time left.
        force: attach directions also where they were learned on another model or site.
        options: further ones of `Model.generate`.

    Raises:
        InputError: no edit, prompt or dose, or a dictionary of another model or site.
        UnknownName: a target that nobody judges.
    """
    started, scope = time.perf_counter(), loaded(model)
    told, wanted = dict(judges or {}), dict(target or {})
    amounts = tuple(sorted({0.0, *map(float, doses)}))
    if not edits or not prompts or len(amounts) < 2:
        raise InputError("give an edit, a prompt and a dose that is not 0")
    for fact in wanted:
        if fact not in told:
            raise unknown("fact", fact, told, "judges=")
    settings = {"seed": seed, "steps": steps, "guidance": guidance, **options}
    attached(edits, scope, force=force)
    sites = [str(site) for name in by_site(edits) for site in scope.select(name)]
    runs = _Runs(scope, list(prompts), sites, settings)
    with progress_bar("sweep", 2 + (len(amounts) - 1) * (1 + len(controls)), progress) as advance:
        plain, other = runs(()), runs((), seed + 1)
        advance(2)
        part = _part(edits, plain.images.shape[1:3])
        looked = _Look(Meter.of(other.activations, plain.activations, part), part, told, plain.images, tuple(prompts))
        rows, pictures = [], []
        for control in ("", *controls):
            for amount in amounts:
                found = plain if amount == 0 else runs(_dosed(edits, amount, control, seed))
                advance(int(amount != 0))
                rows += looked(control, amount, found)
                pictures += [found.images] if not control else []
    table = {name: [row[name] for row in rows] for name in rows[0]}
    images = np.stack(pictures)
    names = ["without" if amount == 0 else f"dose {amount:g}" for amount in amounts]
    report = Report(
        task="sweep",
        parameters={"prompts": list(prompts), "edits": [_named(edit) for edit in edits], "doses": list(amounts),
                    "controls": list(controls), "target": wanted, **settings},
        scores=tuple(sweep_scores(table, amounts, wanted, told, controls)),
        inputs={"model": _digest(dict(scope.recipe)), "prompts": _digest(list(prompts))},
        origin=Origin.now(time.perf_counter() - started, str(scope.device)),
        table=table,
        figures={"Doses": doses_sheet(images, prompts, names), **sweep_curves(table, amounts, wanted, controls)},
        notes=(_NOTE, _UNUSUAL, *_unsure(told)),
    )  # fmt: skip
    return Swept(amounts, images, tuple(prompts), report)


@dataclass(frozen=True, eq=False)
class _Runs:
    """Pictures of the same prompts, with what the edited sites hold at some steps."""

    scope: "Model"
    prompts: list[str]
    sites: list[str]
    settings: Mapping[str, Any]

    def __call__(self, edits: Sequence[Any], seed: int | None = None) -> "Generation":
        told = {**self.settings, **({} if seed is None else {"seed": seed})}
        at = looked_at(told["steps"])
        return self.scope.generate(self.prompts, edits=by_site(edits), record=self.sites, at=at, **told)


@dataclass(frozen=True, eq=False)
class _Look:
    """What is told of each picture of one dose."""

    meter: Meter
    part: Any
    judges: Mapping[str, Judging]
    plain: Images
    prompts: tuple[str, ...]

    def __call__(self, control: str, amount: float, run: "Generation") -> Iterator[dict[str, Any]]:
        gap = np.abs(run.images.astype(np.float64) - self.plain).mean(axis=3)
        far, off = self.meter.distance(run.activations), self.meter.outside(run.activations)
        classes = {fact: list(judge(list(run.images))) for fact, judge in self.judges.items()}
        for i, prompt in enumerate(self.prompts):
            outside = None if self.part is None or self.part.all() else float(gap[i][~self.part].mean())
            yield {"control": control, "dose": amount, "picture": i, "prompt": prompt, "change": float(gap[i].mean()),
                   "outside": outside, "distance": float(far[i]), "off": float(off[i]),
                   **{fact: names[i] for fact, names in classes.items()}}  # fmt: skip


def _dosed(edits: Sequence[Any], amount: float, control: str, seed: int) -> list[Any]:
    made = [dose(edit, amount) for edit in edits]
    return [matched(edit, control, seed=seed) for edit in made] if control else made  # pyright: ignore[reportArgumentType]


def _part(edits: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """The pixels in the edits' boxes and masks `(row, col)`; None unless all have one, the same for all pictures."""
    found = np.zeros(shape, dtype=bool)
    for edit in edits:
        pixels = edit.pixels(shape) if isinstance(edit, Within) else None
        if pixels is None or pixels.ndim != 2:
            return None
        found |= pixels
    return found


def _unsure(judges: Mapping[str, Judging]) -> Iterator[str]:
    """A line for each judge that is often wrong."""
    for fact, judge in judges.items():
        accuracy = getattr(judge, "accuracy", None)
        if accuracy is not None and accuracy.value < _SURE:
            yield _UNSURE.format(fact=fact, share=accuracy.value)


def _named(edit: Any) -> str:
    return f"{type(edit).__name__.lower()} at {edit.site}"


def _digest(value: Any) -> str:
    return sha256(canonical(value).encode()).hexdigest()[:16]
