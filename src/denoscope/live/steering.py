"""A steering job: pictures from the same noise without and with pushes, what moved, and how to do it again."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.dictionaries.attaching import attached
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.edits import ablate, add, by_site
from denoscope.dictionaries.limits import within
from denoscope.dictionaries.repairs import matched
from denoscope.dictionaries.splices import splice
from denoscope.explorer.server.protocol import Watch
from denoscope.explorer.server.shapes import JobResult
from denoscope.explorer.server.steered import keep, mask_of, new_id, region_of
from denoscope.explorer.server.steershapes import AtomMoved, FactorMoved, Layer, Moved, Push, SteerAsk, Steered
from denoscope.features.rendered import Seen
from denoscope.features.unusual import Meter, looked_at
from denoscope.live.moved import atoms_moved, factors_moved, pixels_moved, unusual_moved
from denoscope.live.saying import as_command, as_python
from denoscope.live.sources import Shelf
from denoscope.live.watched import Watched
from denoscope.models.base import Model
from denoscope.models.generation import Generation, generate

__all__ = ["JUDGED", "Plain", "steer_pictures"]

JUDGED = ("embedded",)
"""Models whose pictures are of the world that the judges know."""
_OTHER = 4
"""Pictures of other noise that what is usual is learned from, at least."""
_HELD = 6
_LAYERS: tuple[Layer, ...] = ("before", "after", "control", "mask")
Mask = NDArray[np.bool_]
Judges = Callable[[], Mapping[str, Seen]]

_ONE = "A single picture has no interval: make several, or sweep doses with `denoscope steer --doses`."
_ATOMS = (
    "Atoms are read from the finished pictures without any push, and those told are the ones that moved most of all "
    "{count}: some of them by chance."
)
_CONTROL = "The control pushes every cell as far, in a random direction."


class Plain:
    """Runs without pushes that were made lately, so that a stronger push does not make them again."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Generation] = {}

    def get(self, key: tuple[Any, ...], make: Callable[[], Generation]) -> Generation:
        """What is known under a key, or is made now."""
        if key not in self._known:
            self._known[key] = make()
        found = self._known.pop(key)
        self._known[key] = found
        for old in list(self._known)[:-_HELD]:
            del self._known[old]
        return found

    def __contains__(self, key: tuple[Any, ...]) -> bool:
        return key in self._known


def steer_pictures(
    ask: SteerAsk, model: Model, shelf: Shelf, desk: Path, watch: Watch, plain: Plain, judges: Judges
) -> JobResult:
    """Make the pictures, tell what moved, and keep both on the desk.

    Raises:
        Cancelled: told to stop; nothing is kept.
        UnknownName: a direction that is not there.
        InputError: an atom that does not exist, a direction that does not fit its site, or a model without judges.
    """
    started = time.perf_counter()
    if ask.judge and ask.model not in JUDGED:
        raise InputError(f"judges know the pictures of {', '.join(JUDGED)}, not those of {ask.model}; ask without them")
    ask = _settled(ask, model)
    side = model.parts.native
    mask = None if ask.region is None else region_of(ask.region, side, side)
    chosen = [shelf.load(push.source) for push in ask.pushes]
    edits = [_limited(_edit(push, made), ask, mask) for push, made in zip(ask.pushes, chosen, strict=True)]
    attached(edits, model)
    runs = _Runs(model, ask, tuple(sorted(map(str, by_site(edits)))), watch, plain)
    pictures = runs.made(edits)
    moved, factors, atoms = _told(ask, model, shelf, chosen, pictures, runs, mask, judges)
    folders, name = [shelf.folder(push.source) for push in ask.pushes], new_id()
    place = desk / "steered"
    drawn = None if mask is None else (place / name / mask_of()).absolute()
    images = {layer: run.images for layer, run in pictures.items() if layer != "other"}
    told = Steered(
        id=name,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        ask=ask,
        height=side,
        width=side,
        layers=[layer for layer in _LAYERS if layer in images or (layer == "mask" and drawn is not None)],
        moved=moved,
        factors=factors,
        atoms=atoms,
        python=as_python(ask, folders, drawn),
        command=as_command(ask, folders, drawn),
        seconds=round(time.perf_counter() - started, 2),
        notes=_notes(ask, atoms, chosen),
    )
    keep(place, told, images, mask)
    change = f", which moved {moved[0].steered.value:.1f} of 255" if moved else ""
    count = f"{ask.pictures} picture{'s' * (ask.pictures > 1)}"
    return JobResult(layers=[], images=[], steered=name, note=f"{count}{change}")


@dataclass(frozen=True, eq=False)
class _Runs:
    """The generations of one ask: each from the same noise, those without pushes only where they are not known yet."""

    model: Model
    ask: SteerAsk
    sites: tuple[str, ...]
    watch: Watch
    plain: Plain

    def made(self, edits: Sequence[Any]) -> dict[str, Generation]:
        """Runs by layer: `before`, and where there are pushes `after`, `other` noise, and the `control`."""
        ask = self.ask
        wanted: list[tuple[str, Sequence[Any], int, int]] = [("before", (), ask.seed, ask.pictures)]
        if edits:
            wanted += [("other", (), ask.seed + 1, max(_OTHER, ask.pictures)), ("after", edits, ask.seed, ask.pictures)]
        if edits and ask.control:
            other = [matched(edit, "direction", seed=ask.seed) for edit in edits]
            wanted.append(("control", other, ask.seed, ask.pictures))
        left = [one for one in wanted if one[1] or self._key(one[2], one[3]) not in self.plain]
        counted = _Counted(self.model, self.watch, (ask.steps or 1) * len(left))
        return {layer: self._run(counted, layer, some, seed, count) for layer, some, seed, count in wanted}

    def _key(self, seed: int, count: int) -> tuple[Any, ...]:
        ask = self.ask
        return ask.model, ask.prompt, ask.negative, ask.steps, ask.guidance, self.sites, seed, count

    def _run(self, counted: "_Counted", layer: str, edits: Sequence[Any], seed: int, count: int) -> Generation:
        ask = self.ask

        def make() -> Generation:
            return generate(
                counted.standing(layer), [ask.prompt] * count, steps=ask.steps, guidance=ask.guidance,
                negative=ask.negative, seed=seed, record=self.sites, at=looked_at(ask.steps or 1), edits=by_site(edits),
            )  # fmt: skip

        return make() if edits else self.plain.get(self._key(seed, count), make)


_SAID = {"before": "without pushes", "other": "from other noise", "after": "pushing", "control": "pushing at random"}


class _Counted:
    """Tells the passes of several runs as one count."""

    def __init__(self, model: Model, watch: Watch, total: int) -> None:
        self._model, self._watch, self._total = model, watch, total
        self._done = 0

    def standing(self, layer: str) -> Model:
        """The model, for one run."""

        def tell(_: int) -> None:
            self._watch.tell(self._done, self._total, _SAID[layer])
            self._done += 1

        standing: Model = Watched(self._model, tell)  # pyright: ignore[reportAssignmentType]
        return standing


def _told(
    ask: SteerAsk, model: Model, shelf: Shelf, chosen: Sequence[Learned], pictures: Mapping[str, Generation],
    runs: _Runs, mask: Mask | None, judges: Judges,
) -> tuple[list[Moved], list[FactorMoved], list[AtomMoved]]:  # fmt: skip
    """What moved; nothing where nothing was pushed."""
    if "after" not in pictures:
        return [], [], []
    before, after, control = pictures["before"], pictures["after"], pictures.get("control")
    third = None if control is None else control.images
    runs.watch.tell(0, 0, "measuring what moved")
    meter = Meter.of(pictures["other"].activations, before.activations, mask)
    moved = pixels_moved(before.images, after.images, third, mask)
    moved += unusual_moved(
        meter, before.activations, after.activations, None if control is None else control.activations
    )
    labels = {one.id: one.labels for one in shelf.sources()}
    atoms: list[AtomMoved] = []
    for source, made in {push.source: made for push, made in zip(ask.pushes, chosen, strict=True)}.items():
        pushed = [push.atom for push in ask.pushes if push.source == source]
        atoms += atoms_moved(model, source, made, pushed, labels.get(source, []), before.images, after.images, mask)
    if not ask.judge:
        return moved, [], atoms
    runs.watch.tell(0, 0, "asking the judges; the first time they have to learn, some minutes")
    return moved, factors_moved(judges(), before.images, after.images, third), atoms


def _settled(ask: SteerAsk, model: Model) -> SteerAsk:
    """With the numbers that the model chooses itself.

    Raises:
        InputError: a window that begins after the last step.
    """
    steps = ask.steps or model.parts.steps
    guidance = model.parts.guidance if ask.guidance is None else ask.guidance
    if ask.window is not None and ask.window[0] >= steps:
        raise InputError(f"a push from step {ask.window[0]} on never acts: there are {steps} steps")
    return ask.model_copy(update={"steps": steps, "guidance": float(guidance)})


def _edit(push: Push, made: Learned) -> Any:
    if push.edit == "ablate":
        return ablate(made, push.atom)
    if push.edit == "codes":
        return splice(made, factors={push.atom: push.strength}, keep=1.0)
    return add(made, push.atom, strength=push.strength, unit="norm")


def _limited(edit: Any, ask: SteerAsk, mask: Mask | None) -> Any:
    """The edit where and when it is to act."""
    if mask is None and ask.window is None and ask.branch == "both":
        return edit
    window = None if ask.window is None else (ask.window[0], ask.window[1])
    return within(edit, steps=window, branch=ask.branch, mask=mask)


def _notes(ask: SteerAsk, atoms: Sequence[AtomMoved], chosen: Sequence[Learned]) -> list[str]:
    if not ask.pushes:
        return []
    used = {push.source: made for push, made in zip(ask.pushes, chosen, strict=True)}
    count = sum(len(made.atoms) for made in used.values())
    notes = [_ONE] if ask.pictures == 1 else []
    notes += [_CONTROL] if ask.control else []
    return notes + ([_ATOMS.format(count=count)] if len(atoms) > len(ask.pushes) else [])
